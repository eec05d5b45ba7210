package wsdiscovery

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const gsoap = `<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:wsdd="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:tdn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">
<SOAP-ENV:Header><wsa:MessageID>urn:uuid:0a6dc791-2be6-4991-9af1-454778a1917a</wsa:MessageID><wsa:RelatesTo>urn:uuid:1</wsa:RelatesTo>
<wsa:To SOAP-ENV:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:To></SOAP-ENV:Header>
<SOAP-ENV:Body><wsdd:ProbeMatches><wsdd:ProbeMatch><wsa:EndpointReference><wsa:Address>urn:uuid:cea94000-fb96-11b3-8260-686dbc5cb15d</wsa:Address></wsa:EndpointReference>
<wsdd:Types>tdn:NetworkVideoTransmitter tds:Device</wsdd:Types><wsdd:Scopes>onvif://www.onvif.org/type/video_encoder
 onvif://www.onvif.org/Profile/Streaming  onvif://www.onvif.org/name/HIKVISION%20DS-2CD2183G0</wsdd:Scopes>
<wsdd:XAddrs>http://192.0.2.64/onvif/device_service http://[2001:db8::64]/onvif/device_service</wsdd:XAddrs><wsdd:MetadataVersion>10</wsdd:MetadataVersion></wsdd:ProbeMatch></wsdd:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>`

func hikvision() Message {
	return Message{
		Kind: ProbeMatches, Dialect: NSDiscovery, MessageID: "urn:uuid:0a6dc791-2be6-4991-9af1-454778a1917a", RelatesTo: "urn:uuid:1",
		Matches: []Match{{
			EPR:             "urn:uuid:cea94000-fb96-11b3-8260-686dbc5cb15d",
			Types:           []QName{NetworkVideoTransmitter(), Device()},
			Scopes:          []string{"onvif://www.onvif.org/type/video_encoder", "onvif://www.onvif.org/Profile/Streaming", "onvif://www.onvif.org/name/HIKVISION%20DS-2CD2183G0"},
			XAddrs:          []string{"http://192.0.2.64/onvif/device_service", "http://[2001:db8::64]/onvif/device_service"},
			MetadataVersion: "10",
		}},
	}
}

