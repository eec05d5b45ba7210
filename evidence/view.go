package evidence

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// view is a text with one kind of escaping undone, and where each of its bytes comes from.
type view struct {
	text     []byte
	from, to []int32 // nil: the text is the source
	squeezed bool
}

// source returns the stretch of the source that a stretch of the view comes from.
func (v view) source(from, to int) (int, int) {
	if v.from == nil {
		return from, to
	}
	return int(v.from[from]), int(v.to[to-1])
}

func (v *view) put(b []byte, from, to int) {
	for _, c := range b {
		v.text, v.from, v.to = append(v.text, c), append(v.from, int32(from)), append(v.to, int32(to))
	}
}

// views returns the bytes as they are and as every escaping they show signs of would have them.
func views(b []byte) []view {
	out := []view{{text: b}}
	if bytes.IndexByte(b, '%') >= 0 {
		out = append(out, percentView(b))
	}
	if bytes.IndexByte(b, '&') >= 0 {
		out = append(out, entityView(b))
	}
	if bytes.IndexByte(b, '\\') >= 0 {
		out = append(out, jsonView(b))
	}
	if bytes.ContainsAny(b, " \t\r\n\x00") {
		out = append(out, squeeze(b))
	}
	return out
}

func newView(n int) view {
	return view{text: make([]byte, 0, n), from: make([]int32, 0, n), to: make([]int32, 0, n)}
}

// undo is the view in which every escape that begins with a mark is what read makes of it; read returns n = 0 for none.
func undo(b []byte, mark byte, read func([]byte) (plain []byte, n int)) view {
	v := newView(len(b))
	for i := 0; i < len(b); {
		if b[i] == mark {
			if plain, n := read(b[i:]); n > 0 {
				v.put(plain, i, i+n)
				i += n
				continue
			}
		}
		v.put(b[i:i+1], i, i+1)
		i++
	}
	return v
}

func encoded(read func([]byte) (rune, int)) func([]byte) ([]byte, int) {
	return func(b []byte) ([]byte, int) {
		r, n := read(b)
		if n == 0 {
			return nil, 0
		}
		return utf8.AppendRune(nil, r), n
	}
}

func percentView(b []byte) view { return undo(b, '%', percent) }
func entityView(b []byte) view  { return undo(b, '&', encoded(entity)) }

func jsonView(b []byte) view {
	if bytes.IndexByte(b, '\\') < 0 {
		return view{text: b}
	}
	return undo(b, '\\', encoded(escape))
}

// percent reads a percent-encoded byte at the start of b; n is 0 for none.
func percent(b []byte) (plain []byte, n int) {
	if len(b) < 3 {
		return nil, 0
	}
	c, err := strconv.ParseUint(string(b[1:3]), 16, 8)
	if err != nil {
		return nil, 0
	}
	return []byte{byte(c)}, 3
}

// entity reads an XML entity or character reference at the start of b; n is 0 for none.
func entity(b []byte) (r rune, n int) {
	end := bytes.IndexByte(clipTo(b, 12), ';')
	if end < 2 {
		return 0, 0
	}
	switch name := string(b[1:end]); name {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	default:
		if name[0] != '#' {
			return 0, 0
		}
		digits, base := name[1:], 10
		if len(digits) > 1 && (digits[0] == 'x' || digits[0] == 'X') {
			digits, base = digits[1:], 16
		}
		c, err := strconv.ParseUint(digits, base, 21)
		if err != nil {
			return 0, 0
		}
		return rune(c), end + 1
	}
}

// escape reads a JSON escape at the start of b, a surrogate pair as one; n is 0 for none.
func escape(b []byte) (r rune, n int) {
	if len(b) < 2 {
		return 0, 0
	}
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), b[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	hi, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(hi) {
		if lo, ok := hex4(b[6:]); ok {
			if r := utf16.DecodeRune(hi, lo); r != utf8.RuneError {
				return r, 12
			}
		}
	}
	return hi, 6
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}

// squeeze drops white space and zero bytes: folded headers, wrapped base64, UTF-16.
func squeeze(b []byte) view {
	v := newView(len(b))
	v.squeezed = true
	for i, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != 0 {
			v.put([]byte{c}, i, i+1)
		}
	}
	return v
}
