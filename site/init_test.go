package site

import (
	"slices"
	"strings"
	"testing"
)

func TestInit(t *testing.T) {
	for _, v := range Venues() {
		for _, lang := range []string{"zh", "en"} {
			b, err := Init(v.Token, lang)
			if err != nil {
				t.Fatal(err)
			}
			f, err := Parse(b, v.Token+".yaml")
			if err != nil {
				t.Fatalf("%s %s does not parse:\n%s\n%s", v.Token, lang, err, b)
			}
			if f.Site.Venue != v.Token {
				t.Errorf("%s: venue %q", v.Token, f.Site.Venue)
			}
			if !strings.HasPrefix(string(b), "# yaml-language-server: $schema=") {
				t.Errorf("%s: the first line is not for editors: %.60s", v.Token, b)
			}
			advice := Check(f, "")
			if len(advice) == 0 || advice[0].Path != "site.name" || advice[0].Weight != Blocks {
				t.Errorf("%s: check does not begin with what is to be filled in: %v", v.Token, advice)
			}
			if open := Unfilled(f, "authority"); !slices.Contains(open, "authority.granted_by.name") || slices.Contains(open, "site.name") {
				t.Errorf("%s: open in the authority: %q", v.Token, open)
			}
			for i, line := range strings.Split(string(b), "\n") {
				if strings.Contains(line, "#zh") || strings.Contains(line, "#en") || strings.Contains(line, "{{") || strings.HasSuffix(line, " ") {
					t.Errorf("%s %s line %d: %q", v.Token, lang, i+1, line)
				}
				if lang == "en" && strings.ContainsFunc(line, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }) {
					t.Errorf("%s line %d is not English: %q", v.Token, i+1, line)
				}
			}
		}
	}
	if b, err := Init("mal", "zh"); err == nil || b != nil || !strings.Contains(err.Error(), "mall") {
		t.Errorf("unknown venue: %v", err)
	}
}
