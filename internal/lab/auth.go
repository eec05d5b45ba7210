package lab

import (
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	nsWSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	nsWSU  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"

	passwordDigest = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"

	usualRealm = "LAB Login"
)

// preAuth are the operations the specification opens to everybody (access class PRE_AUTH).
var preAuth = []string{"GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetServiceCapabilities", "GetEndpointReference", "GetHostname"}

// refusal is what a device says to a request it does not let in; without a fault it lets it in.
type refusal struct {
	fault      *fault
	challenges []string
}

// check verifies the login of a SOAP request and says what the ledger is to write about it.
func (d *device) check(r *http.Request, q *question) (login string, _ refusal) {
	token := q.header.at("Security", "UsernameToken")
	header := r.Header.Get("Authorization")
	if token != nil && header != "" {
		d.violated(q.op + " came with two logins at once")
	}
	if d.spec.Login.Auth == AuthNone {
		if token != nil || header != "" {
			return LoginOK, refusal{} // it does not care
		}
		return LoginNone, refusal{}
	}
	if token == nil && header == "" {
		_, op, _ := strings.Cut(q.op, ":")
		if slices.Contains(preAuth, op) && !d.spec.Login.PreAuth {
			return LoginNone, refusal{}
		}
		return LoginNone, d.refuse("Sender not authorized", false, false)
	}
	if d.guards.locked() {
		return LoginRefused, d.refuse("Login failed. Account locked", false, true)
	}
	login, why := LoginRefused, "Sender not authorized"
	switch {
	case d.spec.Login.Refuse:
	case token != nil && d.takesWSSE():
		login, why = d.checkToken(token)
	case header != "" && d.takesDigest():
		login = d.checkDigest(r, header)
	}
	switch login {
	case LoginOK:
		return login, refusal{}
	case LoginStale:
		return login, d.refuse("stale nonce", true, false)
	}
	if n, counts := d.guards.refused(); counts {
		why = fmt.Sprintf("%s. You still have %d attempt(s)", why, n)
	}
	return login, d.refuse(why, false, true)
}

func (d *device) realm() string { return cmp.Or(d.spec.Login.Realm, usualRealm) }

func (d *device) takesWSSE() bool {
	return d.spec.Login.Auth == AuthWSSE || d.spec.Login.Auth == AuthAny
}

func (d *device) takesDigest() bool { return d.spec.Login.Auth != AuthWSSE }

// refuse answers HTTP 401 with a challenge where the device takes digest, and HTTP 400 with a fault where it takes
// WS-Security only, as the specification wants it.
func (d *device) refuse(text string, stale, tried bool) refusal {
	f := &fault{status: http.StatusBadRequest, code: "Sender", sub: "ter:NotAuthorized", text: text}
	if !d.takesDigest() {
		return refusal{fault: f}
	}
	f.status = http.StatusUnauthorized
	algorithms := []string{"MD5"}
	switch d.spec.Login.Auth {
	case AuthDigestSHA256:
		algorithms = []string{"SHA-256"}
	case AuthDigestBoth:
		algorithms = []string{"SHA-256", "MD5"}
	}
	nonce := d.nonces.fresh(hex.EncodeToString(d.random(16)))
	var challenges []string
	for _, a := range algorithms {
		c := fmt.Sprintf(`Digest realm="%s", qop="auth", nonce="%s", algorithm=%s`, d.realm(), nonce, a)
		if stale {
			c += ", stale=true"
		}
		challenges = append(challenges, c)
	}
	return refusal{fault: f, challenges: challenges}
}

