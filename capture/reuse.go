package capture

// What one message leaves behind serves the next: a capture holds hundreds of thousands.

const maxSpare = 256 // of each kind

// spares keeps what nobody holds any more.
type spares[T any] []*T

// take returns one of them, or a new one.
func (s *spares[T]) take() *T {
	n := len(*s)
	if n == 0 {
		return new(T)
	}
	x := (*s)[n-1]
	*s = (*s)[:n-1]
	return x
}

// put keeps x, as fresh says it is to be found again.
func (s *spares[T]) put(x *T, fresh T) {
	if len(*s) < maxSpare {
		*x = fresh
		*s = append(*s, x)
	}
}

// forgo says that one of those who hold a message needs it no longer. A message that is nil is nobody's.
func (e *Engine) forgo(m *Message) {
	if m == nil {
		return
	}
	if m.held > 0 {
		m.held--
		return
	}
	clear(m.Header)
	e.messages.put(m, Message{Header: m.Header[:0]})
}
