package probe

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard/guardtest"
)

type tape struct{ x []evidence.Exchange }

func (t *tape) Record(x evidence.Exchange) string {
	t.x = append(t.x, x)
	return fmt.Sprintf("urn:%d", len(t.x))
}

const digest = `Digest realm="LAB", qop="auth", nonce="%d"`

// device answers requests in turn, the last one over and over, and remembers what logins it was shown.
type device struct {
	answers []func(http.ResponseWriter)
	logins  []string
}

func (d *device) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	d.logins = append(d.logins, scheme)
	d.answers[min(len(d.logins), len(d.answers))-1](w)
}

func answer(code int, body string, challenges ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for _, c := range challenges {
			w.Header().Add("WWW-Authenticate", c)
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func challenge(n int) string { return fmt.Sprintf(digest, n) }

func TestAsker(t *testing.T) {
	open := answer(200, "yes")
	closed := answer(401, "no", challenge(1))
	lock := func(b []byte) bool { return bytes.Contains(b, []byte("locked")) }
	for _, c := range []struct {
		name    string
		answers []func(http.ResponseWriter)
		login   *Login
		want    []audit.Status // of two questions
		logins  []string
		state   string // of the login afterwards
		stops   bool
	}{
		{"open", []func(http.ResponseWriter){open}, NewLogin("u", "p"), []audit.Status{audit.OK, audit.OK}, []string{"", ""}, "fresh", false},
		{"no login", []func(http.ResponseWriter){closed}, nil, []audit.Status{audit.AuthRequired, audit.AuthRequired}, []string{"", ""}, "", false},
		{"accepted: every question has a challenge of its own", []func(http.ResponseWriter){closed, open, closed, open}, NewLogin("u", "p"),
			[]audit.Status{audit.OK, audit.OK}, []string{"", "Digest", "", "Digest"}, "accepted", false},
		{"refused: never again", []func(http.ResponseWriter){closed}, NewLogin("u", "p"), []audit.Status{audit.Refused, audit.Inconclusive}, []string{"", "Digest"}, "spent", true},
		{"refused by its rights", []func(http.ResponseWriter){closed, answer(403, "")}, NewLogin("u", "p"), []audit.Status{audit.Refused, audit.Inconclusive}, []string{"", "Digest"}, "spent", true},
		{"let in, and not all of it is to be read", []func(http.ResponseWriter){closed, open, closed, answer(403, "")}, NewLogin("u", "p"),
			[]audit.Status{audit.OK, audit.Refused}, []string{"", "Digest", "", "Digest"}, "accepted", false},
		{"let in once and refused later", []func(http.ResponseWriter){closed, open, closed, closed}, NewLogin("u", "p"),
			[]audit.Status{audit.OK, audit.Refused}, []string{"", "Digest", "", "Digest"}, "spent", true},
		{"an old nonce is no refusal", []func(http.ResponseWriter){closed, answer(401, "", challenge(2)+`, stale=true`), open, open}, NewLogin("u", "p"),
			[]audit.Status{audit.OK, audit.OK}, []string{"", "Digest", "Digest", ""}, "accepted", false},
		{"the same nonce again is one, whatever it is called", []func(http.ResponseWriter){closed, answer(401, "", challenge(1)+`, stale=true`)}, NewLogin("u", "p"),
			[]audit.Status{audit.Refused, audit.Inconclusive}, []string{"", "Digest"}, "spent", true},
		{"only a login that gives the password away", []func(http.ResponseWriter){answer(401, "", `Basic realm="/"`)}, NewLogin("u", "p"),
			[]audit.Status{audit.AuthRequired, audit.AuthRequired}, []string{"", ""}, "fresh", false},
		{"locked before anything was tried", []func(http.ResponseWriter){answer(401, "locked", challenge(1))}, NewLogin("u", "p"),
			[]audit.Status{audit.Locked, audit.Inconclusive}, []string{""}, "spent", true},
		{"locked by our attempt", []func(http.ResponseWriter){closed, answer(401, "locked", challenge(2)+`, stale=true`)}, NewLogin("u", "p"),
			[]audit.Status{audit.Locked, audit.Inconclusive}, []string{"", "Digest"}, "spent", true},
		{"too many requests", []func(http.ResponseWriter){answer(429, "")}, NewLogin("u", "p"), []audit.Status{audit.Locked, audit.Inconclusive}, []string{""}, "spent", true},
		{"not there", []func(http.ResponseWriter){answer(404, "")}, NewLogin("u", "p"), []audit.Status{audit.NotSupported, audit.NotSupported}, []string{"", ""}, "fresh", false},
		{"tried by another module", []func(http.ResponseWriter){closed}, taken(), []audit.Status{audit.AuthRequired, audit.AuthRequired}, []string{"", ""}, "spent", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &device{answers: c.answers}
			srv := httptest.NewServer(d)
			defer srv.Close()
			a, tp := asker(t, srv.URL)
			a.Env.Login, a.Locked = c.login, lock
			defer a.Close()
			var got []audit.Status
			for range c.want {
				got = append(got, a.Ask(t.Context(), "/x?y=1").Status)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
			if !slices.Equal(d.logins, c.logins) {
				t.Errorf("the device saw %q, want %q", d.logins, c.logins)
			}
			if c.stops != (a.Stopped() != "") {
				t.Errorf("stopped: %q", a.Stopped())
			}
			if s := state(c.login); s != c.state {
				t.Errorf("the login is %s, want %s", s, c.state)
			}
			if len(tp.x) != len(d.logins) {
				t.Errorf("%d exchanges recorded of %d", len(tp.x), len(d.logins))
			}
		})
	}
}

func taken() *Login {
	l := NewLogin("u", "p")
	l.Refused("elsewhere")
	return l
}

func state(l *Login) string {
	switch _, spent := l.Spent(); {
	case l == nil:
		return ""
	case spent:
		return "spent"
	}
	if _, _, ok := l.Use(); ok {
		return "accepted"
	}
	if _, _, ok := l.Try(); ok {
		return "fresh"
	}
	return "trying"
}

func asker(t *testing.T, raw string) (*Asker, *tape) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(u.Host)
	g, _ := guardtest.New(t, "127.0.0.0/8")
	tp := &tape{}
	return &Asker{Env: Env{Device: g.Device(at.Addr()), Guard: g, Evidence: tp, Clock: time.Now, Progress: func(audit.Text) {}}, At: at, Secure: u.Scheme == "https"}, tp
}

func TestAskerFailures(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/big":
			w.Write(make([]byte, askBody+1)) //nolint:errcheck // the client hangs up
		case "/torn":
			w.Header().Set("Content-Length", "10")
			w.Write([]byte("x")) //nolint:errcheck // likewise
			panic(http.ErrAbortHandler)
		}
	}))
	defer srv.Close()
	a, tp := asker(t, srv.URL)
	defer a.Close()
	a.Withhold = func([]byte) []byte { return []byte("withheld") }
	for path, want := range map[string]audit.Status{"/big": audit.Limited, "/torn": audit.Malformed, "/": audit.OK} {
		if r := a.Ask(t.Context(), path); r.Status != want || r.Status != audit.OK && r.Detail == "" {
			t.Errorf("%s: %s (%s), want %s", path, r.Status, r.Detail, want)
		}
	}
	if !bytes.HasSuffix(tp.x[0].Response, []byte("withheld")) && tp.x[0].Response != nil {
		t.Errorf("recorded %.80q", tp.x[0].Response)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if r := a.Ask(gone, "/"); r.Status != audit.Interrupted {
		t.Errorf("%s after the run ended", r.Status)
	}
	srv.Close()
	b, _ := asker(t, srv.URL)
	if r := b.Ask(t.Context(), "/"); r.Status != audit.Unreachable || b.Stopped() == "" {
		t.Errorf("%s: %s", r.Status, b.Stopped())
	}
}

