package capture

import (
	"bytes"
	"strings"
)

// sniffHTTP knows HTTP/1 by a request or status line, and by a part of a multipart body whose beginning was not captured.
func sniffHTTP(b []byte) verdict {
	if len(b) > 0 && b[0] == '-' {
		return sniffPart(b)
	}
	return sniffMessage(b, nameHTTP, isTarget)
}

// isTarget reports whether a request's target can be one of HTTP.
func isTarget(b []byte) bool {
	return b[0] == '/' || b[0] == '*' || b[0] == '?' || bytes.IndexByte(b, ':') > 0
}

// maxMethod is more than the longest method has.
const maxMethod = 20

// sniffMessage knows a message by its first line: of an answer the version and status, of a request the method, the target
// and the version at the end.
func sniffMessage(b []byte, protocol string, target func([]byte) bool) verdict {
	if len(b) == 0 {
		return wait
	}
	if n := min(len(b), len(protocol)); string(b[:n]) == protocol[:n] {
		return sniffStatus(b, protocol)
	}
	space := bytes.IndexByte(b[:min(len(b), maxMethod+1)], ' ')
	switch {
	case space < 0 && !startsMethod(b), space >= 0 && !isMethod(b[:space]):
		return no
	case space < 0 || space+1 == len(b):
		return wait
	}
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return sniffLong(b[space+1:], len(b), target)
	}
	line := bytes.TrimRight(b[space+1:end], "\r \t")
	last := bytes.LastIndexByte(line, ' ')
	if last <= 0 || !isVersion(line[last+1:], protocol) {
		return no
	}
	return yes
}

// sniffLong judges a request line without its end by its target.
func sniffLong(rest []byte, n int, target func([]byte) bool) verdict {
	ok := target(rest)
	switch {
	case !ok && (bytes.IndexByte(rest, ' ') >= 0 || len(rest) > maxMethod):
		return no
	case n >= maxTarget: // as much as is looked at
		return yes
	}
	return wait
}

// startsMethod reports whether b can be the beginning of a method.
func startsMethod(b []byte) bool {
	if len(b) > maxMethod {
		return false
	}
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return b[0] >= 'A' && b[0] <= 'Z'
}

func sniffStatus(b []byte, protocol string) verdict {
	const digits = 3
	line, ended := b, false
	if end := bytes.IndexByte(b, '\n'); end >= 0 {
		line, ended = bytes.TrimRight(b[:end], "\r"), true
	}
	if space := bytes.IndexByte(line, ' '); !ended && (space < 0 && len(line) < len(protocol)+3 || space >= 0 && len(line) < space+1+digits) {
		return wait
	}
	if _, ok := statusOf(string(bytes.TrimRight(line[:min(len(line), len(protocol)+16)], "\r")), protocol); !ok {
		return no
	}
	return yes
}

// sniffPart knows "--token", a line end and "Content-".
func sniffPart(b []byte) verdict {
	const name = "content-"
	if len(b) > 1 && b[1] != '-' {
		return no
	}
	end := bytes.IndexByte(b, '\n')
	switch {
	case end < 0 && len(b) > maxDelimiter, end > maxDelimiter, end >= 0 && len(bytes.TrimSpace(b[:end])) < 3, noText(b):
		return no
	case end < 0:
		return wait
	}
	rest := b[end+1:]
	n := min(len(rest), len(name))
	switch {
	case !strings.EqualFold(string(rest[:n]), name[:n]):
		return no
	case n < len(name):
		return wait
	}
	return yes
}
