package site

import (
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// decoder puts a document into the nouns of package audit. It is ours and not the library's because a person should see
// every problem of a file at once, each with its place, in their own language, and no secret in any of them.
type decoder struct {
	src      *source
	anchors  map[string]ast.Node
	at       map[string]ast.Node // values by path
	keys     map[string]ast.Node // keys by path
	problems []Problem
	nodes    int
	depth    int
	stopped  bool            // a limit was hit; nothing more is read
	decoded  bool            // values are in their places; what follows is about their meaning
	bad      map[string]bool // paths whose value could not be read: nothing below them is missing
}

func newDecoder(src *source) *decoder {
	return &decoder{src: src, anchors: map[string]ast.Node{}, at: map[string]ast.Node{}, keys: map[string]ast.Node{}, bad: map[string]bool{}}
}

func valueOf(p any) reflect.Value { return reflect.ValueOf(p).Elem() }

// decode puts a value where it belongs. What does not fit leaves the zero value and a problem.
func (d *decoder) decode(n ast.Node, v reflect.Value, path string) {
	if d.stopped || n == nil {
		return
	}
	if d.nodes++; d.nodes > maxNodes {
		d.stop(n, path, "site.too_many")
		return
	}
	if d.depth++; d.depth > maxDepth {
		d.depth--
		d.stop(n, path, "site.too_deep")
		return
	}
	defer func() { d.depth-- }()
	d.at[path] = n // an alias is reported where it stands, not where its value does
	if n = d.resolve(n, path); n == nil {
		return
	}
	if _, ok := n.(*ast.NullNode); ok {
		return // "key:" without a value says nothing, like a key that is not there
	}
	if d.special(n, v, path) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		before := len(d.problems)
		d.decode(n, p.Elem(), path)
		if len(d.problems) == before {
			v.Set(p)
		}
	case reflect.Struct:
		d.decodeStruct(n, v, path)
	case reflect.Slice:
		d.decodeList(n, v, path)
	case reflect.Map:
		d.decodeMap(n, v, path)
	case reflect.String:
		if s, ok := d.text(n, path); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
		} else {
			d.mismatch(n, path, "bool")
		}
	case reflect.Float64:
		f, err := strconv.ParseFloat(strings.ReplaceAll(n.GetToken().Value, "_", ""), 64)
		if kindOf(n) != "number" || err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			d.mismatch(n, path, "number")
			return
		}
		v.SetFloat(f)
	case reflect.Int:
		i, err := strconv.Atoi(n.GetToken().Value)
		switch kindOf(n) {
		case "number":
		case "text":
			err = strconv.ErrSyntax
		default:
			d.mismatch(n, path, "number")
			return
		}
		if err != nil {
			d.problem(path, "site.whole", clean.Text(n.GetToken().Value, 60))
			return
		}
		v.SetInt(int64(i))
	default:
		panic("site: no way to read a " + v.Type().String()) // a programming error: a new field of a new kind
	}
}

// special reads types that have a notation of their own.
func (d *decoder) special(n ast.Node, v reflect.Value, path string) bool {
	switch p := v.Addr().Interface().(type) {
	case *audit.Moment:
		s, ok := d.text(n, path)
		if !ok {
			return true
		}
		m, err := audit.ParseMoment(s)
		if err != nil {
			d.problem(path, "site.moment", clean.Text(s, 60))
		}
		*p = m
	case *netip.Prefix:
		if s, ok := d.text(n, path); ok {
			*p = d.prefix(s, path)
		}
	case *audit.Permit:
		s, ok := d.text(n, path)
		if !ok {
			return true
		}
		m, err := audit.ParsePermit(strings.TrimSpace(s))
		if err != nil {
			var words []string
			for _, x := range audit.Permits() {
				words = append(words, x.String())
			}
			d.unknownWord(path, s, words)
			m = audit.PermitNone
		}
		*p = m
	case *audit.NotWalked: // the law's record form writes bare zone names here
		if kindOf(n) == "text" || kindOf(n) == "number" {
			p.Zone, _ = d.text(n, path)
			return true
		}
		return false
	default:
		return false
	}
	return true
}

