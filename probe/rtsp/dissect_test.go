package rtsp

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/probe"
)

const overheardSDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.21\r\ns=Media Presentation\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=control:trackID=1\r\n" +
	"m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:trackID=3\r\n"

func overheard(method string, status int, body string, header ...capture.Field) *capture.Flow {
	f := &capture.Flow{Proto: capture.ProtoRTSP, Transport: "tcp", Client: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.40:50000")},
		Server: capture.Party{Addr: netip.MustParseAddrPort("192.0.2.21:554")}, Answer: &capture.Message{Status: status, Header: header, Body: []byte(body)}}
	if method != "" {
		f.Request = &capture.Message{Method: method, Target: "rtsp://192.0.2.21/"}
	}
	return f
}

func perimeter() probe.Hearing {
	p := netip.MustParsePrefix("192.0.2.0/24")
	return probe.Hearing{Inside: p.Contains}
}

func TestDissect(t *testing.T) {
	sdp := capture.Field{Name: "Content-Type", Value: "application/sdp"}
	cut := overheard("DESCRIBE", 200, overheardSDP[:100])
	cut.Answer.Cut = capture.CutHole
	outside := overheard("DESCRIBE", 200, overheardSDP)
	outside.Server.Addr = netip.MustParseAddrPort("198.51.100.1:554")
	metadata := Data{Code: 200, Metadata: true, Tracks: []Track{{Media: "video", Codecs: []string{"H265"}}, {Media: "application", Codecs: []string{"vnd.onvif.metadata"}, Metadata: true}}}
	for _, c := range []struct {
		name string
		f    *capture.Flow
		kind string
		want Data
	}{
		{"a description", overheard("DESCRIBE", 200, overheardSDP), heardDescribe, metadata},
		{"whose question was not seen", overheard("", 200, overheardSDP, sdp), heardDescribe, metadata},
		{"a refusal", overheard("DESCRIBE", 401, "", capture.Field{Name: "WWW-Authenticate", Value: `Digest realm="IP Camera(C1234)", nonce="abcdef"`},
			capture.Field{Name: "WWW-Authenticate", Value: `Basic realm="/"`}), heardRefusal, Data{Code: 401, Realm: "IP Camera(C1234)", Auth: []string{"Digest", "Basic"}}},
		{"cut", cut, "", Data{}},
		{"outside", outside, "", Data{}},
		{"another answer", overheard("PLAY", 200, ""), "", Data{}},
		{"an announcement's", overheard("ANNOUNCE", 200, ""), "", Data{}},
		{"not there", overheard("DESCRIBE", 404, ""), "", Data{}},
	} {
		got, err := Dissect(perimeter(), c.f)
		if err != nil || (len(got) == 1) != (c.kind != "") {
			t.Errorf("%s: %+v, %v", c.name, got, err)
			continue
		}
		if len(got) == 0 {
			continue
		}
		var d Data
		if err := json.Unmarshal(got[0].Data, &d); err != nil {
			t.Fatal(err)
		}
		d.Guesses = nil
		if diff := cmp.Diff(c.want, d); diff != "" || got[0].Kind != c.kind || got[0].Endpoint != c.f.Server.Addr || (got[0].Status == audit.OK) != (c.kind == heardDescribe) {
			t.Errorf("%s: %s %+v", c.name, diff, got[0])
		}
		again, err := Dissect(perimeter(), c.f)
		if err != nil || string(again[0].Data) != string(got[0].Data) {
			t.Errorf("%s: not the same twice", c.name)
		}
	}
}

func FuzzDissect(f *testing.F) {
	f.Add("DESCRIBE", 200, overheardSDP, "application/sdp", "x/1")
	f.Add("", 401, "", `Digest realm="a", nonce="b"`, "")
	f.Fuzz(func(t *testing.T, method string, status int, body, header, server string) {
		x := overheard(method, status, body, capture.Field{Name: "Content-Type", Value: header}, capture.Field{Name: "WWW-Authenticate", Value: header}, capture.Field{Name: "Server", Value: server})
		out, err := Dissect(perimeter(), x)
		if err != nil && len(out) > 0 || len(out) > 1 {
			t.Errorf("%+v, %v", out, err)
		}
		for _, o := range out {
			if len(o.Data) > 64<<10 {
				t.Errorf("%d bytes of data", len(o.Data))
			}
		}
	})
}
