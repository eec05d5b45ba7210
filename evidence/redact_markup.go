package evidence

import "bytes"

// markupSpans finds credentials and persons in XML and HTML, also where it is not well formed, and also where it stands
// escaped inside other text, as when a device quotes a request in a fault.
func markupSpans(b []byte) []span {
	var out []span
	if bytes.IndexByte(b, '<') >= 0 {
		out = scanMarkup(b)
	}
	for _, v := range []struct {
		sign string
		view func([]byte) view
	}{{"&lt;", entityView}, {"&#", entityView}, {`\u003c`, jsonView}, {`<\/`, jsonView}, {"%3C", percentView}, {"%3c", percentView}} {
		if !bytes.Contains(b, []byte(v.sign)) {
			continue
		}
		w := v.view(b)
		for _, x := range scanMarkup(w.text) {
			x.from, x.to = w.source(x.from, x.to)
			out = append(out, x)
		}
	}
	return out
}

// mode is what becomes of text and attribute values at a place in the tree.
type mode int

const (
	keep   mode = iota
	login       // a credential
	person      // below a person: everything
	event       // below the Data of an event: everything but harmless words
)

type frame struct {
	name string
	mode mode
}

// maxDepth is deeper than any device nests. Below it everything is treated as being about a person.
const maxDepth = 256

// markup walks over a document tag by tag. It expects nothing of the document: what is not closed stays open, what closes
// nothing is passed over.
type markup struct {
	b     []byte
	at    int
	stack []frame
	deep  int // open elements below maxDepth
	out   []span
}

func scanMarkup(b []byte) []span {
	m := &markup{b: b}
	for m.at < len(b) {
		i := bytes.IndexByte(b[m.at:], '<')
		if i < 0 {
			m.text(m.at, len(b))
			break
		}
		m.text(m.at, m.at+i)
		m.at += i
		m.bracket()
	}
	return m.out
}

func (m *markup) mode() mode {
	switch {
	case m.deep > 0:
		return person
	case len(m.stack) == 0:
		return keep
	}
	return m.stack[len(m.stack)-1].mode
}

func (m *markup) add(from, to int, kind string, l learning) {
	if len(bytes.TrimSpace(m.b[from:to])) > 0 {
		m.out = append(m.out, span{from, to, kind, l})
	}
}

func (m *markup) text(from, to int) {
	switch m.mode() {
	case login:
		m.add(from, to, kindWSSE, m.learning())
	case person:
		m.add(from, to, kindPerson, learnNot)
	case event:
		if !harmless(string(m.b[from:to])) {
			m.add(from, to, kindEvent, learnNot)
		}
	}
}

// learning says what the text of the innermost login element is good for elsewhere.
func (m *markup) learning() learning {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if l, ok := loginLearning(m.stack[i].name); ok {
			return l
		}
	}
	return learnNot
}

func loginLearning(name string) (learning, bool) {
	switch {
	case !loginNames[name]:
		return learnNot, false
	case name == "created", name == "random", name == "salt", name == "challenge", name == "opaque":
		return learnHere, true
	case userNames[name]:
		return learnUser, true
	case passwordNames[name]:
		return learnRequest, true
	}
	return learnRun, true
}

// bracket handles what begins with "<" at m.at and moves past it.
func (m *markup) bracket() {
	b, at := m.b, m.at
	rest := b[at:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		m.block(4, "-->")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		m.block(9, "]]>")
	case bytes.HasPrefix(rest, []byte("<?")):
		m.at = after(b, at+2, "?>")
	case bytes.HasPrefix(rest, []byte("</")):
		name, end := tagName(b, at+2)
		m.close(plain(name))
		for end < len(b) && b[end] != '>' && b[end] != '<' {
			end++
		}
		if end < len(b) && b[end] == '>' {
			end++
		}
		m.at = end
	default:
		m.open()
	}
}

// block is a comment or a CDATA section. Outside a sensitive place its inside is scanned like the rest: it may hold a document.
func (m *markup) block(skip int, until string) {
	start := m.at + skip
	if m.mode() == keep {
		m.at = start
		return
	}
	end := after(m.b, start, until)
	m.text(start, max(start, end-len(until)))
	m.at = end
}

func after(b []byte, at int, until string) int {
	if at > len(b) {
		return len(b)
	}
	if i := bytes.Index(b[at:], []byte(until)); i >= 0 {
		return at + i + len(until)
	}
	return len(b)
}

func tagName(b []byte, at int) (string, int) {
	end := at
	for end < len(b) && !isBlank(b[end]) && b[end] != '>' && b[end] != '/' && b[end] != '<' && b[end] != '=' && b[end] != '"' {
		end++
	}
	return string(b[at:min(end, at+128)]), end
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (m *markup) open() {
	name, at := tagName(m.b, m.at+1)
	local := plain(name)
	if name == "" || name[0] == '!' {
		m.at = min(m.at+1+len(name), len(m.b))
		if name == "" { // "<" in running text
			m.text(m.at-1, m.at)
		}
		return
	}
	var attrs []attr
	empty := false
	for {
		for at < len(m.b) && (isBlank(m.b[at]) || m.b[at] == '/') {
			empty = m.b[at] == '/'
			at++
		}
		if at >= len(m.b) || m.b[at] == '<' {
			break
		}
		if m.b[at] == '>' {
			at++
			break
		}
		var a attr
		if a, at = attribute(m.b, at); a.to > a.from {
			attrs = append(attrs, a)
			empty = false
		}
	}
	mo := m.enter(local)
	m.attributes(local, mo, attrs)
	m.at = at
	if empty {
		return
	}
	if len(m.stack) >= maxDepth {
		m.deep++
		return
	}
	m.stack = append(m.stack, frame{local, mo})
	if mo == login {
		m.leaf(local)
	}
}

// enter returns the mode inside an element of that name.
func (m *markup) enter(local string) mode {
	outer := m.mode()
	switch {
	case outer == person, outer == login:
		return outer
	case loginNames[local]:
		return login
	case personTrees[local]:
		return person
	case local == "data" && !m.inside("certificate") && !m.inside("policyfile"):
		return event
	}
	return outer
}

func (m *markup) inside(local string) bool {
	return len(m.stack) > 0 && m.stack[len(m.stack)-1].name == local
}

// leaf blots out everything up to the end of a credential, markup or not: a password may hold a "<" that nobody escaped.
// Where no end tag of its name follows, its text and that of all that follows inside its parent is blotted out instead.
func (m *markup) leaf(local string) {
	at := m.at
	for range 32 {
		i := bytes.Index(m.b[at:], []byte("</"))
		if i < 0 {
			return
		}
		name, end := tagName(m.b, at+i+2)
		if plain(name) == local {
			l, _ := loginLearning(local)
			m.add(m.at, at+i, kindWSSE, l)
			m.at = at + i
			return
		}
		at = end
	}
}

func (m *markup) close(local string) {
	if m.deep > 0 {
		m.deep--
		return
	}
	for i := len(m.stack) - 1; i >= 0; i-- {
		if m.stack[i].name == local {
			m.stack = m.stack[:i]
			return
		}
	}
}
