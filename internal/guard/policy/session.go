package policy

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// Reolink's and UniFi's interfaces answer nothing without a session, and a session begins with the password itself. It is let
// out within TLS only, in the one wording of each, and so is the request that ends the session. They change no setting.
var (
	reolinkLogin  = regexp.MustCompile(`^\[\{"cmd":"Login","action":0,"param":\{"User":\{"Version":"0","userName":` + text + `,"password":` + text + `\}\}\}\]$`)
	reolinkLogout = regexp.MustCompile(`^\[\{"cmd":"Logout","action":0,"param":\{\}\}\]$`)
	unifiLogin    = regexp.MustCompile(`^\{"username":` + text + `,"password":` + text + `,"rememberMe":false\}$`)
	unifiLogout   = regexp.MustCompile(`^$`)
)

// text is a text of JSON, of a length that a login has.
const text = `"(?:[^"\\\x00-\x1f]|\\.){0,256}"`

// signs reports whether a request is where one of these sessions begins or ends.
func (r request) signs() bool {
	switch r.at {
	case "/cgi-bin/api.cgi":
		c := r.query["cmd"]
		return slices.Contains(c, "login") || slices.Contains(c, "logout")
	case "/api/auth/login", "/api/auth/logout":
		return true
	}
	return false
}

// signing returns nil where it is worded as it may be.
func (r request) signing(method, scheme, contentType string, body []byte) error {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	var want *regexp.Regexp
	keys := 0 // of the query
	switch cmd := strings.Join(r.query["cmd"], ","); {
	case r.at == "/api/auth/login":
		want = unifiLogin
	case r.at == "/api/auth/logout":
		want = unifiLogout
	case cmd == "login":
		want, keys = reolinkLogin, 1
	case cmd == "logout" && len(r.query["token"]) == 1:
		want, keys = reolinkLogout, 2
	default:
		return refuse("post", clip(r.at))
	}
	switch {
	case method != "POST", strings.TrimSpace(kind) != "application/json", len(body) > MaxBody, len(r.query) != keys, !want.Match(bytes.TrimSpace(body)):
		return refuse("post", clip(r.at))
	case scheme != "https":
		return refuse("clear", clip(r.at))
	}
	return nil
}
