package rtsp

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/google/go-cmp/cmp"
)

func TestMetadataWatch(t *testing.T) {
	sent := frames(0, packets(65534, []pk{{1, doc1[:40], false, 0, 0}, {1, doc1[40:99], false, 0, 0}, {1, doc1[99:], true, 0, 0},
		{2, empty, true, 0, 0}, {3, doc2[:30], false, 0, 0}, {4, doc1, true, 2, 0}}))
	d := newDevice(t, answerWith(camera("$\x01\x00\x04abcd"+sent+"$\x02\x00\x02zz")))
	o, records := d.client()
	var got []string
	o.OnDocument = func(b []byte) bool { got = append(got, string(b)); return false }
	r, err := Metadata(t.Context(), "rtsp://admin:hunter2@198.51.100.9:"+d.url("/Streaming/Channels/101?transportmode=unicast")[len("rtsp://127.0.0.1:"):], o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{doc1, empty, doc1}, got); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
	if r.Status != StatusOK || !r.Found || r.Encoding != "vnd.onvif.metadata" || r.Documents != 3 || r.Lost != 1 || r.Ended != EndedBudget ||
		r.Watched < o.Budget || r.Bytes != 2*len(doc1)+len(empty)+30 {
		t.Errorf("%+v", r)
	}
	want := []string{"DESCRIBE /Streaming/Channels/101?transportmode=unicast", "SETUP /Streaming/Channels/101?transportmode=unicast/track2",
		"PLAY /Streaming/Channels/101?transportmode=unicast", "TEARDOWN /Streaming/Channels/101?transportmode=unicast"}
	<-d.gone
	if diff := cmp.Diff(want, d.asked()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if h := d.requests[0].URL.Host; !strings.HasPrefix(h, "127.0.0.1:") {
		t.Errorf("asked with host %s", h)
	}
	if s := d.header(3, "Session"); s != "42" {
		t.Errorf("TEARDOWN of session %q", s)
	}
	if len(*records) != 4 || len(r.Evidence) != 4 {
		t.Fatalf("%d records, %d evidence", len(*records), len(r.Evidence))
	}
	for _, x := range *records {
		if strings.Contains(x.response+x.request+x.note, "MetadataStream") || strings.Contains(x.request, "hunter2") {
			t.Errorf("recorded: %q", x)
		}
	}
	if !strings.HasSuffix((*records)[0].response, metaSDP) {
		t.Errorf("the description was not recorded as sent: %q", (*records)[0].response)
	}
}

func TestMetadataStopsEarly(t *testing.T) {
	d := newDevice(t, answerWith(camera(frames(0, packets(1, []pk{{1, doc1 + doc2, true, 0, 0}, {2, doc1, true, 0, 0}})))))
	o, _ := d.client()
	o.Budget = time.Minute
	n := 0
	o.OnDocument = func([]byte) bool { n++; return true }
	r, err := Metadata(t.Context(), d.url("/"), o)
	if err != nil || r.Ended != EndedStop || r.Documents != 1 || n != 1 || r.Status != StatusOK {
		t.Errorf("%+v, %v; %d documents", r, err, n)
	}
	d.tornDown(t)
	d.onlyMetadata(t)
}

func TestMetadataCancel(t *testing.T) {
	for _, in := range []base.Method{base.Describe, base.Setup, base.Play, "WATCH"} {
		t.Run(string(in), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			answers := answerWith(camera(""))
			d := newDevice(t, func(q *base.Request) string {
				if q.Method == in {
					cancel()
					return ""
				}
				if in == "WATCH" && q.Method == base.Play {
					time.AfterFunc(50*time.Millisecond, cancel)
				}
				return answers(q)
			})
			o, _ := d.client()
			o.Budget, o.Timeout = time.Minute, 20*time.Second
			start := time.Now()
			r, err := Metadata(ctx, d.url("/"), o)
			if err != nil || r.Ended != EndedCancelled {
				t.Errorf("%+v, %v", r, err)
			}
			if time.Since(start) > 5*time.Second {
				t.Errorf("took %s", time.Since(start))
			}
			if in == base.Play || in == "WATCH" {
				d.tornDown(t)
			}
			d.onlyMetadata(t)
		})
	}
}

