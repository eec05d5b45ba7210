package probe

import (
	"net/netip"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
)

// TestReports: who sends is who sent the bytes; where the beginning is missing nobody knows who asked for them.
func TestReports(t *testing.T) {
	a, b := capture.Party{Addr: netip.MustParseAddrPort("192.0.2.21:40000"), MAC: [6]byte{2, 0, 0, 0, 0, 1}}, capture.Party{Addr: netip.MustParseAddrPort("192.0.2.5:80"), MAC: [6]byte{2, 0, 0, 0, 0, 2}}
	post := &capture.Message{Method: "POST", Body: []byte("\ufeff  x\r\n"), Cut: capture.CutHole, Parts: []capture.Part{{Body: []byte("y")}, {Body: nil}}}
	part := &capture.Part{Body: []byte("z")}
	for _, x := range []struct {
		name         string
		f            capture.Flow
		from, to, at string
		push, ok     bool
		texts        int
	}{
		{"a request", capture.Flow{Proto: capture.ProtoHTTP, Request: post, FromHost: true}, "192.0.2.21:0", "192.0.2.5:80", "02:00:00:00:00:01", true, true, 2},
		{"a question", capture.Flow{Proto: capture.ProtoHTTP, Request: &capture.Message{Method: "GET"}, FromHost: true}, "", "", "", false, false, 0},
		{"an answer", capture.Flow{Proto: capture.ProtoHTTP, Request: post, Answer: post}, "", "", "", false, false, 0},
		{"a part of an answer", capture.Flow{Proto: capture.ProtoPart, Part: part}, "192.0.2.5:80", "192.0.2.21:0", "02:00:00:00:00:02", false, true, 1},
		{"a part of a request", capture.Flow{Proto: capture.ProtoPart, Part: part, FromHost: true}, "192.0.2.21:0", "192.0.2.5:80", "02:00:00:00:00:01", true, true, 1},
		{"a part from the middle", capture.Flow{Proto: capture.ProtoPart, Part: part, Cut: capture.CutStart}, "192.0.2.5:0", "192.0.2.21:0", "02:00:00:00:00:02", false, true, 1},
		{"a part of a request, from the middle", capture.Flow{Proto: capture.ProtoPart, Part: part, FromHost: true, Cut: capture.CutStart}, "192.0.2.21:0", "192.0.2.5:0", "02:00:00:00:00:01", false, true, 1},
		{"no part", capture.Flow{Proto: capture.ProtoPart}, "", "", "", false, false, 0},
		{"another protocol", capture.Flow{Proto: capture.ProtoRTSP, Request: post}, "", "", "", false, false, 0},
	} {
		x.f.Client, x.f.Server = a, b
		h, ok := Reports(&x.f)
		if ok != x.ok || ok && (h.From.String() != x.from || h.To.String() != x.to || h.MAC != x.at || h.Push != x.push || len(h.Texts) != x.texts) {
			t.Errorf("%s: %v %+v", x.name, ok, h)
		}
	}
	h, _ := Reports(&capture.Flow{Proto: capture.ProtoHTTP, Request: post})
	if string(h.Texts[0].Body) != "x" || !h.Texts[0].Cut || h.Texts[1].Cut {
		t.Errorf("%+v", h.Texts)
	}
}

func TestMessages(t *testing.T) {
	if Messages(audit.Observation{}, 3) != 3 || Messages(audit.Observation{Seen: &audit.Seen{Count: 7}}, 3) != 7 {
		t.Error("miscounted")
	}
}

// TestHandsOn: programs that hand on and proxies say so; firmware names itself, its library, or nothing.
func TestHandsOn(t *testing.T) {
	for name, want := range map[string]bool{"": false, "python-requests/2.32.3": false, "okhttp/4.9.0": false, "curl/8.5.0": false, "Logstash 8.1": true, "node-red": true,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36": true, "Mozilla/5.0 (X11; rv:127.0) Gecko/20100101 Firefox/127.0": true, "HomeAssistant/2026.11": true,
		"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.0)": false, "iClock Proxy/1.09": false, "gSOAP/2.8": false, "Hikvision": false, "libcurl-agent/1.0": false, "Device/1.0": false} {
		if got := HandsOn(capture.Header{{Name: "user-agent", Value: name}}); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if !HandsOn(capture.Header{{Name: "Via", Value: "1.1 x"}}) || !HandsOn(capture.Header{{Name: "X-Forwarded-For", Value: "192.0.2.9"}}) || HandsOn(nil) {
		t.Error("proxies")
	}
}
