package web

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"github.com/mingshi-audit/mingshi/internal/clean"
)

// Title returns the cleaned title of a page, at most 200 runes, or "". The page is decoded as its header or its own
// declaration says: many devices in China still write GBK.
func Title(page []byte, contentType string) string {
	e, _, _ := charset.DetermineEncoding(page[:min(len(page), 1024)], contentType)
	z := html.NewTokenizer(io.LimitReader(e.NewDecoder().Reader(bytes.NewReader(page)), 2*maxBody))
	z.SetMaxBuf(maxBody)
	for depth := 0; ; {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken:
			n, _ := z.TagName()
			switch string(n) {
			case "svg": // has titles of its own
				depth++
			case "title":
				if depth > 0 {
					continue
				}
				var b strings.Builder
				if z.Next() == html.TextToken {
					b.Write(z.Text())
				}
				if t := clean.Text(b.String(), maxText); t != "" {
					return t
				}
			}
		case html.EndTagToken:
			if n, _ := z.TagName(); string(n) == "svg" && depth > 0 {
				depth--
			}
		}
	}
}
