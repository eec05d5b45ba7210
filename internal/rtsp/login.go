package rtsp

import (
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/icholy/digest"
)

// login holds how requests of one session are authenticated, once the device said how.
type login struct {
	user, password string
	digest         *digest.Challenge // nil for Basic
	count          int
}

// ParseChallenges lists the ways of logging in that WWW-Authenticate headers offer, in their order, eight at most. RTSP has
// these headers from HTTP, so it serves for both.
func ParseChallenges(headers []string) []Challenge {
	var out []Challenge
	for _, v := range splitChallenges(headers) {
		scheme, rest, _ := strings.Cut(v, " ")
		if scheme != "" && len(out) < 8 {
			out = append(out, Challenge{Scheme: scheme, Realm: parameter(rest, "realm")})
		}
	}
	return out
}

var schemeStart = regexp.MustCompile(`(?i),\s*(?:basic|digest|bearer|negotiate|ntlm|x-digest)(?:\s|$)`)

// splitChallenges separates challenges that share one header, as RFC 9110, section 11.6.1, allows.
func splitChallenges(headers []string) []string {
	var out []string
	for _, v := range headers {
		for {
			i := schemeStart.FindStringIndex(v)
			if i == nil {
				break
			}
			out = append(out, strings.TrimSpace(v[:i[0]]))
			v = v[i[0]+1:]
		}
		out = append(out, strings.TrimSpace(v))
	}
	return out
}

// parameter returns one auth-param's value (RFC 9110, section 11.2), quoted or not.
func parameter(s, name string) string {
	low := lower(s)
	for i := 0; ; {
		j := strings.Index(low[i:], name)
		if j < 0 {
			return ""
		}
		i += j + len(name)
		rest := strings.TrimLeft(s[i:], " ")
		if !strings.HasPrefix(rest, "=") || i > len(name) && !strings.ContainsRune(" ,\t", rune(s[i-len(name)-1])) {
			continue
		}
		rest = strings.TrimLeft(rest[1:], " ")
		if !strings.HasPrefix(rest, `"`) {
			v, _, _ := strings.Cut(rest, ",")
			return strings.TrimSpace(v)
		}
		var b strings.Builder
		for k := 1; k < len(rest); k++ {
			if rest[k] == '\\' && k+1 < len(rest) {
				k++
			} else if rest[k] == '"' {
				break
			}
			b.WriteByte(rest[k])
		}
		return b.String()
	}
}

// lower is ToLower that keeps every byte in its place, whatever the bytes are.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// newLogin picks how to log in: Digest, SHA-256 before MD5; Basic only over TLS. It returns nil and a reason if nothing of
// what the device offers may be used.
func newLogin(r *response, user, password string, secure bool) (*login, string) {
	var best *digest.Challenge
	basic := false
	for _, v := range splitChallenges(r.header.Values("WWW-Authenticate")) {
		if len(v) >= 5 && strings.EqualFold(v[:5], "basic") {
			basic = true
		}
		if len(v) < 7 || !strings.EqualFold(v[:7], "digest ") {
			continue
		}
		c, err := digest.ParseChallenge(digest.Prefix + v[7:])
		if err != nil || !digest.CanDigest(c) {
			continue
		}
		if best == nil || strings.HasPrefix(strings.ToUpper(c.Algorithm), "SHA-256") {
			best = c
		}
	}
	switch {
	case best != nil:
		return &login{user: user, password: password, digest: best}, ""
	case basic && secure:
		return &login{user: user, password: password}, ""
	case basic:
		return nil, "only Basic offered without TLS: credentials not sent"
	}
	return nil, "no way of logging in that we know"
}

// renew takes over a fresh nonce if the device says that nothing but the nonce was wrong (RFC 7616, section 3.3).
func (l *login) renew(r *response) bool {
	n, _ := newLogin(r, l.user, l.password, false)
	if l.digest == nil || n == nil || !n.digest.Stale || n.digest.Nonce == l.digest.Nonce {
		return false
	}
	l.digest, l.count = n.digest, 0
	return true
}

func (l *login) scheme() string {
	if l.digest == nil {
		return "Basic"
	}
	return "Digest"
}

func (l *login) authorise(m base.Method, u *base.URL) string {
	if l.digest == nil {
		return basicAuth(l.user, l.password)
	}
	l.count++
	c, err := digest.Digest(l.digest, digest.Options{Method: string(m), URI: u.String(), Count: l.count,
		Username: l.user, Password: l.password})
	if err != nil {
		return "" // CanDigest said it can
	}
	return c.String()
}

func basicAuth(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
