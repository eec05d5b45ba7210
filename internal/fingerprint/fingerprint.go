// Package fingerprint guesses the maker and the kind of a device from what it shows to anybody: the prefix of its hardware
// address, its web page, its certificate, its RTSP server. The guesses are data, one dated file per kind of trace in
// data/; a trace belongs there when it is seen without logging in and without asking for anything but the front page.
//
// A fingerprint says who made a thing and never what it does with faces; that none matches says nothing.
package fingerprint

import (
	"cmp"
	"embed"
	"net/http"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
)

//go:embed data/*.yaml
var data embed.FS

// Strength says how much a match is worth. The zero value is the cautious one.
type Strength int

// The strengths, weakest first.
const (
	Weak   Strength = iota // shared with other makers, or an address prefix
	Medium                 // a habit of the maker's firmware, white labels included
	Strong                 // names the maker or the product
)

// Match is one guess.
type Match struct {
	Vendor   string
	Kind     audit.Kind // empty where the trace does not show it
	What     string     // a few words more, in English; may be empty
	Source   string     // where the rule comes from, with its date
	Strength Strength
	MAC      string // hardware address the trace spells out, lower case with colons; may be empty
	Serial   string // serial number the trace spells out; may be empty
}

// HTTPFacts are what one GET / and its handshake showed, cleaned.
type HTTPFacts struct {
	Server  string      // header
	Realm   string      // of WWW-Authenticate
	Title   string      // of the page
	Body    string      // beginning of a page that has no title
	Subject string      // of the certificate, as pkix.Name.String writes it
	Issuer  string      // likewise
	Headers http.Header // all of them
}

// DB is the loaded data. It is not changed after Load and safe for concurrent use.
type DB struct {
	prefixes map[string]prefix // by the prefix's hexadecimal digits, upper case: 6, 7 or 9 of them
	web      []rule
	rtsp     []rule
	vendors  map[string]string // by folded name
}

type prefix struct {
	vendor string
	kind   audit.Kind
	what   string
	source string
}

// HTTP returns what a web server's traces match, strongest first.
func (db *DB) HTTP(f HTTPFacts) []Match { return find(db.web, f) }

// RTSP returns what the Server header and the realm of an RTSP server match, strongest first.
func (db *DB) RTSP(server, realm string) []Match {
	return find(db.rtsp, HTTPFacts{Server: server, Realm: realm})
}

func find(rules []rule, f HTTPFacts) []Match {
	var out []Match
	for _, r := range rules {
		if m, ok := r.match(f); ok {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b Match) int { return cmp.Compare(b.Strength, a.Strength) })
	return out
}

// Best returns the one guess several matches support: the strongest, with a kind, an address and a serial number from any
// match of the same maker. It is false where there is none, or where matches of the highest strength name different makers.
func Best(ms []Match) (Match, bool) {
	if len(ms) == 0 {
		return Match{}, false
	}
	best := slices.MaxFunc(ms, func(a, b Match) int { return cmp.Compare(a.Strength, b.Strength) })
	for _, m := range ms {
		switch {
		case m.Vendor == best.Vendor:
			best.Kind = cmp.Or(best.Kind, m.Kind)
			best.What = cmp.Or(best.What, m.What)
			best.MAC = cmp.Or(best.MAC, m.MAC)
			best.Serial = cmp.Or(best.Serial, m.Serial)
		case m.Strength == best.Strength:
			return Match{}, false
		}
	}
	return best, true
}

// String returns the strength's name, as the data files write it.
func (s Strength) String() string {
	if s < Weak || s > Strong {
		return "weak"
	}
	return strengths[s]
}

var strengths = [...]string{"weak", "medium", "strong"}
