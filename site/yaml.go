package site

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// readYAML returns the root of the one document, or the problem that kept the file from being YAML at all.
func readYAML(src *source) (root ast.Node, problem *Problem) {
	defer func() {
		if recover() != nil { // the parser has panicked on garbage before; a person's typing error must not look like a crash
			p := problemAt(1, 1, "site.yaml", "unreadable")
			root, problem = nil, &p
		}
	}()
	if p := unclosed(src.text); p != nil {
		return nil, p
	}
	if p := deep(lexer.Tokenize(src.text)); p != nil {
		return nil, p
	}
	// Tokens are made anew: the parser links and changes the ones it is given.
	f, err := parser.Parse(lexer.Tokenize(braces(src.text)), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p := syntax(src, err)
		return nil, &p
	}
	var bodies []ast.Node
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		if _, ok := d.Body.(*ast.DirectiveNode); ok {
			continue
		}
		bodies = append(bodies, d.Body)
	}
	switch {
	case len(bodies) == 0:
		p := problemAt(1, 1, "site.empty")
		return nil, &p
	case len(bodies) > 1:
		line, col := position(bodies[1])
		p := problemAt(line, col, "site.documents")
		return nil, &p
	}
	return bodies[0], nil
}

// deep refuses what would take the parser more than linear time: it copies all keys of a mapping for each further one, and
// walks back through everything around a bracket.
func deep(tokens token.Tokens) *Problem {
	flow, line, entries := 0, 0, 0
	keys := map[int]int{} // keys of the mapping open at a column
	for _, t := range tokens {
		if t.Position.Line != line {
			line, entries = t.Position.Line, 0
			for col := range keys {
				if col > t.Position.Column {
					delete(keys, col)
				}
			}
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if flow == 0 {
				entries++
			}
			if k := t.Prev; t.Type == token.MappingValueType && k != nil && k.Position != nil {
				keys[k.Position.Column]++
				if keys[k.Position.Column] > maxKeys {
					p := problemAt(t.Position.Line, t.Position.Column, "site.too_many")
					return &p
				}
			}
		}
		if flow > maxDepth || entries > maxDepth || t.Position.IndentNum > 8*maxDepth {
			p := problemAt(t.Position.Line, t.Position.Column, "site.too_deep")
			return &p
		}
	}
	return nil
}

// unclosed refuses, before anything else reads it, a text with more open brackets than any person leaves.
func unclosed(text string) *Problem {
	open, line := 0, 1
	for _, r := range text {
		switch r {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '\n':
			line++
		}
		if open > 1000 {
			p := problemAt(line, 1, "site.too_deep")
			return &p
		}
	}
	return nil
}

// The law's notation attribute_analysis{age,gender} is not YAML within [ ], so its braces and commas are read as characters
// that cannot occur otherwise, and put back by unbraced.
var (
	braced   = regexp.MustCompile(`attribute_analysis\{[^{}\n"']*\}`)
	toBrace  = strings.NewReplacer("{", "\ue0f0", "}", "\ue0f1", ",", "\ue0f2")
	unBraces = strings.NewReplacer("\ue0f0", "{", "\ue0f1", "}", "\ue0f2", ",")
)

func braces(s string) string {
	if !canBrace(s) {
		return s
	}
	return braced.ReplaceAllStringFunc(s, toBrace.Replace)
}

// canBrace reports whether a file is free of the characters that stand in.
func canBrace(s string) bool { return !strings.ContainsAny(s, "\ue0f0\ue0f1\ue0f2") }

// unbraced gives back what braces took, in a file that it changed.
func (s *source) unbraced(v string) string {
	if !s.braced {
		return v
	}
	return unBraces.Replace(v)
}

// syntax turns the parser's complaint into a problem. Its words are English; the frequent ones have a sentence of their own.
func syntax(src *source, err error) Problem {
	var e interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if !errors.As(err, &e) {
		return problemAt(1, 1, "site.yaml", "unreadable")
	}
	line, col := 1, 1
	if t := e.GetToken(); t != nil && t.Position != nil {
		line, col = t.Position.Line, t.Position.Column
	}
	line, col = src.clamp(line, col)
	m := e.GetMessage()
	id := ""
	switch {
	case strings.Contains(m, "found character '\t'"), strings.HasPrefix(strings.TrimLeft(src.lines[line-1], " "), "\t"):
		id = "site.yaml.tab"
	case strings.HasPrefix(m, "could not find end character of"):
		id = "site.yaml.quote"
	case m == "sequence end token ']' not found", m == "',' or ']' must be specified":
		id = "site.yaml.bracket"
	case m == "could not find flow mapping end token '}'", m == "',' or '}' must be specified", m == "could not find flow map content":
		id = "site.yaml.brace"
		if strings.Contains(src.lines[line-1], "{{") {
			id = "site.yaml.placeholder"
		}
	case m == "mapping value is not allowed in this context":
		id = "site.yaml.colon"
	case strings.Contains(m, "map key-value is pre-defined"), m == "non-map value is specified", m == "value is not allowed in this context":
		id = "site.yaml.indent"
	case strings.Contains(m, "is a reserved character"):
		id = "site.yaml.reserved"
	}
	if id != "" {
		return problemAt(line, col, id)
	}
	if src.shown[line-1] != src.lines[line-1] {
		m = "unreadable" // a message may quote the line, and the line holds something that must not be shown
	}
	return Problem{Line: line, Col: col, Text: msg.Text("site.yaml", clean.Text(src.unbraced(m), 200))}
}

// clamp keeps a position within the file: the parser's is off it for some unfinished constructs.
func (s *source) clamp(line, col int) (int, int) {
	line = min(max(line, 1), len(s.lines))
	return line, min(max(col, 1), s.widths[line-1]+1)
}

// position is where a value begins as a person sees it: a mapping at its first key, a list at its first dash.
func position(n ast.Node) (line, col int) {
	switch x := n.(type) {
	case *ast.MappingNode:
		if !x.IsFlowStyle && len(x.Values) > 0 {
			return position(x.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return position(x.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line, t.Position.Column
	}
	return 1, 1
}

// kindOf names what a person wrote, for messages.
func kindOf(n ast.Node) string {
	switch x := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "mapping"
	case *ast.SequenceNode:
		return "list"
	case *ast.BoolNode:
		return "bool"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "number"
	case *ast.NullNode:
		return "nothing"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	default:
		return fmt.Sprintf("%T", x)
	}
}
