package site

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

//go:embed templates/*.tmpl
var templates embed.FS

// VenueError says that there is no such kind of venue, and which there are.
type VenueError struct{ Text audit.Text }

func (e *VenueError) Error() string { return "site: writing a site file: " + e.Text.EN }

// Init returns a commented site file to start from, for a kind of venue, in "zh" or anything else for English. An empty
// venue means "other". What a person must fill in is marked, and Check names it. The file parses as it is.
func Init(venue, lang string) ([]byte, error) {
	if venue == "" {
		venue = "other"
	}
	i := slices.IndexFunc(Venues(), func(v Venue) bool { return v.Token == venue })
	if i < 0 {
		var tokens []string
		for _, v := range Venues() {
			tokens = append(tokens, v.Token)
		}
		return nil, &VenueError{msg.Text("site.init.venue", clean.Text(venue, 40), strings.Join(tokens, ", "))}
	}
	t := template.New("").Funcs(template.FuncMap{"t": func(zh, en string) string { return audit.Text{ZH: zh, EN: en}.In(lang) }})
	t, err := t.ParseFS(templates, "templates/*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("site: reading templates: %w", err)
	}
	var b bytes.Buffer
	data := struct{ Venue, Words, Venues string }{venue, Venues()[i].Words.In(lang), venueWords(lang)}
	if err := t.ExecuteTemplate(&b, family(venue)+".tmpl", data); err != nil {
		return nil, fmt.Errorf("site: writing a site file: %w", err)
	}
	return oneLanguage(b.String(), lang), nil
}

// family names the template that fits a kind of venue.
func family(venue string) string {
	for name, venues := range map[string][]string{
		"shop":         {"mall", "shop", "store", "supermarket", "restaurant", "pharmacy", "car_dealer", "beauty_salon"},
		"hotel":        {"hotel", "bathhouse"},
		"station":      {"station", "metro", "airport", "port"},
		"residential":  {"residential", "dormitory"},
		"sales_office": {"sales_office"},
	} {
		if slices.Contains(venues, venue) {
			return name
		}
	}
	return "generic"
}

func venueWords(lang string) string {
	var out []string
	for _, v := range Venues() {
		out = append(out, v.Token+" "+v.Words.In(lang))
	}
	if lang == "zh" {
		return strings.Join(out, "、")
	}
	return strings.Join(out, ", ")
}

// oneLanguage keeps the comments of one language: templates mark them "#zh" and "#en".
func oneLanguage(s, lang string) []byte {
	keep, drop := "#en", "#zh"
	if lang == "zh" {
		keep, drop = drop, keep
	}
	var b bytes.Buffer
	for line := range strings.Lines(s) {
		switch bare := strings.TrimLeft(line, " "); {
		case strings.HasPrefix(bare, drop):
		case strings.HasPrefix(bare, keep):
			b.WriteString(line[:len(line)-len(bare)] + "#" + bare[len(keep):])
		default:
			b.WriteString(line)
		}
	}
	return b.Bytes()
}
