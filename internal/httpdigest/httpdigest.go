// Package httpdigest reads the challenges of HTTP 401 answers and answers them by HTTP Digest (RFC 7616), the one way of
// logging in to a web interface that does not give the password away. When a login may be tried belongs to package probe.
package httpdigest

import (
	"cmp"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/icholy/digest"
)

// Challenge is a digest challenge we can answer.
type Challenge struct{ c digest.Challenge }

// Algorithm returns "MD5" or "SHA-256".
func (c *Challenge) Algorithm() string {
	name, _ := c.algorithm()
	return name
}

// Realm returns what the device calls the place it guards, as it wrote it.
func (c *Challenge) Realm() string { return c.c.Realm }

// Stale reports whether the device says that the login was right and only its nonce old.
func (c *Challenge) Stale() bool { return c.c.Stale }

// Nonce returns the challenge's nonce.
func (c *Challenge) Nonce() string { return c.c.Nonce }

// algorithm separates the hash from the session variant (RFC 7616, section 3.4.2; seen on Axis).
func (c *Challenge) algorithm() (name string, session bool) {
	name, session = strings.CutSuffix(strings.ToUpper(c.c.Algorithm), "-SESS")
	return cmp.Or(name, "MD5"), session
}

// answerable reports whether we can log in with it: a hash we know, and no quality of protection, "auth" or "auth-int".
func (c *Challenge) answerable() bool {
	name, session := c.algorithm()
	if name != "MD5" && name != "SHA-256" {
		return false
	}
	if len(c.c.QOP) == 0 {
		return !session // it would have to know a client nonce that this form has no place for
	}
	return c.c.SupportsQOP("auth") || c.c.SupportsQOP("auth-int")
}

// Authorise returns the Authorization header that answers the challenge for one request, with qop auth where the device
// offers it. A challenge is answered once: the count is always one. It fails on a nil challenge.
func (c *Challenge) Authorise(r *http.Request, user, password string) (string, error) {
	if c == nil {
		return "", errors.New("httpdigest: no challenge to answer")
	}
	o := digest.Options{Method: r.Method, URI: r.URL.RequestURI(), GetBody: r.GetBody, Username: user, Password: password, Count: 1}
	ch := c.c
	name, session := c.algorithm()
	if session {
		h := md5.New
		if name == "SHA-256" {
			h = sha256.New
		}
		o.Cnonce = rand.Text()
		o.A1 = hexHash(h, hexHash(h, user+":"+ch.Realm+":"+password)+":"+ch.Nonce+":"+o.Cnonce)
		ch.Algorithm = name
	}
	cred, err := digest.Digest(&ch, o)
	if err != nil {
		return "", fmt.Errorf("httpdigest: %w", err)
	}
	cred.Algorithm = c.c.Algorithm
	return cred.String(), nil
}

func hexHash(h func() hash.Hash, s string) string {
	x := h()
	io.WriteString(x, s) //nolint:errcheck // a hash does not fail
	return hex.EncodeToString(x.Sum(nil))
}

// several splits a header line that holds more than one challenge.
var several = regexp.MustCompile(`(?i),\s*(digest|basic)\s`)

// Challenges returns the strongest digest challenge of a 401 that can be answered, or nil, and the names of the schemes that
// were offered, in lower case, eight at most.
func Challenges(h http.Header) (best *Challenge, schemes []string) {
	for _, line := range h.Values("WWW-Authenticate") {
		for _, one := range strings.Split(several.ReplaceAllString(line, "\x00$1 "), "\x00") {
			one = strings.TrimSpace(one)
			if scheme, _, _ := strings.Cut(strings.ToLower(one), " "); scheme != "" && len(schemes) < 8 {
				schemes = append(schemes, scheme)
			}
			ch, err := digest.ParseChallenge(one)
			if err != nil {
				continue
			}
			for i, q := range ch.QOP {
				ch.QOP[i] = strings.ToLower(strings.TrimSpace(q))
			}
			c := &Challenge{*ch}
			if c.answerable() && (best == nil || best.Algorithm() == "MD5" && c.Algorithm() == "SHA-256") {
				best = c
			}
		}
	}
	return best, schemes
}
