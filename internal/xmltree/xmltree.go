// Package xmltree reads XML that a hostile device sent into a small tree: names with their namespaces resolved, attributes,
// text and children, within hard bounds. What the elements mean belongs to the wire packages. It imports nothing of this
// program and may be imported by everyone.
package xmltree

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Errors of Parse; errors.Is finds them.
var (
	ErrMalformed = errors.New("not well-formed")     // nothing usable could be read
	ErrLimit     = errors.New("over a limit")        // size, depth, elements or attributes
	ErrDoctype   = errors.New("document type given") // entities and external references are never read
)

// Options bound what is read. A zero limit means its default.
type Options struct {
	MaxBytes      int // default 2 MiB
	MaxDepth      int // default 64
	MaxElements   int // default 200 000
	MaxAttributes int // per element, default 256

	// Charset is what the transport said of the encoding. The document's own declaration comes first.
	Charset string

	// Drop reports elements whose text is not to be kept (pictures, identifiers of persons); their presence is. Nil keeps all.
	Drop func(local string) bool
}

// Node is one element.
type Node struct {
	Name  xml.Name   // Space is the namespace, or the bare prefix where the document declares none for it
	Attrs []xml.Attr // without namespace declarations
	Text  string     // character data directly inside, trimmed
	Kids  []*Node
	Len   int // bytes of character data directly inside before trimming and dropping

	scope *scope
}

// scope is the namespace declarations of an element, linked to those around it.
type scope struct {
	prefix, uri string
	outer       *scope
}

// Document is what Parse found. A device may send several roots in one buffer.
type Document struct {
	Roots     []*Node
	Malformed bool // read leniently, or cut where the syntax broke: nothing may be concluded from what is missing
}

// Root returns the first root, or nil.
func (d Document) Root() *Node {
	if len(d.Roots) == 0 {
		return nil
	}
	return d.Roots[0]
}

// Parse reads a document, strictly first, then leniently to save what can be read of broken XML (Malformed is then true).
// It fails with ErrDoctype, ErrLimit, or ErrMalformed when there is no element at all.
func Parse(b []byte, o Options) (Document, error) {
	o = o.defaults()
	if len(b) > o.MaxBytes {
		return Document{}, fmt.Errorf("xmltree: %d bytes: %w", len(b), ErrLimit)
	}
	text, changed := unicodeText(b, o.Charset)
	roots, err := read(text, o, true)
	if err == nil && len(roots) > 0 && !changed {
		return Document{Roots: roots}, nil
	}
	if errors.Is(err, ErrLimit) || errors.Is(err, ErrDoctype) {
		return Document{}, err
	}
	roots, err = read(text, o, false)
	if errors.Is(err, ErrLimit) || errors.Is(err, ErrDoctype) {
		return Document{}, err
	}
	if len(roots) == 0 {
		return Document{}, fmt.Errorf("xmltree: %w", ErrMalformed)
	}
	return Document{Roots: roots, Malformed: true}, nil
}

func (o Options) defaults() Options {
	for _, d := range []struct {
		v *int
		n int
	}{{&o.MaxBytes, 2 << 20}, {&o.MaxDepth, 64}, {&o.MaxElements, 200_000}, {&o.MaxAttributes, 256}} {
		if *d.v <= 0 {
			*d.v = d.n
		}
	}
	return o
}

