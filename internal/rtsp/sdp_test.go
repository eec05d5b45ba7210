package rtsp

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	rtspdesc "github.com/bluenviron/gortsplib/v5/pkg/description"
	gosdp "github.com/bluenviron/gortsplib/v5/pkg/sdp"
	"github.com/google/go-cmp/cmp"
)

func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n" }

var sdpCases = []struct {
	name     string
	in       string
	want     description
	metadata string // encoding of the first metadata track
	library  bool   // gortsplib reads it too
}{
	{"video, sound, metadata", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s=Media Presentation", "c=IN IP4 0.0.0.0", "b=AS:5050", "t=0 0",
		"a=control:rtsp://192.0.2.21/Streaming/Channels/101/",
		"m=video 0 RTP/AVP 96", "b=AS:5000", "a=recvonly", "a=rtpmap:96 H264/90000",
		"a=fmtp:96 profile-level-id=420029; packetization-mode=1", "a=control:trackID=1",
		"m=audio 0 RTP/AVP 8", "a=control:trackID=2", "a=rtpmap:8 PCMA/8000",
		"m=application 0 RTP/AVP 107", "a=control:trackID=3", "a=rtpmap:107 vnd.onvif.metadata/90000"),
		description{name: "Media Presentation", control: "rtsp://192.0.2.21/Streaming/Channels/101/", tracks: []Track{
			{"video", []Format{{96, "H264"}}, "trackID=1", false}, {"audio", []Format{{8, "PCMA"}}, "trackID=2", false},
			{"application", []Format{{107, "vnd.onvif.metadata"}}, "trackID=3", false}}},
		"vnd.onvif.metadata", true},
	{"compressed, payload type 98", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s= ", "t=0 0", "m=application 0 RTP/AVP 98",
		"a=rtpmap:98 vnd.onvif.metadata+gzip/90000", "a=control:m"),
		description{tracks: []Track{{"application", []Format{{98, "vnd.onvif.metadata+gzip"}}, "m", false}}}, "vnd.onvif.metadata+gzip", true},
	{"plain is preferred", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s=x", "t=0 0", "m=application 0 RTP/AVP 100 101 102",
		"a=rtpmap:100 vnd.onvif.metadata.exi.onvif/90000", "a=rtpmap:101 vnd.onvif.metadata.gzip/90000", "a=rtpmap:102 VND.ONVIF.METADATA/90000"),
		description{name: "x", tracks: []Track{{"application", []Format{{100, "vnd.onvif.metadata.exi.onvif"},
			{101, "vnd.onvif.metadata.gzip"}, {102, "VND.ONVIF.METADATA"}}, "", false}}}, "VND.ONVIF.METADATA", true},
	{"only EXI", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s=x", "t=0 0", "m=application 0 RTP/AVP 100", "a=rtpmap:100 vnd.onvif.metadata.exi.ext/90000"),
		description{name: "x", tracks: []Track{{"application", []Format{{100, "vnd.onvif.metadata.exi.ext"}}, "", false}}},
		"vnd.onvif.metadata.exi.ext", true},
	{"b=AS:0 and a vendor's fmtp", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s=x", "t=0 0", "m=application 0 RTP/AVP 107", "b=AS:0",
		"a=rtpmap:107 vnd.onvif.metadata/90000", "a=fmtp:107 DecoderTag=h3c-v3 RTCP=0", "a=Media_header:MEDIAINFO=494D4B48;"),
		description{name: "x", tracks: []Track{{"application", []Format{{107, "vnd.onvif.metadata"}}, "", false}}}, "vnd.onvif.metadata", true},
	{"a video track gortsplib refuses", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s=x", "t=0 0", "m=video 0 RTP/AVP 96",
		"a=rtpmap:96 H265/90000", "a=fmtp:96 sprop-vps=!!!", "a=control:v", "m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000", "a=control:m"),
		description{name: "x", tracks: []Track{{"video", []Format{{96, "H265"}}, "v", false}, {"application", []Format{{107, "vnd.onvif.metadata"}}, "m", false}}},
		"vnd.onvif.metadata", false},
	{"bare line feeds, no version, garbage", "s=x\nm=application 0 RTP/AVP 107\nhello\na=\n=\na=rtpmap:107 vnd.onvif.metadata/90000\n",
		description{name: "x", tracks: []Track{{"application", []Format{{107, "vnd.onvif.metadata"}}, "", false}}}, "vnd.onvif.metadata", false},
	{"payload type only in the rtpmap", lines("v=0", "s=x", "m=application 0 RTP/AVP", "a=rtpmap:107 vnd.onvif.metadata/90000"),
		description{name: "x", tracks: []Track{{"application", []Format{{107, "vnd.onvif.metadata"}}, "", false}}}, "vnd.onvif.metadata", false},
	{"back channel", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s=x", "t=0 0", "m=audio 0 RTP/AVP 0", "a=sendonly", "a=control:b"),
		description{name: "x", tracks: []Track{{"audio", []Format{{0, "PCMU"}}, "b", true}}}, "", true},
	{"other application data", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s=x", "t=0 0", "m=application 0 RTP/AVP 104", "a=rtpmap:104 private/90000"),
		description{name: "x", tracks: []Track{{"application", []Format{{104, "private"}}, "", false}}}, "", true},
	{"metadata name on a video track", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s=x", "t=0 0", "m=video 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000"),
		description{name: "x", tracks: []Track{{"video", []Format{{107, "vnd.onvif.metadata"}}, "", false}}}, "", true},
	{"no tracks", lines("v=0", "o=- 1 1 IN IP4 192.0.2.21", "s=x", "t=0 0"), description{name: "x"}, "", false},
	{"one track too many", "v=0\r\n" + strings.Repeat("m=video 0 RTP/AVP 26\r\n", maxTracks+1),
		description{tracks: repeat(Track{"video", []Format{{26, "JPEG"}}, "", false}, maxTracks)}, "", true},
}

