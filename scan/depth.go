package scan

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

// look says of every device, for each function, which questions that could decide it were answered, refused, lost or never asked.
// It rests on what was recorded and on what modules say they ask; the world is not consulted. A module's questions count for
// a device that answered in the module's protocol, or that the module was kept from asking.
func look(devices []audit.Device, observations []audit.Observation, device map[string]string, rec Record, modules []probe.Module) {
	seen := map[string][]audit.Observation{}
	for _, o := range observations {
		if id := device[o.Locus]; id != "" && o.Kind != sightingKind && !overheard(o) {
			seen[id] = append(seen[id], o)
		}
	}
	var lists [][]answered
	for _, m := range modules {
		lists = append(lists, questionsOf(m))
	}
	for i := range devices {
		d := &devices[i]
		l := looker{device: *d, permit: rec.Run.Permit, seen: seen[d.ID], coverage: rec.Coverage}
		d.Looked = []audit.Looked{}
		for _, f := range audit.Functions() {
			d.Looked = append(d.Looked, audit.Looked{Function: f, Asked: []audit.Question{}, Refused: []audit.Question{}, Failed: []audit.Question{}, Skipped: []audit.Question{}})
		}
		ours := map[string]bool{} // modules that speak for the interface that configures it
		for k, m := range modules {
			l.module(m, lists[k], d.Looked)
			ours[m.Name] = m.Elsewhere == nil || !m.Elsewhere(d.Vendor)
		}
		heard := slices.ContainsFunc(seen[d.ID], func(o audit.Observation) bool { return cameBack(o.Status) })
		for k := range d.Looked {
			q := &d.Looked[k]
			q.Unknown = heard && !slices.ContainsFunc(slices.Concat(q.Asked, q.Refused, q.Failed, q.Skipped), func(x audit.Question) bool { return ours[x.Module] })
		}
	}
}

// answered is a question with how its observations are recognised.
type answered struct {
	probe.Question
	kind *regexp.Regexp
}

// questionsOf returns the questions of a module that decide something.
func questionsOf(m probe.Module) []answered {
	var out []answered
	for _, q := range m.Asks {
		if len(q.Decides) > 0 {
			out = append(out, answered{q, kindPattern(q.Kind)})
		}
	}
	return out
}

// blank is a part of a question that stands for anything: "{channel}".
var blank = regexp.MustCompile(`\\\{[^{}]*\\\}`)

// kindPattern matches the kinds of observations a question leads to: its own Kind, with anything in place of what is in braces.
func kindPattern(kind string) *regexp.Regexp {
	return regexp.MustCompile("^" + blank.ReplaceAllString(regexp.QuoteMeta(kind), `[^/?&\s]+`) + "$")
}

// looker works out how hard one device was looked at.
type looker struct {
	device   audit.Device
	permit   audit.Permit
	seen     []audit.Observation
	coverage []audit.Coverage
}

// module adds what became of one module's questions.
func (l looker) module(m probe.Module, questions []answered, into []audit.Looked) {
	if len(questions) == 0 {
		return
	}
	var own []audit.Observation
	speaks, login, refused := false, false, false
	for _, o := range l.seen {
		no := o.Status == audit.Refused || o.Status == audit.Locked
		refused = refused || no && (o.Module == m.Name || loggedIn(o)) // the one login is every module's
		if o.Module != m.Name {
			continue
		}
		own = append(own, o)
		speaks = speaks || answersTo(o.Status)
		login = login || tookLogin(o)
	}
	kept, prevented := l.prevented(m.Name)
	if !speaks && (!prevented || len(own) > 0) {
		return
	}
	for _, q := range questions {
		var of []audit.Observation
		for _, o := range own {
			if q.kind.MatchString(o.Kind) {
				of = append(of, o)
			}
		}
		skipped := audit.Question{Module: m.Name, Request: q.Request, Watch: q.Needs == audit.PermitSample}
		switch {
		case l.permit < q.Needs:
			skipped.Why = msg.Text("scan.looked.permit", l.permit.String(), q.Needs.String())
		case q.Login && l.permit < audit.PermitLogin:
			skipped.Why = msg.Text("scan.looked.permit", l.permit.String(), audit.PermitLogin.String())
		case q.Login && !login && refused:
			skipped.Why = msg.Text("scan.looked.refused")
		case q.Login && !login:
			skipped.Why = msg.Text("scan.looked.login")
		case prevented:
			skipped.Why = kept
		default:
			skipped.Why, skipped.Moot = msg.Text("scan.looked.moot"), true
		}
		for k := range into {
			if slices.Contains(q.Decides, into[k].Function) {
				sortInto(&into[k], skipped, of)
			}
		}
	}
}

