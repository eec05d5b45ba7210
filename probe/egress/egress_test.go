package egress

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/probe"
)

var (
	camera = netip.MustParseAddrPort("192.0.2.21:50000")
	cloud  = netip.MustParseAddrPort("198.51.100.7:80")
	server = netip.MustParseAddrPort("192.0.2.9:8300")
)

func hearing() probe.Hearing {
	p := netip.MustParsePrefix("192.0.2.0/24")
	return probe.Hearing{Inside: p.Contains}
}

func flow(p capture.Proto) *capture.Flow {
	return &capture.Flow{Proto: p, Client: capture.Party{Addr: camera}, Server: capture.Party{Addr: cloud}, FromHost: true}
}

func question(name string, response bool) *capture.Flow {
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: response}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	f := flow(capture.ProtoDNS)
	f.Transport, f.Server.Addr, f.FromHost, f.Payload = "udp", netip.MustParseAddrPort("192.0.2.1:53"), !response, b
	return f
}

func hello(p capture.Proto, name string, encrypted bool) *capture.Flow {
	f := flow(p)
	f.Hello = &capture.Hello{Name: name, Encrypted: encrypted}
	return f
}

func ended(t capture.Totals) *capture.Flow {
	f := flow(capture.ProtoEnd)
	f.Totals = &t
	return f
}

func request(method, target, host string, body string, header ...capture.Field) *capture.Flow {
	f := flow(capture.ProtoHTTP)
	f.Request = &capture.Message{Method: method, Target: target, Header: append(capture.Header{{Name: "Host", Value: host}}, header...), Body: []byte(body), Size: int64(len(body))}
	return f
}

func answer(q *capture.Flow, status int, body string) *capture.Flow {
	f := *q
	r := *q.Request
	r.Body, r.Size, r.Parts = nil, -1, nil
	f.Request, f.FromHost = &r, false
	if q.Request.Size > 0 {
		r.Header = append(slices.Clone(r.Header), capture.Field{Name: "Content-Length", Value: "1234"})
	}
	f.Answer = &capture.Message{Status: status, Body: []byte(body), Size: int64(len(body))}
	return &f
}

