package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	openTag  = `<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema">`
	closeTag = `</tt:MetadataStream>`
	doc1     = `<?xml version="1.0" encoding="UTF-8"?>` + openTag + `<tt:VideoAnalytics><tt:Frame UtcTime="2026-11-02T03:04:05Z"><tt:Object ObjectId="7"/></tt:Frame></tt:VideoAnalytics>` + closeTag
	doc2     = openTag + `<tt:Event/>` + closeTag
	doc3     = `<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"/>`
)

// rtp writes a packet.
func rtp(seq uint16, ts, ssrc uint32, marker bool, body string) string {
	b := []byte{0x80, 107}
	if marker {
		b[1] |= 0x80
	}
	b = binary.BigEndian.AppendUint16(b, seq)
	b = binary.BigEndian.AppendUint32(b, ts)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	return string(b) + body
}

// interleaved writes an interleaved packet.
func interleaved(ch byte, packet string) string {
	return string([]byte{'$', ch, byte(len(packet) >> 8), byte(len(packet))}) + packet
}

func video(n int) string {
	var s string
	for i := range n {
		s += interleaved(0, rtp(uint16(i), 1, 77, false, strings.Repeat("$\x00RTSP/1.0 \r\n<?xml", 40)))
	}
	return s
}

func request(method, url string, cseq int, more string) said {
	return c2s(fmt.Sprintf("%s %s RTSP/1.0\r\nCSeq: %d\r\nAuthorization: Digest username=\"u\"\r\n%s\r\n", method, url, cseq, more))
}

