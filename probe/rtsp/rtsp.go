// Package rtsp asks a device's RTSP server what it can do and what it streams: OPTIONS and DESCRIBE of the root, over one
// connection. It sets up no stream; watching metadata belongs to the modules that know what the documents mean. It never
// tries a login: credentials are used only where another module found them accepted.
package rtsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	wire "github.com/mingshi-audit/mingshi/internal/rtsp"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	name         = "rtsp"
	kindDescribe = "DESCRIBE"
	kindOptions  = "OPTIONS"
	briefTime    = 2 * time.Second

	maxRead   = 512 << 10
	maxText   = 200
	maxDetail = 160
	maxTracks = 32
)

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  name,
		Doc:   msg.Text("probe.rtsp.doc"),
		Needs: audit.PermitQuery,
		Asks:  []probe.Question{{Request: "OPTIONS /", Kind: kindOptions, Needs: audit.PermitQuery}, {Request: "DESCRIBE /", Kind: kindDescribe, Needs: audit.PermitQuery}},
		Facts: []audit.FactSpec{}, // that there is a metadata track says nothing of what is in it
		Wants: wants,
		Probe: look,

		Hears:   []capture.Proto{capture.ProtoRTSP},
		Dissect: Dissect,
	}
}

// ports are where RTSP is found: the registered one, its TLS sibling, and the habits of makers.
var ports = []uint16{322, 554, 1554, 5543, 5554, 7070, 8554, 10554}

func wants(t audit.Target) bool {
	if t.Foreign || !t.Addr.Addr().IsValid() {
		return false
	}
	return slices.Contains(ports, t.Addr.Port()) || slices.ContainsFunc(t.Types, func(s string) bool {
		return strings.HasPrefix(s, "_rtsp._tcp")
	})
}

// Data is what an observation of this module holds.
type Data struct {
	Code     int      `json:"code,omitempty"`     // RTSP status of DESCRIBE
	Server   string   `json:"server,omitempty"`   // header
	Methods  []string `json:"methods,omitempty"`  // public, as OPTIONS says
	Realm    string   `json:"realm,omitempty"`    // of the first challenge that has one
	Auth     []string `json:"auth,omitempty"`     // authentication schemes offered
	Location string   `json:"location,omitempty"` // where a redirect points, which was not followed
	Name     string   `json:"name,omitempty"`     // of the session
	Tracks   []Track  `json:"tracks,omitempty"`
	Metadata bool     `json:"metadata"` // an ONVIF metadata track is among them
	Guesses  []Guess  `json:"guesses,omitempty"`
}

// Track is one stream the device offers.
type Track struct {
	Media    string   `json:"media"`
	Codecs   []string `json:"codecs"`
	Metadata bool     `json:"metadata,omitempty"`
}

// Guess is a fingerprint that matched.
type Guess = fingerprint.Guess

// look asks one endpoint.
func look(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 554)
	if !env.Done.First(name, at.Port()) {
		return nil, nil
	}
	db, err := env.Fingerprints()
	if err != nil {
		return nil, fmt.Errorf("rtsp: %w", err)
	}
	env.Progress(msg.Text("probe.rtsp.progress", at.String()))

	url := rootURL(at)
	o := audit.Observation{Module: name, Kind: kindDescribe, Class: audit.ClassInventory, Endpoint: at, At: env.Clock(), Auth: "none"}
	opts := wire.Options{
		Host: at.Addr().WithZone(""),
		Dial: func(ctx context.Context, port uint16) (net.Conn, error) {
			return env.Device.Dial(ctx, audit.PermitQuery, port, maxRead)
		},
		Record: func(req, res []byte, note string) string {
			return env.Evidence.Record(evidence.Exchange{Protocol: name, URI: url, Endpoint: at, At: env.Clock(),
				Request: req, Response: res, Note: note})
		},
		Clock: env.Clock,
	}
	if env.Brief {
		opts.Timeout = briefTime
		if env.Done.Identified() { // nothing the description could add to who it is
			o.Kind, opts.Brief = kindOptions, true
		}
	}
	if u, p, ok := env.Login.Use(); ok {
		opts.User, opts.Password = u, p
	}
	d, err := wire.Describe(ctx, url, opts)
	if err != nil {
		return nil, fmt.Errorf("rtsp: %w", err)
	}
	if d.Login && d.Status == wire.StatusOK {
		o.Auth = "digest"
	}
	o.Status, o.Evidence = status(ctx, d), d.Evidence
	if o.Status != audit.OK {
		o.Detail = clean.Text(d.Detail, maxDetail)
	}
	data := summary(d)
	ms := db.RTSP(data.Server, data.Realm)
	data.Guesses = fingerprint.Guesses(ms)
	o.Identity = identity(db, ms)
	if o.Data, err = json.Marshal(data); err != nil {
		return nil, fmt.Errorf("rtsp: %w", err)
	}
	return []audit.Observation{o}, nil
}