// messages are what the tests read and what the fuzz target starts from.
var messages = []struct {
	name string
	in   string
	want Message
	bad  bool
}{
	{"gSOAP, scopes over two lines", gsoap, hikvision(), false},
	{"byte order mark, zeros behind", "\xef\xbb\xbf" + gsoap + "\x00\x00\x00", hikvision(), false},
	{"OASIS dialect, prefixes declared at the element, no XAddrs", `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><a:RelatesTo xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:2</a:RelatesTo></s:Header><s:Body><ProbeMatches xmlns="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"><ProbeMatch><a:EndpointReference xmlns:a="http://www.w3.org/2005/08/addressing"><a:Address>urn:uuid:x</a:Address></a:EndpointReference><Types xmlns:q="http://www.onvif.org/ver10/device/wsdl">q:Device Plain zz:Undeclared</Types></ProbeMatch></ProbeMatches></s:Body></s:Envelope>`,
		Message{Kind: ProbeMatches, Dialect: NSOASIS, RelatesTo: "urn:uuid:2", Matches: []Match{{EPR: "urn:uuid:x", Types: []QName{Device(), {NSOASIS, "Plain"}, {"zz", "Undeclared"}}}}}, false},
	{"Hello", `<e:Envelope xmlns:e="x" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:w="y"><e:Header><w:MessageID>urn:uuid:3</w:MessageID></e:Header><e:Body><d:Hello><w:EndpointReference><w:Address>urn:uuid:h</w:Address></w:EndpointReference><d:XAddrs>abc</d:XAddrs></d:Hello></e:Body></e:Envelope>`,
		Message{Kind: Hello, Dialect: NSDiscovery, MessageID: "urn:uuid:3", Matches: []Match{{EPR: "urn:uuid:h", XAddrs: []string{"abc"}}}}, false},
	{"Bye without anything", `<Envelope><Body><Bye/></Body></Envelope>`, Message{Kind: Bye, Matches: []Match{{}}}, false},
	{"no match at all", `<Envelope><Body><ProbeMatches/></Body></Envelope>`, Message{Kind: ProbeMatches}, false},
	{"GBK that says UTF-8", `<?xml version="1.0" encoding="UTF-8"?><Envelope><Body><Hello><Scopes>` + "\xc9\xe3\xcf\xf1\xbb\xfa" + `</Scopes></Hello></Body></Envelope>`, Message{Kind: Hello, Matches: []Match{{Scopes: []string{"摄像机"}}}}, false},
	{"GBK that says nothing", `<Envelope><Body><Hello><Scopes>` + "\xc9\xe3\xcf\xf1\xbb\xfa" + `</Scopes></Hello></Body></Envelope>`, Message{Kind: Hello, Matches: []Match{{Scopes: []string{"摄像机"}}}}, false},
	{"no encoding at all", `<Envelope><Body><Hello><Scopes>a` + "\xff" + `b</Scopes><XAddrs>http://192.0.2.1/</XAddrs></Hello></Body></Envelope>`, Message{Kind: Hello, Matches: []Match{{Scopes: []string{"a\ufffdb"}, XAddrs: []string{"http://192.0.2.1/"}}}}, false},
	{"GBK", `<?xml version="1.0" encoding="GB2312"?><Envelope><Body><Hello><Scopes>` + "\xc9\xe3\xcf\xf1\xbb\xfa" + `</Scopes></Hello></Body></Envelope>`, Message{Kind: Hello, Matches: []Match{{Scopes: []string{"摄像机"}}}}, false},
	{"text that would move the cursor", `<Envelope><Body><Hello><XAddrs>http://a&#x202e;b&#x9b;31mc</XAddrs></Hello></Body></Envelope>`, Message{Kind: Hello, Matches: []Match{{XAddrs: []string{"http://abc"}}}}, false},
	{"truncated after a match", gsoap[:strings.Index(gsoap, "</wsdd:ProbeMatches>")], hikvision(), true},
	{"truncated before", gsoap[:900], Message{}, true},
	{"empty", "", Message{}, true},
	{"zeros", "\x00\x00\x00", Message{}, true},
	{"not XML", "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n", Message{}, true},
	{"SADP", `<?xml version="1.0" encoding="utf-8"?><ProbeMatch><Uuid>13A888A9</Uuid><Types>inquiry</Types></ProbeMatch>`, Message{}, true},
	{"a fault", `<Envelope><Body><Fault/></Body></Envelope>`, Message{}, true},
	{"DTD", `<!DOCTYPE x [<!ENTITY a "b">]><Envelope><Body><Hello><XAddrs>&a;</XAddrs></Hello></Body></Envelope>`, Message{}, true},
	{"entity", `<Envelope><Body><Hello><XAddrs>&a;</XAddrs></Hello></Body></Envelope>`, Message{}, true},
	{"deep", strings.Repeat("<a>", 200), Message{}, true},
	{"big", strings.Repeat(" ", MaxDatagram+1), Message{}, true},
	{"unknown encoding", `<?xml version="1.0" encoding="EBCDIC"?><Envelope><Body><Bye/></Body></Envelope>`, Message{}, true},
}

