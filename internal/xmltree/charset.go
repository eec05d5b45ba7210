package xmltree

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

var encodingDecl = regexp.MustCompile(`^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']`)

// unicodeText returns the document as UTF-8 that XML allows, and whether characters had to be replaced to get there. Bytes
// that are UTF-8 already are taken as such whatever the declaration says: firmware copies the declaration from elsewhere.
func unicodeText(b []byte, charset string) (text []byte, changed bool) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if wide(b) {
		if t, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Bytes(b); err == nil {
			b = t
		}
	}
	if !utf8.Valid(b) {
		e := declared(b)
		if e == nil {
			e = named(charset)
		}
		if e != nil {
			if t, err := e.NewDecoder().Bytes(b); err == nil {
				b = t
			}
		}
	}
	if !utf8.Valid(b) {
		b, changed = bytes.ToValidUTF8(b, []byte("\uFFFD")), true
	}
	if i := bytes.IndexFunc(b, forbidden); i >= 0 {
		b, changed = bytes.Map(func(r rune) rune {
			if forbidden(r) {
				return -1
			}
			return r
		}, b), true
	}
	return b, changed
}

func declared(b []byte) encoding.Encoding {
	m := encodingDecl.FindSubmatch(b[:min(len(b), 300)])
	if m == nil {
		return nil
	}
	return named(string(m[1]))
}

// wide reports UTF-16, by the mark that begins it.
func wide(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	return bytes.HasPrefix(b, []byte{0xFE, 0xFF}) || bytes.HasPrefix(b, []byte{0xFF, 0xFE})
}

func named(charset string) encoding.Encoding {
	switch strings.ToLower(strings.TrimSpace(charset)) {
	case "iso-8859-1", "latin1", "latin-1", "iso_8859-1":
		return charmap.ISO8859_1
	case "windows-1252", "cp1252":
		return charmap.Windows1252
	case "gb2312", "gbk", "gb18030", "cp936", "x-gbk":
		return simplifiedchinese.GB18030
	}
	return nil
}

// forbidden reports the characters XML 1.0 does not allow (section 2.2).
func forbidden(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}
