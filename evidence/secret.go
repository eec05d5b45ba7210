package evidence

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// scrubber knows the secrets of a run: those it was given and those it saw being used.
type scrubber struct {
	mu    sync.RWMutex
	given literals
	seen  map[string]bool // nonces and digests we sent in this run, found as whole tokens
}

func newScrubber() *scrubber { return &scrubber{seen: map[string]bool{}} }

// maxSeen bounds the memory for nonces and digests: two for each of many thousand requests.
const maxSeen = 1 << 17

// Secret registers secrets that must never reach the disk: passwords, tokens, base64 of user:password. They are found
// anywhere, also escaped for XML, JSON or URLs, wrapped over lines, or in base64; those below four bytes only as whole words.
// Secrets that are blank or all asterisks are passed over.
func (s *scrubber) Secret(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range secrets {
		s.given.add(x, len(x) < 4, kindSecret)
		if len(x) >= 4 {
			for _, v := range encodings(x) {
				s.given.add(v, false, kindSecret)
			}
		}
	}
}

// User registers user names. They are found as whole words only: "admin" is left alone in "administrator".
func (s *scrubber) User(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range names {
		s.given.add(x, true, kindUser)
	}
}

// Login registers a user name, its password, and both as Basic authentication would send them.
func (s *scrubber) Login(user, password string) {
	s.User(user)
	s.Secret(password)
	if password != "" {
		s.Secret(user + ":" + password)
	}
}

// encodings are the forms of a secret that no view undoes.
func encodings(x string) []string {
	std := base64.StdEncoding.EncodeToString([]byte(x))
	web := base64.URLEncoding.EncodeToString([]byte(x))
	return []string{std, strings.TrimRight(std, "="), web, strings.TrimRight(web, "="), strings.ReplaceAll(x, " ", "+")}
}

// Scrub returns JSON with every registered secret blotted out of its strings, every nonce and digest we sent in this run, and
// the proofs of a digest header somebody quoted. It stays valid JSON of the same length.
// Two things are left alone, because they are the program's own words: object keys of lower-case letters and underscores,
// and a whole value under a key with a closed vocabulary ("kind": "camera"). Text that is not JSON is scrubbed as text.
func (s *scrubber) Scrub(b []byte) []byte {
	if !json.Valid(b) {
		out, _ := s.blot(b, nil, &literals{}, partNote)
		return out
	}
	out := slices.Clone(b)
	for range 8 {
		changed := false
		key := ""
		for _, str := range jsonStrings(out) {
			inner := out[str.from:str.to]
			if str.key {
				key = string(inner)
			}
			if str.key && ownKey(inner) {
				continue
			}
			v := jsonView(inner)
			for _, x := range append(s.literalSpans(v.text, &literals{}), proofSpans(v.text)...) {
				if !str.key && closedKeys[key] && x.from == 0 && x.to == len(v.text) {
					continue
				}
				from, to := v.source(x.from, x.to)
				changed = fill(inner[from:to]) || changed
			}
		}
		if !changed {
			break
		}
	}
	return out
}

// proofPattern finds the parameters of digest authentication that prove something, where a text quotes a header.
var proofPattern = regexp.MustCompile(`(?i)\b(?:nonce|cnonce|nextnonce|opaque|response|rspauth)[ \t]*=[ \t]*["']?([^"',;\s]{6,})`)

func proofSpans(b []byte) []span {
	var out []span
	if bytes.IndexByte(b, '=') < 0 {
		return nil
	}
	for _, m := range proofPattern.FindAllSubmatchIndex(b, -1) {
		out = append(out, span{m[2], m[3], kindAuth, learnNot})
	}
	return out
}

// closedKeys are the keys of report.json and journal whose values come from closed vocabularies.
var closedKeys = map[string]bool{"kind": true, "status": true, "class": true, "level": true, "outcome": true, "severity": true,
	"confidence": true, "burden": true, "permit": true, "basis": true, "module": true, "method": true, "merge": true, "type": true,
	"venue": true, "schema": true, "auth": true, "event": true}

func ownKey(k []byte) bool {
	return len(bytes.Trim(k, "abcdefghijklmnopqrstuvwxyz_")) == 0
}

// literals is a set of byte strings to look for.
type literals struct {
	list []literal
}

type literal struct {
	text     string
	squeezed string // without white space
	word     bool
	kind     string
}