func answer(cseq int, more, body string) said {
	if body != "" {
		more += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return s2c(fmt.Sprintf("RTSP/1.0 200 OK\r\nCSeq: %d\r\n%s\r\n%s", cseq, more, body))
}

const sdp = "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\na=control:trackID=1\r\na=rtpmap:96 H264/90000\r\nm=application 0 RTP/AVP 107\r\na=control:trackID=4\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n"

const camera = "rtsp://192.0.2.20:554/live"

// session is a whole session with an interleaved video and a metadata track.
func session(sdp string, media ...string) []said {
	in := []said{
		request("DESCRIBE", camera, 2, ""), answer(2, "Content-Base: "+camera+"/\r\nContent-Type: application/sdp\r\n", sdp),
		request("SETUP", camera+"/trackID=1", 3, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"), answer(3, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", ""),
		request("SETUP", camera+"/trackID=4", 4, "Transport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n"), answer(4, "Transport: RTP/AVP/TCP;unicast;interleaved=2-3;ssrc=1\r\n", ""),
		request("PLAY", camera+"/", 5, ""), answer(5, "", "")}
	for _, m := range media {
		in = append(in, s2c(m))
	}
	return in
}

var sessionFlows = []string{
	"> DESCRIBE rtsp://192.0.2.20:554/live 0", fmt.Sprintf(`< 200 to DESCRIBE rtsp://192.0.2.20:554/live %d "v=0\r\ns=x\r\nm=video 0 …%[1]d"`, len(sdp)),
	"> SETUP rtsp://192.0.2.20:554/live/trackID=1 0", "< 200 to SETUP rtsp://192.0.2.20:554/live/trackID=1 0",
	"> SETUP rtsp://192.0.2.20:554/live/trackID=4 0", "< 200 to SETUP rtsp://192.0.2.20:554/live/trackID=4 0",
	"> PLAY rtsp://192.0.2.20:554/live/ 0", "< 200 to PLAY rtsp://192.0.2.20:554/live/ 0"}

func heardDoc(doc, url string) string {
	if url != "" {
		url = camera + "/" + url
	}
	return fmt.Sprintf("< metadata %q [%s]", short([]byte(doc)), url)
}

func after(more ...string) []string { return append(append([]string{}, sessionFlows...), more...) }

var rtspConversations = []conversation{
	{"metadata among video", false, session(sdp, video(2)+interleaved(2, rtp(7, 1, 5, false, doc1[:60]))+video(1)+interleaved(3, "\x80\xc8\x00\x01\x00\x00\x00\x00")+interleaved(2, rtp(8, 1, 5, true, doc1[60:]))+
		"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n"+interleaved(2, rtp(9, 2, 5, true, doc2))),
		after(heardDoc(doc1, "trackID=4"), "< 200 0", heardDoc(doc2, "trackID=4"))},
	{"compressed", false, session(strings.Replace(sdp, "vnd.onvif.metadata", "VND.ONVIF.METADATA.GZIP", 1), interleaved(2, rtp(7, 1, 5, false, gzipped(doc1)[:30]))+interleaved(2, rtp(8, 1, 5, true, gzipped(doc1)[30:]))),
		append(append(append([]string{}, sessionFlows[:1]...), strings.ReplaceAll(sessionFlows[1], fmt.Sprint(len(sdp)), fmt.Sprint(len(sdp)+5))), append(sessionFlows[2:8:8], heardDoc(doc1, "trackID=4"))...)},
	{"otherwise: EXI", false, session(strings.Replace(sdp, "vnd.onvif.metadata", "vnd.onvif.metadata.exi.onvif", 1), interleaved(2, rtp(7, 1, 5, true, "$EXI\x80"))+interleaved(2, rtp(8, 1, 5, true, doc1))),
		append(append(append([]string{}, sessionFlows[:1]...), strings.ReplaceAll(sessionFlows[1], fmt.Sprint(len(sdp)), fmt.Sprint(len(sdp)+10))), sessionFlows[2:]...)},
	{"nothing described", false, []said{request("PLAY", camera, 5, ""), answer(5, "", ""), s2c(interleaved(4, rtp(7, 1, 5, false, doc1[:100])) + video(1) + interleaved(4, rtp(8, 1, 5, true, doc1[100:])))},
		[]string{"> PLAY rtsp://192.0.2.20:554/live 0", "< 200 to PLAY rtsp://192.0.2.20:554/live 0", heardDoc(doc1, "")}},
	{"short document, nothing described", false, []said{request("PLAY", camera, 5, ""), s2c(interleaved(4, rtp(7, 1, 5, true, "<MetadataStream/>")) + video(1))},
		[]string{"> PLAY rtsp://192.0.2.20:554/live 0", heardDoc("<MetadataStream/>", "")}},
	{"requests of both sides", false, []said{request("OPTIONS", "rtsp://u:p@192.0.2.20/x", 1, "\r\n"), s2c("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"), answer(1, "", ""), c2s("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")},
		[]string{"> OPTIONS rtsp://192.0.2.20/x 0", "< OPTIONS * 0", "< 200 to OPTIONS rtsp://192.0.2.20/x 0", "> 200 to OPTIONS * 0"}},
	{"published", false, []said{c2s(fmt.Sprintf("ANNOUNCE %s RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", camera, len(sdp), sdp)), answer(1, "", ""),
		request("SETUP", camera+"/trackID=4", 4, "Transport: RTP/AVP/TCP;unicast;interleaved=2-3;mode=record\r\n"), answer(4, "", ""), c2s(interleaved(2, rtp(7, 1, 5, true, doc1)))},
		[]string{fmt.Sprintf(`> ANNOUNCE rtsp://192.0.2.20:554/live %d "v=0\r\ns=x\r\nm=video 0 …%[1]d"`, len(sdp)), "< 200 to ANNOUNCE rtsp://192.0.2.20:554/live 0",
			"> SETUP rtsp://192.0.2.20:554/live/trackID=4 0", "< 200 to SETUP rtsp://192.0.2.20:554/live/trackID=4 0", ">" + heardDoc(doc1, "trackID=4")[1:]}},
	{"astray: a gigabyte that does not come", false, []said{c2s("ANNOUNCE " + camera + " RTSP/1.0\r\nContent-Length: 1073741824\r\n\r\nv=0"), request("PLAY", camera, 5, "")},
		[]string{"> PLAY rtsp://192.0.2.20:554/live 0"}},
	{"cut description", false, []said{c2s("ANNOUNCE " + camera + " RTSP/1.0\r\nContent-Length: 1000\r\n\r\nv=0")}, []string{`> ANNOUNCE rtsp://192.0.2.20:554/live 3 "v=0" cut end`}},
}

var rtspGaps = []conversation{
	{"joined in the middle", true, []said{s2c(video(3) + interleaved(2, rtp(7, 1, 5, true, doc1))), s2c("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")}, []string{heardDoc(doc1, ""), "< 200 0"}},
	{"joined in the middle, sides guessed wrong", true, []said{c2s("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"), s2c("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")}, []string{"< 200 0", "> OPTIONS * 0"}},
	{"gap in video", false, append(session(sdp, video(2)[:1000]), said{gap: 100}, s2c(video(2)[1100:]+interleaved(2, rtp(7, 1, 5, true, doc1)))), after(heardDoc(doc1, "trackID=4"))},
	{"hole, and the source is found again", false, append(session(sdp, video(2)[:1000]), said{gap: -1}, s2c(video(2)[300:]+interleaved(2, rtp(7, 1, 5, true, doc1)))), after(heardDoc(doc1, "trackID=4"))},
	{"hole in a document", false, append(session(sdp, video(1)+interleaved(2, rtp(7, 1, 5, false, doc1[:60]))), said{gap: -1}, s2c(interleaved(2, rtp(9, 1, 5, true, doc1[60:]))+interleaved(2, rtp(10, 2, 5, true, doc2)))),
		after(heardDoc(doc2, "trackID=4"))},
	{"gap in a document's packet", false, append(session(sdp, interleaved(2, rtp(7, 1, 5, true, doc1))[:90]), said{gap: 50}, s2c(interleaved(2, rtp(7, 1, 5, true, doc1))[140:]+interleaved(2, rtp(8, 2, 5, true, doc2)))),
		after(heardDoc(doc2, "trackID=4"))},
}

func TestRTSP(t *testing.T) {
	for _, v := range rtspConversations {
		v.check(t, newRTSP)
		v.checkHoles(t, newRTSP)
	}
}

func TestRTSPGaps(t *testing.T) {
	for _, v := range rtspGaps {
		v.check(t, newRTSP)
		v.checkHoles(t, newRTSP)
	}
}

func TestSDP(t *testing.T) {
	got := readSDP("v=0\na=control:*\nm=video 0 RTP/AVP 96\na=control:rtsp://u:p@h/x/track1\nm=application 0 RTP/AVP 98\na=rtpmap:98 vnd.onvif.metadata+gzip/90000\na=control:track2\n" +
		"m=application 0 RTP/AVP 99\na=rtpmap:99 vnd.onvif.metadata.exi.ext/90000\na=control:track3")
	want := []sdpMedia{{control: "rtsp://h/x/track1"}, {control: "track2", metadata: true}, {control: "track3", metadata: true, opaque: true}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sdpMedia{})); diff != "" {
		t.Error(diff)
	}
	r := &rtspConn{media: got}
	for url, want := range map[string]int{"rtsp://192.0.2.1/x/track1": 0, "rtsp://h/x/track2": 1, "rtsp://h/x/track2/": 1, "rtsp://h/x/track22": -1, "rtsp://h/x?a=b/track3": 2, "rtsp://h/x": -1} {
		m, ok := r.mediaOf(url)
		if ok != (want >= 0) || ok && m != r.media[want] {
			t.Errorf("%s: %v %v", url, m, ok)
		}
	}
}