func TestParse(t *testing.T) {
	for _, tt := range messages {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.in))
			if tt.bad != errors.Is(err, ErrMalformed) || !tt.bad && err != nil {
				t.Errorf("error %v", err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseLimits(t *testing.T) {
	var b strings.Builder
	b.WriteString("<Envelope><Body><ProbeMatches>")
	for i := range 1000 {
		fmt.Fprintf(&b, "<ProbeMatch><XAddrs>x%d</XAddrs></ProbeMatch>", i)
	}
	b.WriteString("</ProbeMatches></Body></Envelope>")
	m, err := Parse([]byte(b.String()))
	if err != nil || len(m.Matches) != maxMatches || m.Matches[63].XAddrs[0] != "x63" {
		t.Errorf("%d matches, %v", len(m.Matches), err)
	}
	m, err = Parse([]byte("<Envelope><Body><Hello><Scopes>" + strings.Repeat("s ", 1000) + "</Scopes><XAddrs>" + strings.Repeat("x ", 1000) + "</XAddrs></Hello></Body></Envelope>"))
	if err != nil || len(m.Matches[0].Scopes) != maxScopes || len(m.Matches[0].XAddrs) != maxXAddrs {
		t.Errorf("got %v, %v", m.Matches, err)
	}
}

func TestProbe(t *testing.T) {
	for _, types := range ProbeTypes() {
		b := NewProbe("urn:uuid:4", types)
		got, err := Parse(b)
		if err != nil {
			t.Fatalf("%s\n%v", b, err)
		}
		if d := cmp.Diff(Message{Kind: Probe, Dialect: NSDiscovery, MessageID: "urn:uuid:4", Types: types}, got); d != "" {
			t.Error(d)
		}
		if !strings.Contains(string(b), "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>") || strings.Contains(string(b), "d:Types") != (types != nil) {
			t.Errorf("%s", b)
		}
	}
	if b := string(NewProbe("urn:uuid:4", ProbeTypes()[0])); !strings.Contains(b, `xmlns:dn="http://www.onvif.org/ver10/network/wsdl"`) || !strings.Contains(b, "<d:Types>dn:NetworkVideoTransmitter</d:Types>") {
		t.Errorf("%s", b)
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range messages {
		f.Add([]byte(m.in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		for _, match := range m.Matches {
			ParseScopes(match.Scopes)
		}
		// What was read reads the same from what we write, except that an undeclared prefix gets declared.
		again, err := Parse(Marshal(m))
		if len(Marshal(m)) > MaxDatagram {
			return
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, Marshal(m))
		}
		if again.Dialect != m.Dialect && m.Dialect != "" {
			t.Fatalf("dialect %q became %q", m.Dialect, again.Dialect)
		}
		again.Dialect = m.Dialect
		if d := cmp.Diff(m, again); d != "" && m.Kind != Probe && !hasEmptyNames(m) {
			t.Fatal(d)
		}
	})
}

// hasEmptyNames reports whether a type has no local name, or one with a colon, which cannot be written.
func hasEmptyNames(m Message) bool {
	for _, match := range m.Matches {
		for _, q := range match.Types {
			if q.Local == "" || strings.Contains(q.Local, ":") || q.Space == "" || q.Space == m.Dialect {
				return true
			}
		}
	}
	return false
}

func TestParseScopes(t *testing.T) {
	got := ParseScopes([]string{
		"onvif://www.onvif.org/type/video_encoder", "onvif://www.onvif.org/type/Network_Video_Transmitter", "onvif://www.onvif.org/type/video_encoder",
		"onvif://www.onvif.org/Profile/Streaming", "onvif://www.onvif.org/Profile/T",
		"onvif://www.onvif.org/name/AXIS%20P3818-PVE", "onvif://www.onvif.org/name/second",
		"onvif://www.onvif.org/hardware/P3818-PVE", "onvif://www.onvif.org/location/", "onvif://www.onvif.org/location/country/china", "onvif://www.onvif.org/location/%C9%CF%BA%A3",
		"ONVIF://www.ONVIF.org/MAC/44-19-B6-00-00-01", "onvif://www.onvif.org/serial/S%0A1\x1b[31m", "http://example.org/name/other", "onvif://www.onvif.org/", "onvif://www.onvif.org/name/%zz",
	})
	want := Scopes{
		Name: "AXIS P3818-PVE", Hardware: "P3818-PVE", Location: "country/china/上海", MAC: "44:19:b6:00:00:01", Serial: "S 1",
		Profiles: []string{"Streaming", "T"}, Types: []string{"video_encoder", "Network_Video_Transmitter"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestQNameText(t *testing.T) {
	for _, q := range []QName{NetworkVideoTransmitter(), {"", "Plain"}, {"zz", "x"}} {
		if got := ParseQName(q.String()); got != q {
			t.Errorf("%v became %v", q, got)
		}
	}
}
