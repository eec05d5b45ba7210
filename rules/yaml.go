package rules

import (
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"
	yamlast "github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

func (p *Pack) decode(name string, into any) error {
	b, ok := p.files[name]
	if !ok {
		return fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return decode(name, b, into)
}

// decode reads one strict YAML document. Anchors and aliases are refused: a lawyer reads a rule without following them, and
// a few lines of them can expand to gigabytes.
func decode(name string, b []byte, into any) (err error) {
	defer func() { // a pack may come from anyone; a defect of the parser must not end the program
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: the YAML parser failed: %v", name, r)
		}
	}()
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, false))
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return fmt.Errorf("%s: want one YAML document", name)
	}
	v := &plain{}
	yamlast.Walk(v, f.Docs[0].Body)
	if v.bad != nil {
		pos := v.bad.GetToken().Position
		return fmt.Errorf("%s: [%d:%d] anchors, aliases and tags are not allowed", name, pos.Line, pos.Column)
	}
	if err := yaml.UnmarshalWithOptions(b, into, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, false))
	}
	return nil
}

// plain looks for nodes beyond plain data.
type plain struct{ bad yamlast.Node }

// Visit implements the visitor of the YAML library.
func (v *plain) Visit(n yamlast.Node) yamlast.Visitor {
	switch n.(type) {
	case *yamlast.AnchorNode, *yamlast.AliasNode, *yamlast.TagNode, *yamlast.MergeKeyNode:
		if v.bad == nil {
			v.bad = n
		}
		return nil
	}
	return v
}
