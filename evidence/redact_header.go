package evidence

import (
	"bytes"
	"regexp"
	"strings"
)

// headerSpans finds credentials in the header fields of HTTP, RTSP and SIP messages, wherever in the buffer such a line
// stands: an exchange may hold several messages, and a device may echo ours.
func headerSpans(b []byte) []span {
	var out []span
	for at := 0; at < len(b); {
		end := lineEnd(b, at)
		name, ok := fieldName(b[at:end])
		if !ok {
			at = skipEOL(b, end)
			continue
		}
		// A line that begins with a blank continues the one before it (RFC 9112 5.2).
		next := skipEOL(b, end)
		for next < len(b) && (b[next] == ' ' || b[next] == '\t') {
			end = lineEnd(b, next)
			next = skipEOL(b, end)
		}
		from := at + bytes.IndexByte(b[at:end], ':') + 1
		switch headerKinds[name] {
		case headerAuth:
			out = appendAuth(out, b, from, end)
		case headerCookie:
			out = appendCookies(out, b, from, end, strings.HasPrefix(name, "set-"))
		case headerToken:
			out = append(out, span{from, end, kindAuth, learnHere})
		}
		at = next
	}
	return out
}

type headerKind int

const (
	headerOther headerKind = iota
	headerAuth
	headerCookie
	headerToken
)

var headerKinds = map[string]headerKind{
	"authorization": headerAuth, "proxy-authorization": headerAuth, "x-authorization": headerAuth,
	"www-authenticate": headerAuth, "proxy-authenticate": headerAuth, "x-www-authenticate": headerAuth,
	"authentication-info": headerAuth, "proxy-authentication-info": headerAuth,
	"cookie": headerCookie, "cookie2": headerCookie, "set-cookie": headerCookie, "set-cookie2": headerCookie,
	"x-auth-token": headerToken, "x-csrf-token": headerToken, "x-xsrf-token": headerToken, "csrf-token": headerToken,
	"x-token": headerToken, "token": headerToken, "x-api-key": headerToken, "x-session-token": headerToken,
	"sessionid": headerToken, "session-id": headerToken, "sessiontag": headerToken, "x-wsse": headerToken,
}

func fieldName(line []byte) (string, bool) {
	c := bytes.IndexByte(line, ':')
	if c < 1 || c > 40 {
		return "", false
	}
	name := strings.ToLower(string(bytes.TrimSpace(line[:c])))
	_, ok := headerKinds[name]
	return name, ok
}

func lineEnd(b []byte, at int) int {
	if i := bytes.IndexAny(b[at:], "\r\n"); i >= 0 {
		return at + i
	}
	return len(b)
}

func skipEOL(b []byte, at int) int {
	if at < len(b) && b[at] == '\r' {
		at++
		if at < len(b) && b[at] == '\n' {
			at++
		}
		return at
	}
	if at < len(b) {
		at++
	}
	return at
}

// keptParams are the parameters of a challenge or an answer to one that prove nothing and explain much.
var keptParams = map[string]bool{"realm": true, "algorithm": true, "qop": true, "nc": true, "stale": true, "charset": true,
	"userhash": true, "domain": true, "uri": true, "error": true}

var schemes = map[string]bool{"basic": true, "digest": true, "bearer": true, "ntlm": true, "negotiate": true, "wsse": true,
	"hoba": true, "mutual": true, "vapid": true, "oauth": true, "token": true, "capability": true, "asymmetric": true}

