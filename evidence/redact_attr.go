package evidence

import "strings"

// attr is an attribute with where its value stands.
type attr struct {
	name     string // as written, lower case
	from, to int
}

// attributes looks at the attributes of an element whose inside is in a mode.
func (m *markup) attributes(local string, mo mode, attrs []attr) {
	name, value := "", -1
	for i, a := range attrs {
		plainName := plain(a.name)
		switch plainName {
		case "name":
			name = string(m.b[a.from:a.to])
		case "value":
			value = i
		}
		if a.name == "xmlns" || strings.HasPrefix(a.name, "xmlns:") {
			continue
		}
		l, isLogin := loginLearning(plainName)
		switch {
		case mo == person:
			m.add(a.from, a.to, kindPerson, learnNot)
		case isLogin && plainName != "created" && plainName != "random", local == "usernametoken" && plainName != "id":
			m.add(a.from, a.to, kindWSSE, l)
		case mo == login && plainName != "type" && plainName != "encodingtype" && plainName != "id":
			m.add(a.from, a.to, kindWSSE, learnNot)
		case plainName == "likelihood":
			m.add(a.from, a.to, kindPerson, learnNot)
		case mo == event && local != "simpleitem" && plainName != "name" && plainName != "type" && !harmless(string(m.b[a.from:a.to])):
			m.add(a.from, a.to, kindEvent, learnNot)
		}
	}
	if value < 0 || mo == person {
		return
	}
	v := attrs[value]
	switch {
	case local == "simpleitem" && personItem(name):
		m.add(v.from, v.to, kindPerson, learnNot)
	case local == "simpleitem" && mo == event && !harmless(string(m.b[v.from:v.to])):
		m.add(v.from, v.to, kindEvent, learnNot)
	case local == "input" && (loginNames[plain(name)] || hasPassword(m.b, attrs)):
		m.add(v.from, v.to, kindWSSE, learnNot)
	}
}

// hasPassword reports whether an HTML input is of type password.
func hasPassword(b []byte, attrs []attr) bool {
	for _, a := range attrs {
		if (a.name == "type" || a.name == "id") && loginNames[plain(string(b[a.from:a.to]))] {
			return true
		}
	}
	return false
}

// attribute reads one attribute at a position that is neither blank nor an end, and always moves on. A value ends at its
// quote, at the latest at a "<", which no value may hold.
func attribute(b []byte, at int) (attr, int) {
	from := at
	for at < len(b) && !isBlank(b[at]) && b[at] != '=' && b[at] != '>' && b[at] != '<' && b[at] != '/' {
		at++
	}
	a := attr{name: strings.ToLower(string(b[from:min(at, from+128)]))}
	eq := at
	for eq < len(b) && isBlank(b[eq]) {
		eq++
	}
	if eq >= len(b) || b[eq] != '=' {
		return a, max(at, from+1)
	}
	for eq++; eq < len(b) && isBlank(b[eq]); eq++ {
	}
	if eq >= len(b) {
		return a, eq
	}
	if q := b[eq]; q == '"' || q == '\'' {
		a.from = eq + 1
		a.to = a.from
		for a.to < len(b) && b[a.to] != q && b[a.to] != '<' {
			a.to++
		}
		if a.to < len(b) && b[a.to] == q {
			return a, a.to + 1
		}
		return a, a.to
	}
	a.from, a.to = eq, eq
	for a.to < len(b) && !isBlank(b[a.to]) && b[a.to] != '>' && b[a.to] != '<' {
		a.to++
	}
	return a, a.to
}