func dissect(t testing.TB, f *capture.Flow) []audit.Observation {
	t.Helper()
	out, err := Dissect(hearing(), f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func p2p(line string) *capture.Flow {
	f := flow(capture.ProtoUDP)
	f.Transport, f.Server.Addr, f.Payload = "udp", netip.MustParseAddrPort("198.51.100.8:8800"), []byte(line+" HTTP/1.1\r\nCSeq: 1\r\nAuthorization: -\r\n\r\n")
	return f
}

// TestHosts: each level by itself, for hosts of the list alone.
func TestHosts(t *testing.T) {
	const face = "api-cn.faceplusplus.com"
	for _, c := range []struct {
		name string
		f    *capture.Flow
		want []Host
	}{
		{"a question", question(face, false), []Host{{face, "resolved", "dns"}}},
		{"an answer", question(face, true), nil},
		{"a name below, in other letters", question("Dev.EZVIZlife.com", false), []Host{{"ezvizlife.com", "resolved", "dns"}}},
		{"a region", question("face.cn-east-3.myhuaweicloud.com", false), []Host{{"face.*.myhuaweicloud.com", "resolved", "dns"}}},
		{"a phone's", question("www.some-dating-site.example", false), nil},
		{"a name that only looks like it", question("api-cn.faceplusplus.com.example.org", false), nil},
		{"a hello", hello(capture.ProtoTLS, "iai.tencentcloudapi.com", false), []Host{{"iai.tencentcloudapi.com", "attempted", "tls"}}},
		{"QUIC", hello(capture.ProtoQUIC, "apiieu.hik-connect.com", false), []Host{{"hik-connect.com", "attempted", "quic"}}},
		{"a hello with another within", hello(capture.ProtoTLS, "iai.tencentcloudapi.com", true), nil},
		{"a phone's hello", hello(capture.ProtoTLS, "chat.example.com", false), nil},
		{"data both ways", ended(capture.Totals{Up: 9000, Down: 4000, DataUp: 8000, DataDown: 3000, Encrypted: true, Name: face, NameBy: "tls"}), []Host{{face, "in-use", "tls"}}},
		{"a handshake that failed", ended(capture.Totals{Up: 900, Down: 400, Encrypted: true, Name: face, NameBy: "tls"}), []Host{{face, "attempted", "tls"}}},
		{"one side of it", ended(capture.Totals{Up: 900, DataUp: 400, DataDown: 1, OneSided: true, Encrypted: true, Name: face, NameBy: "tls"}), []Host{{face, "attempted", "tls"}}},
		{"an address whose name was asked for", ended(capture.Totals{Up: 900, Down: 400, DataUp: 900, DataDown: 400, Name: "www.ys7.com", NameBy: "dns"}), []Host{{"ys7.com", "attempted", "dns"}}},
		{"nothing sent", ended(capture.Totals{Down: 60, Name: face, NameBy: "dns"}), nil},
		{"a phone's conversation", ended(capture.Totals{Up: 9, Down: 9, DataUp: 9, DataDown: 9, Name: "bank.example", NameBy: "tls"}), nil},
		{"no name", ended(capture.Totals{Up: 9, Down: 9, DataUp: 9, DataDown: 9}), nil},
		{"in clear", request("GET", "/m.api?_aid=S107", "openapi.ovopark.com", ""), []Host{{"ovopark.com", "readable", "http"}}},
		{"through a proxy", request("CONNECT", "api-cn.faceplusplus.com:443", "api-cn.faceplusplus.com:443", ""), []Host{{face, "attempted", "http"}}},
		{"a site of no concern", request("GET", "/private?user=zhang", "forum.example", ""), nil},
		{"Dahua's lookup", p2p("DHGET /online/p2psrv/LAB00000000000001"), []Host{{"easy4ipcloud.com", "readable", "udp"}}},
		{"another word on the port", p2p("GET /online/p2psrv/x"), nil},
	} {
		var got []Host
		for _, o := range dissect(t, c.f) {
			var h Host
			if err := json.Unmarshal(o.Data, &h); err != nil || o.Kind != kindHost+h.Level || o.Endpoint != netip.AddrPortFrom(camera.Addr(), 0) || o.Status != audit.OK || o.Identity != nil {
				t.Errorf("%s: %+v, %v", c.name, o, err)
			}
			got = append(got, h)
			fs, err := Derive(o)
			if err != nil || len(fs) != 1 || fs[0].Name != probe.FactOutboundSeen {
				t.Errorf("%s: a name states %+v, %v", c.name, fs, err)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

const (
	faceppDetected = `{"request_id":"r","faces":[{"face_token":"t","face_rectangle":{"top":1,"left":2,"width":3,"height":4},"attributes":{"gender":{"value":"Female"},"age":{"value":34},"headpose":{"yaw":1}}}],"image_id":"i","time_used":9,"face_num":1}`
	faceppNobody   = `{"request_id":"r","faces":[],"image_id":"i","time_used":9,"face_num":0}`
	faceppRefused  = `{"time_used":2,"error_message":"AUTHENTICATION_ERROR","request_id":"r"}`
	baiduMatched   = `{"error_code":0,"error_msg":"SUCCESS","log_id":1,"result":{"score":44.3,"face_list":[{"face_token":"a"},{"face_token":"b"}]}}`
	baiduFailed    = `{"error_code":222202,"error_msg":"pic not has face","log_id":1}`
	tencentFound   = `{"Response":{"Results":[{"Candidates":[{"PersonId":"p-7","FaceId":"f","Score":93.1,"PersonName":"张三"}],"FaceRect":{"X":1},"RetCode":0}],"PersonNum":7,"FaceModelVersion":"3.0","RequestId":"r"}}`
	tencentFailed  = `{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"m"},"RequestId":"r"}}`
)

var urlencoded = capture.Field{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}

func tencent(action string) *capture.Flow {
	return request("POST", "/", "iai.tencentcloudapi.com", `{"Image":"QUJD","NeedFaceAttributes":1}`, capture.Field{Name: "X-TC-Action", Value: action}, capture.Field{Name: "Content-Type", Value: "application/json"})
}

func toServer(f *capture.Flow) *capture.Flow { f.Server.Addr = server; return f }

// TestCalls: what a readable request asks for is configured, what its answer holds is active, and nothing else is anything.
func TestCalls(t *testing.T) {
	detect := request("POST", "/facepp/v3/detect", "api-cn.faceplusplus.com", "api_key=k&return_attributes=gender%2Cage%2Cheadpose", urlencoded)
	match := toServer(request("POST", "/face-api/v3/face/match?appid=1", "192.0.2.9:8300", `[{"image":"QUJD"},{"image":"QUJD"}]`))
	proxied := request("POST", "/facepp/v3/detect", "api-cn.faceplusplus.com", "api_key=k&return_attributes=gender", urlencoded, capture.Field{Name: "Via", Value: "1.1 proxy"})
	bare := request("POST", "/face-api/v3/face/match?appid=1", "", `[{"image":"QUJD"},{"image":"QUJD"}]`)
	bare.Request.Header = nil
	cut := answer(detect, 200, faceppDetected)
	cut.Answer.Cut = capture.CutHole
	for _, c := range []struct {
		name string
		f    *capture.Flow
		want []string // "face.*" facts as "name key", sorted; those of the server with "served: "
	}{
		{"asked", detect, []string{"face.analyse.configured", "face.detect.configured", "outbound.face"}},
		{"answered", answer(detect, 200, faceppDetected), []string{"face.analyse.active", "face.attributes.active", "face.detect.active", "outbound.face"}},
		{"nobody in the picture", answer(detect, 200, faceppNobody), nil},
		{"refused", answer(detect, 401, faceppRefused), nil},
		{"refused with a 200", answer(detect, 200, faceppRefused), nil},
		{"cut", cut, nil},
		{"cut short", answer(detect, 200, faceppDetected[:80]), nil},
		{"not read", answer(detect, 200, ""), nil},
		{"a page", answer(detect, 200, "<html>login</html>"), nil},
		{"more behind it", answer(detect, 200, faceppDetected+"{}"), nil},
		{"asked through a proxy, which is the one that is seen", proxied, []string{"outbound.face"}},
		{"asked by who is not known, since the head was not kept", bare, []string{"outbound.face"}},
		{"answered through a proxy", answer(proxied, 200, faceppDetected), []string{"outbound.face"}},
		{"compared on premises", answer(match, 200, baiduMatched), []string{"face.detect.active", "face.verify.active", "outbound.face", "served: face.detect.active", "served: face.verify.active"}},
		{"an error in a 200", answer(match, 200, baiduFailed), nil},
		{"searched", answer(tencent("SearchFaces"), 200, tencentFound), []string{"face.detect.active", "face.identify.active", "outbound.face"}},
		{"an error object", answer(tencent("SearchFaces"), 200, tencentFailed), nil},
		{"attributes switched on", tencent("DetectFace"), []string{"face.analyse.configured", "face.detect.configured", "outbound.face"}},
		{"a library's list", tencent("GetGroupList"), nil},
		{"enrolled", tencent("CreatePerson"), []string{"outbound.face"}},
		{"another service on the host", request("POST", "/rest/2.0/ocr/v1/general_basic", "aip.baidubce.com", "image=x", urlencoded), nil},
		{"its page in a browser", request("GET", "/facepp/v3/detect", "api-cn.faceplusplus.com", ""), nil},
		{"an empty post", request("POST", "/facepp/v3/detect", "api-cn.faceplusplus.com", ""), nil},
		{"the list of a library", request("GET", "/v2/p/face-sets/s/faces?offset=0&limit=5", "face.cn-north-4.myhuaweicloud.com", ""), nil},
		{"another server's path", request("POST", "/api/v1/recognition/faces", "192.0.2.9:8000", "x"), nil},
		{"by a proxy", request("POST", "http://api-cn.faceplusplus.com/facepp/v3/search", "proxy.example", "x"), []string{"face.detect.configured", "face.identify.configured", "outbound.face"}},
	} {
		var got []string
		for _, o := range dissect(t, c.f) {
			if o.Kind != kindCall {
				continue
			}
			var x Call
			if err := json.Unmarshal(o.Data, &x); err != nil {
				t.Fatal(err)
			}
			who := ""
			if x.Served {
				who = "served: "
			}
			if want := map[bool]netip.AddrPort{false: netip.AddrPortFrom(camera.Addr(), 0), true: server}[x.Served]; o.Endpoint != want {
				t.Errorf("%s: about %s, want %s", c.name, o.Endpoint, want)
			}
			fs, err := Derive(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fs {
				if f.Value.V == false {
					t.Errorf("%s: %s is denied", c.name, f.Name)
				}
				if f.Name != probe.FactOutboundHosts {
					got = append(got, who+f.Name)
				}
			}
		}
		slices.Sort(got)
		if d := cmp.Diff(c.want, slices.Compact(got)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// TestDeclared: every fact that is stated is declared.
func TestDeclared(t *testing.T) {
	declared := map[string]bool{}
	for _, s := range Module().Facts {
		declared[s.Name] = true
	}
	for _, f := range flows() {
		for _, o := range dissect(t, f) {
			o.Seen = &audit.Seen{Count: 3}
			o.At, o.Until = time.Unix(0, 0), time.Unix(60, 0)
			fs, err := Derive(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range fs {
				if !declared[x.Name] {
					t.Errorf("%s is not declared", x.Name)
				}
			}
		}
	}
}

// TestNothingOfAPerson: no value of a request or an answer is kept, and a flood of them is a handful of observations.
func TestNothingOfAPerson(t *testing.T) {
	all := map[string]bool{}
	for range 1000 {
		for _, f := range flows() {
			for _, o := range dissect(t, f) {
				b, err := json.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				all[string(b)] = true
			}
		}
	}
	if len(all) > 30 {
		t.Errorf("%d observations", len(all))
	}
	for o := range all {
		for _, secret := range []string{"张三", "p-7", "93.1", "Female", "34", "QUJD", "dating", "zhang", "LAB00000000000001", "api_key", "forum", "bank"} {
			if strings.Contains(o, secret) {
				t.Errorf("%q in %s", secret, o)
			}
		}
	}
}

// TestOutside: what is outside the perimeter is nobody's business, whatever it asks.
func TestOutside(t *testing.T) {
	for _, f := range flows() {
		f.Client.Addr, f.Server.Addr = netip.MustParseAddrPort("203.0.113.5:1"), cloud
		if got := dissect(t, f); len(got) > 0 {
			t.Errorf("%+v", got)
		}
	}
}

// TestCutsGiveLess: an answer that is cut anywhere never shows more than a whole one, and nothing where it is not whole.
func TestCutsGiveLess(t *testing.T) {
	q := request("POST", "/facepp/v3/detect", "api-cn.faceplusplus.com", "x")
	for n := range len(faceppDetected) {
		if got := dissect(t, answer(q, 200, faceppDetected[:n])); len(got) > 0 {
			t.Fatalf("%d bytes: %+v", n, got)
		}
	}
}

func flows() []*capture.Flow {
	detect := request("POST", "/facepp/v3/detect", "api-cn.faceplusplus.com", "api_key=k&return_attributes=gender%2Cage", urlencoded)
	match := toServer(request("POST", "/face-api/v3/face/match?appid=1", "192.0.2.9:8300", `[{"image":"QUJD"}]`))
	return []*capture.Flow{question("api-cn.faceplusplus.com", false), question("www.some-dating-site.example", false), hello(capture.ProtoTLS, "iai.tencentcloudapi.com", false),
		hello(capture.ProtoTLS, "bank.example", false), ended(capture.Totals{Up: 9, Down: 9, DataUp: 9, DataDown: 9, Name: "a.hik-connect.com", NameBy: "tls", Encrypted: true}),
		detect, answer(detect, 200, faceppDetected), match, answer(match, 200, baiduMatched), tencent("SearchFaces"), answer(tencent("SearchFaces"), 200, tencentFound),
		p2p("DHGET /online/p2psrv/LAB00000000000001"), request("GET", "/private?user=zhang", "forum.example", "")}
}

func FuzzDissect(f *testing.F) {
	for _, x := range flows() {
		var b []byte
		target, host, kind, value := "", "", "", ""
		if x.Request != nil {
			target, host = x.Request.Target, x.Request.Header.Get("Host")
			kind, value = x.Request.Header.Get("Content-Type"), x.Request.Header.Get("X-TC-Action")
			b = x.Request.Body
			if x.Answer != nil {
				b = x.Answer.Body
			}
		} else {
			b = x.Payload
		}
		f.Add(string(x.Proto), target, host, kind, value, b, x.Answer != nil)
	}
	f.Fuzz(func(t *testing.T, proto, target, host, kind, action string, b []byte, answered bool) {
		x := flow(capture.Proto(proto))
		x.Payload = b
		if x.Proto == capture.ProtoUDP {
			x.Server.Addr = netip.AddrPortFrom(x.Server.Addr.Addr(), p2pPort)
		}
		x.Hello = &capture.Hello{Name: host}
		x.Totals = &capture.Totals{Name: host, NameBy: kind, Up: int64(len(b)), DataUp: int64(len(b)), DataDown: 1}
		x.Request = &capture.Message{Method: "POST", Target: target, Body: b, Size: int64(len(b)), Parts: []capture.Part{{Name: action, Body: b}},
			Header: capture.Header{{Name: "Host", Value: host}, {Name: "Content-Type", Value: kind}, {Name: "X-TC-Action", Value: action}}}
		if answered {
			x.Answer = &capture.Message{Status: 200, Body: b}
		}
		out, err := Dissect(hearing(), x)
		if err != nil && len(out) > 0 {
			t.Error("an error with observations")
		}
		for _, o := range out {
			if _, err := Derive(o); err != nil {
				t.Error(err)
			}
			if len(o.Data) > 2048 {
				t.Errorf("%d bytes of data", len(o.Data))
			}
		}
	})
}
