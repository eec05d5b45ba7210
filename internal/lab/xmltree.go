package lab

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
)

// node is an element of a request.
type node struct {
	name xml.Name
	attr map[string]string // by local name
	text string
	kids []*node
}

// parseXML reads one document of at most 10 000 elements, 60 deep.
func parseXML(b []byte) (*node, error) {
	root := &node{}
	stack := []*node{root}
	dec := xml.NewDecoder(bytes.NewReader(b))
	for n := 0; ; {
		t, err := dec.Token()
		if err != nil {
			if len(root.kids) == 1 && len(stack) == 1 {
				return root.kids[0], nil
			}
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if n++; n > 10_000 || len(stack) > 60 {
				return nil, errors.New("lab: request too large")
			}
			k := &node{name: t.Name, attr: map[string]string{}}
			for _, a := range t.Attr {
				k.attr[a.Name.Local] = a.Value
			}
			top.kids = append(top.kids, k)
			stack = append(stack, k)
		case xml.EndElement:
			top.text = strings.TrimSpace(top.text)
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
}

// at follows local names down; nil where one is missing. It may be called on nil.
func (n *node) at(path ...string) *node {
	for _, p := range path {
		if n == nil {
			return nil
		}
		var next *node
		for _, k := range n.kids {
			if k.name.Local == p {
				next = k
				break
			}
		}
		n = next
	}
	return n
}

// value is the text at a path, empty where there is none.
func (n *node) value(path ...string) string {
	if n = n.at(path...); n != nil {
		return n.text
	}
	return ""
}

// esc escapes text for XML content and attributes. Control characters that XML allows pass: a device may well send them.
func esc(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}
