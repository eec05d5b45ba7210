// Package jsonkeep takes the values out of a JSON document before anything records it. The names of members stay, so that a
// reader sees what was there; values stay only for the members a caller names. It knows nothing of protocols.
package jsonkeep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

const (
	maxDepth  = 64
	maxName   = 64
	maxText   = 128
	maxTokens = 200_000
)

// Only returns the document with every value replaced by null except those of the named members, compared without case, and of
// lists that such a member holds. Texts that stay lose what cannot be seen and are cut at 128 characters; an address keeps its scheme and host. A name that is no plain word is
// replaced too: servers write persons' names there. What cannot be read as one JSON document leaves a remark with its length
// and nothing else.
func Only(b []byte, names ...string) []byte {
	k := keeper{names: names, d: json.NewDecoder(bytes.NewReader(b))}
	k.d.UseNumber()
	if err := k.value(false, 0); err == nil {
		if _, err = k.d.Token(); errors.Is(err, io.EOF) {
			return k.out.Bytes()
		}
	}
	return fmt.Appendf(nil, "(%d bytes that are no JSON document, not recorded)", len(b))
}

type keeper struct {
	names  []string
	d      *json.Decoder
	out    bytes.Buffer
	tokens int
}

var errLimit = errors.New("jsonkeep: too deep or too long")

func (k *keeper) value(keep bool, depth int) error {
	if k.tokens++; depth > maxDepth || k.tokens > maxTokens {
		return errLimit
	}
	t, err := k.d.Token()
	if err != nil {
		return err
	}
	switch x := t.(type) {
	case json.Delim:
		return k.compound(x, keep, depth)
	case string:
		k.text(keep, x)
	case json.Number:
		if len(x) > 32 {
			keep = false
		}
		k.scalar(keep, x)
	default:
		k.scalar(keep, t)
	}
	return nil
}

// text keeps of an address of the web the scheme and the host: what else it has may be an account, a key or a person.
func (k *keeper) text(keep bool, s string) {
	if strings.Contains(s, "://") || strings.Contains(s, "@") {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			k.scalar(false, nil)
			return
		}
		s = u.Scheme + "://" + u.Host
	}
	k.scalar(keep, graphic(s))
}

func (k *keeper) scalar(keep bool, v any) {
	b, err := json.Marshal(v)
	if !keep || err != nil {
		b = []byte("null")
	}
	k.out.Write(b)
}

// compound writes an object or a list whose opening was read.
func (k *keeper) compound(open json.Delim, keep bool, depth int) error {
	k.out.WriteString(open.String())
	for n := 0; k.d.More(); n++ {
		if n > 0 {
			k.out.WriteByte(',')
		}
		inside := keep && open == '['
		if open == '{' {
			t, err := k.d.Token()
			if err != nil {
				return err
			}
			name, _ := t.(string)
			inside = slices.ContainsFunc(k.names, func(s string) bool { return strings.EqualFold(s, name) })
			if !plain(name) {
				name = "?"
			}
			k.out.WriteString(`"` + name + `":`)
		}
		if err := k.value(inside, depth+1); err != nil {
			return err
		}
	}
	end, err := k.d.Token()
	if err != nil {
		return err
	}
	fmt.Fprint(&k.out, end)
	return nil
}

// graphic returns what can be seen of a text, 128 characters at most.
func graphic(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > maxText || !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
}

// plain reports whether a member's name is a word as programs write it.
func plain(s string) bool {
	return s != "" && len(s) <= maxName && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == ""
}
