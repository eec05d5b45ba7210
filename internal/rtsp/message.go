package rtsp

import (
	"bytes"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
)

// response is an answer with the bytes it was read from.
type response struct {
	code   int
	reason string
	header textproto.MIMEHeader
	body   []byte
	raw    []byte
}

// value returns the first value of a header, trimmed.
func (r *response) value(key string) string { return strings.TrimSpace(r.header.Get(key)) }

// message reads a head, and a body if the head announces one. A request of the device is answered and gives nil.
func (s *session) message() (*response, error) {
	head, err := s.head()
	if err != nil {
		return nil, err
	}
	line, header := parseHead(head)
	length, err := bodyLength(header)
	if err != nil {
		return nil, err
	}
	n := len(head)
	raw, err := s.br.Peek(n + length)
	if err != nil {
		return nil, err
	}
	raw = bytes.Clone(raw)
	if _, err := s.br.Discard(len(raw)); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(line, "RTSP/") {
		return nil, s.answer(line, header)
	}
	res, err := parseStatus(line)
	if err != nil {
		return nil, err
	}
	res.header, res.body, res.raw = header, raw[n:], raw
	s.spoken = true
	return res, nil
}

// head returns the bytes up to and including the empty line, without consuming them. Some firmware ends lines with a bare
// line feed.
func (s *session) head() ([]byte, error) {
	for {
		b, err := s.br.Peek(max(s.br.Buffered(), 1))
		if err != nil {
			return nil, err
		}
		if !s.spoken && !bytes.HasPrefix(b, []byte("RTSP/")[:min(len(b), 5)]) {
			return nil, errMalformed
		}
		if i := bytes.IndexByte(b, '\n'); i >= 0 && !bytes.Contains(b[:i], []byte("RTSP/")) {
			return nil, errMalformed
		}
		for _, end := range []string{"\r\n\r\n", "\n\n"} {
			if i := bytes.Index(b, []byte(end)); i >= 0 && i < maxHead {
				return b[:i+len(end)], nil
			}
		}
		if len(b) >= maxHead {
			return nil, fmt.Errorf("%w: a head of more than %d bytes", errMalformed, maxHead)
		}
		if _, err := s.br.Peek(len(b) + 1); err != nil {
			return nil, err
		}
	}
}

// parseHead splits a head into its first line and its fields. Lines that are no field are left out.
func parseHead(head []byte) (string, textproto.MIMEHeader) {
	lines := strings.Split(string(head), "\n")
	h := textproto.MIMEHeader{}
	for _, l := range lines[1:] {
		if k, v, ok := strings.Cut(strings.TrimRight(l, "\r"), ":"); ok {
			h.Add(strings.TrimSpace(k), strings.TrimSpace(v))
		}
	}
	return strings.TrimRight(lines[0], "\r"), h
}

// parseStatus reads a status line. The reason may be missing.
func parseStatus(line string) (*response, error) {
	_, rest, _ := strings.Cut(line, " ")
	code, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.Atoi(code)
	if err != nil || n < 100 || n > 999 {
		return nil, fmt.Errorf("%w: status line %q", errMalformed, line[:min(len(line), 80)])
	}
	return &response{code: n, reason: strings.TrimSpace(reason)}, nil
}

func bodyLength(h textproto.MIMEHeader) (int, error) {
	v := h.Get("Content-Length")
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	switch {
	case err != nil || n < 0:
		return 0, fmt.Errorf("%w: Content-Length %q", errMalformed, v[:min(len(v), 40)])
	case n > maxBody:
		return 0, fmt.Errorf("%w: a body of %d bytes", errMalformed, n)
	}
	return n, nil
}

// answer replies to a request of the device: it may ask whether we are still there and nothing else.
func (s *session) answer(line string, h textproto.MIMEHeader) error {
	status := "501 Not Implemented"
	if m, _, _ := strings.Cut(line, " "); m == string(base.Options) || m == string(base.GetParameter) {
		status = "200 OK"
	}
	out := "RTSP/1.0 " + status + "\r\n"
	if c := h.Get("CSeq"); c != "" && len(c) < 20 && !strings.ContainsAny(c, "\r\n") {
		out += "CSeq: " + c + "\r\n"
	}
	_, err := s.conn.Write([]byte(out + "\r\n"))
	return err
}

// isMalformed reports whether the bytes were at fault and not the connection.
func isMalformed(err error) bool { return errors.Is(err, errMalformed) }
