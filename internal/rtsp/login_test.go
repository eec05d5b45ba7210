package rtsp

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/google/go-cmp/cmp"
)

func TestParseChallenges(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []string
		want []Challenge
	}{
		{"none", nil, nil},
		{"empty", []string{""}, nil},
		{"Hikvision", []string{`Digest realm="Hikvision", nonce="abc", stale="FALSE"`, `Basic realm="/"`}, []Challenge{{"Digest", "Hikvision"}, {"Basic", "/"}}},
		{"Dahua", []string{`Digest realm="Login to 4A0B1C2PAG00001",nonce="1"`}, []Challenge{{"Digest", "Login to 4A0B1C2PAG00001"}}},
		{"two in one", []string{`Digest realm="a", nonce="b, c", Basic realm="d"`}, []Challenge{{"Digest", "a"}, {"Basic", "d"}}},
		{"realm last, odd spaces", []string{`Digest nonce="x",  REALM = "y"`}, []Challenge{{"Digest", "y"}}},
		{"not quoted", []string{`Basic realm=cam, charset="UTF-8"`}, []Challenge{{"Basic", "cam"}}},
		{"escaped", []string{`Basic realm="a\"b\\c"`}, []Challenge{{"Basic", `a"b\c`}}},
		{"another name that ends in realm", []string{`Digest xrealm="no", realm="yes"`}, []Challenge{{"Digest", "yes"}}},
		{"not closed", []string{`Basic realm="abc`}, []Challenge{{"Basic", "abc"}}},
		{"no realm", []string{"Negotiate"}, []Challenge{{"Negotiate", ""}}},
		{"too many", strings.Split(strings.Repeat("Basic realm=x;", 20), ";"), repeatChallenge(8)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, ParseChallenges(c.in)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func repeatChallenge(n int) []Challenge {
	var out []Challenge
	for range n {
		out = append(out, Challenge{"Basic", "x"})
	}
	return out
}

func FuzzParseChallenges(f *testing.F) {
	for _, s := range []string{`Digest realm="Hikvision", nonce="abc"`, `Basic realm="a\"b`, `Digest realm=, Basic`, "realm=realm=", "é realm=\"é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range ParseChallenges([]string{s}) {
			if c.Scheme == "" || len(c.Realm) > len(s) {
				t.Errorf("%q: %q", s, c)
			}
		}
		newLogin(&response{header: map[string][]string{"Www-Authenticate": {s}}}, "u", "p", true)
	})
}

const (
	digestMD5     = `WWW-Authenticate: Digest realm="r", nonce="n1", qop="auth", opaque="o"`
	digestSHA     = `WWW-Authenticate: Digest realm="r", nonce="n2", algorithm=SHA-256`
	digestStale   = `WWW-Authenticate: Digest realm="r", nonce="n3", stale=true`
	basicOnly     = `WWW-Authenticate: Basic realm="/"`
	digestForeign = `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=FOO`
)

// What is sent to a device that never accepts: one login, whatever it says.
func TestLoginOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []string // to each DESCRIBE
		status  string
		logins  []string // beginnings of the Authorization headers
		detail  string
	}{
		{"refused", []string{digestMD5, digestMD5}, StatusRefused, []string{"", `Digest username="viewer", realm="r", nonce="n1"`}, "Unauthorized"},
		{"refused with another nonce", []string{digestMD5, digestSHA}, StatusRefused, []string{"", `Digest username="viewer", realm="r", nonce="n1"`}, "Unauthorized"},
		{"stale once", []string{digestMD5, digestStale, digestStale}, StatusRefused,
			[]string{"", `Digest username="viewer", realm="r", nonce="n1"`, `Digest username="viewer", realm="r", nonce="n3"`}, "Unauthorized"},
		{"stale with the same nonce", []string{digestStale, digestStale}, StatusRefused, []string{"", `Digest username="viewer", realm="r", nonce="n3"`}, "Unauthorized"},
		{"SHA-256 before MD5", []string{digestMD5 + "\r\n" + digestSHA, digestMD5}, StatusRefused, []string{"", `Digest username="viewer", realm="r", nonce="n2"`}, "Unauthorized"},
		{"Digest before Basic", []string{basicOnly + "\r\n" + digestMD5, digestMD5}, StatusRefused, []string{"", `Digest username="viewer", realm="r", nonce="n1"`}, "Unauthorized"},
		{"Basic in clear text", []string{basicOnly}, StatusAuthRequired, []string{""}, "only Basic offered without TLS"},
		{"nothing known", []string{digestForeign}, StatusAuthRequired, []string{""}, "no way of logging in that we know"},
		{"no challenge", []string{"X: y"}, StatusAuthRequired, []string{""}, "no way of logging in that we know"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			d := newDevice(t, func(q *base.Request) string {
				if q.Method == base.Options {
					return reply("200 OK", "Public: OPTIONS, DESCRIBE")
				}
				n++
				return reply("401 Unauthorized", c.answers[min(n, len(c.answers))-1])
			})
			o, records := d.client()
			o.User, o.Password = "viewer", "hunter2"
			r, err := Metadata(t.Context(), d.url("/"), o)
			if err != nil || r.Status != c.status || !strings.HasPrefix(r.Detail, c.detail) {
				t.Errorf("%+v, %v", r, err)
			}
			<-d.gone
			if got := d.asked(); len(got) != len(c.logins) {
				t.Fatalf("asked %v", got)
			}
			for i, want := range c.logins {
				if got := d.header(i, "Authorization"); !strings.HasPrefix(got, want) || want == "" && got != "" {
					t.Errorf("request %d with %q, want %q", i, got, want)
				}
			}
			for _, x := range *records {
				if strings.Contains(x.request, "viewer") || strings.Contains(x.request, "response=") {
					t.Errorf("recorded: %s", x.request)
				}
			}
		})
	}
}

