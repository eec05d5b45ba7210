package rtsp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
)

const (
	maxHead = 32 << 10
	maxBody = 128 << 10 // gortsplib's own limit for a description
	// maxStray is how much that is neither a frame nor a message is skipped once the device has spoken RTSP: some firmware
	// pads what it interleaves.
	maxStray = 4 << 10
)

// errMalformed is wrapped by every error about bytes that are not RTSP.
var errMalformed = errors.New("not RTSP")

// session is one connection to a device. It is used by one goroutine.
type session struct {
	o      *Options
	conn   net.Conn
	br     *bufio.Reader
	secure bool
	cseq   int
	id     string        // of the RTSP session, after SETUP
	idle   time.Duration // after which the device forgets a silent session
	login  *login        // nil: without credentials
	spoken bool          // a message was understood
	stray  int           // bytes skipped since
	frame  func(channel int, payload []byte)

	evidence []string
}

// open connects and, for rtsps, shakes hands. The certificate is not verified: devices sign their own, and what is read is
// what the device on this address says.
func open(ctx context.Context, o *Options, port uint16, secure bool) (*session, error) {
	dctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	c, err := o.Dial(dctx, port)
	if err != nil {
		return nil, fmt.Errorf("rtsp: connecting: %w", err)
	}
	s := &session{o: o, conn: c, secure: secure, frame: func(int, []byte) {}}
	if secure {
		tc := tls.Client(c, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}) //nolint:gosec // see above
		s.conn = tc
		if err := tc.HandshakeContext(dctx); err != nil {
			c.Close()
			return nil, fmt.Errorf("rtsp: TLS: %w", err)
		}
	}
	s.br = bufio.NewReaderSize(s.conn, maxHead+maxBody+1<<16)
	return s, nil
}

// interrupt makes reads and writes fail when ctx ends, until release is called.
func (s *session) interrupt(ctx context.Context) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		s.conn.SetDeadline(time.Unix(1, 0)) //nolint:errcheck // a connection without deadlines is closed by its owner
		close(done)
	})
	return func() {
		if !stop() {
			<-done
		}
		s.conn.SetDeadline(time.Time{}) //nolint:errcheck // as above
	}
}

// do sends one request and returns the answer to it. Frames that come in between go to s.frame. The exchange is recorded
// whatever becomes of it.
func (s *session) do(ctx context.Context, m base.Method, u *base.URL, h base.Header) (*response, error) {
	req, shown := s.request(m, u, h)
	rctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	release := s.interrupt(rctx)
	defer release()

	res, err := s.exchange(req)
	note := ""
	switch {
	case err == nil:
		s.evidence = append(s.evidence, s.o.Record(shown, res.raw, ""))
		return res, nil
	case ctx.Err() != nil:
		err, note = ctx.Err(), "interrupted"
	case rctx.Err() != nil:
		err, note = rctx.Err(), fmt.Sprintf("no answer within %s", s.o.Timeout)
	default:
		note = err.Error()
	}
	var raw []byte
	if errors.Is(err, errMalformed) {
		raw, _ = s.br.Peek(min(s.br.Buffered(), 1<<10))
		if len(raw) > 0 && raw[0] == '$' {
			raw = nil // a frame is payload
		}
	}
	s.evidence = append(s.evidence, s.o.Record(shown, bytes.Clone(raw), note))
	return nil, fmt.Errorf("rtsp: %s: %w", m, err)
}

// request returns the bytes to send and the bytes to show, which are without credentials.
func (s *session) request(m base.Method, u *base.URL, h base.Header) (send, shown []byte) {
	s.cseq++
	req := base.Request{Method: m, URL: u, Header: base.Header{
		"CSeq": {strconv.Itoa(s.cseq)}, "User-Agent": {userAgent},
	}}
	for k, v := range h {
		req.Header[k] = v
	}
	if s.id != "" {
		req.Header["Session"] = base.HeaderValue{s.id}
	}
	if s.login == nil {
		send, _ = req.Marshal() // cannot fail: there is no body
		return send, send
	}
	req.Header["Authorization"] = base.HeaderValue{s.login.scheme() + " (not recorded)"}
	shown, _ = req.Marshal()
	req.Header["Authorization"] = base.HeaderValue{s.login.authorise(m, u)}
	send, _ = req.Marshal()
	return send, shown
}

func (s *session) exchange(req []byte) (*response, error) {
	if _, err := s.conn.Write(req); err != nil {
		return nil, err
	}
	want := strconv.Itoa(s.cseq)
	for {
		res, err := s.read()
		if err != nil {
			return nil, err
		}
		// An answer without CSeq is taken as the answer: there is never more than one request out, except keepalives.
		if res != nil {
			if got := res.value("CSeq"); got == "" || got == want {
				return res, nil
			}
		}
	}
}

// read reads one thing: a frame, which goes to s.frame, a request of the device, which is answered, or a response, which
// is returned. Nothing is consumed before it is whole, so that a deadline in the middle does no harm.
func (s *session) read() (*response, error) {
	b, err := s.br.Peek(4)
	if err != nil && (len(b) == 0 || !errors.Is(err, io.EOF)) {
		return nil, err
	}
	switch {
	case len(b) == 4 && b[0] == base.InterleavedFrameMagicByte:
		n := 4 + int(b[2])<<8 + int(b[3])
		channel := int(b[1])
		if b, err = s.br.Peek(n); err != nil {
			return nil, err
		}
		s.frame(channel, b[4:])
		_, err = s.br.Discard(n)
		return nil, err
	case b[0] >= 'A' && b[0] <= 'Z':
		return s.message()
	case s.spoken && s.stray < maxStray:
		s.stray++
		_, err = s.br.Discard(1)
		return nil, err
	}
	return nil, errMalformed
}
