package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/report"
)

// colour is what the program itself may send to a terminal.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestTextIsTame: whatever a report holds, a terminal gets no control character but the line feed and our own colours, no
// character that reorders or hides others, and no line wider than it is.
func TestTextIsTame(t *testing.T) {
	text.EnableColors()
	for name, r := range samples() {
		for _, o := range []report.Options{{Lang: "zh"}, {Lang: "en"}, {Lang: "zh", Width: 120}, {Lang: "en", Width: 120, Color: true}, {Lang: "en", Width: 40},
			{Lang: "zh", Width: 40, Color: true}, {Bundle: "\x1b[2J\u202edir"}} {
			tame(t, fmt.Sprintf("%s %+v", name, o), string(render(t, "text", r, o)), o)
		}
	}
}

func tame(t interface{ Errorf(string, ...any) }, name, s string, o report.Options) {
	if o.Color {
		s = colour.ReplaceAllString(s, "")
	}
	for _, r := range s {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Errorf("%s: holds %U", name, r)
			return
		}
	}
	width := o.Width
	if width < 40 {
		width = 80
	}
	if width < 80 {
		return // the matrix of functions does not fit; everything is still there
	}
	for l := range strings.SplitSeq(s, "\n") {
		if n := text.StringWidthWithoutEscSequences(l); n > width {
			t.Errorf("%s: a line of %d columns: %s", name, n, l)
		}
	}
}

// TestAnyStringIsTame puts strings made of everything awkward into each place of a report that others write.
func TestAnyStringIsTame(t *testing.T) {
	awkward := rapid.StringOfN(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("\x1b[31m\u202e\u2066\u200b\x00\x7f\u009b<>\"'&`={}/\\\r\n\t中。，e\u0301"))), 0, 60, -1)
	rapid.Check(t, func(t *rapid.T) {
		r := shop()
		s := func() string { return awkward.Draw(t, "s") }
		r.Site.Name, r.Site.Venue, r.Run.ID, r.Tool.Version = s(), s(), s(), s()
		r.Devices = r.Devices[:2]
		d := &r.Devices[0]
		d.Vendor, d.Model, d.Name, d.Inventory, d.Kind = s(), s(), s(), s(), audit.Kind(s())
		d.Face[audit.Analyse] = audit.FaceState{Level: audit.Active, Attributes: []string{s()}, Because: []string{s()}}
		f := &r.Findings[0]
		f.Message, f.Title, f.Rule, f.Gaps, f.Burden = tx(s(), s()), tx(s(), s()), s(), []string{s()}, s()
		f.Missing, f.Requests = []string{s()}, []audit.Request{{Fact: s(), Ask: tx(s(), s()), Burden: s()}}
		r.Coverage = []audit.Coverage{{Target: s(), Module: s(), Status: audit.CoverageStatus(s()), Detail: tx(s(), s())}}
		v := report.Build(r)
		for _, lang := range []string{"zh", "en"} {
			var b bytes.Buffer
			o := report.Options{Lang: lang, Width: 80}
			for _, x := range report.Formats() {
				if x.Name == "json" {
					continue // keeps what it was given
				}
				b.Reset()
				if err := x.Write(&b, v, o); err != nil {
					t.Fatal(err)
				}
				if x.Name == "text" {
					tame(t, lang, b.String(), o)
				} else if bad := wild(b.Bytes()); bad != "" {
					t.Errorf("%s: %s", lang, bad)
				}
			}
		}
	})
}

var (
	elements = []string{"html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "h4", "nav", "ul", "ol", "li", "a", "fieldset", "legend",
		"label", "input", "span", "main", "section", "p", "time", "strong", "b", "article", "dl", "dt", "dd", "div", "br", "blockquote", "code", "details",
		"summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "footer"}
	attributes = []string{"lang", "charset", "http-equiv", "content", "name", "class", "aria-label", "aria-labelledby", "aria-hidden", "href", "hidden", "type",
		"id", "checked", "datetime", "scope", "role", "tabindex"}
)

// wild returns what a page holds that the template did not put there: another element or attribute, a link that leaves
// the page, or a second style sheet.
func wild(page []byte) string {
	z := html.NewTokenizer(bytes.NewReader(page))
	styles := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			if styles != 1 {
				return fmt.Sprintf("%d style sheets", styles)
			}
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if !slices.Contains(elements, t.Data) {
				return "element " + t.Data
			}
			if t.Data == "style" {
				styles++
			}
			for _, a := range t.Attr {
				if !slices.Contains(attributes, a.Key) || a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
					return "attribute " + a.Key + "=" + a.Val
				}
			}
		case html.CommentToken:
			return "a comment"
		}
	}
}

func TestHTMLHoldsOnlyTheTemplatesMarkup(t *testing.T) {
	for name, r := range samples() {
		for _, lang := range []string{"zh", "en"} {
			page := render(t, "html", r, report.Options{Lang: lang, Digest: `"; } </style><script>alert(1)</script>`})
			if bad := wild(page); bad != "" {
				t.Errorf("%s: %s", name, bad)
			}
			if bytes.ContainsAny(page, "\x1b\x00\x07") || bytes.ContainsRune(page, 0x202e) {
				t.Errorf("%s: control characters", name)
			}
		}
	}
}

// TestAnchors: every link leads somewhere, and no two elements share an id.
func TestAnchors(t *testing.T) {
	for name, r := range samples() {
		ids, links := map[string]int{}, []string{}
		z := html.NewTokenizer(bytes.NewReader(render(t, "html", r, report.Options{})))
		for z.Next() != html.ErrorToken {
			for _, a := range z.Token().Attr {
				switch a.Key {
				case "id":
					ids[a.Val]++
				case "href":
					links = append(links, a.Val[1:])
				case "aria-labelledby":
					links = append(links, a.Val)
				}
			}
		}
		for id, n := range ids {
			if n > 1 {
				t.Errorf("%s: id %s %d times", name, id, n)
			}
		}
		for _, l := range links {
			if ids[l] == 0 {
				t.Errorf("%s: nothing has the id %s", name, l)
			}
		}
	}
}
