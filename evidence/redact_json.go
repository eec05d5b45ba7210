package evidence

import "bytes"

// jsonString is the inside of a JSON string, without its quotes.
type jsonString struct {
	from, to int
	key      bool // a member's name
}

// jsonStrings lists the strings in a text. In a text that is not JSON it finds what looks like them.
func jsonStrings(b []byte) []jsonString {
	var out []jsonString
	for i := 0; i < len(b); i++ {
		if b[i] != '"' {
			continue
		}
		from := i + 1
		for i = from; i < len(b) && b[i] != '"'; i++ {
			if b[i] == '\\' {
				i++
			}
		}
		to := min(i, len(b))
		next := i + 1
		for next < len(b) && isBlank(b[next]) {
			next++
		}
		out = append(out, jsonString{from, to, next < len(b) && b[next] == ':'})
	}
	return out
}

// jsonSpans finds credentials and persons in JSON, as the vendors' interfaces and GA/T 1400 send it. It works on the text, so
// that a cut or broken document is no way around it.
func jsonSpans(b []byte) []span {
	if bytes.IndexByte(b, '"') < 0 || bytes.IndexByte(b, ':') < 0 {
		return nil
	}
	var out []span
	done := 0
	for _, s := range jsonStrings(b) {
		if !s.key || s.from < done || s.to-s.from > 64 {
			continue
		}
		name := plain(string(jsonView(b[s.from:s.to]).text))
		l, isLogin := loginLearning(name)
		isPerson := personTrees[name]
		if !isLogin && !isPerson {
			continue
		}
		at := s.to + 1
		for at < len(b) && (isBlank(b[at]) || b[at] == ':') {
			at++
		}
		kind := kindPerson
		if isLogin {
			kind = kindWSSE
		} else {
			l = learnNot
		}
		end := jsonEnd(b, at)
		out = appendLeaves(out, b, at, end, kind, l)
		done = end
	}
	return out
}

// jsonEnd returns where the value at a position ends; the end of the text for one that does not.
func jsonEnd(b []byte, at int) int {
	depth := 0
	for i := at; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(b))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return min(i+max(0, depth+1), len(b))
			}
		case ',', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// appendLeaves takes every string that is not a name, and every number and word, between two positions.
func appendLeaves(out []span, b []byte, at, end int, kind string, l learning) []span {
	for i := at; i < end; i++ {
		switch c := b[i]; {
		case c == '"':
			from := i + 1
			for i = from; i < end && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			to := min(i, end)
			next := i + 1
			for next < end && isBlank(b[next]) {
				next++
			}
			if (next >= end || b[next] != ':') && to > from {
				out = append(out, span{from, to, kind, l})
			}
		case isBlank(c), bytes.IndexByte([]byte("{}[]:,"), c) >= 0:
		default:
			from := i
			for i < end && !isBlank(b[i]) && bytes.IndexByte([]byte("{}[]:,\""), b[i]) < 0 {
				i++
			}
			if w := string(b[from:i]); w != "null" {
				out = append(out, span{from, i, kind, learnNot})
			}
			i--
		}
	}
	return out
}