func rootURL(at netip.AddrPort) string {
	scheme := "rtsp"
	if at.Port() == 322 {
		scheme = "rtsps"
	}
	return scheme + "://" + netip.AddrPortFrom(at.Addr().WithZone(""), at.Port()).String() + "/"
}

// summary keeps what is worth keeping, cleaned.
func summary(d wire.Description) Data {
	out := Data{Code: d.Code, Server: clean.Text(d.Server, maxText), Location: clean.Text(d.Location, maxText), Name: clean.Text(d.Name, maxText)}
	for _, m := range d.Methods {
		out.Methods = append(out.Methods, clean.Text(m, 32))
	}
	for _, c := range d.Challenges {
		out.Auth = append(out.Auth, clean.Text(c.Scheme, 20))
		if out.Realm == "" {
			out.Realm = clean.Text(c.Realm, maxText)
		}
	}
	for _, t := range d.Tracks {
		m := t.Metadata() != ""
		out.Metadata = out.Metadata || m
		if len(out.Tracks) == maxTracks {
			continue
		}
		track := Track{Media: clean.Text(t.Media, 32), Codecs: []string{}, Metadata: m}
		for _, f := range t.Formats {
			track.Codecs = append(track.Codecs, clean.Text(f.Name, 64))
		}
		out.Tracks = append(out.Tracks, track)
	}
	return out
}

// identity is what the fingerprints agree on, or nil.
func identity(db *fingerprint.DB, ms []fingerprint.Match) *audit.Identity {
	m, ok := fingerprint.Best(ms)
	if !ok {
		return nil
	}
	id := &audit.Identity{Vendor: db.Canonical(m.Vendor), Kind: m.Kind, Serial: m.Serial, Weak: true}
	if m.MAC != "" {
		id.MACs = []string{m.MAC}
	}
	return id
}

// status translates the wire's status.
func status(ctx context.Context, d wire.Description) audit.Status {
	var denied *guard.DeniedError
	var limit *guard.LimitError
	switch {
	case errors.As(d.Cause, &denied):
		return audit.Denied
	case errors.As(d.Cause, &limit):
		return audit.Limited
	case d.Cause != nil && ctx.Err() != nil:
		return audit.Interrupted
	}
	switch d.Status {
	case wire.StatusOK:
		return audit.OK
	case wire.StatusAuthRequired:
		return audit.AuthRequired
	case wire.StatusRefused:
		return audit.Refused
	case wire.StatusTimeout:
		return audit.Timeout
	case wire.StatusMalformed:
		return audit.Malformed
	case wire.StatusExhausted:
		return audit.Exhausted
	case wire.StatusUnreachable:
		return audit.Unreachable
	}
	if d.Code == 404 || d.Code == 405 || d.Code == 501 {
		return audit.NotSupported // the root has no stream, which is common: the answer is what was wanted
	}
	return audit.Inconclusive
}
