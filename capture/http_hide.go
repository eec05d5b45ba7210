package capture

import "strings"

// hidden says how much of a field's value is removed.
type hidden int

const (
	shown     hidden = iota
	schemed          // all but the name of the scheme
	removed          // all
	urlInside        // what authenticates in the URL it holds
)

// hideValue removes what authenticates from a field's value.
func hideValue(name, value string) string {
	switch hiding(name, value) {
	case schemed:
		return scheme(value)
	case removed:
		return "-"
	case urlInside:
		return hideURL(value)
	}
	return value
}

func hiding(name, value string) hidden {
	if harmless(name) {
		return shown
	}
	switch n := strings.ToLower(name); {
	case n == "authorization", n == "proxy-authorization", n == "www-authenticate", n == "proxy-authenticate":
		return schemed
	case n == "session-expires":
		return shown
	case strings.HasPrefix(n, "x-auth"), n == "authentication-info", n == "proxy-authentication-info", n == "sec-websocket-protocol":
		return removed
	case holdsAny(n, "token", "cookie", "secret", "session", "password", "passwd", "api-key", "apikey", "authorization", "signature", "credential"):
		return removed
	}
	if strings.Contains(value, "=") || strings.Contains(value, "@") && strings.Contains(value, "://") {
		return urlInside
	}
	return shown
}

// harmless reports fields whose values never authenticate, as nearly everybody spells them: most of what there is.
func harmless(name string) bool {
	switch name {
	case "Host", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Content-Length", "Connection", "Server", "Date", "Cache-Control", "Transfer-Encoding",
		"CSeq", "Expires", "Call-ID", "Max-Forwards", "Content-Encoding", "Last-Modified", "ETag", "Range", "RTP-Info", "Public":
		return true
	}
	return false
}

func holdsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// scheme returns the name of an authentication scheme (RFC 9110 11.1, and GB 28181's) with "-" for what follows it.
func scheme(value string) string {
	word, _, more := strings.Cut(value, " ")
	switch strings.ToLower(word) {
	case "basic", "digest", "bearer", "negotiate", "ntlm", "hoba", "hawk", "mutual", "wsse", "token", "oauth", "capability", "asymmetric", "unidirection", "bidirection":
		if more {
			return word + " -"
		}
	}
	return "-"
}

// hideURL removes what authenticates from a URL, or from several in a text: the user information, and values whose name says
// that they are a login, in the query and in the path of devices that put them there (/user=NAME_password=WORD_channel=1).
func hideURL(s string) string {
	if strings.Contains(s, "@") && strings.Contains(s, "://") {
		s = hideUser(s)
	}
	if strings.Contains(s, "=") {
		s = hideParams(s)
	}
	return s
}

func hideUser(s string) string {
	var out strings.Builder
	for {
		before, after, ok := strings.Cut(s, "://")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		out.WriteString("://")
		s = after[userLength(after):]
	}
}

// userLength returns how much of what follows "://" is user information. A password may hold a slash that nobody escaped.
func userLength(s string) int {
	if i := strings.IndexAny(s, " \t\"'<>"); i >= 0 {
		s = s[:i]
	}
	authority := s
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		authority = s[:i]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		return i + 1
	}
	if _, port, ok := strings.Cut(authority, ":"); ok && strings.Trim(port, "0123456789") != "" && !strings.HasPrefix(authority, "[") {
		return strings.IndexByte(s, '@') + 1
	}
	return 0
}

func hideParams(s string) string {
	if !holdsLogin(s) {
		return s
	}
	var out strings.Builder
	for {
		eq := strings.IndexByte(s, '=')
		if eq < 0 {
			out.WriteString(s)
			return out.String()
		}
		from, by := nameFrom(s[:eq])
		out.WriteString(s[:eq+1])
		name := s[from:eq]
		s = s[eq+1:]
		if !loginName(name) {
			continue
		}
		n := valueLength(s, by)
		if n > 0 {
			out.WriteByte('-')
		}
		s = s[n:]
	}
}

// holdsLogin reports whether any parameter is a login's.
func holdsLogin(s string) bool {
	for from := 0; ; {
		eq := strings.IndexByte(s[from:], '=')
		if eq < 0 {
			return false
		}
		if at, _ := nameFrom(s[from : from+eq]); loginName(s[from+at : from+eq]) {
			return true
		}
		from += eq + 1
	}
}

// nameFrom returns where the name before a "=" begins, and what stands before it; 0: nothing does.
func nameFrom(s string) (from int, by byte) {
	i := strings.LastIndexAny(s, "?&;/, \t\"'")
	if i >= 0 {
		by = s[i]
	}
	name := s[i+1:]
	// "_" separates in the path of some devices, and is part of a name elsewhere: access_token.
	if j := strings.LastIndexByte(name, '_'); j >= 0 && !loginName(name) && loginName(name[j+1:]) {
		return i + 1 + j + 1, '_'
	}
	if by == '/' {
		by = '_'
	}
	return i + 1, by
}

// valueLength returns how long a parameter's value is. In a path where "_" separates, it ends where another name follows.
func valueLength(s string, by byte) int {
	end := strings.IndexAny(s, "&;#, \t\"'<>")
	if end < 0 {
		end = len(s)
	}
	if by != '_' {
		return end
	}
	for i := 0; i < end; i++ {
		switch s[i] {
		case '/', '?':
			return i
		case '_':
			if j := strings.IndexAny(s[i+1:end], "=_/?"); j > 0 && s[i+1+j] == '=' {
				return i
			}
		}
	}
	return end
}

func loginName(name string) bool {
	switch strings.ToLower(name) {
	case "password", "passwd", "pwd", "pass", "psw", "passphrase", "loginpas", "token", "access_token", "accesstoken", "access-token", "refresh_token", "tk",
		"session", "sessionid", "session_id", "session-id", "sid", "sessid", "jsessionid", "phpsessid", "key", "apikey", "api_key", "api-key", "appkey", "app_key",
		"secret", "app_secret", "appsecret", "sign", "sig", "signature", "ticket", "auth", "authorization", "auth_token", "credential", "credentials", "nonce", "cnonce",
		"user", "username", "usr", "uname", "login", "loginname", "loginuse", "account":
		return true
	}
	return false
}
