package rtsp

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	rtspdesc "github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/google/go-cmp/cmp"
)

// peer is gortsplib's server with an H.264 track and a metadata track.
type peer struct {
	server   *gortsplib.Server
	stream   *gortsplib.ServerStream
	metadata *rtspdesc.Media
	port     uint16
	login    bool

	mu     sync.Mutex
	events []string
	play   chan struct{}
}

func newPeer(t *testing.T, methods ...auth.VerifyMethod) *peer {
	t.Helper()
	p := &peer{login: len(methods) > 0, play: make(chan struct{}, 1)}
	p.server = &gortsplib.Server{Handler: p, RTSPAddress: "127.0.0.1:0", AuthMethods: methods,
		Listen: func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err == nil {
				p.port = uint16(l.Addr().(*net.TCPAddr).Port)
			}
			return l, err
		}}
	if err := p.server.Start(); err != nil {
		t.Fatal(err)
	}
	p.metadata = &rtspdesc.Media{Type: rtspdesc.MediaTypeApplication,
		Formats: []format.Format{&format.Generic{PayloadTyp: 107, RTPMa: "vnd.onvif.metadata/90000", ClockRat: 90000}}}
	video := &rtspdesc.Media{Type: rtspdesc.MediaTypeVideo, Formats: []format.Format{&format.H264{PayloadTyp: 96, PacketizationMode: 1}}}
	p.stream = &gortsplib.ServerStream{Server: p.server, Desc: &rtspdesc.Session{Title: "shop", Medias: []*rtspdesc.Media{video, p.metadata}}}
	if err := p.stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stream.Close(); p.server.Close() })
	return p
}

func (p *peer) note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, s)
}

func (p *peer) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

func (p *peer) allowed(c *gortsplib.ServerConn, q *base.Request) bool {
	return !p.login || c.VerifyCredentials(q, "viewer", "hunter2")
}

func (p *peer) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if !p.allowed(c.Conn, c.Request) {
		p.note("DESCRIBE refused")
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	p.note("DESCRIBE")
	return &base.Response{StatusCode: base.StatusOK}, p.stream, nil
}

func (p *peer) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if !p.allowed(c.Conn, c.Request) {
		p.note("SETUP refused")
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	p.note("SETUP " + c.Request.URL.Path + " " + c.Transport.Protocol.String())
	return &base.Response{StatusCode: base.StatusOK}, p.stream, nil
}

func (p *peer) OnPlay(c *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	p.note("PLAY")
	p.play <- struct{}{}
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (p *peer) OnRequest(_ *gortsplib.ServerConn, q *base.Request) {
	if q.Method == base.Teardown {
		p.note("TEARDOWN")
	}
}

func (p *peer) client(t *testing.T) Options {
	return Options{Host: loopback, Budget: 500 * time.Millisecond, Timeout: 5 * time.Second,
		Dial: func(ctx context.Context, port uint16) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		},
		Record: func(_, _ []byte, note string) string {
			if note != "" {
				t.Errorf("recorded with %q", note)
			}
			return "r"
		}}
}