// TestFollow: a redirect is followed to the TLS port of the same device and nowhere else.
// TestRecordedHead: the record of a body that is not the one that came states neither its length nor its digest.
func TestRecordedHead(t *testing.T) {
	const body = `{"name":"Lab Person","enabled":true}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"0123"`)
		w.Header().Set("Server", "lab")
		fmt.Fprint(w, body)
	}))
	defer s.Close()
	at := netip.MustParseAddrPort(s.Listener.Addr().String())
	g, _ := guardtest.New(t, "127.0.0.0/24")
	for _, c := range []struct {
		name  string
		keep  func([]byte) []byte
		whole bool
	}{
		{"everything", nil, true}, {"the same", func(b []byte) []byte { return b }, true},
		{"in place", func(b []byte) []byte { copy(b[9:19], "**********"); return b }, false}, {"less", func([]byte) []byte { return []byte("{}") }, false},
	} {
		var tp tape
		env := Env{Device: g.Device(at.Addr()), Guard: g, Evidence: &tp, Clock: time.Now}
		a := &Asker{Env: env, At: at, Withhold: c.keep}
		a.Ask(t.Context(), "/api/config")
		a.Close()
		call := &Caller{Env: env, At: at, Show: c.keep}
		if c.keep != nil {
			call.Call(t.Context(), Call{Method: http.MethodGet, Path: "/api/config"})
		}
		call.Close()
		for _, x := range tp.x {
			if r := string(x.Response); strings.Contains(r, "Content-Length") != c.whole || strings.Contains(r, "Etag") != c.whole || !strings.Contains(r, "Server: lab") {
				t.Errorf("%s: %s", c.name, r)
			}
		}
	}
}

