package soap

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
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
	if c.c.Algorithm == "" {
		return "MD5"
	}
	return strings.ToUpper(c.c.Algorithm)
}

func (c *Challenge) stale() bool   { return c.c.Stale }
func (c *Challenge) nonce() string { return c.c.Nonce }

// authorisation answers the challenge for one request, with qop auth where the device offers it.
func (c *Challenge) authorisation(method, uri, user, password string) (string, error) {
	if c == nil {
		return "", errors.New("soap: no digest challenge to answer")
	}
	cred, err := digest.Digest(&c.c, digest.Options{Method: method, URI: uri, Username: user, Password: password, Count: 1})
	if err != nil {
		return "", fmt.Errorf("soap: %w", err)
	}
	return cred.String(), nil
}

// several splits a header line that holds more than one challenge.
var several = regexp.MustCompile(`(?i),\s*(digest|basic)\s`)

// challenges returns the strongest digest challenge of a 401 that can be answered, or nil, and whether Basic was offered.
func challenges(h http.Header) (best *Challenge, basic bool) {
	for _, line := range h.Values("WWW-Authenticate") {
		for _, one := range strings.Split(several.ReplaceAllString(line, "\x00$1 "), "\x00") {
			one = strings.TrimSpace(one)
			if strings.HasPrefix(strings.ToLower(one), "basic") {
				basic = true
			}
			ch, err := digest.ParseChallenge(one)
			if err != nil {
				continue
			}
			for i, q := range ch.QOP {
				ch.QOP[i] = strings.ToLower(strings.TrimSpace(q))
			}
			c := &Challenge{*ch}
			usable := (c.Algorithm() == "MD5" || c.Algorithm() == "SHA-256") && (len(ch.QOP) == 0 || ch.SupportsQOP("auth"))
			if usable && (best == nil || best.Algorithm() == "MD5" && c.Algorithm() == "SHA-256") {
				best = c
			}
		}
	}
	return best, basic
}
