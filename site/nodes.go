package site

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/mingshi-audit/mingshi/internal/clean"
)

// anchorsOf collects anchors in document order.
func (d *decoder) anchorsOf(n ast.Node) {
	if d.depth++; d.depth > 8*maxDepth {
		d.depth--
		return
	}
	defer func() { d.depth-- }()
	switch x := n.(type) {
	case *ast.MappingNode:
		for _, v := range x.Values {
			d.anchorsOf(v)
		}
	case *ast.MappingValueNode:
		d.anchorsOf(x.Value)
	case *ast.SequenceNode:
		for _, v := range x.Values {
			d.anchorsOf(v)
		}
	case *ast.TagNode:
		d.anchorsOf(x.Value)
	case *ast.AnchorNode:
		name := x.Name.GetToken().Value
		if d.anchors[name] != nil {
			d.record(x, "", "site.anchor_twice", clean.Text(name, 40))
		}
		d.anchors[name] = x.Value
		d.anchorsOf(x.Value)
	}
}

// resolve follows anchors, aliases and the tags of YAML's own types. It returns nil, with a problem recorded, for what it
// cannot follow.
func (d *decoder) resolve(n ast.Node, path string) ast.Node {
	for range maxDepth {
		switch x := n.(type) {
		case *ast.AnchorNode:
			n = x.Value
		case *ast.AliasNode:
			name := x.Value.GetToken().Value
			if d.anchors[name] == nil {
				d.record(x, path, "site.anchor_unknown", clean.Text(name, 40))
				return nil
			}
			n = d.anchors[name]
		case *ast.TagNode:
			if !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!seq", "!!map", "!!null", "!!timestamp"}, x.Start.Value) {
				d.record(x, path, "site.tag", clean.Text(x.Start.Value, 40))
				return nil
			}
			n = x.Value
		case nil:
			return nil
		default:
			return n
		}
	}
	d.record(n, path, "site.too_deep")
	return nil
}

type pair struct {
	key         string
	node, value ast.Node
}

// pairs returns the keys and values of a mapping in the order of the file; merged ones come after its own. Repeated keys
// are problems.
func (d *decoder) pairs(n ast.Node, path string) ([]pair, bool) {
	var values []*ast.MappingValueNode
	switch x := n.(type) {
	case *ast.MappingNode:
		values = x.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{x}
	default:
		d.mismatch(n, path, "mapping")
		return nil, false
	}
	if d.nodes += len(values); d.nodes > maxNodes {
		d.stop(n, path, "site.too_many")
		return nil, false
	}
	var out []pair
	seen := map[string]ast.Node{}
	for _, kv := range values {
		if kv.Key.IsMergeKey() {
			continue
		}
		t := kv.Key.GetToken()
		if _, ok := kv.Key.(*ast.MappingKeyNode); ok || t == nil {
			d.record(kv.Key, path, "site.complex_key")
			continue
		}
		key := t.Value
		if first := seen[key]; first != nil {
			line, _ := position(first)
			d.record(kv.Key, join(path, cleanKey(key)), "site.key_twice", cleanKey(key), line)
			continue
		}
		seen[key] = kv.Key
		out = append(out, pair{key, kv.Key, kv.Value})
	}
	for _, kv := range values {
		if !kv.Key.IsMergeKey() {
			continue
		}
		for _, m := range d.merged(kv.Value, path) {
			if seen[m.key] == nil {
				seen[m.key] = m.node
				out = append(out, m)
			}
		}
	}
	return out, true
}

// merged returns what "<<:" brings in: the pairs of one mapping or of several, the first winning.
func (d *decoder) merged(n ast.Node, path string) []pair {
	if d.nodes++; d.nodes > maxNodes || d.depth >= maxDepth {
		d.stop(n, path, "site.too_many")
		return nil
	}
	d.depth++
	defer func() { d.depth-- }()
	v := d.resolve(n, path)
	if v == nil || d.stopped {
		return nil
	}
	if s, ok := v.(*ast.SequenceNode); ok {
		var out []pair
		for _, e := range s.Values {
			out = append(out, d.merged(e, path)...)
		}
		return out
	}
	out, _ := d.pairs(v, path)
	return out
}
