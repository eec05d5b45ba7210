// Package guardtest helps other packages' tests to get a guard and to see what went through it. It belongs in tests only:
// what it hands out allows traffic to the prefixes a test names, and to nothing else.
package guardtest

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
)

// Recorder records every address that is dialled. Put its Dial into guard.Config.
type Recorder struct {
	// Next makes the connection; nil dials the real network.
	Next func(ctx context.Context, network, addr string) (net.Conn, error)

	mu    sync.Mutex
	addrs []string
}

// Dial records the address and dials it.
func (r *Recorder) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	r.mu.Lock()
	r.addrs = append(r.addrs, addr)
	r.mu.Unlock()
	if r.Next != nil {
		return r.Next(ctx, network, addr)
	}
	return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, addr)
}

// Dialled returns every "ip:port" that was dialled, in order, repeats included.
func (r *Recorder) Dialled() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.addrs)
}

// Outside returns the dialled addresses that lie outside every prefix, or that are no addresses.
func (r *Recorder) Outside(perimeter ...netip.Prefix) []string {
	var out []string
	for _, s := range r.Dialled() {
		ap, err := netip.ParseAddrPort(s)
		if err != nil || !slices.ContainsFunc(perimeter, func(p netip.Prefix) bool { return p.Contains(ap.Addr().Unmap().WithZone("")) }) {
			out = append(out, s)
		}
	}
	return out
}

// Authority returns an authority that is valid from yesterday to tomorrow and allows everything in the prefixes up to
// permit sample.
func Authority(perimeter ...string) audit.Authority {
	now := time.Now()
	a := audit.Authority{
		Basis:     "self_audit",
		GrantedBy: audit.Person{Name: "Test"},
		Valid:     audit.Period{From: audit.Moment{T: now.AddDate(0, 0, -1)}, To: audit.Moment{T: now.AddDate(0, 0, 1)}},
		Permit:    audit.PermitSample,
	}
	for _, p := range perimeter {
		a.Perimeter = append(a.Perimeter, netip.MustParsePrefix(p))
	}
	return a
}

// New returns a guard over Authority(perimeter...) with permit sample, 2000 packets a second and a recorder.
func New(t testing.TB, perimeter ...string) (*guard.Guard, *Recorder) {
	t.Helper()
	r := &Recorder{}
	g, err := guard.New(guard.Config{Authority: Authority(perimeter...), Permit: audit.PermitSample, PacketsPerSecond: 2000, Dial: r.Dial})
	if err != nil {
		t.Fatal(err)
	}
	return g, r
}
