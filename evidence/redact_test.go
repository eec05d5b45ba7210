package evidence

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

type redactCase struct {
	name     string
	protocol string
	in       string
	gone     []string
	stays    []string
}

const wsse = `<wsse:Security s:mustUnderstand="1" xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
 <wsse:UsernameToken><wsse:Username>walker</wsse:Username>
 <wsse:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest">tuOSpGlFlIXsozq4HFNeeGeFLEI=</wsse:Password>
 <wsse:Nonce EncodingType="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary">LKqI6G/AikKCQrN0zqZFlg==</wsse:Nonce>
 <wsu:Created xmlns:wsu="urn:x">2010-09-16T07:50:45.817Z</wsu:Created></wsse:UsernameToken></wsse:Security>`

var wsseSecrets = []string{"walker", "tuOSpGlFlIXsozq4HFNeeGeFLEI=", "LKqI6G/AikKCQrN0zqZFlg==", "2010-09-16T07:50:45"}

const face = `<?xml version="1.0" encoding="UTF-8"?>
<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:fc="http://www.onvif.org/ver20/analytics/humanface">
 <tt:VideoAnalytics><tt:Frame UtcTime="2026-01-01T00:00:00.000Z">
  <tt:Object ObjectId="13" Parent="12"><tt:Appearance>
   <tt:Class><tt:Type Likelihood="0.88">HumanFace</tt:Type></tt:Class>
   <tt:HumanFace xmlns:v="http://vendor.example/x"><fc:Age><tt:Min>25</tt:Min><tt:Max>35</tt:Max></fc:Age><fc:Gender conf='0.77'>Female</fc:Gender>
    <fc:Expression><![CDATA[Smi<le]]></fc:Expression><!-- Li Wei --><fc:Accessory><fc:Opticals><fc:Wear>true</fc:Wear></fc:Opticals></fc:Accessory></tt:HumanFace>
   <tt:ImageRef>http://192.0.2.9/crop/4711.jpg</tt:ImageRef><tt:GeoLocation lon="121.4737" lat="31.2304"/><recam:Emotion>angry</recam:Emotion>
   <tt:Label>VIP 17</tt:Label></tt:Appearance></tt:Object></tt:Frame></tt:VideoAnalytics></tt:MetadataStream>`

const pull = `<tev:PullMessagesResponse><wsnt:NotificationMessage>
<wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:RuleEngine/Recognition/Face</wsnt:Topic>
<wsnt:Message><tt:Message UtcTime="2026-04-08T14:35:49Z" PropertyOperation="Changed"><tt:Source>
<tt:SimpleItem Name="VideoSourceToken" Value="Source-7"/></tt:Source><tt:Data>
<tt:SimpleItem Name="IsFace" Value="true"/><tt:SimpleItem Value="Human Face" Name="ClassTypes"/><tt:SimpleItem Name='Match' Value='Zhang San'/>
<tt:SimpleItem Value="E-20931" Name="EnrollmentID"/><tt:SimpleItem Name="Gender" Value="Male"/><tt:SimpleItem Name=Score Value=0.9731 />
<tt:ElementItem Name="Box"><tt:BoundingBox left="0.1234"/></tt:ElementItem></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage></tev:PullMessagesResponse>`

