// Package rtsp asks a device over RTSP (RFC 2326) what it streams, and reads the one stream that is text: ONVIF metadata
// (ONVIF Streaming Specification, section 5.1.2.1.1). It is built on gortsplib's codecs.
//
// What belongs here can express OPTIONS, DESCRIBE, SETUP, PLAY and TEARDOWN, and SETUP of a metadata track only: there is
// no way to ask for pictures or sound. It follows no redirect, sends no Basic credentials in clear text and dials nothing
// itself. What a document means belongs to package onvif, what it proves to the probes.
//
// gortsplib's own Client is not used: it follows redirects, answers Basic, gives up on a device that does not know OPTIONS
// or describes one odd track, and parses in goroutines where a panic would end the program. Here everything happens in
// the caller's goroutine.
package rtsp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
)

// Options say how to reach a device and how long to watch.
type Options struct {
	Dial           func(ctx context.Context, port uint16) (net.Conn, error) // the only way to the device
	Host           netip.Addr                                               // replaces the host of every URL
	User, Password string                                                   // empty: ask without credentials
	Budget         time.Duration                                            // how long to watch, default 20 s
	Timeout        time.Duration                                            // for a connection or one answer, default 5 s
	Brief          bool                                                     // Describe asks OPTIONS only

	// Record takes each exchange as it was on the wire, without what was streamed and without credentials, and returns the
	// id of the record. Optional.
	Record func(request, response []byte, note string) string

	Clock func() time.Time // default time.Now

	// OnDocument gets each metadata document in full, decompressed. It must not keep doc. Returning true ends the watch.
	// It runs between two reads: while it works the device waits.
	OnDocument func(doc []byte) (stop bool)
}

// Statuses of a Result or Description. Only StatusOK says that the device answered what was asked.
const (
	StatusOK           = "ok"
	StatusNoTrack      = "no-track"      // described, no metadata among the tracks
	StatusAuthRequired = "auth-required" // credentials wanted and none were sent
	StatusRefused      = "refused"       // credentials sent and not accepted, or forbidden
	StatusTimeout      = "timeout"
	StatusEXI          = "exi"       // metadata is there, in a binary form that is not decoded
	StatusMalformed    = "malformed" // the answer is not RTSP or not a description
	StatusExhausted    = "exhausted" // no resource left for one more client (453, 503)
	StatusUnreachable  = "unreachable"
	StatusInconclusive = "inconclusive" // any other answer: Code and Detail tell
)

// How a watch ended.
const (
	EndedStop      = "stop"      // OnDocument had enough
	EndedBudget    = "budget"    // the time was over
	EndedCancelled = "cancelled" // the context ended
	EndedClosed    = "closed"    // the device ended it
	EndedLimit     = "limit"     // more bytes than one watch may read
	EndedMalformed = "malformed" // the stream stopped being RTSP
)

// Result is what came of one attempt to watch metadata.
type Result struct {
	Found     bool          // the description has a metadata track
	Encoding  string        // its encoding name, such as "vnd.onvif.metadata"
	Documents int           // documents handed to OnDocument
	Bytes     int           // bytes of their payload on the wire
	Lost      int           // documents that did not arrive whole
	Ended     string        // how the watch ended; empty if it did not begin
	Status    string        // one of the Status constants
	Code      int           // the last RTSP status code, 0 if none came
	Detail    string        // uncleaned reason of the device or of ours
	Watched   time.Duration // from PLAY to the end
	Login     bool          // credentials were sent
	Cause     error         // the failure of the connection, if that is why
	Evidence  []string      // ids of the records
}

// Description is what a device says of itself without streaming anything.
type Description struct {
	Status     string      // of the DESCRIBE
	Code       int         // its RTSP status code, 0 if none came
	Detail     string      // uncleaned reason of the device or of ours
	Methods    []string    // what OPTIONS says is public
	Server     string      // Server header, uncleaned
	Challenges []Challenge // how it wants to be logged in to
	Location   string      // where a redirect points; not followed
	Name       string      // session name of the description, uncleaned
	Tracks     []Track
	Login      bool  // answered with credentials
	Cause      error // the failure of the connection, if that is why
	Evidence   []string
}

// Challenge is one way of logging in that a device offers.
type Challenge struct {
	Scheme string // Digest, Basic …
	Realm  string // uncleaned
}

const (
	defaultBudget  = 20 * time.Second
	defaultTimeout = 5 * time.Second
	userAgent      = "mingshi"
)

func (o *Options) fill() error {
	if o.Dial == nil || !o.Host.IsValid() {
		return errors.New("rtsp: no way to a device given")
	}
	if o.Budget <= 0 {
		o.Budget = defaultBudget
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Record == nil {
		o.Record = func(_, _ []byte, _ string) string { return "" }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.OnDocument == nil {
		o.OnDocument = func([]byte) bool { return false }
	}
	return nil
}

// rebase returns the URL with the device's own address for a host and without credentials, and the port to dial. A device
// behind address translation, or one that means harm, names another host.
func rebase(raw string, host netip.Addr) (*base.URL, uint16, error) {
	u, err := base.ParseURL(raw)
	if err != nil {
		return nil, 0, fmt.Errorf("rtsp: reading the stream URL: %w", err)
	}
	port := uint16(554)
	if u.Scheme == "rtsps" {
		port = 322
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return nil, 0, fmt.Errorf("rtsp: reading the stream URL: port %q", p)
		}
		port = uint16(n)
	}
	u = u.CloneWithoutCredentials()
	u.Host = authority(u.Port(), host)
	return u, port, nil
}

func authority(port string, host netip.Addr) string {
	if port != "" {
		return net.JoinHostPort(host.String(), port)
	}
	if host.Is6() && !host.Is4In6() {
		return "[" + host.String() + "]"
	}
	return host.Unmap().String()
}

// statusOf classifies an answer that is not 200.
func statusOf(code int, login bool) string {
	switch {
	case code == 200:
		return StatusOK
	case (code == 401 || code == 403) && !login:
		return StatusAuthRequired
	case code == 401 || code == 403:
		return StatusRefused
	case code == 453 || code == 503:
		return StatusExhausted
	}
	return StatusInconclusive
}
