package httpdigest

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"testing"
)

func TestChallenges(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []string
		best    string // algorithm, empty for none
		realm   string
		schemes []string
	}{
		{"plain", []string{`Digest realm="Login to 5K0", qop="auth", nonce="a", opaque="b"`}, "MD5", "Login to 5K0", []string{"digest"}},
		{"the stronger one", []string{`Digest realm="a", qop="auth", nonce="1", algorithm=MD5`, `Digest realm="b", qop="auth", nonce="2", algorithm=SHA-256`},
			"SHA-256", "b", []string{"digest", "digest"}},
		{"two in one line", []string{`Basic realm="/", Digest realm="c", qop="auth", nonce="3"`}, "MD5", "c", []string{"basic", "digest"}},
		{"basic only", []string{`Basic realm="/"`}, "", "", []string{"basic"}},
		{"a hash nobody knows", []string{`Digest realm="d", nonce="4", algorithm=SHA-512-256`}, "", "", []string{"digest"}},
		{"a session without a quality of protection", []string{`Digest realm="d", nonce="4", algorithm=MD5-sess`}, "", "", []string{"digest"}},
		{"nothing", nil, "", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			best, schemes := Challenges(http.Header{"Www-Authenticate": c.headers})
			if !slices.Equal(schemes, c.schemes) {
				t.Errorf("schemes %q, want %q", schemes, c.schemes)
			}
			if best == nil {
				if c.best != "" {
					t.Fatal("no challenge")
				}
				return
			}
			if best.Algorithm() != c.best || best.Realm() != c.realm {
				t.Errorf("%s of %q, want %s of %q", best.Algorithm(), best.Realm(), c.best, c.realm)
			}
		})
	}
}

// TestAuthorise computes the answer of RFC 7616, section 3.4.1, independently.
func TestAuthorise(t *testing.T) {
	ch, _ := Challenges(http.Header{"Www-Authenticate": {`Digest realm="r", qop="auth", nonce="n"`}})
	r, err := http.NewRequest(http.MethodGet, "http://192.0.2.1/ISAPI/System/deviceInfo?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ch.Authorise(r, "viewer", "secret")
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string) string {
		m := regexp.MustCompile(name + `="?([^",]+)`).FindStringSubmatch(got)
		if m == nil {
			t.Fatalf("no %s in %s", name, got)
		}
		return m[1]
	}
	h := func(s string) string { x := md5.Sum([]byte(s)); return hex.EncodeToString(x[:]) }
	want := h(h("viewer:r:secret") + ":n:" + value("nc") + ":" + value("cnonce") + ":auth:" + h("GET:/ISAPI/System/deviceInfo?x=1"))
	if value("response") != want {
		t.Errorf("%s, want response %s", got, want)
	}
	if _, err := (*Challenge)(nil).Authorise(r, "a", "b"); err == nil {
		t.Error("answered nothing")
	}
}

func FuzzChallenges(f *testing.F) {
	for _, s := range []string{`Digest realm="a", qop="auth", nonce="1", algorithm=MD5`, `Basic realm="/", Digest realm="c"`, "", `Digest realm="`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		best, schemes := Challenges(http.Header{"Www-Authenticate": {s}})
		if len(schemes) > 8 {
			t.Errorf("%d schemes", len(schemes))
		}
		if best == nil {
			return
		}
		r, err := http.NewRequest(http.MethodGet, "http://192.0.2.1/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := best.Authorise(r, "u", "p"); err != nil {
			t.Logf("not answered: %v", err)
		}
	})
}
