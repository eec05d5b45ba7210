package rtsp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// sink is a connection that takes everything and says nothing.
type sink struct {
	net.Conn
	bytes.Buffer
}

func (s *sink) Write(b []byte) (int, error) { return s.Buffer.Write(b) }
func (s *sink) Read([]byte) (int, error)    { return 0, io.EOF }

// readAll reads everything from b as if a device had sent it.
func readAll(b []byte) (responses []*response, framed int, sent string, err error) {
	out := &sink{}
	s := &session{conn: out, br: bufio.NewReaderSize(bytes.NewReader(b), maxHead+maxBody+1<<16)}
	s.frame = func(_ int, p []byte) { framed += len(p) }
	for {
		res, err := s.read()
		if err != nil {
			return responses, framed, out.String(), err
		}
		if res != nil {
			responses = append(responses, res)
		}
	}
}

func TestReadAnswersRequests(t *testing.T) {
	for in, want := range map[string]string{
		"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n":                                  "RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n",
		"GET_PARAMETER rtsp://h/ RTSP/1.0\r\nCSeq: 8\r\n\r\n":                    "RTSP/1.0 200 OK\r\nCSeq: 8\r\n\r\n",
		"REDIRECT rtsp://h/ RTSP/1.0\r\nCSeq: 9\r\nLocation: rtsp://e/\r\n\r\n":  "RTSP/1.0 501 Not Implemented\r\nCSeq: 9\r\n\r\n",
		"ANNOUNCE rtsp://h/ RTSP/1.0\r\nContent-Length: 3\r\n\r\nabc":            "RTSP/1.0 501 Not Implemented\r\n\r\n",
		"OPTIONS * RTSP/1.0\r\nCSeq: 7777777777777777777777777777777777\r\n\r\n": "RTSP/1.0 200 OK\r\n\r\n",
	} {
		_, _, sent, err := readAll([]byte("RTSP/1.0 200 OK\r\n\r\n" + in))
		if sent != want || !errors.Is(err, io.EOF) {
			t.Errorf("%q: sent %q, %v", in, sent, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", "RTSP/1.0 401\nWWW-Authenticate: Basic realm=x\n\n", "SSH-2.0-x\r\n", "$\x00\x00\x02ab",
		"RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello$\x00\x00\x01aOPTIONS * RTSP/1.0\r\n\r\n", "RTSP/1.0 200 OK\r\n\r\n\x00\x00RTSP/1.0 x\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rs, framed, _, err := readAll(b)
		total := framed
		for _, r := range rs {
			total += len(r.raw)
			if r.code < 100 || r.code > 999 || !bytes.HasSuffix(r.raw, r.body) {
				t.Fatalf("%+v", r)
			}
		}
		if err == nil || total > len(b) {
			t.Fatalf("%d bytes out of %d, %v", total, len(b), err)
		}
	})
}