// A metadata track over UDP is read from the ports that SETUP named, and of nobody else.
func TestAnnouncedUDP(t *testing.T) {
	for _, v := range []struct {
		name, transport string
		from, to        string
		want            []string
	}{
		{"unicast", "RTP/AVP;unicast;client_port=60000-60001;server_port=6000-6001", "192.0.2.20:6000", "192.0.2.10:60000", []string{"> metadata %q [" + camera + "/trackID=4]"}},
		{"multicast", "RTP/AVP;multicast;destination=239.0.0.5;port=5000-5001;ttl=1", "192.0.2.20:6000", "239.0.0.5:5000", []string{"> metadata %q [" + camera + "/trackID=4]"}},
		{"somebody else", "RTP/AVP;unicast;client_port=60000-60001;server_port=6000-6001", "192.0.2.99:6000", "192.0.2.10:60000", nil},
	} {
		t.Run(v.name, func(t *testing.T) {
			f := newFeeder(newRTSP, false)
			in := session(sdp)
			in = append(in[:4], request("SETUP", camera+"/trackID=4", 4, "Transport: RTP/AVP;unicast;client_port=60000-60001\r\n"), answer(4, "Transport: "+v.transport+"\r\n", ""))
			for _, s := range in {
				f.segment(s.up, s.b)
			}
			f.end(t)
			f.flows = nil
			a, b := netip.MustParseAddrPort(v.from), netip.MustParseAddrPort(v.to)
			c := &conn{e: f.e, at: f.c.at, client: lo, key: key{lo: a.Addr().As16(), hi: b.Addr().As16(), loPort: a.Port(), hiPort: b.Port(), proto: protoUDP}}
			if f.e.track(c) != (v.want != nil) {
				t.Fatal("announced:", !(v.want != nil))
			}
			for i, part := range []string{doc1[:50], doc1[50:120], doc1[120:]} {
				if udpTrack(c, true, []byte(rtp(uint16(65534+i), 1, 5, i == 2, part))) != (v.want != nil || i == 0) && v.want != nil {
					t.Error("not taken")
				}
			}
			if c.framer != nil {
				c.framer.end(c)
			}
			if v.want == nil { // its content tells, but not whose it is
				v.want = []string{"> metadata %q []"}
			}
			if diff := cmp.Diff([]string{fmt.Sprintf(v.want[0], short([]byte(doc1)))}, f.flows); diff != "" {
				t.Error(diff)
			}
			if f.e.buffered != 0 {
				t.Error(f.e.buffered)
			}
		})
	}
}

func TestAnnouncedBound(t *testing.T) {
	e := New(Options{})
	for i := range 3 * maxTracks {
		e.expect(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 5000), &track{})
		e.expect(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 5000), &track{})
	}
	if len(e.tracks.ends) != maxTracks || len(e.tracks.order) != maxTracks {
		t.Error(len(e.tracks.ends), len(e.tracks.order))
	}
}

func FuzzRTSP(f *testing.F) {
	for _, list := range [][]conversation{rtspConversations, rtspGaps} {
		for _, v := range list {
			var in []byte
			for _, s := range v.in {
				in = append(in, script(s)...)
			}
			f.Add(in)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) { play(t, newRTSP, in) })
}