func TestMetadataOutcomes(t *testing.T) {
	with := func(m base.Method, a string) map[base.Method]string { c := camera(""); c[m] = a; return c }
	noTrack := strings.Split(metaSDP, "m=application")[0]
	exi := strings.ReplaceAll(metaSDP, "vnd.onvif.metadata", "vnd.onvif.metadata.exi.onvif")
	for _, c := range []struct {
		name    string
		answers map[base.Method]string
		status  string
		found   bool
		ended   string
		asked   string
		detail  string
	}{
		{"silence", camera(""), StatusOK, true, EndedBudget, "DESCRIBE SETUP PLAY TEARDOWN", ""},
		{"video only", with(base.Describe, described(noTrack)), StatusNoTrack, false, "", "DESCRIBE", ""},
		{"EXI", with(base.Describe, described(exi)), StatusEXI, true, "", "DESCRIBE", ""},
		{"EXI under a plain name", camera(frames(0, packets(1, []pk{{1, "$EXI\x80", true, 0, 0}}))), StatusEXI, true, EndedBudget, "DESCRIBE SETUP PLAY TEARDOWN", ""},
		{"login wanted", with(base.Describe, reply("401 Unauthorized", `WWW-Authenticate: Digest realm="x", nonce="y"`)), StatusAuthRequired, false, "", "DESCRIBE", "Unauthorized"},
		{"forbidden", with(base.Describe, reply("403 Forbidden")), StatusAuthRequired, false, "", "DESCRIBE", "Forbidden"},
		{"redirect elsewhere", with(base.Describe, reply("302 Found", "Location: rtsp://203.0.113.5/evil")), StatusInconclusive, false, "", "DESCRIBE", "redirects to 203.0.113.5: not followed"},
		{"redirect to nowhere", with(base.Describe, reply("301 Moved", "Location: ::::")), StatusInconclusive, false, "", "DESCRIBE", "redirects to an address that cannot be read: not followed"},
		{"not found", with(base.Describe, reply("404 Stream Not Found")), StatusInconclusive, false, "", "DESCRIBE", "Stream Not Found"},
		{"no room", with(base.Setup, reply("453 Not Enough Bandwidth")), StatusExhausted, true, "", "DESCRIBE SETUP", "Not Enough Bandwidth"},
		{"busy", with(base.Describe, reply("503 Service Unavailable")), StatusExhausted, false, "", "DESCRIBE", "Service Unavailable"},
		{"busy at PLAY", with(base.Play, reply("503 Service Unavailable")), StatusExhausted, true, "", "DESCRIBE SETUP PLAY TEARDOWN", "Service Unavailable"},
		{"session lost", with(base.Play, reply("454 Session Not Found")), StatusInconclusive, true, "", "DESCRIBE SETUP PLAY TEARDOWN", "Session Not Found"},
		{"no TCP", with(base.Setup, reply("461 Unsupported Transport")), StatusInconclusive, true, "", "DESCRIBE SETUP", "Unsupported Transport"},
		{"UDP all the same", with(base.Setup, reply("200 OK", "Session: 1", "Transport: RTP/AVP;unicast;client_port=1-2;server_port=3-4")), StatusInconclusive, true, "",
			"DESCRIBE SETUP TEARDOWN", "does not interleave: RTP/AVP;unicast;client_port=1-2;server_port=3-4"},
		{"wants all tracks", with(base.Play, reply("460 Only Aggregate Operation Allowed")), StatusInconclusive, true, "", "DESCRIBE SETUP PLAY TEARDOWN", "Only Aggregate Operation Allowed"},
		{"no transport in the answer", with(base.Setup, reply("200 OK", "Session: 1")), StatusOK, true, EndedBudget, "DESCRIBE SETUP PLAY TEARDOWN", ""},
		{"no reason, bare line feeds", with(base.Describe, "RTSP/1.0 404\nCSeq: %CSEQ%\n\n"), StatusInconclusive, false, "", "DESCRIBE", ""},
		{"no CSeq", with(base.Describe, "RTSP/1.0 404 Not Found\r\n\r\n"), StatusInconclusive, false, "", "DESCRIBE", "Not Found"},
		{"answer to something else first", with(base.Describe, "RTSP/1.0 200 OK\r\nCSeq: 99\r\n\r\n"+reply("404 Not Found")), StatusInconclusive, false, "", "DESCRIBE", "Not Found"},
		{"request of the device first", with(base.Setup, "OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n"+reply("453 Full")), StatusExhausted, true, "", "DESCRIBE SETUP", "Full"},
		{"stray bytes first", with(base.Setup, "\x00\x00\x00"+reply("453 Full")), StatusExhausted, true, "", "DESCRIBE SETUP", "Full"},
		{"no description", with(base.Describe, described("<html>")), StatusMalformed, false, "", "DESCRIBE", "not RTSP"},
		{"bad control", with(base.Describe, described(strings.ReplaceAll(metaSDP, "track2", "rtsp://[x"))), StatusMalformed, true, "", "DESCRIBE", "not RTSP"},
		{"HTTP", with(base.Describe, "HTTP/1.1 400 Bad Request\r\n\r\n"), StatusMalformed, false, "", "DESCRIBE", "rtsp: "},
		{"SSH", with(base.Describe, "SSH-2.0-dropbear\r\n"), StatusMalformed, false, "", "DESCRIBE", "rtsp: "},
		{"binary", with(base.Describe, "\x00\x00\x00\x10\x00\x00\x00\x1e"), StatusMalformed, false, "", "DESCRIBE", "rtsp: "},
		{"bad status line", with(base.Describe, "RTSP/1.0 abc\r\n\r\n"), StatusMalformed, false, "", "DESCRIBE", "rtsp: "},
		{"negative length", with(base.Describe, reply("200 OK", "Content-Length: -5")), StatusMalformed, false, "", "DESCRIBE", "rtsp: "},
		{"huge length", with(base.Describe, reply("200 OK", "Content-Length: 99999999")), StatusMalformed, false, "", "DESCRIBE", "rtsp: "},
		{"endless head", with(base.Describe, "RTSP/1.0 200 OK\r\n"+strings.Repeat("X: y\r\n", maxHead)), StatusMalformed, false, "", "DESCRIBE", "rtsp: "},
		{"closes", with(base.Describe, "CLOSE"), StatusUnreachable, false, "", "DESCRIBE", "rtsp: "},
		{"closes while streaming", with(base.Play, "CLOSE"), StatusUnreachable, true, "", "DESCRIBE SETUP PLAY", "rtsp: "},
		{"stops being RTSP", camera("$\x00\x00\x01aGET / HTTP/1.1\r\n\r\n"), StatusOK, true, EndedMalformed, "DESCRIBE SETUP PLAY TEARDOWN", "not RTSP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDevice(t, answerWith(c.answers))
			o, _ := d.client()
			r, err := Metadata(t.Context(), d.url("/s"), o)
			if err != nil {
				t.Fatal(err)
			}
			<-d.gone
			asked := strings.Join(methodsOf(d.asked()), " ")
			if r.Status != c.status || r.Found != c.found || r.Ended != c.ended || asked != c.asked {
				t.Errorf("status %s found %v ended %q asked %q, want %s %v %q %q\n%+v", r.Status, r.Found, r.Ended, asked, c.status, c.found, c.ended, c.asked, r)
			}
			if !strings.HasPrefix(r.Detail, c.detail) || c.detail == "" && r.Detail != "" && r.Status == StatusOK {
				t.Errorf("detail %q, want %q", r.Detail, c.detail)
			}
			d.onlyMetadata(t)
		})
	}
}