func redactCases() []redactCase {
	jpeg := "\xff\xd8\xff\xe0\x00\x10JFIF" + strings.Repeat("face\r\n", 40) + "\xff\xd9"
	b64 := "/9j/4AAQSkZJRgABAQ" + strings.Repeat("Zm9vYmFy", 20)
	return []redactCase{
		{"basic", "http", "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nAuthorization: Basic d2Fsa2VyOmh1bnRlcjI=\r\n\r\n",
			[]string{"d2Fsa2VyOmh1bnRlcjI"}, []string{"Authorization: Basic ", "Host: 192.0.2.1"}},
		{"basic without scheme", "http", "GET / HTTP/1.1\r\nauthorization:d2Fsa2VyOmh1bnRlcjI=\r\n\r\n", []string{"d2Fsa2V"}, []string{"authorization:"}},
		{"basic folded", "http", "GET / HTTP/1.1\r\nAuthorization: Basic\r\n d2Fsa2Vy\r\n\tOmh1bnRlcjI=\r\nHost: h\r\n\r\n", []string{"d2Fsa2Vy", "Omh1bnRlcjI"}, []string{"Host: h"}},
		{"digest", "http", "POST /x HTTP/1.1\r\nAuthorization: Digest username=\"walker\", realm=\"Login to \\\"cam\\\"\", nonce=\"5ebd3f\", uri=\"/x\", nc=00000001, cnonce=\"0a4f113b\", qop=auth, response=\"6629fae49393a05397450978507c4ef1\", algorithm=SHA-256, opaque='abc def'\r\n\r\n",
			[]string{"walker", "5ebd3f", "0a4f113b", "6629fae4", "abc", "def"}, []string{`Digest username="******"`, `realm="Login to \"cam\""`, `uri="/x"`, "nc=00000001", "qop=auth", "algorithm=SHA-256"}},
		{"challenge", "http", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"AXIS_00408C\", nonce=\"0004cd2eY517\", opaque=\"5ccc069c\", algorithm=MD5, qop=\"auth,auth-int\", Basic realm=\"cam\"\r\nProxy-Authenticate: NTLM TlRMTVNTUAAC\r\nAuthentication-Info: nextnonce=\"47364c23\", rspauth=\"eeff\", qop=auth\r\n\r\n",
			[]string{"0004cd2eY517", "5ccc069c", "TlRMTVNT", "47364c23", "eeff"}, []string{`realm="AXIS_00408C"`, "algorithm=MD5", `qop="auth,auth-int"`, `Basic realm="cam"`, "NTLM "}},
		{"challenge with semicolons and an open quote", "rtsp", "RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"cam, nonce=8b84a3b789283a8bea8da7fa7d41f08b;opaque=77\r\n\r\n",
			[]string{"8b84a3b7", "77"}, []string{"Digest realm="}},
		{"cookies", "http", "HTTP/1.1 200 OK\r\nSet-Cookie: WebSession=f00dfacecafe; Path=/; HttpOnly\r\nSet-Cookie: b=second1; Secure\r\n\r\nGET / HTTP/1.1\r\nCookie: WebSession=f00dfacecafe; theme=dark1\r\n\r\n",
			[]string{"f00dfacecafe", "second1", "dark1"}, []string{"WebSession=", "Path=/", "HttpOnly"}},
		{"token headers", "http", "GET / HTTP/1.1\r\nX-Auth-Token: 12ab34cd56ef\r\nSessionID: 99887766\r\n\r\n", []string{"12ab34cd", "99887766"}, nil},
		{"rtsp", "rtsp", "DESCRIBE rtsp://walker:hunter2@192.0.2.1:554/s?profile=1&auth=YWRtaW46 RTSP/1.0\nAuthorization: Digest username=\"walker\", nonce=\"aa11bb22\", response=\"c0ffee00\"\n\n",
			[]string{"walker", "hunter2", "YWRtaW46", "aa11bb22", "c0ffee00"}, []string{"@192.0.2.1:554/s?profile=1"}},
		{"url in the path", "http", "x rtsp://192.0.2.1/user=walker_password=hunter2_channel=1_stream=0.sdp y", []string{"walker", "hunter2"}, []string{"rtsp://192.0.2.1/user="}},
		{"url escaped in xml", "http", "<tt:Uri>http://192.0.2.1/snap?res=1&amp;token=ab12cd&amp;user=walker&amp;ch=2</tt:Uri>", []string{"ab12cd", "walker"}, []string{"res=1", "ch=2"}},
		{"form", "http", "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nusername=walker&password=hunter2&lang=zh", []string{"walker", "hunter2"}, []string{"lang=zh"}},
		{"onvif tokens stay", "http", `<trt:Profiles token="Profile_1" fixed="true"><tt:Name>main</tt:Name><trt:ProfileToken>Profile_1</trt:ProfileToken></trt:Profiles>`, nil,
			[]string{`token="Profile_1" fixed="true"`, "<tt:Name>main<", "<trt:ProfileToken>Profile_1<"}},

		{"wsse", "http", "<s:Envelope><s:Header>" + wsse + "</s:Header><s:Body><tds:GetScopes/></s:Body></s:Envelope>", wsseSecrets, []string{"<wsse:Username>******</wsse:Username>", "#PasswordDigest", "#Base64Binary", "<tds:GetScopes/>"}},
		{"wsse with another prefix, one line, CRLF", "http", strings.ReplaceAll(strings.NewReplacer("wsse:", "ns17:", "wsu:", "", "\n", "\r\n").Replace(wsse), `"`, `'`), wsseSecrets, []string{"<ns17:Nonce EncodingType="}},
		{"wsse without prefix", "http", strings.ReplaceAll(wsse, "wsse:", ""), wsseSecrets, []string{"<Nonce EncodingType="}},
		{"wsse cut in the nonce", "http", wsse[:strings.Index(wsse, "QrN0")], []string{"walker", "tuOSpGlF", "LKqI6G"}, nil},
		{"wsse cut in a tag", "http", wsse[:strings.Index(wsse, "QrN0")] + "==</wsse:Non", []string{"walker", "tuOSpGlF", "LKqI6G"}, nil},
		{"wsse never closed", "http", "<Security><UsernameToken><Username>walker<Password>tuOSpGlF=<Nonce>LKqI6G==<Created>2010-09-16<Body>x", []string{"walker", "tuOSpGlF", "LKqI6G", "2010"}, nil},
		{"wsse closed wrongly", "http", "<a><Username>walker</user><Password>tuOSpGlF=</Pass></a><b>stays</b>", []string{"walker", "tuOSpGlF"}, []string{"<b>stays</b>"}},
		{"wsse crossed", "http", "<Security><Username>walker</Password><Password>pw12</Username></Password></Security><b>stays</b>", []string{"walker", "pw12"}, []string{"<b>stays</b>"}},
		{"password with markup in it", "http", "<Password Type='#PasswordText'>a<b>c&d</Password>", []string{"a<b", "c&d"}, []string{"#PasswordText"}},
		{"wsse in CDATA", "http", "<fault><![CDATA[" + wsse + "]]></fault>", wsseSecrets, nil},
		{"wsse in a comment", "http", "<fault><!-- " + wsse + " --></fault>", wsseSecrets, nil},
		{"wsse escaped in a fault", "http", "<faultstring>" + strings.NewReplacer("<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(wsse) + "</faultstring>", wsseSecrets, []string{"<faultstring>", "</faultstring>"}},
		{"wsse escaped by number", "http", "<faultstring>" + strings.NewReplacer("<", "&#60;", ">", "&#x3E;").Replace(wsse) + "</faultstring>", wsseSecrets, []string{"</faultstring>"}},
		{"wsse in JSON", "http", `{"fault":"` + strings.NewReplacer("<", `\u003c`, `"`, `\"`, "\n", `\n`, "</", `<\/`).Replace(wsse) + `"}`, wsseSecrets, []string{`{"fault":"`}},
		{"wsse in attributes", "http", `<UsernameToken Username='walker' Password="tuOSpGlF" Nonce="LKqI6G" Created='2010-09-16T07:50:45Z'/>`, []string{"walker", "tuOSpGlF", "LKqI6G", "2010"}, nil},
		{"soap 1.1", "http", `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header>` + wsse + `</SOAP-ENV:Header><SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>ter:ActionNotSupported</faultstring></SOAP-ENV:Fault>`,
			wsseSecrets, []string{"<faultcode>SOAP-ENV:Client</faultcode>", "ter:ActionNotSupported"}},
		{"users of a device", "http", `<tds:User><tt:Username>walker</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User>`, []string{"walker"}, []string{"Administrator"}},
		{"vendor login", "http", `{"method":"global.login","params":{"userName":"walker","password":"6A1F00","realm":"Login to x","random":"118899","clientType":"Web3.0"},"session":"aa"}`,
			[]string{"walker", "6A1F00", "118899"}, []string{`"realm":"Login to x"`, `"clientType":"Web3.0"`}},
		{"html form", "http", `<input type=password name=p value="hunter2"><input name="username" value='walker'><input name=lang value=zh>`, []string{"hunter2", "walker"}, []string{"value=zh"}},

		{"face", "rtsp", face, []string{"25<", "35<", "Female", "0.77", "Smi", "le]", "Li Wei", ">true<", "4711", "121.4737", "31.2304", "angry", "VIP", "17<", "0.88"},
			[]string{"<tt:HumanFace", "<fc:Age><tt:Min>**</tt:Min>", "<fc:Gender conf='****'>******</fc:Gender>", "http://vendor.example/x", "<fc:Wear>", ">HumanFace</tt:Type>", `UtcTime="2026-01-01T00:00:00.000Z"`, `ObjectId="13"`, "<tt:GeoLocation lon=", "</tt:MetadataStream>"}},
		{"face cut off", "rtsp", face[:strings.Index(face, "ale</fc")], []string{"25<", "35<", "Fem", "0.77"}, []string{"<fc:Gender"}},
		{"face never closed", "rtsp", "<HumanFace><Age>25<Gender>Female", []string{"25", "Female"}, []string{"<HumanFace><Age>"}},
		{"pull messages", "http", pull, []string{"Zhang", "San", "E-20931", "Male", "0.9731", "0.1234"},
			[]string{`Name="IsFace" Value="true"`, `Value="Human Face"`, `Name="VideoSourceToken" Value="Source-7"`, "tns1:RuleEngine/Recognition/Face", `Name="EnrollmentID"`, `PropertyOperation="Changed"`, `ElementItem Name="Box"`}},
		{"module configuration stays", "http", `<tt:AnalyticsModule Type="tt:FaceDetectorEngine" Name="MyFaceDetectModule"><tt:Parameters><tt:SimpleItem Value="true" Name="Enable"></tt:SimpleItem><tt:SimpleItem Name="Sensitivity" Value="50"/></tt:Parameters></tt:AnalyticsModule>`, nil,
			[]string{`<tt:SimpleItem Value="true" Name="Enable">`, `Value="50"`, `Name="MyFaceDetectModule"`}},
		{"message descriptions stay", "http", `<tt:MessageDescription IsProperty="true"><tt:Data><tt:SimpleItemDescription Name="EnrollmentID" Type="xsd:string"/></tt:Data></tt:MessageDescription>`, nil,
			[]string{`<tt:SimpleItemDescription Name="EnrollmentID" Type="xsd:string"/>`}},
		{"certificates stay", "http", `<tt:Certificate><tt:Data>MIICLzCC</tt:Data></tt:Certificate>`, nil, []string{"MIICLzCC"}},
		{"face in JSON", "http", `{"FaceObject":[{"FaceID":"31010500001","Name":"李雷","GenderCode":"1","Attributes":{"Mask":true,"Age":[20,30]}}],"age":"25","total":3}`,
			[]string{"31010500001", "李雷", "true", "20", "30", `"25"`}, []string{`"FaceObject":[{"FaceID":"`, `"GenderCode"`, `"total":3`}},
		{"isapi alarm", "http", `<EventNotificationAlert><eventType>faceSnap</eventType><faceSnap><age><value>25</value></age><gender>female</gender><faceURL>http://192.0.2.1/f?x=1</faceURL></faceSnap></EventNotificationAlert>`,
			[]string{"25", "female", "192.0.2.1"}, []string{"<eventType>faceSnap</eventType>"}},

		{"jpeg", "http", "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n" + jpeg, []string{"JFIF", "face", "\xff\xd8"}, []string{"Content-Type: text/xml"}},
		{"jpeg in multipart", "http", "HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=boundary\r\n\r\n--boundary\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + "\r\n--boundary\r\nContent-Type: text/plain\r\n\r\nafter\r\n--boundary--\r\n",
			[]string{"JFIF", "face"}, []string{"--boundary\r\nContent-Type: text/plain\r\n\r\nafter"}},
		{"declared video", "http", "HTTP/1.1 200 OK\r\ncontent-type:video/mp4\r\n\r\nftypisom", []string{"ftypisom"}, nil},
		{"png", "tcp", "\x89PNG\r\n\x1a\nIHDR", []string{"PNG", "IHDR"}, nil},
		{"jpeg in base64", "http", "<Picture>" + b64 + "</Picture><Ok/>", []string{"/9j/4AAQ", "Zm9vYmFyZm9v"}, []string{"<Picture>", "<Ok/>"}},
		{"jpeg in base64, wrapped", "http", "<P>" + b64[:76] + "\r\n" + b64[76:] + "</P>", []string{"/9j/4AAQ", "Zm9vYmFyZm9v"}, []string{"<P>", "</P>"}},
		{"jpeg in base64, JSON", "http", `{"p":"data:image/jpeg;base64,` + strings.ReplaceAll(b64, "/", `\/`) + `","n":1}`, []string{"4AAQ", "Zm9vYmFyZm9v"}, []string{`"p":"data:image`, `"n":1`}},
		{"short base64 stays", "http", "<c>/9j/abc</c><path>/9j/x</path>", nil, []string{"/9j/abc", "/9j/x"}},
		{"template", "http", "<t>" + strings.Repeat("QUJD", 400) + "</t><cert>MII" + strings.Repeat("QUJD", 400) + "</cert>", []string{">QUJDQUJD"}, []string{"<t>", "MIIQUJD"}},
		{"interleaved frames", "rtsp", "RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n$\x00\x00\x08facefaceRTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\n", []string{"face"}, []string{"CSeq: 4", "CSeq: 5"}},
		{"too deep", "http", strings.Repeat("<a>", 100_000) + "deep text", []string{"deep text"}, nil},
	}
}

func TestRedact(t *testing.T) {
	for _, tc := range redactCases() {
		t.Run(tc.name, func(t *testing.T) {
			in := []byte(tc.in)
			out := newScrubber().Redact(tc.protocol, in)
			if string(in) != tc.in {
				t.Error("the input was changed")
			}
			if len(out) != len(in) {
				t.Errorf("%d bytes became %d", len(in), len(out))
			}
			for _, g := range tc.gone {
				if bytes.Contains(out, []byte(g)) {
					t.Errorf("%q is still there", g)
				}
			}
			for _, s := range tc.stays {
				if !bytes.Contains(out, []byte(s)) {
					t.Errorf("%q is gone", s)
				}
			}
			if t.Failed() && len(out) < 4000 {
				t.Logf("%s", out)
			}
		})
	}
}

func TestSecretsInEveryEscape(t *testing.T) {
	s := newScrubber()
	s.Login("walker", `p&ss"w/rd 1é`)
	for name, in := range map[string]string{
		"plain":      `the key is p&ss"w/rd 1é.`,
		"xml":        `<x>p&amp;ss&quot;w/rd 1é</x>`,
		"xml number": `<x>p&#38;ss&#x22;w/rd 1&#233;</x>`,
		"url":        `?x=p%26ss%22w%2Frd%201%C3%A9&y=1`,
		"form":       `x=p&ss"w/rd+1é&y=1`,
		"json":       `{"x":"p\u0026ss\"w\/rd 1\u00e9"}`,
		"folded":     "X-Key: p&ss\"w/rd\r\n 1é\r\n",
		"base64":     "cCZzcyJ3L3JkIDHDqQ==",
		"pair":       "d2Fsa2VyOnAmc3Midy9yZCAxw6k=",
		"user":       "hello walker.",
	} {
		out := s.Redact("tcp", []byte(in))
		if len(out) != len(in) || bytes.Contains(out, []byte("ss")) || bytes.Contains(out, []byte("w/rd")) || bytes.Contains(out, []byte("1é")) ||
			bytes.Contains(out, []byte("cCZz")) || bytes.Contains(out, []byte("d2Fsa")) || bytes.Contains(out, []byte("walker")) {
			t.Errorf("%s: %s", name, out)
		}
	}
	for _, in := range []string{"sleepwalker walkers walker1 _walker", "walk er"} {
		if out := s.Redact("tcp", []byte(in)); string(out) != in {
			t.Errorf("%q became %q", in, out)
		}
	}
}

// What a request was signed with is looked for in the answer too, however the device quotes it.
func TestEchoOfOwnSecrets(t *testing.T) {
	s := newScrubber()
	req := "POST / HTTP/1.1\r\nAuthorization: Digest username=\"walker\", realm=\"r\", nonce=\"servernonce01\", uri=\"/\", cnonce=\"clientnonce\", response=\"00112233445566778899aabbccddeeff\"\r\n\r\n<a>" + wsse + "</a>"
	r := s.redact(Exchange{Protocol: "http", Request: []byte(req),
		Response: []byte("HTTP/1.1 400 Bad\r\n\r\nBad login of walker (clientnonce/servernonce01): LKqI6G%2FAikKCQrN0zqZFlg== 2010-09-16T07:50:45.817Z tuOSpGlFlIXsozq4\r\n  HFNeeGeFLEI= walkers"),
		Note:     "refused for walker", URI: "http://walker:pw@192.0.2.1/?cnonce=clientnonce"}, 1<<20)
	for _, g := range append([]string{"clientnonce", "servernonce01", "LKqI6G", "AikKCQ", "HFNeeGeF", "00112233"}, wsseSecrets...) {
		if g == "walker" {
			g = "walker "
		}
		for _, b := range []string{string(r.Request), string(r.Response), r.Note + " ", r.URI} {
			if strings.Contains(b, g) {
				t.Errorf("%q is still in %q", g, b)
			}
		}
	}
	if !strings.Contains(string(r.Response), "walkers") {
		t.Error("a longer word was cut")
	}
	// Our nonces and digests are known from now on, in other exchanges and in the program's own JSON.
	if out := s.Scrub([]byte(`{"detail":"bad nonce=servernonce01, LKqI6G/AikKCQrN0zqZFlg== clientnonce"}`)); strings.Contains(string(out), "servernonce01") || strings.Contains(string(out), "LKqI6G") || strings.Contains(string(out), "clientnonce") {
		t.Errorf("%s", out)
	}
}

// A device cannot make us blot out its own evidence by calling a word a user name.
func TestDeviceCannotTeachUs(t *testing.T) {
	r := newScrubber().redact(Exchange{Protocol: "http", Request: []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		Response: []byte("<a><Username>true</Username><Enable>true</Enable></a>")}, 1<<20)
	if string(r.Response) != "<a><Username>****</Username><Enable>true</Enable></a>" {
		t.Errorf("%s", r.Response)
	}
}

// Nor what another device says, nor our report, by choosing it for a nonce or a cookie.
func TestDeviceCannotTeachUsAboutOthers(t *testing.T) {
	s := newScrubber()
	s.redact(Exchange{Protocol: "http", Request: []byte("GET / HTTP/1.1\r\nAuthorization: Digest nonce=\"DS-2CD2T47G2\", cnonce=\"0123456789ab\"\r\n\r\n"),
		Response: []byte("HTTP/1.1 401 No\r\nWWW-Authenticate: Digest nonce=\"DS-2CD2T47G2\"\r\nSet-Cookie: a=2026-11-02T09:30:00Z\r\n\r\n<Nonce>IPC-HFW5442</Nonce>")}, 1<<20)
	in := `{"at":"2026-11-02T09:30:00Z","model":"DS-2CD2T47G2","other":"IPC-HFW5442"}`
	if out := s.Scrub([]byte(in)); string(out) != in {
		t.Errorf("%s", out)
	}
}

// Documents made to be slow to look through.
func TestHostileSizes(t *testing.T) {
	const size = 128 << 10
	for _, unit := range []string{"<Nonce>abcdef1</Nonce>", "Set-Cookie: a=bcdefghi; b\r\n", "<a ", `"`, "</a>", "&lt;a&gt;", "\xff\xd8\xff", "/9j/ ", "/9j/", "<!--", "<Username>",
		"<Nonce>a</b>", `"age":{`, `{"age":1},`, "Content-Type: image/x\r\n", "RIFF0000WEBP", "Authorization: Digest a=b,", "<Data><SimpleItem Name='a' Value='b'/>", "$\x00\x00\x01",
		"Authorization: x\r\n b\r\n", "http://a@", "<![CDATA[", "<HumanFace>", `\\`, "%3C", "\x1f\x8b\r\n--bound\r\n", "walker", "RIFF", `<a b="`} {
		s := newScrubber()
		s.Login("walker", "hunter2hunter2")
		b := bytes.Repeat([]byte(unit), size/len(unit))
		began := time.Now()
		s.redact(Exchange{Protocol: "rtsp", Request: b[:min(len(b), 4096)], Response: b}, 2<<20)
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("%q took %v", unit, d)
		}
	}
}

func TestScrubJSON(t *testing.T) {
	s := newScrubber()
	s.Login("camera", `hun"ter2`)
	for _, tc := range []struct{ in, want string }{
		{`{"kind":"camera","detail":"a camera, user camera"}`, `{"kind":"camera","detail":"a ******, user ******"}`},
		{`{"camera":1,"Camera camera":2}`, `{"camera":1,"Camera ******":2}`},
		{`{"a":"hun\"ter2","b":["x hun\u0022ter2"]}`, `{"a":"*********","b":["x *************"]}`},
		{`{"a":"camera%3Ahun%22ter2"}`, `{"a":"*******************"}`},
		{`not json camera`, `not json ******`},
	} {
		if out := s.Scrub([]byte(tc.in)); string(out) != tc.want {
			t.Errorf("%s\nbecame %s\nwant   %s", tc.in, out, tc.want)
		}
	}
}