// appendAuth walks challenges and credentials (RFC 9110 11) and blots out everything that is not a scheme or a kept
// parameter. Devices forget commas, use semicolons and single quotes, and leave quotes open.
func appendAuth(out []span, b []byte, at, end int) []span {
	const gap = " \t\r\n,;"
	for {
		for at < end && strings.IndexByte(gap, b[at]) >= 0 {
			at++
		}
		if at >= end {
			return out
		}
		from := at
		for at < end && b[at] != '=' && b[at] != '"' && strings.IndexByte(gap, b[at]) < 0 {
			at++
		}
		name := strings.ToLower(string(b[from:at]))
		if schemes[name] && (at == end || b[at] != '=') {
			continue
		}
		eq := at
		for eq < end && (b[eq] == ' ' || b[eq] == '\t') {
			eq++
		}
		if eq >= end || b[eq] != '=' || padding(b[eq:end]) {
			for at < end && strings.IndexByte(gap, b[at]) < 0 { // token68 or something unknown
				at++
			}
			out = append(out, span{from, at, kindAuth, learnRun})
			continue
		}
		vfrom := eq + 1
		for vfrom < end && (b[vfrom] == ' ' || b[vfrom] == '\t' || b[vfrom] == '\r' || b[vfrom] == '\n') {
			vfrom++
		}
		vfrom, vto, next := paramValue(b, vfrom, end, keptParams[name])
		at = next
		if keptParams[name] || vto <= vfrom {
			continue
		}
		l := learnHere
		switch name {
		case "username", "username*", "user":
			l = learnUser
		case "cnonce", "response":
			l = learnRun
		}
		out = append(out, span{vfrom, vto, kindAuth, l})
	}
}

// padding reports whether the equals signs at the start are the end of a base64 text and not of a parameter's name.
func padding(b []byte) bool {
	rest := bytes.TrimLeft(b, "=")
	return len(rest) == 0 || strings.IndexByte(" \t\r\n,;", rest[0]) >= 0
}

// paramValue returns the inside of a parameter's value and where to go on. An open quote ends at the header's end, but for
// a kept parameter at the next comma: what follows may be one that is not kept.
func paramValue(b []byte, at, end int, kept bool) (from, to, next int) {
	if at < end && b[at] == '"' {
		for i := at + 1; i < end; i++ {
			switch b[i] {
			case '\\':
				i++
			case '"':
				return at + 1, i, i + 1
			}
		}
		if !kept {
			return at + 1, end, end
		}
	}
	i := at
	for i < end && b[i] != ',' && b[i] != ';' && b[i] != ' ' && b[i] != '\t' && b[i] != '\r' && b[i] != '\n' {
		i++
	}
	return at, i, i
}

// appendCookies blots out the values and leaves the names; the attributes of Set-Cookie stay.
func appendCookies(out []span, b []byte, at, end int, set bool) []span {
	for at < end {
		stop := end
		if i := bytes.IndexByte(b[at:end], ';'); i >= 0 {
			stop = at + i
		}
		from := at
		if i := bytes.IndexByte(b[at:stop], '='); i >= 0 {
			from = at + i + 1
		}
		if len(bytes.TrimSpace(b[from:stop])) > 0 {
			out = append(out, span{from, stop, kindCookie, learnHere})
		}
		if at = stop + 1; set {
			// Several cookies in one field are joined with commas, also after attributes.
			if i := bytes.IndexByte(b[stop:end], ','); i < 0 || !bytes.Contains(b[stop+i:end], []byte("=")) {
				return out
			}
		}
	}
	return out
}

var (
	userinfoPattern = regexp.MustCompile(`(?i)[a-z][a-z0-9+.\-]*://([^\s/?#"'<>]*)@`)
	paramPattern    = regexp.MustCompile(`(?i)(?:[?&;/_]|^|[\r\n])(?:user|username|usr|uname|login|loginname|loginuse|loginpas|account|pass|password|passwd|pwd|psw|` +
		`auth[a-z]*|token|access[_-]?token|refresh[_-]?token|session|session[_-]?id|sid|sessid|jsessionid|phpsessid|sig|signature|secret|ticket|credentials?|` +
		`api[_-]?key|key|nonce|cnonce|digest|response|tk)=([^&\s"'<>#;,]+)`)
)

// urlSpans finds user information in URLs and credentials in queries, forms and the paths of devices that put them there
// (/user=NAME_password=WORD_channel=1).
func urlSpans(b []byte) []span {
	var out []span
	if bytes.Contains(b, []byte("://")) {
		for _, m := range userinfoPattern.FindAllSubmatchIndex(b, -1) {
			if m[3] > m[2] {
				out = append(out, span{m[2], m[3], kindURL, learnNot})
			}
		}
	}
	if bytes.IndexByte(b, '=') >= 0 {
		for _, m := range paramPattern.FindAllSubmatchIndex(b, -1) {
			out = append(out, span{m[2], m[3], kindURL, learnNot})
		}
	}
	return out
}
