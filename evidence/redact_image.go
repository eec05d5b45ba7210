package evidence

import (
	"bytes"
	"regexp"
)

// imageSpans finds pictures: raw ones by their first bytes, bodies and parts declared to be picture, video or audio, and
// base64 that begins like a picture or is too long to be anything a person would read.
func imageSpans(b []byte) []span {
	var out []span
	for _, magic := range []string{"\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF87a", "GIF89a", "\x00\x00\x00\x0cjP  ", "II*\x00", "MM\x00*"} {
		for at := 0; ; {
			i := bytes.Index(b[at:], []byte(magic))
			if i < 0 {
				break
			}
			end := partEnd(b, at+i)
			out = append(out, span{at + i, end, kindImage, learnNot})
			at = end
		}
	}
	for at := 0; ; { // RIFF files: WebP, AVI, WAV
		i := bytes.Index(b[at:], []byte("RIFF"))
		if i < 0 || at+i+12 > len(b) {
			break
		}
		from := at + i
		at = from + 4
		if bytes.Contains([]byte("WEBP AVI  WAVE"), b[from+8:from+12]) {
			at = partEnd(b, from)
			out = append(out, span{from, at, kindImage, learnNot})
		}
	}
	done := 0
	for _, m := range mediaPattern.FindAllIndex(b, -1) {
		if m[0] < done {
			continue // another field of the same header, or inside the body
		}
		from := bodyStart(b, m[1])
		if done = from; from < len(b) {
			done = partEnd(b, from)
			out = append(out, span{from, done, kindMedia, learnNot})
		}
	}
	return append(out, base64Spans(b)...)
}

var mediaPattern = regexp.MustCompile(`(?im)^content-type[ \t]*:\s*(?:image|video|audio)/[^\r\n]*`)

// bodyStart returns where the header that goes on at a position ends, and the end of the buffer if it does not.
func bodyStart(b []byte, at int) int {
	end := len(b)
	for _, blank := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(b[at:], []byte(blank)); i >= 0 {
			end = min(end, at+i+len(blank))
		}
	}
	return end
}

// boundaryPattern is a multipart boundary line. Its length keeps it from being met in a picture by chance.
var boundaryPattern = regexp.MustCompile(`\r?\n--[0-9A-Za-z'()+_,./:=? -]{4,70}\r?\n|\r?\n--[0-9A-Za-z'()+_,./:=? -]{4,70}--`)

// partEnd returns where a part of a multipart body ends, or the end of the buffer.
func partEnd(b []byte, at int) int {
	if m := boundaryPattern.FindIndex(b[at:]); m != nil {
		return at + m[0]
	}
	return len(b)
}

// Base64 of the first bytes of JPEG, PNG, GIF and WebP, and with the escapes JSON puts before a slash.
var base64Magics = []string{"/9j/", `\/9j\/`, "_9j_", "%2F9j%2F", "%2f9j%2f", "iVBOR", "R0lGOD", "UklGR"}

const (
	minPicture = 100  // base64 digits of the smallest picture worth cutting
	minBlob    = 1024 // base64 digits of a run that is cut whatever it is
)

func base64Spans(b []byte) []span {
	var out []span
	for _, magic := range base64Magics {
		for at := 0; ; {
			i := bytes.Index(b[at:], []byte(magic))
			if i < 0 {
				break
			}
			from := at + i
			end, digits := base64Run(b, from, true)
			if digits > minPicture {
				out = append(out, span{from, end, kindImage, learnNot})
			}
			at = max(end, from+1)
		}
	}
	for at := 0; at < len(b); {
		end, digits := base64Run(b, at, false)
		if digits >= minBlob && !bytes.HasPrefix(b[at:], []byte("MII")) { // a certificate says who a device is
			out = append(out, span{at, end, kindBlob, learnNot})
		}
		at = max(end, at+1)
	}
	return out
}

// base64Run returns where a run of base64 ends and how many digits it has. Wrapped runs go on over white space, and over
// what JSON, XML and URLs make of it.
func base64Run(b []byte, at int, wrapped bool) (end, digits int) {
	i := at
	for i < len(b) {
		switch c := b[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/', c == '-', c == '_':
			digits++
			i++
		case c == '=':
			i++
		case wrapped && (isBlank(c) || c == '\\'):
			i++
		case wrapped && c == '%' && i+2 < len(b):
			i += 3
		case wrapped && c == '&' && i+1 < len(b) && b[i+1] == '#':
			_, n := entity(b[i:])
			if n == 0 {
				return i, digits
			}
			i += n
		default:
			return i, digits
		}
	}
	return len(b), digits
}

// interleavedSpans finds the media frames between the messages of an RTSP connection (RFC 2326 10.12).
func interleavedSpans(b []byte) []span {
	var out []span
	for i := 0; i < len(b); {
		if b[i] == '$' && i+4 <= len(b) && b[i+1] < 16 {
			end := min(i+4+int(b[i+2])<<8+int(b[i+3]), len(b))
			if end > i+4 {
				out = append(out, span{i + 4, end, kindMedia, learnNot})
			}
			i = end
			continue
		}
		i++
	}
	return out
}
