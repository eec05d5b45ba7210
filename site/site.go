// Package site reads the site file: what an inspector declares of the premises, the authority and the notices. What belongs
// here is whatever needs the file as a person wrote it: lines and columns, vocabularies, its schema, templates, and what it
// declares as observations and facts. Rules do not belong here, and nothing is sent or dialled.
package site

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/mingshi-audit/mingshi/audit"
)

// SchemaName names the format of a site file.
const SchemaName = "mingshi.site/v1"

// Limits of what is read. A site file is written by people; one that passes these is something else.
const (
	MaxBytes    = 1 << 20
	maxDepth    = 32     // nested collections
	maxNodes    = 100000 // values, each use of an anchor counted again
	maxKeys     = 5000   // of one mapping
	maxProblems = 100    // reported at once
)

// Parse reads a site file strictly: unknown keys, repeated keys, words outside a closed vocabulary and references to what
// does not exist are problems. It returns either the file or an *Errors that holds every problem found, in the order of the
// file; name is used in messages only.
//
// The file returned is normalised: addresses in canonical form, MACs in lower case with colons, exemption items as "5(2)",
// methods as "attribute_analysis{age,gender}" with sorted attributes.
func Parse(data []byte, name string) (*audit.SiteFile, error) {
	f, problems := parse(data)
	if len(problems) > 0 {
		return nil, &Errors{Name: name, Problems: problems}
	}
	return f, nil
}

func parse(data []byte) (*audit.SiteFile, []Problem) {
	if len(data) > MaxBytes {
		return nil, []Problem{problemAt(1, 1, "site.too_big", len(data), MaxBytes)}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		line, col := invalidAt(data)
		return nil, []Problem{problemAt(line, col, "site.not_utf8")}
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))

	src := newSource(string(data))
	root, p := readYAML(src)
	if p != nil {
		return nil, []Problem{src.excerpt(*p)}
	}
	d := newDecoder(src)
	f := d.file(root)
	d.decoded = true
	v := &validator{decoder: d, f: f}
	v.all()
	return f, d.sorted()
}

// file decodes the document into a site file; what does not fit is recorded as problems.
func (d *decoder) file(root ast.Node) *audit.SiteFile {
	f := &audit.SiteFile{}
	d.anchorsOf(root)
	d.decode(root, valueOf(f), "")
	return f
}

func invalidAt(data []byte) (line, col int) {
	line, col = 1, 1
	for len(data) > 0 {
		r, w := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && w == 1:
			return line, col
		case r == '\n':
			line, col = line+1, 1
		default:
			col++
		}
		data = data[w:]
	}
	return line, col
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
