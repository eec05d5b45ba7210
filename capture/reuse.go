package capture

// What one message leaves behind serves the next: a capture holds hundreds of thousands.

const maxSpare = 256 // of each kind

// message returns an empty message that nobody else holds.
func (e *Engine) message() *Message {
	if n := len(e.messages); n > 0 {
		m := e.messages[n-1]
		e.messages = e.messages[:n-1]
		return m
	}
	return &Message{}
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
	if len(e.messages) < maxSpare {
		clear(m.Header)
		*m = Message{Header: m.Header[:0]}
		e.messages = append(e.messages, m)
	}
}

// httpMessage returns the state of a message that is yet to be read.
func (e *Engine) httpMessage() *httpMessage {
	if n := len(e.bodies); n > 0 {
		m := e.bodies[n-1]
		e.bodies = e.bodies[:n-1]
		return m
	}
	return &httpMessage{}
}

func (e *Engine) spareHTTP(m *httpMessage) {
	if len(e.bodies) < maxSpare {
		*m = httpMessage{}
		e.bodies = append(e.bodies, m)
	}
}