// checkToken verifies a UsernameToken as described in the OASIS profile: base64(SHA-1(nonce + created + password)).
func (d *device) checkToken(t *node) (login, why string) {
	pass, nonce, created := t.at("Password"), t.value("Nonce"), t.value("Created")
	if pass == nil || pass.attr["Type"] != passwordDigest {
		d.violated("was shown a password in the clear (PasswordText)")
		return LoginRefused, "Sender not authorized"
	}
	h := sha1.New()
	h.Write(unbase64(nonce))
	h.Write([]byte(created + d.spec.Login.Password))
	if t.value("Username") != d.spec.Login.User || pass.text != base64.StdEncoding.EncodeToString(h.Sum(nil)) {
		return LoginRefused, "Sender not authorized"
	}
	at, err := time.Parse(time.RFC3339, created)
	if err != nil || d.now().Sub(at).Abs() > d.spec.Login.Window {
		return LoginRefused, "Wsse authorized time check failed."
	}
	if !d.nonces.once(nonce + created) {
		return LoginRefused, "Sender not authorized: nonce used before"
	}
	return LoginOK, ""
}

// checkDigest verifies an Authorization header as described in RFC 7616, strictly: the URI as sent, eight hex digits of a
// count that grows.
func (d *device) checkDigest(r *http.Request, header string) (login string) {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Digest") {
		return LoginRefused
	}
	p := digestParams(rest)
	algorithm := strings.ToUpper(p["algorithm"])
	if algorithm == "" {
		algorithm = "MD5"
	}
	sum := func() hash.Hash { return md5.New() }
	switch {
	case algorithm == "SHA-256" && (d.spec.Login.Auth == AuthDigestSHA256 || d.spec.Login.Auth == AuthDigestBoth):
		sum = sha256.New
	case algorithm == "MD5" && d.spec.Login.Auth != AuthDigestSHA256:
	default:
		return LoginRefused
	}
	hexed := func(parts ...string) string {
		h := sum()
		h.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h.Sum(nil))
	}
	ha1 := hexed(d.spec.Login.User, d.realm(), d.spec.Login.Password)
	ha2 := hexed(r.Method, r.URL.RequestURI())
	want := hexed(ha1, p["nonce"], p["nc"], p["cnonce"], p["qop"], ha2)
	nc, err := strconv.ParseUint(p["nc"], 16, 32)
	if p["username"] != d.spec.Login.User || p["uri"] != r.URL.RequestURI() || p["qop"] != "auth" ||
		err != nil || len(p["nc"]) != 8 || p["cnonce"] == "" || p["response"] != want {
		return LoginRefused
	}
	if !d.nonces.count(p["nonce"], nc) {
		return LoginStale
	}
	return LoginOK
}

// digestParams reads name=value and name="value" pairs.
func digestParams(s string) map[string]string {
	out := map[string]string{}
	for s != "" {
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		var v string
		if strings.HasPrefix(rest, `"`) {
			v, rest, _ = strings.Cut(rest[1:], `"`)
			_, s, _ = strings.Cut(rest, ",")
		} else {
			v, s, _ = strings.Cut(rest, ",")
		}
		out[strings.ToLower(strings.Trim(name, " ,"))] = strings.TrimSpace(v)
	}
	return out
}

// nonces are the nonces a device gave out, with the counts they were used with, and those it was shown.
type nonces struct {
	mu    sync.Mutex
	given map[string]uint64
	shown map[string]bool
}

func newNonces() *nonces { return &nonces{given: map[string]uint64{}, shown: map[string]bool{}} }

func (n *nonces) fresh(nonce string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.given[nonce] = 0
	return nonce
}

func (n *nonces) count(nonce string, nc uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	last, ok := n.given[nonce]
	if !ok || nc <= last {
		return false
	}
	n.given[nonce] = nc
	return true
}

func (n *nonces) once(key string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.shown[key] {
		return false
	}
	n.shown[key] = true
	return true
}

// lockout counts refused logins down.
type lockout struct {
	mu   sync.Mutex
	left int
	shut bool
}

func (l *lockout) refused() (left int, counts bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == 0 {
		return 0, false
	}
	l.left--
	l.shut = l.left == 0
	return l.left, true
}

func (l *lockout) locked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut
}