func (d *decoder) decodeStruct(n ast.Node, v reflect.Value, path string) {
	pairs, ok := d.pairs(n, path)
	if !ok {
		return
	}
	fields := fieldsOf(v.Type())
	for _, kv := range pairs {
		key := kv.key
		if a, ok := aliases()[v.Type().Name()+"."+key]; ok {
			key = a
		}
		p := join(path, key)
		f, ok := fields[key]
		if !ok {
			d.unknownKey(kv, path, fields)
			continue
		}
		d.keys[p] = kv.node
		d.decode(kv.value, v.FieldByIndex(f.Index), p)
	}
}

func (d *decoder) decodeList(n ast.Node, v reflect.Value, path string) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		d.mismatch(n, path, "list")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values))
	for i, e := range s.Values {
		p := index(path, i)
		if x, ok := e.(*ast.NullNode); ok || e == nil {
			if x != nil {
				d.at[p] = x
			}
			d.problem(p, "site.empty_item")
			continue
		}
		if strings.HasSuffix(path, ".methods") { // attribute_analysis: [age, gender]
			if m, ok := d.methodMapping(e, p); ok {
				out.Index(i).SetString(m)
				continue
			}
		}
		d.decode(e, out.Index(i), p)
	}
	v.Set(out)
}

func (d *decoder) methodMapping(n ast.Node, path string) (string, bool) {
	m := d.resolve(n, path)
	if m == nil || kindOf(m) != "mapping" {
		return "", false
	}
	pairs, ok := d.pairs(m, path)
	if !ok || len(pairs) != 1 {
		return "", false
	}
	d.at[path] = n
	var attrs []string
	d.decode(pairs[0].value, valueOf(&attrs), join(path, pairs[0].key))
	return pairs[0].key + "{" + strings.Join(attrs, ",") + "}", true
}

// decodeMap reads credentials: names and where logins are kept.
func (d *decoder) decodeMap(n ast.Node, v reflect.Value, path string) {
	pairs, ok := d.pairs(n, path)
	if !ok {
		return
	}
	out := map[string]string{}
	for _, kv := range pairs {
		p := join(path, kv.key)
		d.keys[p] = kv.node
		value := d.resolve(kv.value, p)
		if value == nil {
			continue
		}
		d.at[p] = kv.value
		switch kindOf(value) {
		case "nothing":
			d.problem(p, "site.login_empty")
		case "list", "mapping":
			d.problem(p, "site.login_inline")
		default:
			out[kv.key], _ = d.text(value, p)
		}
	}
	v.Set(reflect.ValueOf(out))
}

// text returns a scalar as it was written. Numbers are taken as text, so that a registration number needs no quotes.
func (d *decoder) text(n ast.Node, path string) (string, bool) {
	switch x := n.(type) {
	case *ast.LiteralNode:
		return d.src.unbraced(x.Value.Value), true
	case *ast.StringNode:
		return d.src.unbraced(x.Value), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.BoolNode:
		d.problem(path, "site.quote_it", x.Token.Value)
		return "", false
	}
	d.mismatch(n, path, "text")
	return "", false
}

func (d *decoder) mismatch(n ast.Node, path, want string) {
	d.problem(path, "site.type", msg.Text("site.kind."+want), kindText(n))
}

func kindText(n ast.Node) audit.Text {
	switch k := kindOf(n); k {
	case "mapping", "list", "bool", "number", "text", "nothing":
		return msg.Text("site.kind." + k)
	}
	return msg.Text("site.kind.other")
}

// fieldsOf maps the keys of a mapping to the fields of a type.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	out := map[string]reflect.StructField{}
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
			out[name] = f
		}
	}
	return out
}

// aliases are keys of older record forms that mean another key.
func aliases() map[string]string { return map[string]string{"Site.venue_type": "venue"} }
