package jsonkeep

// Closed returns what is complete of a JSON text that was cut off: without the member or element that the end lies in, and with what
// is open closed. A number at the end may go on, and is left out. It returns nil where nothing is complete; what is no JSON comes
// back as no JSON.
func Closed(b []byte) []byte {
	const deepest = 64
	var open []byte // closing brackets of what is open
	safe, safeOpen := -1, []byte(nil)
	mark := func(i int) { safe, safeOpen = i, append(safeOpen[:0], open...) }
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := stringEnd(b[i:])
			if n < 0 {
				i = len(b)
				continue
			}
			i += n - 1
		case '{', '[':
			if len(open) == deepest {
				return nil
			}
			open = append(open, b[i]+2) // '{' and '}', '[' and ']' are two apart
			mark(i + 1)
		case '}', ']':
			if len(open) == 0 || open[len(open)-1] != b[i] {
				return nil
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return b[:i+1]
			}
			mark(i + 1)
		case ',':
			mark(i)
		}
	}
	if safe < 0 {
		return nil
	}
	out := append([]byte(nil), b[:safe]...)
	for i := len(safeOpen) - 1; i >= 0; i-- {
		out = append(out, safeOpen[i])
	}
	return out
}

// stringEnd returns the length of the string at the start of b, -1 where it does not end.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}
