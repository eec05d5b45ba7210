package soap

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/internal/httpdigest"
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
type Challenge = httpdigest.Challenge
