package soap

import (
	"cmp"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/icholy/digest"
)

const (
	secext  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	utility = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	profile = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
	base64B = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

// usernameToken returns a WS-Security header block: Base64(SHA1(nonce ‖ created ‖ password)) with sixteen fresh random
// bytes. created is the device's own time: cameras compare it with their clock, which can be years off.
func (c *Client) usernameToken(user, password string, created time.Time) (string, error) {
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(c.random(), nonce); err != nil {
		return "", fmt.Errorf("soap: no random bytes: %w", err)
	}
	at := created.UTC().Format("2006-01-02T15:04:05.000Z")
	h := sha1.New()
	h.Write(nonce)
	io.WriteString(h, at+password) //nolint:errcheck // a hash does not fail
	var name strings.Builder
	if err := xml.EscapeText(&name, []byte(user)); err != nil {
		return "", fmt.Errorf("soap: user name: %w", err)
	}
	return `<wsse:Security xmlns:wsse="` + secext + `" xmlns:wsu="` + utility + `" soap-env:mustUnderstand="1"><wsse:UsernameToken>` +
		`<wsse:Username>` + name.String() + `</wsse:Username>` +
		`<wsse:Password Type="` + profile + `">` + base64.StdEncoding.EncodeToString(h.Sum(nil)) + `</wsse:Password>` +
		`<wsse:Nonce EncodingType="` + base64B + `">` + base64.StdEncoding.EncodeToString(nonce) + `</wsse:Nonce>` +
		`<wsu:Created>` + at + `</wsu:Created></wsse:UsernameToken></wsse:Security>`, nil
}

// Challenge is a digest challenge we can answer.
type Challenge struct{ c digest.Challenge }

// Algorithm returns "MD5" or "SHA-256".
func (c *Challenge) Algorithm() string {
	name, _ := c.algorithm()
	return name
}

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

func (c *Challenge) stale() bool   { return c.c.Stale }
func (c *Challenge) nonce() string { return c.c.Nonce }

// authorisation answers the challenge for one request, with qop auth where the device offers it.
func (c *Challenge) authorisation(r *http.Request, user, password string) (string, error) {
	if c == nil {
		return "", errors.New("soap: no digest challenge to answer")
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
		return "", fmt.Errorf("soap: %w", err)
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

// challenges returns the strongest digest challenge of a 401 that can be answered, or nil, and the names of all the schemes
// that were offered, in lower case.
func challenges(h http.Header) (best *Challenge, schemes []string) {
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