func (l *literals) add(text string, word bool, kind string) {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "* \t\r\n") == "" || slices.ContainsFunc(l.list, func(x literal) bool { return x.text == text && x.word == word }) {
		return
	}
	l.list = append(l.list, literal{text: text, squeezed: string(squeeze([]byte(text)).text), word: word, kind: kind})
}

// maxLearned bounds what one exchange teaches, so that a device cannot keep us busy with a million nonces. A login takes
// fewer than ten.
const maxLearned = 64

// learn takes from the spans of a message what must not appear elsewhere either.
func (s *scrubber) learn(here *literals, b []byte, spans []span, request bool) {
	for _, x := range spans {
		if len(here.list) >= maxLearned {
			return
		}
		text := strings.Trim(string(b[x.from:x.to]), "\"' \t\r\n")
		switch {
		case x.learn == learnRun && len(text) >= 6:
			here.add(text, false, x.kind)
			if !request {
				continue
			}
			s.remember(text)
			if user, password, ok := basic(text); ok {
				here.add(user, true, kindUser)
				here.add(password, len(password) < 4, kindSecret)
			}
		case x.learn == learnHere && len(text) >= 6:
			here.add(text, false, x.kind)
		case x.learn == learnRequest && request:
			here.add(text, len(text) < 4, x.kind)
		case x.learn == learnUser && request && len(text) >= 2:
			here.add(text, true, x.kind)
		}
	}
}

func basic(text string) (user, password string, ok bool) {
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return "", "", false
	}
	user, password, ok = strings.Cut(string(raw), ":")
	return user, password, ok
}

func (s *scrubber) remember(text string) {
	if len(text) < 8 {
		return // short enough to be a word of somebody else's
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) < maxSeen {
		s.seen[text] = true
	}
}

// literalSpans finds given secrets, those of this exchange and those seen before, however they are escaped.
func (s *scrubber) literalSpans(b []byte, here *literals) []span {
	s.mu.RLock()
	defer s.mu.RUnlock()
	lits := slices.Concat(s.given.list, here.list)
	var out []span
	if len(lits) > 0 {
		for _, v := range views(b) {
			for _, l := range lits {
				out = appendMatches(out, v, l)
			}
		}
	}
	if len(s.seen) > 0 {
		out = s.appendSeen(out, b)
	}
	return out
}

func appendMatches(out []span, v view, l literal) []span {
	text, word := l.text, l.word
	if v.squeezed {
		// Without its blanks a short word is found in the middle of sentences.
		if len(l.squeezed) < 8 || word {
			return out
		}
		text = l.squeezed
	}
	word = word && text[0] < 0x80 && text[len(text)-1] < 0x80 // scripts without blanks have no words to tell apart
	for at := 0; ; {
		i := bytes.Index(v.text[at:], []byte(text))
		if i < 0 {
			return out
		}
		from, to := at+i, at+i+len(text)
		at = from + 1
		if word && (from > 0 && wordByte(v.text[from-1]) && wordByte(text[0]) || to < len(v.text) && wordByte(v.text[to]) && wordByte(text[len(text)-1])) {
			continue
		}
		at = to
		x, y := v.source(from, to)
		out = append(out, span{from: x, to: y, kind: l.kind})
	}
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// appendSeen looks every run of token characters up among the nonces and digests of the run, and what follows each
// separator inside it.
func (s *scrubber) appendSeen(out []span, b []byte) []span {
	for i := 0; i < len(b); {
		if !tokenByte(b[i]) {
			i++
			continue
		}
		j := i
		for j < len(b) && tokenByte(b[j]) {
			j++
		}
		if j-i >= 8 && j-i <= 4096 {
			out = s.appendSeenRun(out, b, i, j)
		}
		i = j
	}
	return out
}

func (s *scrubber) appendSeenRun(out []span, b []byte, i, j int) []span {
	starts := 0
	for k := i; k < j && starts < 16; k++ {
		if k > i && !strings.ContainsRune("=:/-.", rune(b[k-1])) {
			continue
		}
		starts++
		for end := j; end-k >= 8 && end > j-3; end-- {
			if s.seen[string(b[k:end])] {
				return append(out, span{from: k, to: end, kind: kindSecret})
			}
		}
	}
	return out
}

func tokenByte(c byte) bool { return wordByte(c) || strings.IndexByte("+/=-.:~", c) >= 0 }
