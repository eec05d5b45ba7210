package site

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
)

// maxCount bounds the cameras somebody can have counted in one zone; more is a slip of the pen.
const maxCount = 10_000

// survey: a complete survey turns the absence of a notice into a fact, so it must say where, when and by whom.
func (v *validator) survey() {
	s := v.f.Survey
	if s == nil {
		return
	}
	if s.Complete {
		if len(s.Walked.Entrances)+len(s.Walked.Zones) == 0 {
			v.problem("survey.walked", "site.survey_walked")
		}
		if len(s.By) == 0 {
			v.problem("survey.by", "site.survey_by")
		}
	}
	v.period(s.At, "survey.at", s.Complete)
	v.people(s.By, "survey.by")
	v.zoneList(s.Walked.Entrances, "survey.walked.entrances")
	v.zoneList(s.Walked.Zones, "survey.walked.zones")
	for i, n := range s.NotWalked {
		p := index("survey.not_walked", i)
		v.zone(n.Zone, p+".zone")
		if n.Zone == "" && !v.wrote(p+".zone") {
			v.problem(p+".zone", "site.missing")
		}
		if strings.TrimSpace(n.Reason) == "" {
			v.problem(p+".reason", "site.reason", clean.Text(n.Zone, 60))
		}
		if slices.Contains(s.Walked.Zones, n.Zone) || slices.Contains(s.Walked.Entrances, n.Zone) {
			v.problem(p+".zone", "site.both_walked", clean.Text(n.Zone, 60))
		}
	}
	counted := map[string]bool{}
	for i, n := range s.Cameras {
		p := index("survey.cameras", i)
		v.zone(n.Zone, p+".zone")
		switch {
		case n.Zone == "" && !v.wrote(p+".zone"):
			v.problem(p+".zone", "site.missing")
		case n.Zone != "" && counted[n.Zone]:
			v.problem(p+".zone", "site.counted_twice", clean.Text(n.Zone, 60))
		}
		counted[n.Zone] = true
		switch {
		case !v.wrote(p + ".count"):
			v.problem(p+".count", "site.missing")
		case n.Count < 0 || n.Count > maxCount:
			v.problem(p+".count", "site.count", n.Count, maxCount)
		}
	}
	for i := range s.OnlineChecked {
		o, p := &s.OnlineChecked[i], index("survey.online_checked", i)
		if o.URL == "" && o.App == "" {
			v.problem(p, "site.online_which")
		}
		v.sha256(&o.SHA256, p+".sha256")
		v.document(o.Screenshot, p+".screenshot")
	}
	v.document(s.Signed, "survey.signed")
}

func (v *validator) notices() {
	v.ids("notices", len(v.f.Notices), func(i int) string { return v.f.Notices[i].ID })
	for i := range v.f.Notices {
		n, p := &v.f.Notices[i], index("notices", i)
		if n.Kind != "" || !v.wrote(p+".kind") {
			v.required(n.Kind, p+".kind", noticeKinds())
		}
		if n.Status != "" || !v.wrote(p+".status") {
			v.required(n.Status, p+".status", noticeStatuses())
		}
		v.closed(n.DeclaredBy, p+".declared_by", declarers())
		v.zone(n.Location.Zone, p+".location.zone")
		v.zoneList(n.Covers.Zones, p+".covers.zones")
		v.cameraList(n.Covers.Cameras, p+".covers.cameras")
		v.coversHours(n.Covers.Hours, p+".covers.hours")
		v.zoneList(n.Scope.Zones, p+".scope.zones")
		v.duration(n.Scope.Retention, p+".scope.retention")
		v.sha256(&n.TextSHA256, p+".text_sha256")
		if n.Photo != nil {
			v.filename(n.Photo.File, p+".photo.file")
			v.sha256(&n.Photo.SHA256, p+".photo.sha256")
		}
		if n.Rules != nil {
			v.sha256(&n.Rules.RetrievedSHA256, p+".rules.retrieved_sha256")
		}
		if !n.PostedOn.IsZero() && !n.RemovedOn.IsZero() && n.RemovedOn.End().Before(n.PostedOn.T) {
			v.problem(p+".removed_on", "site.order", n.PostedOn.String(), n.RemovedOn.String())
		}
		for j := range n.Methods {
			n.Methods[j] = v.method(n.Methods[j], index(p+".methods", j))
		}
	}
}

// method checks one method and writes it the one way the rest of the program reads it.
func (v *validator) method(s, path string) string {
	if s == "" {
		return s
	}
	name, attrs := audit.SplitMethod(s)
	switch {
	case !known(methods(), name):
		v.unknownWord(path, name, methods())
	case strings.Contains(s, "{") && (name != "attribute_analysis" || !strings.HasSuffix(strings.TrimSpace(s), "}")):
		v.problem(path, "site.method_braces", clean.Text(s, 80))
	}
	if len(attrs) == 0 {
		return name
	}
	slices.Sort(attrs)
	return name + "{" + strings.Join(slices.Compact(attrs), ",") + "}"
}

