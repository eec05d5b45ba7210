// Package web looks at the front page of whatever speaks HTTP on a device: one GET / for each endpoint, without
// credentials, and nothing it points to. It learns who made the device and how it can be told from others; what a maker's
// own interface says of faces belongs to that maker's module.
package web

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
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	name      = "web"
	kindFront = "GET /"

	maxBody   = 256 << 10
	maxTime   = 10 * time.Second // for one try, the body included
	briefTime = 2 * time.Second  // likewise, where only a look is wanted
	maxText   = 200              // runes of a title, a banner, a realm
	maxDetail = 160
)

// Module returns the module.
func Module() probe.Module {
	return probe.Module{
		Name:  name,
		Doc:   msg.Text("probe.web.doc"),
		Needs: audit.PermitQuery,
		Web:   80,
		Asks:  []probe.Question{{Request: kindFront, Kind: kindFront, Needs: audit.PermitQuery}},
		Facts: []audit.FactSpec{}, // a page proves nothing about faces
		Wants: wants,
		Probe: look,
	}
}

// ports are where cameras, recorders and the servers behind them have their pages. Those with true expect TLS.
var ports = map[uint16]bool{
	80: false, 81: false, 82: false, 88: false, 443: true, 1984: false, 2020: false, 3000: false, 4443: true, 5000: false,
	5001: true, 5005: false, 6333: false, 7001: false, 8000: false, 8001: false, 8008: false, 8080: false, 8081: false, 8085: false,
	8088: false, 8090: false, 8123: false, 8443: true, 8800: false, 8888: false, 8899: false, 8971: true, 9080: false,
	10443: true, 11080: false, 18080: false, 18081: false, 20443: true, 32168: false,
}

// notWeb are ports that an inventory may name and that are known to speak something else: SSH, Telnet, RTSP, RTMP, and the
// binary protocols of Dahua, Xiongmai and ZKTeco.
var notWeb = []uint16{21, 22, 23, 322, 554, 1554, 1935, 4370, 5543, 5554, 7070, 8554, 10554, 34567, 37777}

// privatePorts are ports where a page may be, and more often a maker's own protocol that is silent to what it does not know.
var privatePorts = []uint16{8000, 8800}

func wants(t audit.Target) bool {
	if t.Foreign || !t.Addr.Addr().IsValid() {
		return false
	}
	p := t.Addr.Port()
	if _, ok := ports[p]; ok {
		return true
	}
	if slices.Contains(notWeb, p) {
		return false
	}
	speaksHTTP := slices.ContainsFunc(t.Types, func(s string) bool {
		return strings.HasPrefix(s, "_http._tcp") || strings.HasPrefix(s, "_https._tcp")
	})
	switch t.Method {
	case "inventory", "recorder", "ws-discovery", "ws-discovery-unicast": // their addresses are those of web services
		return true
	}
	return p != 0 && speaksHTTP
}

// Data is what an observation of this module holds.
type Data struct {
	Scheme   string       `json:"scheme"`             // http or https, of the answer
	Tried    []string     `json:"tried"`              // the schemes tried, in order
	Code     int          `json:"code,omitempty"`     // HTTP status
	Title    string       `json:"title,omitempty"`    // of the page
	Server   string       `json:"server,omitempty"`   // header
	Realm    string       `json:"realm,omitempty"`    // of the first challenge that has one
	Auth     []string     `json:"auth,omitempty"`     // authentication schemes offered
	Location string       `json:"location,omitempty"` // host of a redirect, which was not followed
	Type     string       `json:"type,omitempty"`     // media type of the page
	Bytes    int          `json:"bytes"`              // of the page that were read
	Cut      bool         `json:"cut,omitempty"`      // the page went on
	TLS      *Certificate `json:"tls,omitempty"`
	Guesses  []Guess      `json:"guesses,omitempty"`
}

// Certificate is what a device showed in a TLS handshake.
type Certificate struct {
	Version  string    `json:"version"` // of TLS
	Subject  string    `json:"subject"`
	Issuer   string    `json:"issuer"`
	SHA256   string    `json:"sha256"`
	Key      string    `json:"key_sha256"` // of the public key
	NotAfter time.Time `json:"not_after"`
}

