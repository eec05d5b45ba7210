package rules

import (
	"strconv"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// placeholders are the words a pack's texts may use in braces.
var placeholders = []string{"venue", "device", "zones", "modes", "attrs", "withattrs", "messages", "count", "heard", "seconds", "within", "unaware", "notice", "quoted", "excluded", "elements", "unclear",
	"entrances", "walked", "online", "stated", "observed", "gaps", "hints", "recipients", "date", "applicability", "processor",
	"others", "internet", "inner", "exemption", "item", "lacking", "odds", "open", "suspected", "undetermined", "unfound"}

// frames are the further words a text under messages: may use.
var frames = []string{"facts", "exhibits", "window", "scope", "provision", "quote", "missing", "burden", "ask"}

// words fills the placeholders for a subject. A word for which nothing is known says so.
func (c *court) words(s *subject, f audit.Finding) map[string]audit.Text {
	fs := s.facts
	w := map[string]audit.Text{
		"venue":        msg.Venue(fs.text(factVenue)),
		"device":       deviceLabel(s),
		"zones":        c.zoneNames(s.zones),
		"modes":        modes(fs),
		"attrs":        terms(fs.list("device.attributes")),
		"messages":     number(fs, factMessages),
		"count":        count(fs, factMessages),
		"heard":        count(fs, factHeard),
		"quoted":       c.quoted(s),
		"excluded":     excluded(fs),
		"seconds":      number(fs, factSeconds),
		"within":       within(fs),
		"unaware":      unaware(fs),
		"notice":       noticeLabel(s),
		"elements":     terms(only(fs.list("notice.absent"), mandatory)),
		"unclear":      terms(only(fs.list("notice.unclear"), mandatory)),
		"entrances":    number(fs, "site.survey.entrances"),
		"walked":       number(fs, "site.survey.zones"),
		"online":       number(fs, "site.survey.online"),
		"stated":       stated(s),
		"observed":     observed(fs),
		"gaps":         gapWords(fs),
		"hints":        terms(fs.list("gap.purpose_hint")),
		"recipients":   c.recipientNames(s),
		"others":       c.hostNames(s, fs.list("recipient.others")),
		"internet":     c.hostNames(s, fs.list(factInternet)),
		"inner":        c.hostNames(s, fs.list(factWithin)),
		"date":         span(s.times["conduct.from"], s.times["conduct.to"]),
		"processor":    same(clean.Text(c.in.Site.Site.Processor.Name, 60)),
		"exemption":    terms([]string{fs.text("exemption.state")}),
		"item":         terms([]string{fs.text("exemption.item")}),
		"lacking":      lacking(fs),
		"odds":         c.odds(s),
		"open":         number(fs, "finding.open"),
		"suspected":    number(fs, "finding.suspected"),
		"undetermined": number(fs, "finding.undetermined"),
		"unfound":      number(fs, factUnfound),
	}
	if len(fs.list("device.attributes")) > 0 {
		w["withattrs"] = msg.Text("rule.withattrs", w["attrs"])
	}
	w["applicability"] = msg.Text("rule.applies.fully")
	if s.times["conduct.from"].Before(c.packFrom(f.Pack)) {
		w["applicability"] = msg.Text("rule.applies.partly")
	}
	return w
}

func (c *court) packFrom(ref string) time.Time {
	for _, p := range c.packs {
		if p.meta.ID+"@"+p.meta.Version == ref {
			return p.from
		}
	}
	return time.Time{}
}

// mandatory are the elements 法释〔2021〕15号 Art. 2(2) asks for.
var mandatory = []string{string(notice.Face), string(notice.Purpose), string(notice.Manner), string(notice.Scope), string(notice.Rules)}

func only(l, of []string) []string {
	var out []string
	for _, x := range of {
		for _, y := range l {
			if x == y {
				out = append(out, x)
			}
		}
	}
	return out
}

// terms gives the words for terms of a vocabulary. They may come from a device or a person: they are cleaned.
func terms(l []string) audit.Text {
	var out []audit.Text
	for _, x := range l {
		if x != "" {
			out = append(out, msg.Word(clean.Text(x, 60)))
		}
	}
	if len(out) == 0 {
		return msg.Text("rule.notrecorded")
	}
	return some(out, "、", ", ", 10)
}

func number(fs facts, name string) audit.Text {
	if s := fs[name]; s.Known {
		if n, ok := s.Value.V.(int64); ok {
			return same(strconv.FormatInt(n, 10))
		}
	}
	return msg.Text("rule.notrecorded")
}

// within says in how many seconds, and nothing where nobody watched for a time of his own: what is overheard in a capture comes when
// it comes.
func within(fs facts) audit.Text {
	if s := fs[factSeconds]; !s.Known {
		return audit.Text{}
	}
	return msg.Text("rule.within", number(fs, factSeconds))
}

// unaware says that people are captured without doing anything, where that is established, and nothing where it is not.
func unaware(fs facts) audit.Text {
	if s := fs[factPassive]; !s.Known || s.Value.V != true {
		return audit.Text{}
	}
	return msg.Text("rule.unaware")
}

// count words a number of messages about faces. It is never a number of persons.
func count(fs facts, name string) audit.Text {
	s := fs[name]
	n, ok := s.Value.V.(int64)
	switch {
	case !s.Known || !ok:
		return msg.Text("rule.notrecorded")
	case n == 1:
		return msg.Text("rule.messages.one", n)
	}
	return msg.Text("rule.messages", n)
}

// maxQuoted is how many characters of a notice a sentence repeats.
const maxQuoted = 40

// quoted gives the words of the notice a sentence is about: the whole text where it is short, its beginning otherwise, nothing
// where no person stands for the reading or several notices are meant.
func (c *court) quoted(s *subject) audit.Text {
	id := s.facts.text("notice.best")
	if s.Kind == audit.SubjectNotice {
		id = s.ID
	}
	for _, n := range c.m.notices {
		text := clean.Text(n.Text, 4*maxQuoted)
		if n.ID != id || text == "" || n.OCR != nil && n.OCR.ConfirmedBy == "" {
			continue
		}
		if rs := []rune(text); len(rs) > maxQuoted || n.TextPartial {
			return msg.Text("rule.quoted.part", string(rs[:min(len(rs), maxQuoted)])+"…")
		}
		return msg.Text("rule.quoted", text)
	}
	return audit.Text{}
}

// excluded words the notices on record that do not count, with the reason.
func excluded(fs facts) audit.Text {
	var out []audit.Text
	for _, x := range fs.list("notice.excluded") {
		i := max(strings.LastIndexByte(x, ':'), 0) // an id may hold a colon, a reason does not
		id, why := x[:i], strings.TrimPrefix(x[i:], ":")
		out = append(out, msg.Text("rule.excluded.item", same(clean.Text(id, 60)), msg.Word(why)))
	}
	if len(out) == 0 {
		return msg.Text("rule.none")
	}
	return some(out, "、", ", ", 4)
}

func deviceLabel(s *subject) audit.Text {
	d := s.device
	if d == nil {
		return same(s.ID)
	}
	name := strings.TrimSpace(strings.Join([]string{d.Vendor, d.Model}, " "))
	id := orElse(d.Inventory, d.ID)
	if name == "" {
		return same(clean.Text(id, 60))
	}
	return msg.Text("rule.device", same(clean.Text(id, 60)), same(clean.Text(name, 60)))
}

func noticeLabel(s *subject) audit.Text {
	switch {
	case s.Kind == audit.SubjectNotice:
		return same(clean.Text(s.ID, 60))
	case s.facts.text("notice.best") != "":
		return same(clean.Text(s.facts.text("notice.best"), 60))
	case s.reading != nil:
		return same(clean.Text(s.reading.ID, 60))
	}
	return msg.Text("rule.none")
}

func (c *court) zoneNames(ids []string) audit.Text {
	var out []string
	for _, id := range ids {
		name := id
		for _, z := range c.in.Site.Zones {
			if z.ID == id && z.Name != "" {
				name = z.Name
			}
		}
		out = append(out, name)
	}
	var ts []audit.Text
	for _, n := range out {
		ts = append(ts, same(clean.Text(n, 60)))
	}
	if len(ts) == 0 {
		return msg.Text("rule.notrecorded")
	}
	return some(ts, "、", ", ", 6)
}

// modes names what runs: the functions of Art. 2(1) where one does, else those that come before them.
func modes(fs facts) audit.Text {
	for _, set := range [][]audit.Function{{audit.Analyse, audit.Verify, audit.Identify}, {audit.Detect, audit.Capture}} {
		var out []string
		for _, fn := range set {
			if fs.truth(modeFact(fn)) == notice.Yes {
				out = append(out, string(fn))
			}
		}
		if len(out) > 0 {
			return terms(out)
		}
	}
	return msg.Text("rule.notrecorded")
}

func observed(fs facts) audit.Text {
	var out []string
	for _, fn := range audit.Functions() {
		if fs.truth(modeFact(fn)) == notice.Yes {
			out = append(out, methods[fn])
		}
	}
	return terms(append(out, fs.list("device.attributes")...))
}

func stated(s *subject) audit.Text {
	if s.reading == nil {
		return msg.Text("rule.none")
	}
	r := s.reading
	word := func(l []string, what string) audit.Text {
		if len(l) == 0 {
			return msg.Text("rule.notstated")
		}
		t := terms(l)
		for _, x := range r.Inferred {
			if x == what {
				t = join(t, msg.Text("rule.stated.inferred"))
			}
		}
		return t
	}
	t := msg.Text("rule.stated", word(r.Stated.Methods, "methods"), word(r.Stated.Data, "data"), word(r.Stated.Purposes, "purposes"))
	if r.Denies() {
		t = join(t, msg.Text("rule.stated.denies"))
	}
	return t
}

func gapWords(fs facts) audit.Text {
	var out []audit.Text
	for _, k := range []string{"method", "data", "zone", "recipient", "purpose"} {
		if l := fs.list("gap." + k); len(l) > 0 {
			out = append(out, msg.Text("rule.gap."+k, terms(l)))
		}
	}
	return some(out, "；", "; ", 5)
}

func (c *court) recipientNames(s *subject) audit.Text {
	if known := s.facts.list("outbound.recipients"); len(known) > 0 {
		return c.hostNames(s, known)
	}
	hosts, _, _ := c.m.recipients(s.facts)
	return c.hostNames(s, hosts)
}

// hostNames words hosts that get results of a device, each with who it is where the site file's register says so.
func (c *court) hostNames(s *subject, hosts []string) audit.Text {
	if len(hosts) == 0 || s.device == nil {
		return terms(hosts)
	}
	held := c.m.holders(hosts, *s.device)
	var out []audit.Text
	for _, h := range hosts {
		t := msg.Word(clean.Text(h, 60))
		if who := held[h].Name; who != "" {
			t = msg.Text("rule.holder", t, same(clean.Text(who, 60)))
		}
		out = append(out, t)
	}
	return some(out, "、", ", ", 10)
}

func lacking(fs facts) audit.Text {
	var out []audit.Text
	for _, k := range []string{"document", "authority", "period"} {
		if fs.truth("exemption."+k) != notice.Yes {
			out = append(out, msg.Text("rule.claim."+k))
		}
	}
	if len(out) == 0 {
		return msg.Text("rule.none")
	}
	return some(out, "、", ", ", 3)
}

// odds words what contradicts a claim, from the facts its state was worked out from.
func (c *court) odds(s *subject) audit.Text {
	fs := s.facts
	var out []audit.Text
	for _, d := range fs["exemption.state"].deps {
		switch {
		case strings.HasPrefix(d, "device.mode."):
			out = append(out, msg.Word(strings.TrimPrefix(d, "device.mode.")))
		case d == factPurposes:
			out = append(out, msg.Text("rule.gap.purpose", terms(fs.list(d))))
		case d == factHosts:
			out = append(out, msg.Text("rule.gap.recipient", c.recipientNames(s)))
		default:
			out = append(out, msg.Text("rule.fact."+d))
		}
	}
	if len(out) == 0 {
		return msg.Text("rule.none")
	}
	return some(out, "、", ", ", 5)
}

// window words the time of the observation in China Standard Time.
func (c *court) window() audit.Text {
	from, to := c.m.from, c.m.to
	const layout = "2006-01-02 15:04"
	a, b := from.In(audit.CST()).Format(layout), to.In(audit.CST()).Format(layout)
	if a == b {
		return msg.Text("rule.window.day", same(a))
	}
	return msg.Text("rule.window", same(a), same(b))
}

// scopeText words the perimeter.
func (c *court) scopeText() audit.Text {
	ps := c.in.Site.Authority.Perimeter
	if len(ps) == 0 {
		return msg.Text("rule.scope.none")
	}
	var names []string
	for _, p := range ps[:min(len(ps), 3)] {
		names = append(names, p.String())
	}
	t := same(strings.Join(names, ", "))
	if len(ps) > 3 {
		t = msg.Text("rule.scope.more", t, len(ps))
	}
	return msg.Text("rule.scope", t)
}

// day and span word days in China Standard Time.
func day(t time.Time) audit.Text { return same(t.In(audit.CST()).Format("2006-01-02")) }

func span(from, to time.Time) audit.Text {
	a, b := day(from), day(to)
	if a == b {
		return a
	}
	return audit.Text{ZH: a.ZH + "至" + b.ZH, EN: a.EN + " to " + b.EN}
}
