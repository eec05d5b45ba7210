package probetest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/web"
)

// Scripted runs the module at a device that answers one request after the other by the function, and returns what it was asked
// as well: "GET /path?query".
func (r Run) Scripted(t testing.TB, answer http.HandlerFunc) ([]audit.Observation, []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, q.Method+" "+q.URL.RequestURI())
		answer(w, q)
	}))
	defer srv.Close()
	r.At = netip.MustParseAddrPort(srv.Listener.Addr().String())
	os := r.ask(t).Observations
	mu.Lock()
	defer mu.Unlock()
	return os, asked
}

// AfterPage asks an address as a whole run does: for its front page, then by the module where it wants the address still. What
// it recorded of both comes back too.
func (r Run) AfterPage(t testing.TB) (os []audit.Observation, recorded string) {
	t.Helper()
	env := r.env(t)
	tape, _ := env.Evidence.(*Tape)
	target := audit.Target{Method: "inventory", Addr: r.At}
	page, err := web.Module().Probe(t.Context(), env, target)
	if err != nil || len(page) != 1 {
		t.Fatal(page, err)
	}
	env.Done.Learn(page[0].Identity)
	if target = env.Done.Inform(target); !r.Module.Wants(target) {
		return nil, tape.String()
	}
	if os, err = r.Module.Probe(t.Context(), env, target); err != nil {
		t.Fatal(err)
	}
	if again, err := r.Module.Probe(t.Context(), env, target); err != nil || len(again) > 0 {
		t.Errorf("asked a second time: %v %v", again, err)
	}
	return os, tape.String()
}

// States lists "fact key=value" of all observations, sorted, each once.
func States(t testing.TB, m probe.Module, os []audit.Observation) []string {
	t.Helper()
	out := []string{}
	for _, o := range os {
		for _, f := range derived(t, m, o) {
			out = append(out, fmt.Sprintf("%s %s=%v", f.Name, f.Key, f.Value.V))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