func TestFollow(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "yes") }))
	defer secure.Close()
	for to, want := range map[string]bool{secure.URL + "/": true, "https://198.51.100.1/": false, "http://127.0.0.1:1/": false, "https://camera.example/": false, "/elsewhere": false, "": false} {
		plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if to != "" {
				w.Header().Set("Location", to)
			}
			w.WriteHeader(http.StatusFound)
		}))
		a, _ := asker(t, plain.URL)
		if got := a.Follow(a.Ask(t.Context(), "/")); got != want {
			t.Errorf("%q: followed %v", to, got)
		}
		if want {
			if r := a.Ask(t.Context(), "/"); r.Status != audit.OK || r.TLSKey == "" || r.Observation("m", "k", audit.ClassInventory, a.At).Identity.TLSKey != r.TLSKey {
				t.Errorf("%+v", r)
			}
		}
		a.Close()
		plain.Close()
	}
}

func TestMadeBy(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	learned := &Done{}
	learned.Learn(nil)
	learned.Learn(&audit.Identity{Vendor: "HIKVISION", Weak: true})
	for _, c := range []struct {
		name   string
		target audit.Target
		done   *Done
		want   bool
	}{
		{"nothing known", audit.Target{Addr: at}, nil, false},
		{"another maker", audit.Target{Addr: at, Identity: audit.Identity{Vendor: "Dahua"}}, &Done{}, false},
		{"by its own word", audit.Target{Addr: at, Identity: audit.Identity{Vendor: "Hangzhou Hikvision Digital Technology Co., Ltd."}}, nil, true},
		{"by its hardware address", audit.Target{Addr: at, Identity: audit.Identity{MACs: []string{"c0:56:e3:00:00:01"}}}, nil, true},
		{"by its neighbour entry", audit.Target{Addr: at, Extra: map[string][]string{"neighbour-mac": {"c0:56:e3:00:00:01"}}}, nil, true},
		{"by a scope", audit.Target{Addr: at, Scopes: []string{"onvif://www.onvif.org/name/HIKVISION%20LAB"}}, nil, true},
		{"by what another module saw", audit.Target{Addr: at}, learned, true},
	} {
		if got := MadeBy(c.done.Inform(c.target), "Hikvision"); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestWebInterface(t *testing.T) {
	for _, c := range []struct {
		at, method string
		types      []string
		want       bool
	}{
		{"192.0.2.1:80", "tcp-connect", nil, true},
		{"192.0.2.1:0", "sadp", nil, true},
		{"192.0.2.1:554", "inventory", nil, false},
		{"192.0.2.1:8000", "tcp-connect", nil, false},
		{"192.0.2.1:40001", "tcp-connect", nil, false},
		{"192.0.2.1:40001", "inventory", nil, true},
		{"192.0.2.1:40001", "mdns", []string{"_http._tcp.local."}, true},
	} {
		if got := WebInterface(audit.Target{Addr: netip.MustParseAddrPort(c.at), Method: c.method, Types: c.types}); got != c.want {
			t.Errorf("%s by %s: %v", c.at, c.method, got)
		}
	}
	if WebInterface(audit.Target{Addr: netip.MustParseAddrPort("192.0.2.1:80"), Foreign: true}) {
		t.Error("outside the perimeter")
	}
}
