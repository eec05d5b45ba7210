package site

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Weight says how much hangs on a piece of advice; the lightest is the zero value.
type Weight int

// The weights.
const (
	Hint    Weight = iota // would make the record better
	Weakens               // a finding rests on less, or a part of it stays open
	Blocks                // a rule stays undetermined, or a run cannot begin
)

// MarshalText writes the weight's name.
func (w Weight) MarshalText() ([]byte, error) {
	return []byte([]string{"hint", "weakens", "blocks"}[w]), nil
}

// Advice is one thing a person still has to record or to put right.
type Advice struct {
	Weight Weight     `json:"weight"`
	Path   string     `json:"path"` // where it belongs in the file
	Text   audit.Text `json:"text"`
	Rules  []string   `json:"rules"` // rules that stay open without it; empty: no rule in particular
}

// Rules that hang on what a site file records.
const (
	ruleVenue  = "SPC-2021-15/2.1"
	ruleStated = "SPC-2021-15/2.2"
	ruleText   = "SPC-2021-15/2.2-T"
	ruleCovert = "SPC-2021-15/COVERT"
	ruleAgreed = "SPC-2021-15/2.3"
	ruleGap    = "SPC-2021-15/2.4"
	ruleExempt = "SPC-2021-15/5"
	ruleOthers = "SPC-2021-15/2.6"
	ruleStored = "CN-FRT19/8"
)

// Check says what is still to be recorded in a file that parses, the most important first. Files the site file names are
// looked for in dir and compared with their digests; with dir empty nothing is opened.
func Check(f *audit.SiteFile, dir string) []Advice {
	c := &checker{f: f}
	c.placeholders()
	c.premises()
	c.authority()
	c.survey()
	c.serverSide()
	c.inventory()
	c.notices()
	c.claims()
	c.recipients()
	c.words()
	c.files(dir)
	slices.SortStableFunc(c.out, func(a, b Advice) int { return cmp.Compare(b.Weight, a.Weight) })
	return c.out
}

type checker struct {
	f   *audit.SiteFile
	out []Advice
}

func (c *checker) say(w Weight, path string, rules []string, id string, args ...any) {
	if rules == nil {
		rules = []string{}
	}
	c.out = append(c.out, Advice{Weight: w, Path: path, Text: msg.Text(id, args...), Rules: rules})
}

// placeholders finds what a template left open.
func (c *checker) placeholders() {
	for _, path := range Unfilled(c.f, "") {
		c.say(Blocks, path, nil, "site.check.fill_in", path)
	}
}

func (c *checker) premises() {
	if len(c.f.Site.Jurisdiction) == 0 {
		c.say(Blocks, "site.jurisdiction", nil, "site.check.region")
	}
	if c.f.Site.Name == "" || c.f.Site.Processor.Name == "" {
		c.say(Weakens, "site.processor.name", nil, "site.check.name")
	}
}

func (c *checker) authority() {
	a := c.f.Authority
	if n := certified(a.Inspectors); a.Basis == "statutory_inspection" && n < 2 {
		c.say(Blocks, "authority.inspectors", nil, "site.check.inspectors", n)
	}
	for i, p := range a.Perimeter {
		path := index("authority.perimeter", i)
		if isPublic(p) && !slices.ContainsFunc(a.Public, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Overlaps(p) }) {
			c.say(Blocks, path, nil, "site.check.public", p.String())
		}
		if p == netip.MustParsePrefix("192.0.2.0/24") { // what templates hold; reserved for documentation, no device is there
			c.say(Weakens, path, nil, "site.check.example", p.String())
		}
		if wide := p.Addr().Is4() && p.Bits() < 16 || p.Addr().Is6() && p.Bits() < 48; wide && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			c.say(Weakens, path, nil, "site.check.wide", p.String())
		}
	}
	if a.Permit < audit.PermitSample {
		c.say(Blocks, "authority.permit", []string{ruleVenue, ruleCovert}, "site.check.permit", a.Permit.String())
	}
	if len(c.f.Credentials) == 0 && !slices.ContainsFunc(c.f.Inventory, func(e audit.InventoryEntry) bool { return e.Credentials != "" }) && a.Permit >= audit.PermitLogin {
		c.say(Weakens, "credentials", []string{ruleVenue, ruleCovert}, "site.check.login")
	}
	if len(a.Hours) == 0 {
		c.say(Hint, "authority.hours", nil, "site.check.hours")
	}
	if a.Document == nil {
		c.say(Weakens, "authority.document", nil, "site.check.document")
	}
	if a.Contact == "" {
		c.say(Hint, "authority.contact", nil, "site.check.stop")
	}
}

func certified(ps []audit.Person) int {
	n := 0
	for _, p := range ps {
		if p.Name != "" && p.Cert != "" && !isPlaceholder(p.Name) {
			n++
		}
	}
	return n
}

// isPublic reports prefixes that hold addresses which may be somebody else's on the Internet, as the guard counts them.
func isPublic(p netip.Prefix) bool {
	for _, s := range []string{"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "198.18.0.0/15",
		"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "::1/128", "fc00::/7", "fe80::/10", "2001:db8::/32"} {
		if q := netip.MustParsePrefix(s); q.Bits() <= p.Bits() && q.Overlaps(p) {
			return false
		}
	}
	return true
}

