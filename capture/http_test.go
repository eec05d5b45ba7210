package capture

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func withLength(head, body string) string {
	return fmt.Sprintf("%s\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

const okEmpty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// push is what a camera of Hikvision's posts: a form whose boundary is literally that.
var push = "--boundary\r\nContent-Disposition: form-data; name=\"faceCapture\"; filename=\"faceCapture\"\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n" +
	`{"eventType":"faceCapture"}` + "\r\n--boundary\r\nContent-Disposition: form-data; name=\"faceImage\"; filename=\"f.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg(500) +
	"\r\n--boundary--\r\n"

var alerts = "--boundary\r\nContent-Type: application/xml; charset=\"UTF-8\"\r\nContent-Length: 9\r\n\r\n<a>1</a>\n\r\n" +
	"--boundary\r\nContent-Type: image/jpeg\r\nContent-Length: 100\r\n\r\n" + jpeg(400) + "\r\n" +
	"--boundary\r\nContent-Type: application/json\r\n\r\n{\"eventType\":\"alarmResult\"}\r\n--boundary\r\n"

var httpConversations = []conversation{
	{"request and answer", false, []said{
		c2s("GET /ISAPI/System/deviceInfo HTTP/1.1\r\nHost: cam.example\r\n\r\n"),
		s2c(withLength("HTTP/1.1 200 OK\r\nContent-Type: application/xml", "<DeviceInfo/>"))},
		[]string{"> GET /ISAPI/System/deviceInfo 0", `< 200 to GET /ISAPI/System/deviceInfo 13 "<DeviceInfo/>"`}},
	{"pipelined", false, []said{
		c2s("GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\n" + withLength("POST /3 HTTP/1.1", "a=b") + "GET /4 HTTP/1.0\n\n"),
		s2c(withLength("HTTP/1.1 200 OK", "one") + "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nHTTP/1.1 304\r\n\r\n")},
		[]string{"> GET /1 0", "> HEAD /2 0", `> POST /3 3 "a=b"`, "> GET /4 0", `< 200 to GET /1 3 "one"`, "< 200 to HEAD /2 0", "< 204 to POST /3 0", "< 304 to GET /4 0"}},
	{"chunks with a trailer", false, []said{
		c2s("POST /VIID/Faces HTTP/1.1\r\nContent-Type: application/VIID+JSON\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=y\r\n{\"Fac\r\n1A \r\neListObject\":{\"FaceObject\"\r\n00003\r\n:1}\r\n0\r\nX-Sum: 1\r\n\r\n" +
			"GET / HTTP/1.1\r\n\r\n")},
		[]string{`> POST /VIID/Faces 34 "{\"FaceListObject\":{\"FaceObject\":1}"`, "> GET / 0"}},
	{"until the end", false, []said{c2s("GET / HTTP/1.0\r\n\r\n"), s2c("HTTP/1.0 200 OK\nContent-Type: text/plain\n\nhello\nworld")},
		[]string{"> GET / 0", `< 200 to GET / 11 "hello\nworld" cut end`}},
	{"folded and strange lines", false, []said{c2s("POST /x HTTP/1.1\r\nContent-Type:\r\n text/plain;\r\n\tcharset=x\r\nnonsense\r\n: x\r\nContent-Length : 2\r\nContent-Length: 2, 2\r\n\r\nok")},
		[]string{`> POST /x 2 "ok"`}},
	{"picture", false, []said{c2s(withLength("POST /p HTTP/1.1\r\nContent-Type: image/jpeg", jpeg(3000))), s2c(okEmpty)},
		[]string{"> POST /p 3000", "< 200 to POST /p 0"}},
	{"picture that says it is text", false, []said{c2s(withLength("POST /p HTTP/1.1\r\nContent-Type: text/plain", jpeg(3000))), s2c(withLength("HTTP/1.1 200 OK", jpeg(60)))},
		[]string{"> POST /p 3000", "< 200 to POST /p 60"}},
	{"compressed", false, []said{
		c2s(withLength("POST /a HTTP/1.1\r\nContent-Encoding: gzip", gzipped("hello")) + withLength("POST /b HTTP/1.1\r\nContent-Encoding: deflate", deflated("hello")) +
			withLength("POST /c HTTP/1.1\r\nContent-Encoding: br", "hello") + withLength("POST /d HTTP/1.1\r\nContent-Encoding: gzip", "hello") + withLength("POST /e HTTP/1.1\r\nContent-Encoding: gzip", gzipped(jpeg(100)))),
	}, []string{`> POST /a 29 "hello"`, `> POST /b 17 "hello"`, "> POST /c 5 cut limit", "> POST /d 5 cut limit", fmt.Sprintf("> POST /e %d", len(gzipped(jpeg(100))))}},
	{"said to be compressed", false, []said{c2s(withLength("POST /a HTTP/1.1\r\nContent-Encoding: deflate", `{"a":1}`) + withLength("POST /b HTTP/1.1\r\nContent-Encoding: gzip", "\ufeff\n<a/>"))},
		[]string{`> POST /a 7 "{\"a\":1}"`, `> POST /b 8 "\ufeff\n<a/>"`}},
	{"one text that is said to be parts", false, []said{c2s(withLength("POST /a HTTP/1.1\r\nContent-Type: multipart/form-data", `{"a":1}`)), s2c(okEmpty)},
		[]string{`> POST /a 7 "{\"a\":1}"`, "< 200 to POST /a 0"}},
	{"form of a push", false, []said{c2s(withLength("POST /event HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=boundary", push)), s2c(okEmpty)},
		[]string{fmt.Sprintf(`> POST /event %d (faceCapture application/json 27 "{\"eventType\":\"faceCapture\"}") (faceImage image/jpeg 500)`, len(push)), "< 200 to POST /event 0"}},
	{"form in chunks, quoted and misnamed boundary, no end", false, []said{c2s("POST /event HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=\"--MIME;boundary\"\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"6f\r\n\r\n--MIME;boundary\nContent-Disposition: form-data; name='AccessControllerEvent'\nContent-Type: text/xml\nContent-Length: 2\r\na\r\n\n<a>\n</a>\r\n\r\n0\r\n\r\n")},
		nil},
	{"stream of alarms", false, []said{
		c2s("GET /ISAPI/Event/notification/alertStream HTTP/1.1\r\n\r\n"),
		s2c("HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=boundary\r\n\r\n" + alerts)},
		[]string{"> GET /ISAPI/Event/notification/alertStream 0",
			`< part [GET /ISAPI/Event/notification/alertStream] [200] ( application/xml; charset="UTF-8" 9 "<a>1</a>\n")`,
			`< part [GET /ISAPI/Event/notification/alertStream] [200] ( image/jpeg 400)`,
			`< part [GET /ISAPI/Event/notification/alertStream] [200] ( application/json 27 "{\"eventType\":\"alarmResult\"}")`,
			fmt.Sprintf("< 200 to GET /ISAPI/Event/notification/alertStream %d cut end", len(alerts))}},
	{"attached to events", false, []said{
		c2s("GET /cgi-bin/eventManager.cgi?action=attach&codes=[All] HTTP/1.1\r\n\r\n"),
		s2c("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=myboundary\r\n\r\n--myboundary\r\nContent-Type: text/plain\r\nContent-Length:4\r\n\r\nCode=FaceDetection;action=Start;index=0;data={\r\n   \"a\" : 1\r\n}\r\n\r\n" +
			"--myboundary\r\n\r\nHeartbeat\r\n\r\n--myboundary--\r\n--myboundary\r\nContent-Length: 9\r\n\r\nHeartbeat\r\n\r\n")},
		[]string{"> GET /cgi-bin/eventManager.cgi?action=attach&codes=[All] 0",
			`< part [GET /cgi-bin/eventManager.cgi?action=attach&codes=[All]] [200] ( text/plain 63 "Code=FaceDetection;action=Start;index=0;data={\r\n   \"a\" : 1\r\n}\r\n")`,
			`< part [GET /cgi-bin/eventManager.cgi?action=attach&codes=[All]] [200] (  11 "Heartbeat\r\n")`,
			`< part [GET /cgi-bin/eventManager.cgi?action=attach&codes=[All]] [200] (  11 "Heartbeat\r\n")`,
			"< 200 to GET /cgi-bin/eventManager.cgi?action=attach&codes=[All] 218 cut end"}},
	{"otherwise: another protocol", false, []said{
		c2s("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), s2c("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05HTTP/1.1 200 OK\r\n\r\n"), c2s("GET / HTTP/1.1\r\n\r\n")},
		[]string{"> GET /ws 0", "< 101 to GET /ws 0"}},
	{"otherwise: tunnel", false, []said{c2s("CONNECT cloud.example:443 HTTP/1.1\r\n\r\n"), s2c("HTTP/1.1 200 OK\r\n\r\n"), c2s("GET / HTTP/1.1\r\n\r\n")},
		[]string{"> CONNECT cloud.example:443 0", "< 200 to CONNECT cloud.example:443 0"}},
	{"RTSP inside", false, []said{c2s("GET /live HTTP/1.0\r\nx-sessioncookie: abc\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n"), s2c("HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\nRTSP/1.0 200 OK\r\n")},
		[]string{"> GET /live -1 cut limit"}},
	{"astray: lengths that contradict", false, []said{c2s("POST /a HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nabcGET /no HTTP/1.1\r\n\r\n")},
		[]string{"> POST /a -1 cut limit"}},
	{"astray: length that is none", false, []said{c2s("POST /a HTTP/1.1\r\nContent-Length: -3\r\n\r\nabcGET /no HTTP/1.1\r\n\r\n")}, []string{"> POST /a -1 cut limit"}},
	{"astray: codings that say nothing", false, []said{c2s("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\nabcGET /no HTTP/1.1\r\n\r\n")}, []string{"> POST /a -1 cut limit"}},
	{"length beside chunks", false, []said{c2s("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /b HTTP/1.1\r\n\r\n")},
		[]string{`> POST /a 2 "ab"`, "> GET /b 0"}},
	{"astray: chunks that are none", false, []said{c2s("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc0\r\n\r\nGET /b HTTP/1.1\r\n\r\n")}, []string{`> POST /a 2 "ab" cut limit`}},
	{"chunk too long to said", false, []said{c2s("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc")}, []string{`> POST /a 0 cut limit`}},
	{"astray: chunk of no length", false, []said{c2s("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\nabc")}, []string{`> POST /a 0 cut limit`}},
	{"a gigabyte that does not come", false, []said{c2s("POST /a HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n{}")}, []string{`> POST /a 2 "{}" cut end`}},
	{"astray: no HTTP after all", false, []said{c2s("GET / HTTP/1.1\r\n\r\nwhat is this\r\n"), s2c("nor this\r\n")}, []string{"> GET / 0"}},
	{"login hidden", false, []said{c2s("GET http://admin:hunter2@192.0.2.9/a?user=admin&pwd=hunter2&ch=1&access_token=ab_cd#x HTTP/1.1\r\n\r\n")},
		[]string{"> GET http://192.0.2.9/a?user=-&pwd=-&ch=1&access_token=-#x 0"}},
}

func TestHTTP(t *testing.T) {
	for _, v := range httpConversations {
		if v.want != nil {
			v.check(t, newHTTP)
		}
	}
}

func TestHTTPHoles(t *testing.T) {
	for _, v := range httpConversations {
		v.checkHoles(t, newHTTP)
	}
}

// Where the conversation is only seen from somewhere on, or in pieces.
var httpGaps = []conversation{
	{"parts without a head", true, []said{s2c("--boundary\r\nContent-Type: application/xml\r\n\r\n<a/>\r\n--boundary\r\nContent-Type: application/xml\r\n\r\n<b/>"), s2c("\r\n--boundary\r\n"), c2s("GET / HTTP/1.1\r\n\r\n"), s2c("HTTP/1.1 204 OK\r\n\r\n")},
		[]string{`< part ( application/xml 4 "<a/>") cut start`, `< part ( application/xml 4 "<b/>") cut start`, "> GET / 0", "< 204 to GET / 0"}},
	{"form without a head, sides guessed wrong", true, []said{s2c(push), c2s(okEmpty), s2c("GET / HTTP/1.1\r\n\r\n")},
		[]string{`> part (faceCapture application/json 27 "{\"eventType\":\"faceCapture\"}") cut start`, `> part (faceImage image/jpeg 500) cut start`, "< 200 0", "> GET / 0"}},
	{"hole in a text", false, []said{c2s("POST /a HTTP/1.1\r\nContent-Length: 30\r\n\r\n0123456789"), {up: true, gap: -1}, c2s("abcdefghij"), c2s("GET /b HTTP/1.1\r\n\r\n")},
		[]string{`> POST /a 10 "0123456789" cut hole`, "> GET /b 0"}},
	{"gap longer than the body", false, []said{c2s("POST /a HTTP/1.1\r\nContent-Length: 30\r\n\r\n0123456789"), {up: true, gap: 21}, c2s("ET /b HTTP/1.1\r\n\r\n"), c2s("GET /c HTTP/1.1\r\n\r\n")},
		[]string{`> POST /a 10 "0123456789" cut hole`, "> GET /c 0"}},
	{"hole in a stream of alarms", false, []said{c2s("GET /s HTTP/1.1\r\n\r\n"),
		s2c("HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/xml\r\n\r\n<a>"), {gap: -1}, s2c("</a>\r\n--b\r\nContent-Type: text/xml\r\n\r\n<b/>\r\n--b\r\n")},
		[]string{"> GET /s 0", `< part [GET /s] [200] ( text/xml 3 "<a>" cut hole) cut hole`, `< part [GET /s] [200] ( text/xml 4 "<b/>")`, "< 200 to GET /s 82 cut hole+end"}},
	{"hole in a stream of alarms in chunks", false, []said{c2s("GET /s HTTP/1.1\r\n\r\n"),
		s2c("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n24\r\n--b\r\nContent-Type: text/xml\r\n\r\n<"), {gap: -1}, s2c("/a>\r\n"), s2c("2a\r\n--b\r\nContent-Type: text/xml\r\n\r\n<b/>\r\n--b\r\n\r\n")},
		[]string{"> GET /s 0", `< part [GET /s] [200] ( text/xml 1 "<" cut hole) cut hole`, `< part [GET /s] [200] ( text/xml 4 "<b/>")`, "< 200 to GET /s 74 cut hole+end"}},
	{"answers lost", false, []said{c2s("GET /a HTTP/1.1\r\n\r\n"), {gap: -1}, s2c("its end"), c2s("GET /b HTTP/1.1\r\n\r\n"), s2c(withLength("HTTP/1.1 200 OK", "b"))},
		[]string{"> GET /a 0", "> GET /b 0", `< 200 to GET /b 1 "b"`}},
	{"one of several answers lost", false, []said{c2s("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"), {gap: -1}, s2c(withLength("HTTP/1.1 200 OK", "b"))},
		[]string{"> GET /a 0", "> GET /b 0", `< 200 1 "b"`}},
	{"astray: answer without a length, left open", false, []said{c2s("POST /a HTTP/1.1\r\n\r\n"), s2c("HTTP/1.1 200 OK\r\n\r\n"), c2s("POST /b HTTP/1.1\r\n\r\n"), s2c("HTTP/1.1 200 OK\r\n\r\nx")},
		[]string{"> POST /a 0", "> POST /b 0", "< 200 to POST /a 0", `< 200 to POST /b 1 "x" cut end`}},
	{"answer to an unseen HEAD", true, []said{s2c("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), s2c(withLength("HTTP/1.1 200 OK", "b"))},
		[]string{"< 200 0", `< 200 1 "b"`}},
}

func TestHTTPGaps(t *testing.T) {
	for _, v := range httpGaps {
		v.check(t, newHTTP)
		v.checkHoles(t, newHTTP)
	}
}

func TestHTTPHead(t *testing.T) {
	in := "POST /Login?sid=99 HTTP/1.1\r\nHost: Cloud.Example:8080\r\nAuthorization: Digest username=\"admin\", response=\"77\"\r\nproxy-authorization: c2VjcmV0\r\n" +
		"Cookie: a=b\r\nSet-Cookie: a=b\r\nX-Csrf-Token: 5\r\nX-Auth-User: u\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nReferer: http://u:p@h/?token=1&b=2\r\nUser-Identify: 32010500001190000001\r\n" +
		"Long: " + strings.Repeat("x", 2000) + "\r\nFolded: a\r\n  b\r\n\tc\r\n\r\n"
	p, ok := parseHead([]byte(in), nameHTTP)
	if !ok {
		t.Fatal("not read")
	}
	want := Header{{"Host", "Cloud.Example:8080"}, {"Authorization", "Digest -"}, {"proxy-authorization", "-"}, {"Cookie", "-"}, {"Set-Cookie", "-"}, {"X-Csrf-Token", "-"}, {"X-Auth-User", "-"},
		{"WWW-Authenticate", "Digest -"}, {"Referer", "http://h/?token=-&b=2"}, {"User-Identify", "32010500001190000001"}, {"Long", strings.Repeat("x", 1020)}, {"Folded", "a b c"}}
	if diff := cmp.Diff(want, p.m.Header); diff != "" {
		t.Error(diff)
	}
	if p.m.Target != "/Login?sid=-" || p.m.Cut != CutLimit {
		t.Error(p.m.Target, p.m.Cut)
	}
}

func TestHideURL(t *testing.T) {
	for in, want := range map[string]string{
		"/user=admin_password=hunter2_channel=1_stream=0.sdp":           "/user=-_password=-_channel=1_stream=0.sdp",
		"rtsp://admin:pa/ss@192.0.2.1:554/h264":                         "rtsp://192.0.2.1:554/h264",
		"rtsp://192.0.2.1:554/a@b":                                      "rtsp://192.0.2.1:554/a@b",
		"/x?ch=1&token=ab_c=d&key=":                                     "/x?ch=1&token=-&key=",
		"/iclock/cdata?SN=1&table=BIODATA&Stamp=9":                      "/iclock/cdata?SN=1&table=BIODATA&Stamp=9",
		"url=rtsp://a:b@h/1;seq=1, url=rtsp://a:b@h/2;seq=2":            "url=rtsp://h/1;seq=1, url=rtsp://h/2;seq=2",
		"/cgi-bin/a.cgi?loginuse=u&loginpas=p&action=x":                 "/cgi-bin/a.cgi?loginuse=-&loginpas=-&action=x",
		"/a;jsessionid=11?b=1":                                          "/a;jsessionid=-",
		"rtsp://h/cam/realmonitor?channel=1&subtype=0&unicast=true":     "rtsp://h/cam/realmonitor?channel=1&subtype=0&unicast=true",
		"/ISAPI/AccessControl/UserInfo/Count?format=json&security=1&iv": "/ISAPI/AccessControl/UserInfo/Count?format=json&security=1&iv",
	} {
		if got := hideURL(in); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestHTTPBounds(t *testing.T) {
	t.Run("flood of lines", func(t *testing.T) {
		in := "POST /a HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 500) + "Content-Length: 2\r\n\r\nok"
		got := feed(t, newHTTP, false, []said{c2s(in)}, uncut)
		if diff := cmp.Diff([]string{`> POST /a 2 "ok" cut limit`}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("head without an end", func(t *testing.T) {
		in := []said{c2s("GET / HTTP/1.1\r\n")}
		for range 100 {
			in = append(in, c2s("X: "+strings.Repeat("y", 1400)+"\r\n"))
		}
		if got := feed(t, newHTTP, false, append(in, c2s("GET /b HTTP/1.1\r\n\r\n")), uncut); len(got) != 1 || got[0] != "> GET /b 0" {
			t.Error(got)
		}
	})
	t.Run("head in bytes", func(t *testing.T) { // costs no more than its length
		f := newFeeder(newHTTP, false)
		began := time.Now()
		for range 40 {
			for _, b := range bytewise("GET / HTTP/1.1\r\nX: " + strings.Repeat("y", 60000) + "\r\n\r\n") {
				f.segment(true, b)
			}
		}
		if got := f.end(t); len(got) != 40 || time.Since(began) > 10*time.Second {
			t.Error(len(got), time.Since(began))
		}
	})
	t.Run("deep pipeline", func(t *testing.T) {
		var up, down string
		for i := range 100 {
			up += fmt.Sprintf("GET /%d HTTP/1.1\r\n\r\n", i)
			down += fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%[2]d", len(fmt.Sprint(i)), i)
		}
		got := feed(t, newHTTP, false, []said{c2s(up), s2c(down)}, uncut)
		for i, f := range got[100:] {
			want := fmt.Sprintf(`< 200 %d "%d"`, len(fmt.Sprint(i)), i)
			if i >= 100-maxHeads {
				want = fmt.Sprintf(`< 200 to GET /%d %d "%[1]d"`, i, len(fmt.Sprint(i)))
			}
			if f != want {
				t.Fatalf("got %s, want %s", f, want)
			}
		}
	})
	t.Run("pipeline without answers", func(t *testing.T) {
		f := newFeeder(newHTTP, false)
		for i := range 5000 {
			f.segment(true, fmt.Sprintf("GET /%d HTTP/1.1\r\nX: %s\r\n\r\n", i, strings.Repeat("z", 500)))
			if f.e.buffered > 32<<10 {
				t.Fatal(f.e.buffered)
			}
		}
		f.segment(false, okEmpty)
		if got := f.end(t); got[len(got)-1] != "< 200 0" {
			t.Error(got[len(got)-1])
		}
	})
	t.Run("long text", func(t *testing.T) {
		f := newFeeder(newHTTP, false)
		f.segment(true, "POST /a HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n")
		for range 10000 {
			f.segment(true, strings.Repeat("a ", 700))
			if f.e.buffered > maxBody+4096 {
				t.Fatal(f.e.buffered)
			}
		}
		if diff := cmp.Diff([]string{`> POST /a 14000000 "a a a a a a a a a a …262144" cut limit+end`}, f.end(t)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("picture in a text", func(t *testing.T) {
		picture := strings.Repeat("QUJD\\/+aa", 40000)
		got := feed(t, newHTTP, false, []said{c2s(withLength("POST /VIID/Faces HTTP/1.1\r\nContent-Type: application/VIID+JSON", `{"Data":"`+picture+`","Type":"11"}`))}, uncut)
		if len(got) != 1 || !strings.HasSuffix(got[0], fmt.Sprintf(`…%d"`, len(`{"Data":"","Type":"11"}`)+maxRun)) {
			t.Error(got)
		}
	})
	t.Run("bomb", func(t *testing.T) {
		got := feed(t, newHTTP, false, []said{c2s(withLength("POST /a HTTP/1.1\r\nContent-Encoding: gzip", gzipped(strings.Repeat("a", 50<<20))))}, uncut)
		if len(got) != 1 || !strings.HasSuffix(got[0], `"aaaaaaaaaaaaaaaaaaaa…262144" cut limit`) {
			t.Error(got)
		}
	})
	t.Run("thousands of parts", func(t *testing.T) {
		body := strings.Repeat("--b\r\nContent-Type: text/plain\r\n\r\n"+strings.Repeat("x", 9000)+"\r\n", 2000)
		f := newFeeder(newHTTP, false)
		f.segment(true, withLength("POST /a HTTP/1.1\r\nContent-Type: multipart/form-data", body))
		got := f.end(t)
		if n := strings.Count(got[0], "text/plain"); n != maxParts || !strings.HasSuffix(got[0], "cut limit") {
			t.Error(n, got[0][len(got[0])-20:])
		}
	})
	t.Run("no room", func(t *testing.T) {
		f := newFeeder(newHTTP, false)
		f.e.o.Buffer = 0
		f.segment(true, withLength("POST /a HTTP/1.1\r\nContent-Type: multipart/form-data", push))
		f.segment(true, withLength("POST /b HTTP/1.1", "abc")[:40])
		f.segment(true, "GET /c HTTP/1.1\r\n\r\n")
		f.segment(false, okEmpty+okEmpty)
		f.end(t)
	})
	t.Run("idle", func(t *testing.T) {
		f := newFeeder(newHTTP, false)
		f.segment(true, withLength("POST /event HTTP/1.1\r\nContent-Type: multipart/form-data", push))
		f.segment(false, withLength("HTTP/1.1 200 OK", "ok"))
		if f.e.buffered != 0 {
			t.Errorf("%d bytes are reserved between messages", f.e.buffered)
		}
	})
}

func TestSniff(t *testing.T) {
	long := strings.Repeat("x", 2100)
	for _, v := range []struct {
		in               string
		http, rtsp, sipv verdict
	}{
		{"GET / HTTP/1.1\r\n", yes, no, no},
		{"GET / HTT", wait, wait, no},
		{"OPTIONS", wait, wait, wait},
		{"OPTIONS * HTTP/1.1\r\n", yes, no, no},
		{"OPTIONS rtsp://h/ RTSP/1.0\r\n", no, yes, no},
		{"OPTIONS sip:3402@h SIP/2.0\r\n", no, no, yes},
		{"HTTP/1.1 200", yes, no, no},
		{"HTTP/1.1 2", wait, no, no},
		{"HTTP/1.1 OK\r\n", no, no, no},
		{"HTTP/2.0 200 OK\r\n", no, no, no},
		{"RTSP/1.0 401 Unauthorized", no, yes, no},
		{"SIP/2.0 200 OK\r\n", no, no, yes},
		{"PRI * HTTP/2.0\r\n\r\n", no, no, no},
		{"SSH-2.0-x\r\n", no, no, no},
		{"EHLO mail.example\r\n", no, no, no},
		{"get / HTTP/1.1\r\n", no, no, no},
		{"GET /" + long, yes, yes, no},
		{"\x16\x03\x01", no, no, no},
		{"--boundary\r\nContent-Type: text/xml\r\n\r\n", yes, no, no},
		{"--boundary\r\nCont", wait, no, no},
		{"--boundary\r\nfoo", no, no, no},
		{"-- comment", wait, no, no},
		{"MESSAGE sip:34020000002000000001@3402000000 SIP/2.0\r\n", no, no, yes},
		{"$\x00\x00\x0c\x80\x60012345678901", no, no, no},
		{"$\x00\x00\x0c\x80\x600123456789", no, yes, no},
	} {
		if h, r, s := sniffHTTP([]byte(v.in)), sniffRTSP([]byte(v.in)), sniffSIP([]byte(v.in)); h != v.http || r != v.rtsp || s != v.sipv {
			t.Errorf("%.40q: %v %v %v, want %v %v %v", v.in, h, r, s, v.http, v.rtsp, v.sipv)
		}
	}
}

func FuzzHTTP(f *testing.F) {
	for _, list := range [][]conversation{httpConversations, httpGaps} {
		for _, v := range list {
			var in []byte
			for _, s := range v.in {
				in = append(in, script(s)...)
			}
			f.Add(in)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) { play(t, newHTTP, in) })
}

// script writes what is said for play: a byte that says how, two with the length, the bytes.
func script(s said) []byte {
	how := byte(0)
	if s.up {
		how |= 1
	}
	if s.gap != 0 {
		how |= 2
	}
	if s.gap > 0 {
		how |= 4
	}
	n := len(s.b)
	if s.gap > 0 {
		n = int(s.gap)
	}
	return append([]byte{how, byte(n >> 8), byte(n)}, s.b...)
}

// play feeds a framer with a script, whole and in pieces. Nothing may panic, everything reserved has to come back, and no more than
// a bounded share may be held by what a conversation leaves open.
func play(t *testing.T, mk func(*conn) framer, in []byte) {
	for _, step := range []int{1 << 16, 7, 1} {
		f := newFeeder(mk, len(in) > 0 && in[0]&8 != 0)
		for b := in; len(b) >= 3; {
			how, n := b[0], int(b[1])<<8|int(b[2])
			b = b[3:]
			if how&2 != 0 {
				f.lose(how&1 != 0, int64(n)*int64(how>>2&1)-int64(how>>2&1^1))
				continue
			}
			n = min(n, len(b))
			for s := b[:n]; len(s) > 0; s = s[min(len(s), step):] {
				f.segment(how&1 != 0, string(s[:min(len(s), step)]))
			}
			b = b[n:]
			if f.e.buffered > 2<<20 || f.e.buffered < 0 {
				t.Fatalf("%d bytes are reserved", f.e.buffered)
			}
		}
		f.end(t)
	}
}
