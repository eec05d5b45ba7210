package rtsp

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/pion/rtp"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// device is a server whose every answer a test writes.
type device struct {
	t      *testing.T
	port   uint16
	answer func(*base.Request) string // "" is silence; %CSEQ% is replaced; "CLOSE" closes

	mu       sync.Mutex
	requests []*base.Request
	reports  []string      // frames of ours: channel, payload
	gone     chan struct{} // closed when the first connection ended
}

func newDevice(t *testing.T, answer func(*base.Request) string) *device {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, answer: answer, port: uint16(l.Addr().(*net.TCPAddr).Port), gone: make(chan struct{})}
	var once sync.Once
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer once.Do(func() { close(d.gone) })
				defer c.Close()
				d.serve(c)
			}()
		}
	}()
	return d
}

func (d *device) serve(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		if b, err := r.Peek(1); err != nil {
			return
		} else if b[0] == '$' {
			var f base.InterleavedFrame
			if f.Unmarshal(r) != nil {
				return
			}
			d.mu.Lock()
			d.reports = append(d.reports, string(append([]byte{byte(f.Channel)}, f.Payload...)))
			d.mu.Unlock()
			continue
		}
		var q base.Request
		if q.Unmarshal(r) != nil {
			return
		}
		d.mu.Lock()
		d.requests = append(d.requests, &q)
		d.mu.Unlock()
		a := d.answer(&q)
		if a == "CLOSE" {
			return
		}
		fmt.Fprint(c, strings.ReplaceAll(a, "%CSEQ%", q.Header["CSeq"][0]))
	}
}

// asked lists the methods and paths of the requests, in order.
func (d *device) asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, q := range d.requests {
		out = append(out, strings.TrimSuffix(string(q.Method)+" "+q.URL.Path+"?"+q.URL.RawQuery, "?"))
	}
	return out
}

func (d *device) header(i int, key string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.requests[i].Header[key], ",")
}

// record is what Options.Record was given.
type record struct{ request, response, note string }

// client returns options that reach the device and nothing else.
func (d *device) client() (Options, *[]record) {
	var records []record
	return Options{
		Host: loopback, Budget: 300 * time.Millisecond, Timeout: 2 * time.Second,
		Dial: func(ctx context.Context, port uint16) (net.Conn, error) {
			if port != d.port {
				d.t.Errorf("dialled port %d, the device is at %d", port, d.port)
			}
			return (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		},
		Record: func(q, s []byte, note string) string {
			records = append(records, record{string(q), string(s), note})
			return fmt.Sprintf("r%d", len(records))
		},
	}, &records
}

func (d *device) url(rest string) string { return fmt.Sprintf("rtsp://127.0.0.1:%d%s", d.port, rest) }

// answerWith answers by method.
func answerWith(m map[base.Method]string) func(*base.Request) string {
	return func(q *base.Request) string {
		if a, ok := m[q.Method]; ok {
			return a
		}
		if q.Method == base.Teardown || q.Method == base.Options {
			return reply("200 OK")
		}
		return reply("501 Not Implemented")
	}
}

func reply(status string, headers ...string) string {
	return "RTSP/1.0 " + status + "\r\nCSeq: %CSEQ%\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
}

func described(sdp string) string {
	return reply("200 OK", "Content-Type: application/sdp", fmt.Sprintf("Content-Length: %d", len(sdp))) + sdp
}

func frames(channel byte, ps []*rtp.Packet) string {
	var b strings.Builder
	for _, p := range ps {
		raw, err := p.Marshal()
		if err != nil {
			panic(err)
		}
		f, err := base.InterleavedFrame{Channel: int(channel), Payload: raw}.Marshal()
		if err != nil {
			panic(err)
		}
		b.Write(f)
	}
	return b.String()
}

const metaSDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.21\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n" +
	"m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:track2\r\n"

// camera answers everything as a camera with a metadata track does, and sends the frames after PLAY.
func camera(sent string) map[base.Method]string {
	return map[base.Method]string{
		base.Describe: described(metaSDP),
		base.Setup:    reply("200 OK", "Session: 42;timeout=60", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"),
		base.Play:     reply("200 OK", "Session: 42") + sent,
	}
}

func methodsOf(asked []string) []string {
	var out []string
	for _, a := range asked {
		m, _, _ := strings.Cut(a, " ")
		out = append(out, m)
	}
	return out
}

// onlyMetadata fails a test in which anything but the second track was set up.
func (d *device) onlyMetadata(t *testing.T) {
	t.Helper()
	for _, a := range d.asked() {
		if strings.HasPrefix(a, "SETUP") && !strings.Contains(a, "track2") {
			t.Errorf("set up another track: %s", a)
		}
	}
}

func (d *device) tornDown(t *testing.T) {
	t.Helper()
	<-d.gone
	if a := methodsOf(d.asked()); !slices.Contains(a, "TEARDOWN") {
		t.Errorf("no TEARDOWN: %v", a)
	}
}
