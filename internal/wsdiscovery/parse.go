package wsdiscovery

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/mingshi-audit/mingshi/internal/clean"
)

// Parse reads one datagram. Elements are told apart by their local names, so that both dialects and senders with wrong
// namespaces are understood; types are resolved with the prefixes in scope where they are written. Text is cleaned of
// control characters, and lists are cut to their limits. The error wraps ErrMalformed: not XML, a DTD, too deep, too big,
// or no WS-Discovery body. What was read before the error is returned with it only when the error came after the first
// match.
func Parse(datagram []byte) (Message, error) {
	if len(datagram) > MaxDatagram {
		return Message{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(datagram))
	}
	p := &parser{}
	err := p.run(datagram)
	if err == nil && p.m.Kind == Unknown {
		err = errors.New("no discovery body")
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
		if len(p.m.Matches) == 0 {
			return Message{}, err
		}
	}
	return p.m, err
}

type parser struct {
	m     Message
	stack []frame
	open  *Match // the match being read, or nil
	done  bool   // the envelope is closed; some stacks pad with zeros after it
}

type frame struct {
	local string
	ns    map[string]string // prefixes declared here, or nil
	text  []byte
}

func (p *parser) run(b []byte) error {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n\x00")
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = charset
	if !utf8.Valid(b) {
		d = xml.NewDecoder(bytes.NewReader(unicodeText(b)))
		d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // unicodeText did it
	}
	for !p.done {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.Directive:
			return errors.New("has a document type")
		case xml.StartElement:
			if len(p.stack) >= maxDepth {
				return errors.New("too deep")
			}
			p.start(t)
		case xml.CharData:
			if n := len(p.stack); n > 0 {
				p.stack[n-1].text = append(p.stack[n-1].text, t...)
			}
		case xml.EndElement:
			p.end()
		}
	}
	return nil
}

func (p *parser) start(t xml.StartElement) {
	f := frame{local: t.Name.Local}
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "xmlns":
			f.declare(a.Name.Local, a.Value)
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			f.declare("", a.Value)
		}
	}
	p.stack = append(p.stack, f)
	switch k := Kind(t.Name.Local); k {
	case Probe, ProbeMatches, Hello, Bye, Resolve, ResolveMatches:
		if p.parent() == "Body" && p.m.Kind == Unknown {
			p.m.Kind, p.m.Dialect = k, token(t.Name.Space)
			if k == Hello || k == Bye || k == Resolve {
				p.open = &Match{}
			}
		}
	case "ProbeMatch", "ResolveMatch":
		if p.m.Kind != Unknown && p.parent() == string(p.m.Kind) && len(p.m.Matches) < maxMatches {
			p.open = &Match{}
		}
	}
}

func (f *frame) declare(prefix, space string) {
	if f.ns == nil {
		f.ns = map[string]string{}
	}
	f.ns[prefix] = space
}

func (p *parser) end() {
	f := &p.stack[len(p.stack)-1]
	text := strings.TrimSpace(string(f.text))
	switch f.local {
	case "MessageID":
		if p.parent() == "Header" {
			p.m.MessageID = token(text)
		}
	case "RelatesTo":
		if p.parent() == "Header" {
			p.m.RelatesTo = token(text)
		}
	case "Types":
		if types := p.qnames(text); p.open != nil {
			p.open.Types = types
		} else if p.m.Kind == Probe {
			p.m.Types = types
		}
	case "ProbeMatch", "ResolveMatch", "Hello", "Bye", "Resolve":
		if p.open != nil && (p.parent() == "Body" || p.parent() == string(p.m.Kind)) {
			p.m.Matches = append(p.m.Matches, *p.open)
			p.open = nil
		}
	}
	if p.open != nil {
		switch f.local {
		case "Address":
			if p.parent() == "EndpointReference" && p.open.EPR == "" {
				p.open.EPR = token(text)
			}
		case "Scopes":
			p.open.Scopes = tokens(text, maxScopes)
		case "XAddrs":
			p.open.XAddrs = tokens(text, maxXAddrs)
		case "MetadataVersion":
			p.open.MetadataVersion = token(text)
		}
	}
	p.stack = p.stack[:len(p.stack)-1]
	p.done = len(p.stack) == 0
}

// parent is the local name of the element around the innermost one.
func (p *parser) parent() string {
	if len(p.stack) < 2 {
		return ""
	}
	return p.stack[len(p.stack)-2].local
}

func (p *parser) qnames(text string) []QName {
	var out []QName
	for _, s := range tokens(text, maxTypes) {
		prefix, local, ok := strings.Cut(s, ":")
		if !ok {
			prefix, local = "", s
		}
		out = append(out, QName{p.space(prefix), local})
	}
	return out
}

// space resolves a prefix, innermost declaration first. An undeclared prefix stands for itself.
func (p *parser) space(prefix string) string {
	for i := len(p.stack) - 1; i >= 0; i-- {
		if s, ok := p.stack[i].ns[prefix]; ok {
			return token(s)
		}
	}
	return prefix
}

// tokens splits at white space, which may be line ends.
func tokens(text string, limit int) []string {
	var out []string
	for s := range strings.FieldsSeq(text) {
		if len(out) == limit {
			break
		}
		if t := token(s); t != "" {
			out = append(out, t)
		}
	}
	return out
}

func token(s string) string { return clean.Text(s, maxToken) }

var declaredEncoding = regexp.MustCompile(`(?i)^<\?xml[^>]*\sencoding\s*=\s*["']([^"']*)["']`)

// unicodeText turns a datagram that is not UTF-8 into it. Chinese firmware writes names of places in GB 18030 under a
// declaration that says UTF-8, or under none; a camera must not be lost over its name.
func unicodeText(b []byte) []byte {
	if m := declaredEncoding.FindSubmatch(b[:min(len(b), 200)]); m != nil {
		if r, err := charset(string(m[1]), bytes.NewReader(b)); err == nil {
			if u, err := io.ReadAll(r); err == nil && utf8.Valid(u) {
				return u
			}
		}
	}
	u, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil {
		u = b
	}
	return bytes.ToValidUTF8(u, []byte("\ufffd"))
}

// charset reads the encodings Chinese and old European firmware declares.
func charset(label string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "utf8", "us-ascii", "ascii":
		return r, nil
	case "gb2312", "gbk", "gb18030", "cp936":
		return simplifiedchinese.GB18030.NewDecoder().Reader(r), nil
	case "iso-8859-1", "latin1", "windows-1252":
		return charmap.Windows1252.NewDecoder().Reader(r), nil
	}
	return nil, fmt.Errorf("encoding %q", clean.Text(label, 40))
}