// read returns the roots that were begun, also with an error: an unclosed element ends where the input does.
func read(b []byte, o Options, strict bool) ([]*Node, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = strict
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // unicodeText did it
	var roots, stack []*Node
	var texts [][]byte
	count := 0
	for {
		tok, err := d.Token()
		if err != nil {
			for i := len(stack) - 1; i >= 0; i-- {
				stack[i].Text = string(bytes.TrimSpace(texts[i]))
			}
			if errors.Is(err, io.EOF) && len(stack) == 0 {
				return roots, nil
			}
			return roots, fmt.Errorf("xmltree: %w: %w", ErrMalformed, err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("xmltree: %w", ErrDoctype)
		case xml.StartElement:
			if count++; count > o.MaxElements || len(stack) >= o.MaxDepth || len(t.Attr) > o.MaxAttributes {
				return nil, fmt.Errorf("xmltree: element %d at depth %d with %d attributes: %w", count, len(stack), len(t.Attr), ErrLimit)
			}
			n := &Node{Name: t.Name}
			if len(stack) > 0 {
				p := stack[len(stack)-1]
				n.scope = p.scope
				p.Kids = append(p.Kids, n)
			} else {
				roots = append(roots, n)
			}
			for _, a := range t.Attr {
				switch {
				case a.Name.Space == "xmlns":
					n.scope = &scope{a.Name.Local, a.Value, n.scope}
				case a.Name.Space == "" && a.Name.Local == "xmlns":
					n.scope = &scope{"", a.Value, n.scope}
				default:
					n.Attrs = append(n.Attrs, xml.Attr{Name: a.Name, Value: a.Value})
				}
			}
			stack = append(stack, n)
			texts = append(texts, nil)
		case xml.EndElement:
			if i := len(stack) - 1; i >= 0 {
				stack[i].Text = string(bytes.TrimSpace(texts[i]))
				stack, texts = stack[:i], texts[:i]
			}
		case xml.CharData:
			if i := len(stack) - 1; i >= 0 {
				stack[i].Len += len(t)
				if o.Drop == nil || !o.Drop(stack[i].Name.Local) {
					texts[i] = append(texts[i], t...)
				}
			}
		}
	}
}

// Is reports whether the element has that namespace and local name. An element without a namespace, or with a prefix nobody
// declared, is accepted by its local name alone: devices omit declarations.
func (n *Node) Is(space, local string) bool {
	if n == nil || n.Name.Local != local {
		return false
	}
	return n.Name.Space == space || !strings.Contains(n.Name.Space, ":")
}

// Child returns the first child of that local name in any namespace, or nil. It may be called on nil.
func (n *Node) Child(local string) *Node {
	if n != nil {
		for _, k := range n.Kids {
			if k.Name.Local == local {
				return k
			}
		}
	}
	return nil
}

// Children returns the children of that local name, in order.
func (n *Node) Children(local string) []*Node {
	var out []*Node
	if n != nil {
		for _, k := range n.Kids {
			if k.Name.Local == local {
				out = append(out, k)
			}
		}
	}
	return out
}

// Path follows local names downwards, taking the first child each time; nil where there is none.
func (n *Node) Path(locals ...string) *Node {
	for _, l := range locals {
		n = n.Child(l)
	}
	return n
}

// Value returns the text at a path of local names, or "".
func (n *Node) Value(locals ...string) string {
	if k := n.Path(locals...); k != nil {
		return k.Text
	}
	return ""
}

// Attr returns the value of the attribute of that local name, and whether it is there.
func (n *Node) Attr(local string) (string, bool) {
	if n != nil {
		for _, a := range n.Attrs {
			if a.Name.Local == local {
				return strings.TrimSpace(a.Value), true
			}
		}
	}
	return "", false
}

// Get returns the attribute's value or "".
func (n *Node) Get(local string) string {
	v, _ := n.Attr(local)
	return v
}

// Walk calls f for the element and everything below it, outer first. Where f returns false, it does not go below.
func (n *Node) Walk(f func(*Node) bool) {
	if n == nil || !f(n) {
		return
	}
	for _, k := range n.Kids {
		k.Walk(f)
	}
}

// Resolve reads a qualified name written in text ("tt:FaceDetector") with the declarations that hold at the element. A
// prefix nobody declared is left in Space.
func (n *Node) Resolve(qname string) xml.Name {
	prefix, local, ok := strings.Cut(strings.TrimSpace(qname), ":")
	if !ok {
		prefix, local = "", prefix
	}
	if n != nil {
		for s := n.scope; s != nil; s = s.outer {
			if s.prefix == prefix {
				return xml.Name{Space: s.uri, Local: local}
			}
		}
	}
	return xml.Name{Space: prefix, Local: local}
}