// Over TLS Basic may be answered.
func TestLoginBasicOverTLS(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	cert := web.TLS.Certificates[0]
	web.Close()
	answers := answerWith(camera(frames(0, packets(1, []pk{{1, doc1, true, 0, 0}}))))
	d := newDevice(t, func(q *base.Request) string {
		if q.Header["Authorization"] == nil {
			return reply("401 Unauthorized", basicOnly)
		}
		return answers(q)
	})
	o, records := d.client()
	o.User, o.Password = "viewer", "hunter2"
	plain := o.Dial
	o.Dial = func(ctx context.Context, port uint16) (net.Conn, error) {
		back, err := plain(ctx, port)
		if err != nil {
			return nil, err
		}
		near, far := net.Pipe()
		go pipe(tls.Server(far, &tls.Config{Certificates: []tls.Certificate{cert}}), back)
		return near, nil
	}
	o.OnDocument = func([]byte) bool { return true }
	r, err := Metadata(t.Context(), strings.Replace(d.url("/"), "rtsp:", "rtsps:", 1), o)
	if err != nil || r.Status != StatusOK || r.Documents != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := d.header(1, "Authorization"); got != "Basic dmlld2VyOmh1bnRlcjI=" {
		t.Errorf("sent %q", got)
	}
	for _, x := range *records {
		if strings.Contains(x.request, "dmlld2V") {
			t.Errorf("recorded: %s", x.request)
		}
	}
}

func pipe(a, b net.Conn) {
	copyTo := func(to, from net.Conn) {
		defer to.Close()
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			if n > 0 {
				if _, err := to.Write(buf[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
	go copyTo(a, b)
	copyTo(b, a)
}

func TestDescribe(t *testing.T) {
	d := newDevice(t, answerWith(map[base.Method]string{
		base.Options:  reply("200 OK", "Public: OPTIONS, DESCRIBE,SETUP,  play , OPTIONS", "Server: Dahua Rtsp Server"),
		base.Describe: reply("401 Unauthorized", digestMD5, basicOnly),
	}))
	o, records := d.client()
	got, err := Describe(t.Context(), d.url("/"), o)
	if err != nil {
		t.Fatal(err)
	}
	want := Description{Status: StatusAuthRequired, Code: 401, Detail: "Unauthorized", Methods: []string{"DESCRIBE", "OPTIONS", "PLAY", "SETUP"},
		Server: "Dahua Rtsp Server", Challenges: []Challenge{{"Digest", "r"}, {"Basic", "/"}}, Evidence: []string{"r1", "r2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(*records) != 2 {
		t.Errorf("%d records", len(*records))
	}
	<-d.gone
}

// Some devices want a login for OPTIONS or do not know it: DESCRIBE is asked all the same.
func TestDescribeWithoutOptions(t *testing.T) {
	for _, a := range []string{reply("401 Unauthorized", digestMD5), reply("405 Method Not Allowed"), reply("501 Not Implemented")} {
		d := newDevice(t, answerWith(map[base.Method]string{base.Options: a, base.Describe: described(metaSDP)}))
		o, _ := d.client()
		got, err := Describe(t.Context(), d.url("/"), o)
		if err != nil || got.Status != StatusOK || len(got.Tracks) != 2 || got.Name != "x" || len(got.Methods) != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestDescribeSilent(t *testing.T) {
	d := newDevice(t, func(*base.Request) string { return "" })
	o, records := d.client()
	o.Timeout = 100 * time.Millisecond
	got, err := Describe(t.Context(), d.url("/"), o)
	if err != nil || got.Status != StatusTimeout || len(got.Evidence) != 1 || !strings.Contains((*records)[0].note, "100ms") {
		t.Errorf("%+v, %v, %v", got, err, *records)
	}
}