// coversHours reads "always" or "09:00-22:00", several with commas.
func (v *validator) coversHours(s, path string) {
	if s == "" || s == "always" {
		return
	}
	for part := range strings.SplitSeq(s, ",") {
		from, to, ok := strings.Cut(strings.TrimSpace(part), "-")
		if !ok || !hoursShape.MatchString(from) || !hoursShape.MatchString(to) {
			v.problem(path, "site.covers_hours", clean.Text(s, 60))
			return
		}
	}
}

func (v *validator) gates() {
	v.ids("gates", len(v.f.Gates), func(i int) string { return v.f.Gates[i].ID })
	for i, g := range v.f.Gates {
		p := index("gates", i)
		v.zone(g.Zone, p+".zone")
		if !v.wrote(p + ".face") {
			v.problem(p+".face", "site.missing_bool")
		}
		if t := g.Test; t != nil {
			if t.Method == "" && !v.wrote(p+".test.method") {
				v.problem(p+".test.method", "site.missing")
			}
			if !v.wrote(p + ".test.ok") {
				v.problem(p+".test.ok", "site.missing_bool")
			}
		}
	}
}

func (v *validator) consents() {
	for i, c := range v.f.Consents {
		p := index("consents", i)
		if c.Purpose == "" && !v.wrote(p+".purpose") {
			v.problem(p+".purpose", "site.missing")
		}
		v.document(c.Form, p+".form")
		v.zoneList(c.Zones, p+".zones")
		if c.Withdraw != nil && c.Withdraw.Channel == "" && !v.wrote(p+".withdraw.channel") {
			v.problem(p+".withdraw.channel", "site.missing")
		}
	}
}

var itemShape = regexp.MustCompile(`^(?:第?[五5]条?)?(?:[（(]([一二三四五1-5])[）)]|第[（(]?([一二三四五1-5])[）)]?项|[.．]([1-5]))$|^([一二三四五1-5])$`)

// item reads an item of Art. 5 as people write it, and returns "5(2)", or "" for anything else.
func item(s string) string {
	m := itemShape.FindStringSubmatch(strings.Join(strings.Fields(s), ""))
	if m == nil {
		return ""
	}
	n := m[1] + m[2] + m[3] + m[4]
	if i := strings.Index("一二三四五", n); i >= 0 {
		n = string(rune('1' + i/len("一")))
	}
	return "5(" + n + ")"
}

func (v *validator) exemptions() {
	ids := map[string]bool{}
	for i := range v.f.Exemptions {
		e, p := &v.f.Exemptions[i], index("exemptions", i)
		if e.ID != "" {
			v.id(e.ID, p+".id")
			if ids[e.ID] {
				v.problem(p+".id", "site.id_twice", clean.Text(e.ID, 60))
			}
			ids[e.ID] = true
		}
		switch canon := item(e.Item); {
		case e.Item == "" && !v.wrote(p+".item"):
			v.problem(p+".item", "site.item_missing")
		case canon == "" && e.Item != "":
			v.problem(p+".item", "site.item", clean.Text(e.Item, 60))
		default:
			e.Item = canon
		}
		v.document(e.Document, p+".document")
		v.period(e.Period, p+".period", false)
		v.zoneList(e.Zones, p+".zones")
	}
}

func (v *validator) declarations() {
	v.ids("declarations", len(v.f.Declarations), func(i int) string { return v.f.Declarations[i].ID })
	for i, c := range v.f.Declarations {
		p := index("declarations", i)
		if c.By != "" || !v.wrote(p+".by") {
			v.required(c.By, p+".by", declarers())
		}
		if c.At.IsZero() && !v.wrote(p+".at") {
			v.problem(p+".at", "site.missing")
		}
		if !v.wrote(p + ".runs") {
			v.problem(p+".runs", "site.missing_bool")
		}
		if len(c.Cameras)+len(c.Zones) == 0 {
			v.problem(p, "site.declares_of")
		}
		for j, fn := range c.Functions {
			v.closed(string(fn), index(p+".functions", j), functions())
		}
		if len(c.Functions) == 0 && len(c.Purposes) == 0 {
			v.problem(p+".functions", "site.missing_word", strings.Join(functions(), ", "))
		}
		v.cameraList(c.Cameras, p+".cameras")
		v.zoneList(c.Zones, p+".zones")
		v.document(c.Exhibit, p+".exhibit")
	}
}

// serverSide: "attested" closes the question what stands behind the cameras, so somebody must stand for it.
func (v *validator) serverSide() {
	s := v.f.ServerSide
	if s == nil {
		return
	}
	if s.Attested && s.By.Name == "" && !v.wrote("server_side.by.name") {
		v.problem("server_side.by", "site.server_by")
	}
	if s.Attested && s.At.IsZero() && !v.wrote("server_side.at") {
		v.problem("server_side.at", "site.server_at")
	}
	v.document(s.Document, "server_side.document")
}