// survey: without one, no rule about notices can come out as suspected.
func (c *checker) survey() {
	s := c.f.Survey
	rules := []string{ruleStated, ruleCovert}
	switch {
	case s == nil:
		c.say(Blocks, "survey", rules, "site.check.survey")
		return
	case !s.Complete:
		c.say(Blocks, "survey.complete", rules, "site.check.incomplete")
	default:
		walked := list(slices.Concat(s.Walked.Entrances, s.Walked.Zones))
		for _, n := range s.NotWalked {
			walked = append(walked, n.Zone)
		}
		for _, z := range c.filmed() {
			if !slices.Contains(walked, z) {
				c.say(Weakens, "survey.walked", rules, "site.check.unwalked", z)
			}
		}
		if s.Signed == nil {
			c.say(Weakens, "survey.signed", rules, "site.check.signed")
		}
	}
	if len(s.OnlineChecked) == 0 {
		c.say(Weakens, "survey.online_checked", []string{ruleStated}, "site.check.online")
	}
	c.counted()
	online := slices.ContainsFunc(c.f.Notices, func(n audit.Notice) bool { return n.Kind == "web_rules" || n.Kind == "app_rules" })
	for i, o := range s.OnlineChecked {
		if o.Found != nil && *o.Found && !online {
			c.say(Weakens, index("survey.online_checked", i), []string{ruleStated, ruleGap}, "site.check.online_rule", clean.Text(cmp.Or(o.URL, o.App), 120))
		}
	}
}

// counted: a count by eye is the only way to notice a camera that no network shows.
func (c *checker) counted() {
	s := c.f.Survey
	if len(s.Cameras) == 0 {
		c.say(Weakens, "survey.cameras", nil, "site.check.not_counted")
		return
	}
	walked := list(slices.Concat(s.Walked.Entrances, s.Walked.Zones))
	for i, n := range s.Cameras {
		if !slices.Contains(walked, n.Zone) {
			c.say(Weakens, index("survey.cameras", i)+".zone", nil, "site.check.counted_unwalked", n.Zone)
		}
		inZone := 0
		for _, e := range c.f.Inventory {
			if slices.Contains(e.AllZones(), n.Zone) {
				inZone++
			}
		}
		if inZone < n.Count {
			c.say(Weakens, "inventory", nil, "site.check.counted_more", n.Zone, n.Count, inZone)
		}
	}
	for _, z := range walked {
		if !slices.ContainsFunc(s.Cameras, func(n audit.CameraCount) bool { return n.Zone == z }) {
			c.say(Hint, "survey.cameras", nil, "site.check.counted_not", z)
		}
	}
}

// filmed lists the zones that have a camera.
func (c *checker) filmed() []string {
	var out []string
	for _, e := range c.f.Inventory {
		out = append(out, e.AllZones()...)
	}
	return list(out)
}

func (c *checker) serverSide() {
	rules := []string{ruleVenue, ruleStated, ruleCovert}
	switch s := c.f.ServerSide; {
	case s == nil:
		c.say(Blocks, "server_side", rules, "site.check.server")
	case !s.Attested:
		c.say(Blocks, "server_side.attested", rules, "site.check.attested")
	case s.Analyses == nil:
		c.say(Blocks, "server_side.analyses_faces", rules, "site.check.analyses")
	}
}

func (c *checker) inventory() {
	if len(c.f.Inventory) == 0 {
		c.say(Blocks, "inventory", []string{ruleVenue, ruleStated, ruleCovert}, "site.check.inventory")
	}
	by := map[string]string{}
	for i, e := range c.f.Inventory {
		path := index("inventory", i)
		switch {
		case e.Address != "":
			if first := by[e.Address]; first != "" {
				c.say(Weakens, path+".address", nil, "site.check.twice", first, e.ID, e.Address)
			}
			by[e.Address] = e.ID
			if a, ok := hostOf(e.Address); ok && !slices.ContainsFunc(c.f.Authority.Perimeter, func(p netip.Prefix) bool { return p.Contains(a) }) {
				c.say(Blocks, path+".address", []string{ruleVenue, ruleCovert}, "site.check.outside", e.ID, e.Address)
			}
		case e.MAC == "" && e.Serial == "":
			c.say(Weakens, path+".address", []string{ruleVenue, ruleCovert}, "site.check.unlocated", e.ID)
		}
		zones := e.AllZones()
		if len(zones) == 0 {
			c.say(Blocks, path+".zone", []string{ruleStated, ruleCovert}, "site.check.zone", e.ID)
		}
		for _, z := range c.f.Zones {
			if z.Prohibited && slices.Contains(zones, z.ID) {
				c.say(Blocks, path+".zone", nil, "site.check.prohibited", e.ID, z.ID)
			}
			if _, ok := zoneKind(z.Kind); !ok && slices.Contains(zones, z.ID) && e.Passive == nil && !isPlaceholder(z.Kind) {
				c.say(Weakens, path+".passive", []string{ruleCovert}, "site.check.zone_kind", z.ID, clean.Text(z.Kind, 40))
			}
		}
	}
}

// hostOf returns the address of "ip" or "ip:port".
func hostOf(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a, true
	}
	ap, err := netip.ParseAddrPort(s)
	return ap.Addr(), err == nil
}