func TestMetadataTimeout(t *testing.T) {
	for _, in := range []base.Method{base.Describe, base.Setup, base.Play} {
		answers := answerWith(camera(""))
		d := newDevice(t, func(q *base.Request) string {
			if q.Method == in {
				return ""
			}
			return answers(q)
		})
		o, records := d.client()
		o.Timeout = 100 * time.Millisecond
		r, err := Metadata(t.Context(), d.url("/"), o)
		if err != nil || r.Status != StatusTimeout || r.Ended != "" {
			t.Errorf("%s: %+v, %v", in, r, err)
		}
		if in == base.Play {
			d.tornDown(t)
		}
		if last := (*records)[0]; in == base.Describe && !strings.Contains(last.note, "no answer within") {
			t.Errorf("note %q", last.note)
		}
	}
}

func TestMetadataNoConnection(t *testing.T) {
	d := newDevice(t, nil)
	o, _ := d.client()
	refused := errors.New("guard said no")
	o.Dial = func(context.Context, uint16) (net.Conn, error) { return nil, refused }
	r, err := Metadata(t.Context(), d.url("/"), o)
	if err != nil || r.Status != StatusUnreachable || !errors.Is(r.Cause, refused) {
		t.Errorf("%+v, %v", r, err)
	}
	o.Dial = func(ctx context.Context, _ uint16) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	o.Timeout = 50 * time.Millisecond
	if r, err = Metadata(t.Context(), d.url("/"), o); err != nil || r.Status != StatusTimeout {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestMetadataBadURL(t *testing.T) {
	o, _ := newDevice(t, nil).client()
	for _, u := range []string{"", "http://192.0.2.1/", "rtsp://192.0.2.1:0/", "rtsp://192.0.2.1:99999/", "rtsp:x", "rtsp://[::1/", "rtsp://h/#f"} {
		if _, err := Metadata(t.Context(), u, o); err == nil {
			t.Errorf("%q: no error", u)
		}
	}
}

// A session the device forgets after ten seconds is kept alive, and the device is told that somebody listens.
func TestMetadataKeepsAlive(t *testing.T) {
	if testing.Short() {
		t.Skip("takes longer than an RTCP interval")
	}
	t.Parallel()
	answers := camera("")
	answers[base.Setup] = reply("200 OK", "Session: 42;timeout=10", "Transport: RTP/AVP/TCP;unicast;interleaved=4-5")
	d := newDevice(t, answerWith(answers))
	o, _ := d.client()
	o.Budget = reportEvery + 300*time.Millisecond
	r, err := Metadata(t.Context(), d.url("/"), o)
	if err != nil || r.Status != StatusOK || r.Ended != EndedBudget {
		t.Errorf("%+v, %v", r, err)
	}
	<-d.gone
	if diff := cmp.Diff([]string{"DESCRIBE", "SETUP", "PLAY", "OPTIONS", "TEARDOWN"}, methodsOf(d.asked())); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if s := d.header(3, "Session"); s != "42" {
		t.Errorf("kept session %q alive", s)
	}
	if diff := cmp.Diff([]string{"\x05\x80\xc9\x00\x01\x00\x00\x00\x01"}, d.reports); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}

func TestBegin(t *testing.T) {
	for in, want := range map[string]struct {
		id   string
		idle time.Duration
	}{
		"":                   {"", defaultIdle},
		"42":                 {"42", defaultIdle},
		"42;timeout=30":      {"42", 30 * time.Second},
		" 42 ; timeout=1 ":   {"42", minIdle},
		"42;timeout=-1":      {"42", defaultIdle},
		"42;timeout=9999999": {"42", defaultIdle},
	} {
		s := &session{}
		res := &response{header: map[string][]string{"Session": {in}}}
		if s.begin(res); s.id != want.id || s.idle != want.idle {
			t.Errorf("%q: %q %s", in, s.id, s.idle)
		}
	}
}