// Against a server that is not ours: login, one track of two, documents over several packets, the end.
func TestGortsplibServer(t *testing.T) {
	for _, c := range []struct {
		name    string
		methods []auth.VerifyMethod
		want    []string
		status  string
	}{
		{"open", nil, []string{"DESCRIBE", "SETUP /shop/trackID=1 TCP", "PLAY", "TEARDOWN"}, StatusOK},
		{"MD5", []auth.VerifyMethod{auth.VerifyMethodDigestMD5}, []string{"DESCRIBE refused", "DESCRIBE", "SETUP /shop/trackID=1 TCP", "PLAY", "TEARDOWN"}, StatusOK},
		{"SHA-256", []auth.VerifyMethod{auth.VerifyMethodDigestSHA256}, []string{"DESCRIBE refused", "DESCRIBE", "SETUP /shop/trackID=1 TCP", "PLAY", "TEARDOWN"}, StatusOK},
		{"Basic", []auth.VerifyMethod{auth.VerifyMethodBasic}, []string{"DESCRIBE refused"}, StatusAuthRequired},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, c.methods...)
			o := p.client(t)
			if c.methods != nil {
				o.User, o.Password = "viewer", "hunter2"
			}
			var got []string
			o.OnDocument = func(b []byte) bool { got = append(got, string(b)); return len(got) == 2 }
			done := make(chan struct{})
			go func() {
				defer close(done)
				select {
				case <-p.play:
				case <-t.Context().Done():
					return
				}
				time.Sleep(50 * time.Millisecond) // until the session is among the stream's readers
				for _, x := range packets(65535, []pk{{1, doc1[:50], false, 0, 0}, {1, doc1[50:], true, 0, 0}, {2, zip(doc2), true, 0, 0}}) {
					p.stream.WritePacketRTP(p.metadata, x) //nolint:errcheck // seen below
				}
			}()
			r, err := Metadata(t.Context(), fmt.Sprintf("rtsp://127.0.0.1:%d/shop", p.port), o)
			if err != nil || r.Status != c.status {
				t.Fatalf("%+v, %v", r, err)
			}
			if c.status == StatusOK {
				<-done
				if diff := cmp.Diff([]string{doc1, doc2}, got); diff != "" || r.Ended != EndedStop {
					t.Errorf("%+v\ndocuments (-want +got):\n%s", r, diff)
				}
			}
			if diff := cmp.Diff(c.want, p.seen()); diff != "" {
				t.Errorf("the server saw (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGortsplibServerWrongPassword(t *testing.T) {
	p := newPeer(t, auth.VerifyMethodDigestMD5)
	o := p.client(t)
	o.User, o.Password = "viewer", "wrong"
	r, err := Metadata(t.Context(), fmt.Sprintf("rtsp://127.0.0.1:%d/shop", p.port), o)
	if err != nil || r.Status != StatusRefused {
		t.Errorf("%+v, %v", r, err)
	}
	if n := strings.Count(strings.Join(p.seen(), ","), "refused"); n != 2 {
		t.Errorf("%v: one request without credentials and one with them", p.seen())
	}
}

// gstServer is a real gst-rtsp-server with an H.264 track and, where the argument asks for it, a metadata track.
const gstServer = `
import gi, struct, sys
gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0')
from gi.repository import Gst, GstRtspServer, GLib
Gst.init(None)
server = GstRtspServer.RTSPServer(); server.set_address('127.0.0.1'); server.set_service('0')
factory = GstRtspServer.RTSPMediaFactory(); factory.set_shared(True)
launch = 'videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=48,framerate=5/1 ! jpegenc ! rtpjpegpay name=pay0 pt=26'
if 'meta' in sys.argv:
    launch += ' appsrc name=meta is-live=true do-timestamp=true format=time caps="application/x-rtp,media=application,payload=107,clock-rate=90000,encoding-name=VND.ONVIF.METADATA" ! identity name=pay1'
factory.set_launch('( ' + launch + ' )')
n = 0
def push(src):
    global n
    doc = b'<?xml version="1.0"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"><tt:Event>%d</tt:Event></tt:MetadataStream>' % n
    for i, part in enumerate([doc[:50], doc[50:]]):
        head = struct.pack('>BBHII', 0x80, 107 | (i << 7), (65530 + 2 * n + i) & 0xffff, 9000 * n, 7)
        if src.emit('push-buffer', Gst.Buffer.new_wrapped(head + part)) != Gst.FlowReturn.OK: return False
    n += 1
    return True
def configure(_, media):
    src = media.get_element().get_by_name('meta')
    if src:
        push(src)
        GLib.timeout_add(50, push, src)
factory.connect('media-configure', configure)
if 'login' in sys.argv:
    auth = GstRtspServer.RTSPAuth(); auth.set_supported_methods(2)
    token = GstRtspServer.RTSPToken(); token.set_string('media.factory.role', 'viewer')
    auth.add_digest('viewer', 'hunter2', token)
    server.set_auth(auth)
    factory.add_role_from_structure(Gst.Structure.from_string('viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true')[0])
server.get_mount_points().add_factory('/stream', factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
`

func startGst(t *testing.T, args ...string) uint16 {
	t.Helper()
	missing := func(format string, a ...any) {
		t.Helper()
		if strings.Contains(os.Getenv("MINGSHI_REQUIRE"), "gstreamer") {
			t.Fatalf(format, a...)
		}
		t.Skipf(format, a...)
	}
	if err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", "import gi; gi.require_version('GstRtspServer', '1.0')").Run(); err != nil {
		missing("no gst-rtsp-server here (Debian: python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good): %v", err)
	}
	script := filepath.Join(t.TempDir(), "server.py")
	if err := os.WriteFile(script, []byte(gstServer), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "/usr/bin/python3", append([]string{script}, args...)...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		missing("gst-rtsp-server does not start: %v", err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() }) //nolint:errcheck // killed on purpose
	var port uint16
	line, _ := bufio.NewReader(out).ReadString('\n')
	if _, err := fmt.Sscan(line, &port); err != nil || port == 0 {
		c.Process.Kill()
		c.Wait()
		missing("gst-rtsp-server did not start: %s", stderr.String())
	}
	return port
}

func TestGStreamer(t *testing.T) {
	o := (&peer{}).client(t)
	t.Run("video only", func(t *testing.T) {
		port := startGst(t)
		url := fmt.Sprintf("rtsp://127.0.0.1:%d/stream", port)
		d, err := Describe(t.Context(), url, o)
		if err != nil || d.Status != StatusOK || !strings.HasPrefix(d.Server, "GStreamer") || !slices.Contains(d.Methods, "PLAY") {
			t.Fatalf("%+v, %v", d, err)
		}
		if diff := cmp.Diff([]Track{{Media: "video", Formats: []Format{{26, "JPEG"}}, Control: d.Tracks[0].Control}}, d.Tracks); diff != "" {
			t.Errorf("tracks (-want +got):\n%s", diff)
		}
		r, err := Metadata(t.Context(), url, o)
		for range 10 { // it answers 503 while it lets go of the pipeline of the last DESCRIBE
			if r.Status != StatusExhausted {
				break
			}
			time.Sleep(200 * time.Millisecond)
			r, err = Metadata(t.Context(), url, o)
		}
		if err != nil || r.Status != StatusNoTrack {
			t.Errorf("%+v, %v", r, err)
		}
		if d, err := Describe(t.Context(), fmt.Sprintf("rtsp://127.0.0.1:%d/", port), o); err != nil || d.Code != 404 || d.Server == "" {
			t.Errorf("%+v, %v", d, err)
		}
	})
	t.Run("login", func(t *testing.T) {
		port := startGst(t, "login")
		url := fmt.Sprintf("rtsp://127.0.0.1:%d/stream", port)
		d, err := Describe(t.Context(), url, o)
		if err != nil || d.Status != StatusAuthRequired || len(d.Challenges) == 0 || d.Challenges[0].Scheme != "Digest" {
			t.Fatalf("%+v, %v", d, err)
		}
		o := o
		o.User, o.Password = "viewer", "hunter2"
		if d, err = Describe(t.Context(), url, o); err != nil || d.Status != StatusOK || !d.Login || len(d.Tracks) != 1 {
			t.Errorf("%+v, %v", d, err)
		}
		o.Password = "wrong"
		if d, err = Describe(t.Context(), url, o); err != nil || d.Status != StatusRefused {
			t.Errorf("%+v, %v", d, err)
		}
	})
	t.Run("metadata", func(t *testing.T) {
		o := o
		o.Budget = 5 * time.Second
		n := 0
		o.OnDocument = func(b []byte) bool {
			if !strings.HasPrefix(string(b), "<?xml") || !strings.HasSuffix(string(b), close1) {
				t.Errorf("document %q", b)
			}
			n++
			return n == 10
		}
		r, err := Metadata(t.Context(), fmt.Sprintf("rtsp://127.0.0.1:%d/stream", startGst(t, "meta")), o)
		if err != nil || r.Status != StatusOK || r.Ended != EndedStop || r.Documents != 10 || r.Lost != 0 || !strings.EqualFold(r.Encoding, "vnd.onvif.metadata") {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
