package rtsp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	wire "github.com/mingshi-audit/mingshi/internal/rtsp"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	heardDescribe = "heard:DESCRIBE" // a description somebody else asked for
	heardRefusal  = "heard:401"      // what a server that wants a login says of itself
)

// Dissect says what an RTSP server's answer to somebody else shows: its banner, and of a description the tracks. That there is a
// metadata track says nothing of what is in it.
func Dissect(h probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	a := f.Answer
	if f.Proto != capture.ProtoRTSP || a == nil || !h.Inside(f.Server.Addr.Addr()) {
		return nil, nil
	}
	o := audit.Observation{Module: name, Class: audit.ClassInventory, Endpoint: f.Server.Addr, Auth: "none"}
	data := Data{Code: a.Status, Server: clean.Text(a.Header.Get("Server"), maxText)}
	switch {
	case a.Status == 401:
		o.Kind, o.Status = heardRefusal, audit.AuthRequired
		data.Realm, data.Auth = challenge(a.Header)
	case a.Status == 200 && describes(f):
		o.Kind, o.Status = heardDescribe, audit.OK
		if a.Cut != 0 || len(a.Body) == 0 {
			return nil, nil // a list that was cut shows fewer tracks, which would pass for another device's
		}
		tracks, err := wire.ReadTracks(a.Body)
		if err != nil {
			return nil, fmt.Errorf("rtsp: reading a description: %w", err)
		}
		s := summary(wire.Description{Tracks: tracks})
		data.Tracks, data.Metadata = s.Tracks, s.Metadata
	default:
		return nil, nil
	}
	db, err := known(h)
	if err != nil {
		return nil, err
	}
	ms := db.RTSP(data.Server, data.Realm)
	data.Guesses, o.Identity = fingerprint.Guesses(ms), identity(db, ms)
	if o.Data, err = json.Marshal(data); err != nil {
		return nil, fmt.Errorf("rtsp: %w", err)
	}
	return []audit.Observation{o}, nil
}

// describes reports whether an answer describes a session: the question was seen and asked for it, or the body says that it is one.
func describes(f *capture.Flow) bool {
	if f.Request != nil && f.Request.Method != "" {
		return f.Request.Method == "DESCRIBE"
	}
	t, _, _ := strings.Cut(f.Answer.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(t), "application/sdp")
}

// challenge reads the realm of the first challenge that has one, and the schemes offered.
func challenge(h capture.Header) (realm string, schemes []string) {
	for _, x := range h {
		if !strings.EqualFold(x.Name, "WWW-Authenticate") {
			continue
		}
		scheme, rest, _ := strings.Cut(strings.TrimSpace(x.Value), " ")
		if s := clean.Text(scheme, 20); s != "" && s != "-" && !slices.Contains(schemes, s) && len(schemes) < 4 {
			schemes = append(schemes, s)
		}
		if _, v, ok := strings.Cut(rest, `realm="`); ok && realm == "" {
			v, _, _ = strings.Cut(v, `"`)
			realm = clean.Text(v, maxText)
		}
	}
	return realm, schemes
}

func known(h probe.Hearing) (*fingerprint.DB, error) {
	if h.Data != nil {
		return h.Data.Fingerprints, nil
	}
	db, err := fingerprint.Load()
	if err != nil {
		return nil, fmt.Errorf("rtsp: %w", err)
	}
	return db, nil
}
