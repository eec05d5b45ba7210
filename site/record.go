package site

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// problem records a problem at a path: at its value, else its key, else the nearest thing around it that was written.
func (d *decoder) problem(path, id string, args ...any) { d.record(d.nodeAt(path), path, id, args...) }

func (d *decoder) record(n ast.Node, path, id string, args ...any) {
	line, col := 1, 1
	if n != nil {
		line, col = d.src.clamp(position(n))
	}
	if !d.decoded {
		d.bad[path] = true
	}
	d.problems = append(d.problems, Problem{Line: line, Col: col, Path: path, Text: msg.Text(id, args...)})
}

// stop records that a limit was hit, once.
func (d *decoder) stop(n ast.Node, path, id string) {
	if !d.stopped {
		d.record(n, path, id)
	}
	d.stopped = true
}

func (d *decoder) nodeAt(path string) ast.Node {
	for p := path; p != ""; p = parent(p) {
		if n := d.at[p]; n != nil {
			if _, null := n.(*ast.NullNode); !null && p == path {
				return n
			}
		}
		if n := d.keys[p]; n != nil {
			return n
		}
		if n := d.at[p]; n != nil {
			return n
		}
	}
	return d.at[""]
}

func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// sorted returns the problems in the order of the file, without repeats.
func (d *decoder) sorted() []Problem {
	slices.SortFunc(d.problems, compareProblems)
	out := slices.Compact(d.problems)
	if len(out) > maxProblems {
		out = append(out[:maxProblems:maxProblems], problemAt(out[maxProblems].Line, out[maxProblems].Col, "site.more", len(out)-maxProblems))
	}
	for i := range out {
		out[i] = d.src.excerpt(out[i])
	}
	return out
}

func (d *decoder) unknownKey(kv pair, path string, fields map[string]reflect.StructField) {
	known := make([]string, 0, len(fields))
	for k := range fields {
		known = append(known, k)
	}
	slices.Sort(known)
	key := cleanKey(kv.key)
	if sensitiveKey.MatchString(kv.key + ":") {
		d.record(kv.node, join(path, key), "site.login_inline")
		return
	}
	if near := nearest(key, known); near != "" {
		d.record(kv.node, join(path, key), "site.key_near", key, near)
		if p := join(path, near); d.at[p] == nil {
			d.at[p] = kv.value // so that the key it was meant to be is not reported as missing as well
		}
		return
	}
	d.record(kv.node, join(path, key), "site.key_unknown", key, strings.Join(known, ", "))
}

// unknownWord reports a word outside a closed vocabulary.
func (d *decoder) unknownWord(path, got string, words []string) {
	if near := nearest(got, words); near != "" {
		d.problem(path, "site.word_near", clean.Text(got, 60), near, strings.Join(words, ", "))
		return
	}
	d.problem(path, "site.word_unknown", clean.Text(got, 60), strings.Join(words, ", "))
}

// cleanKey shows a key, or that there is something that is none: a person who forgot a colon may have typed a login there.
func cleanKey(s string) string {
	if !keyLike.MatchString(s) {
		return "…"
	}
	return s
}

var keyLike = regexp.MustCompile(`^[\p{L}\p{N}_.<-]{1,40}$`)