func repeat(t Track, n int) []Track {
	out := make([]Track, n)
	for i := range out {
		out[i] = t
	}
	return out
}

func TestParseSDP(t *testing.T) {
	for _, c := range sdpCases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseSDP([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got, cmp.AllowUnexported(description{})); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			first := ""
			for _, x := range got.tracks {
				if first = x.Metadata(); first != "" {
					break
				}
			}
			if first != c.metadata {
				t.Errorf("metadata %q, want %q", first, c.metadata)
			}
			if _, ok := library(c.in); ok != c.library {
				t.Errorf("gortsplib reads it: %v, the table says %v", ok, c.library)
			}
		})
	}
}

func TestParseSDPError(t *testing.T) {
	for _, in := range []string{"", "hello", "<html></html>", "s=x\r\na=control:y\r\n", "\x00\x01\x02"} {
		if _, err := parseSDP([]byte(in)); !isMalformed(err) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// library reads a description with gortsplib.
func library(in string) (*rtspdesc.Session, bool) {
	var s gosdp.SessionDescription
	var d rtspdesc.Session
	if s.Unmarshal([]byte(in)) != nil || d.Unmarshal(&s) != nil {
		return nil, false
	}
	return &d, true
}

// Whatever gortsplib reads, we read as the same tracks.
func FuzzParseSDP(f *testing.F) {
	for _, c := range sdpCases {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := parseSDP([]byte(in))
		if len(got.tracks) > maxTracks {
			t.Fatalf("%d tracks", len(got.tracks))
		}
		want, ok := library(in)
		if !ok || len(want.Medias) > maxTracks || len(in) > maxLine || strings.Contains(strings.ReplaceAll(in, "\r\n", ""), "\r") {
			return
		}
		if err != nil {
			t.Fatalf("gortsplib reads it, we do not: %v", err)
		}
		if len(got.tracks) != len(want.Medias) {
			t.Fatalf("%d tracks, gortsplib has %d", len(got.tracks), len(want.Medias))
		}
	})
}

// A control attribute leads where gortsplib's own client would go, on the device's address.
func TestTrackURL(t *testing.T) {
	for _, b := range []string{"rtsp://192.0.2.21/s", "rtsp://192.0.2.21:8554/s/", "rtsp://192.0.2.21/s?a=b", "rtsp://[2001:db8::1]/s"} {
		at, err := base.ParseURL(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, control := range []string{"", "trackID=3", "/x", "?track=1", "rtsp://10.0.0.1:99/other/track?x=1", "rtsp://u:p@192.0.2.21/y"} {
			got, err := trackURL(at, control)
			want, err2 := rtspdesc.Media{Control: control}.URL(at)
			if err != nil || err2 != nil || got.Host != at.Host || got.User != nil || got.Path != want.Path || got.RawQuery != want.RawQuery {
				t.Errorf("%s + %q: %v %v, gortsplib has %v %v", b, control, got, err, want, err2)
			}
		}
	}
}

func TestBaseURL(t *testing.T) {
	u, err := base.ParseURL("rtsp://192.0.2.21:8554/s?x=1")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ control, header, want string }{
		{"", "", "rtsp://192.0.2.21:8554/s?x=1"},
		{"*", "", "rtsp://192.0.2.21:8554/s?x=1"},
		{"*", "rtsp://10.0.0.1/inside/", "rtsp://192.0.2.21:8554/inside/"},
		{"rtsp://u:p@0.0.0.0:0/c/", "rtsp://10.0.0.1/inside/", "rtsp://192.0.2.21:8554/c/"},
		{"", "/only/a/path", "rtsp://192.0.2.21:8554/only/a/path"},
		{"", "http://evil.example/", "rtsp://192.0.2.21:8554/s?x=1"},
		{"", "::::", "rtsp://192.0.2.21:8554/s?x=1"},
	} {
		res := &response{header: map[string][]string{"Content-Base": {c.header}}}
		if got := baseURL(res, description{control: c.control}, u).String(); got != c.want {
			t.Errorf("%q %q: %s, want %s", c.control, c.header, got, c.want)
		}
	}
}

func TestRebase(t *testing.T) {
	for _, c := range []struct {
		in, host, want string
		port           uint16
	}{
		{"rtsp://admin:x@10.0.0.1/s?a=b", "192.0.2.21", "rtsp://192.0.2.21/s?a=b", 554},
		{"rtsp://camera.local:8554", "192.0.2.21", "rtsp://192.0.2.21:8554", 8554},
		{"rtsps://10.0.0.1/s", "192.0.2.21", "rtsps://192.0.2.21/s", 322},
		{"rtsp://[::1]:554/s", "2001:db8::1", "rtsp://[2001:db8::1]:554/s", 554},
		{"rtsp://10.0.0.1/s", "2001:db8::1", "rtsp://[2001:db8::1]/s", 554},
		{"rtsp:///s", "192.0.2.21", "rtsp://192.0.2.21/s", 554},
	} {
		u, port, err := rebase(c.in, netip.MustParseAddr(c.host))
		if err != nil || u.String() != c.want || port != c.port {
			t.Errorf("%s: %v %d %v, want %s %d", c.in, u, port, err, c.want, c.port)
		}
	}
}