// sortInto files one question by what its observations came to; skipped is how it stands where there are none. A challenge that was then answered with a login is no refusal.
func sortInto(l *audit.Looked, skipped audit.Question, of []audit.Observation) {
	by := func(ss ...audit.Status) (ids []string, login bool, why audit.Text) {
		for _, o := range of {
			if slices.Contains(ss, o.Status) {
				ids, login = append(ids, o.ID), login || loggedIn(o)
				why = msg.Word("status." + o.Status.String())
			}
		}
		return unique(ids), login, why
	}
	say := func(list *[]audit.Question, ids []string, login bool, why audit.Text) bool {
		if len(ids) == 0 {
			return false
		}
		*list = append(*list, audit.Question{Module: skipped.Module, Request: skipped.Request, Watch: skipped.Watch, Login: login, Why: why, Because: ids})
		return true
	}
	ok, login, _ := by(audit.OK, audit.Empty)
	answered := say(&l.Asked, ok, login, audit.Text{})
	no, login, word := by(audit.NotSupported, audit.BadArgument)
	answered = say(&l.Asked, no, login, word) || answered
	hard, _, word := by(audit.Refused, audit.Locked)
	said := say(&l.Refused, hard, false, word)
	if soft, _, word := by(audit.AuthRequired); !answered && !said {
		said = say(&l.Refused, soft, false, word)
	}
	lost, _, word := by(audit.Inconclusive, audit.Exhausted, audit.Timeout, audit.Unreachable, audit.Malformed, audit.Limited, audit.Interrupted)
	said = say(&l.Failed, lost, false, word) || said
	spared, _, word := by(audit.Denied, audit.Spared)
	said = say(&l.Skipped, spared, false, word) || said
	if !answered && !said {
		l.Skipped = append(l.Skipped, skipped)
	}
}

// answersTo reports a status that only something that speaks the protocol gives.
func answersTo(s audit.Status) bool {
	switch s {
	case audit.OK, audit.Refused, audit.AuthRequired, audit.Locked, audit.BadArgument, audit.Exhausted, audit.Empty, audit.Spared:
		return true
	}
	return false
}

func loggedIn(o audit.Observation) bool { return o.Auth != "" && o.Auth != "none" }

// tookLogin reports an answer to a login that was accepted. That there is no such thing is said to those who may ask; who may not
// is refused.
func tookLogin(o audit.Observation) bool {
	return loggedIn(o) && (o.Status == audit.OK || o.Status == audit.Empty || o.Status == audit.NotSupported)
}

// prevented says whether a module was kept from asking a device, or stopped while it did, and by what.
func (l looker) prevented(module string) (audit.Text, bool) {
	var found []audit.Coverage
	for _, c := range l.coverage {
		if c.Module == module && l.at(c.Target) && slices.Contains([]audit.CoverageStatus{audit.Skipped, audit.Failed, audit.Stopped}, c.Status) {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return audit.Text{}, false
	}
	return slices.MinFunc(found, compareCoverage).Detail, true
}

// at reports whether a coverage entry's target is the device.
func (l looker) at(target string) bool {
	return slices.ContainsFunc(slices.Concat(l.device.Loci, l.device.Addresses), func(a string) bool {
		return target == a || strings.HasPrefix(target, a+":") || strings.HasPrefix(target, "["+a+"]:")
	})
}

// doubt marks denials that decide nothing: those of a function where a question that could decide it was refused, lost or not
// asked for want of a permit, a login or time, or where none was answered with a login; and those that deny a capability of one
// channel among several. What only watching could add is no want.
func doubt(facts []audit.Fact, devices []audit.Device) {
	of, full := ladder(), map[string]map[audit.Function]bool{}
	for _, d := range devices {
		full[d.ID] = map[audit.Function]bool{}
		for _, l := range d.Looked {
			full[d.ID][l.Function] = l.InFull()
		}
	}
	for i := range facts {
		f := &facts[i]
		r, ok := of[f.Name]
		if !ok || r.level == audit.Active || f.Value.V != false || f.Subject.Kind != audit.SubjectDevice {
			continue
		}
		f.Partial = !full[f.Subject.ID][r.function] || r.level == audit.Capable && f.Scope == audit.OfInstance
	}
}
