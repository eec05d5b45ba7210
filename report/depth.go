package report

import (
	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Depth is how hard one function of one device was looked for.
type Depth struct {
	Function audit.Function
	Counts   audit.Text // "answered 5 (with a login) · refused 1 · not asked 2"; says so where nothing was asked
	Blind    bool       // the program does not know how to ask the device's maker
	Wanting  []Wanting  // what would have told more, grouped by what became of it

	answered, refused, failed, skipped int
}

// Wanting is questions that were not answered for one reason.
type Wanting struct {
	Of       audit.Text // refused, no usable answer, not asked
	Why      audit.Text
	Requests []string // "isapi GET /ISAPI/…"
}

// depths counts what became of the questions that could decide each function. What earlier answers gave no reason to ask is not
// counted.
func depths(looked []audit.Looked) []Depth {
	var out []Depth
	for _, l := range looked {
		d := Depth{Function: l.Function, Blind: l.Unknown, answered: len(l.Asked), refused: len(l.Refused), failed: len(l.Failed)}
		d.want("report.looked.refused", l.Refused)
		d.want("report.looked.failed", l.Failed)
		for _, q := range l.Skipped {
			d.skipped += one(!q.Moot)
		}
		d.want("report.looked.skipped", l.Skipped)
		d.Counts = d.counts(l)
		out = append(out, d)
	}
	return out
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// want groups questions that were not answered by the reason.
func (d *Depth) want(of string, questions []audit.Question) {
	for _, q := range questions {
		if q.Moot {
			continue
		}
		request := spaced(q.Module, q.Request)
		if n := len(d.Wanting); n > 0 && d.Wanting[n-1].Of == msg.Text(of) && d.Wanting[n-1].Why == q.Why {
			d.Wanting[n-1].Requests = append(d.Wanting[n-1].Requests, request)
			continue
		}
		d.Wanting = append(d.Wanting, Wanting{Of: msg.Text(of), Why: q.Why, Requests: []string{request}})
	}
}

// counts says how many questions came to what.
func (d Depth) counts(l audit.Looked) audit.Text {
	var parts []audit.Text
	for _, c := range []struct {
		id string
		n  int
	}{{"report.looked.answered", d.answered}, {"report.looked.refused", d.refused}, {"report.looked.failed", d.failed}, {"report.looked.skipped", d.skipped}} {
		if c.n == 0 {
			continue
		}
		t := msg.Text("report.looked.line", msg.Text(c.id), c.n)
		if c.id == "report.looked.answered" && loggedIn(l.Asked) {
			login := brackets(msg.Text("report.looked.login"))
			t = audit.Text{ZH: t.ZH + login.ZH, EN: t.EN + login.EN}
		}
		parts = append(parts, t)
	}
	if d.Blind {
		parts = append(parts, msg.Text("report.looked.blind"))
	}
	if len(parts) == 0 {
		return msg.Text("report.looked.nothing")
	}
	out := parts[0]
	for _, p := range parts[1:] {
		out = audit.Text{ZH: out.ZH + " · " + p.ZH, EN: out.EN + " · " + p.EN}
	}
	return out
}

func loggedIn(qs []audit.Question) bool {
	for _, q := range qs {
		if q.Login {
			return true
		}
	}
	return false
}