// Guess is a fingerprint that matched.
type Guess = fingerprint.Guess

// look asks one endpoint: with the scheme its port suggests, and once more with the other if the answer says so.
func look(ctx context.Context, env probe.Env, t audit.Target) ([]audit.Observation, error) {
	at := probe.Endpoint(t, 80)
	if !env.Done.First(name, at.Port()) {
		return nil, nil
	}
	if env.Brief && slices.Contains(privatePorts, at.Port()) && env.Done.Identified() {
		return nil, nil
	}
	db, err := env.Fingerprints()
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	env.Progress(msg.Text("probe.web.progress", at.String()))

	o := audit.Observation{Module: name, Kind: kindFront, Class: audit.ClassInventory, Endpoint: at, At: env.Clock(), Auth: "none"}
	var d Data
	a := get(ctx, env, at, ports[at.Port()])
	d.Tried = []string{a.scheme}
	o.Evidence = append(o.Evidence, a.evidence...)
	if a.other {
		b := get(ctx, env, at, a.scheme == "http")
		d.Tried = append(d.Tried, b.scheme)
		o.Evidence = append(o.Evidence, b.evidence...)
		if b.err == nil {
			a = b
		}
	}
	o.Status, o.Detail = a.status(), clean.Text(a.detail(), maxDetail)
	d.Scheme = a.scheme
	a.fill(&d)
	ms := db.HTTP(a.facts(d))
	d.Guesses = fingerprint.Guesses(ms)
	o.Identity = identity(db, d, ms)
	if a.err == nil {
		env.Done.Show(at.Port(), shown(d, ms))
	}
	if o.Data, err = json.Marshal(d); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return []audit.Observation{o}, nil
}

// shown is what other modules go by: whose page it is counts only where that is beyond doubt.
func shown(d Data, ms []fingerprint.Match) probe.Page {
	p := probe.Page{Secure: d.Scheme == "https", Code: d.Code, Titled: d.Title != ""}
	for _, m := range ms {
		if v := fingerprint.Canonical(m.Vendor); m.Strength == fingerprint.Strong && !slices.Contains(p.Makers, v) {
			p.Makers = append(p.Makers, v)
		}
	}
	return p
}

// identity is what the endpoint shows of who the device is, or nil.
func identity(db *fingerprint.DB, d Data, ms []fingerprint.Match) *audit.Identity {
	var id audit.Identity
	if d.TLS != nil {
		id.TLSKey = d.TLS.Key
	}
	if m, ok := fingerprint.Best(ms); ok {
		id.Vendor, id.Kind, id.Serial = db.Canonical(m.Vendor), m.Kind, m.Serial
		if m.MAC != "" {
			id.MACs = []string{m.MAC}
		}
	}
	if id.TLSKey == "" && id.Vendor == "" {
		return nil
	}
	id.Weak = true
	return &id
}

// status says how the exchange ended. A page that asks for a login is not a page.
func (a *answer) status() audit.Status {
	var denied *guard.DeniedError
	var network net.Error
	switch {
	case a.err == nil && (a.code == 401 || a.code == 403):
		return audit.AuthRequired
	case a.err == nil:
		return audit.OK
	case errors.As(a.err, &denied):
		return audit.Denied
	case a.interrupted:
		return audit.Interrupted
	case a.tooMuch:
		return audit.Limited
	case errors.Is(a.err, context.DeadlineExceeded), errors.As(a.err, &network) && network.Timeout():
		return audit.Timeout
	case a.trace.Connected():
		return audit.Malformed
	}
	return audit.Unreachable
}

// detail is the reason of a failure, uncleaned.
func (a *answer) detail() string {
	if a.err == nil {
		return ""
	}
	return a.err.Error()
}

// url is written with the device's address, which is where the guard goes whatever it says.
func url(scheme string, at netip.AddrPort) string {
	return scheme + "://" + netip.AddrPortFrom(at.Addr().WithZone(""), at.Port()).String() + "/"
}
