package report

import (
	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// lead is the result in one sentence. It counts; it concludes nothing.
func (v *View) lead() audit.Text {
	c := v.Counts
	open := c.Outcome[audit.Undetermined]
	switch n := c.Outcome[audit.Suspected]; {
	case n > 0 && open > 0:
		return msg.Text("report.lead.suspected_open", counted("finding", n), v.severities(), v.concerned(), counted("finding", open))
	case n > 0:
		return msg.Text("report.lead.suspected", counted("finding", n), v.severities(), v.concerned())
	case len(v.Report.Devices) == 0:
		return msg.Text("report.lead.empty")
	case v.listened() && open > 0:
		return msg.Text("report.lead.listened_open", counted("finding", open))
	case v.listened():
		return msg.Text("report.lead.listened")
	case open > 0 && v.unfound() > 0:
		return msg.Text("report.lead.open_unfound", counted("finding", open), counted("camera", v.unfound()))
	case open > 0:
		return msg.Text("report.lead.open", counted("finding", open))
	case v.unfound() > 0:
		return msg.Text("report.lead.unfound", counted("camera", v.unfound()))
	case len(v.clean) == 0:
		return msg.Text("report.lead.clean", v.window())
	case c.Outcome[audit.Conforms] == 0:
		return msg.Text("report.lead.nothing")
	}
	return msg.Text("report.lead.conforms")
}

// concerned counts the provisions and devices of suspected findings.
func (v *View) concerned() audit.Text {
	p := counted("provision", v.Counts.Provisions)
	if v.Counts.Devices == 0 {
		return p
	}
	return msg.Text("report.lead.on", p, counted("device", v.Counts.Devices))
}

// severities counts suspected findings by severity, worst first: "1 critical, 2 high".
func (v *View) severities() audit.Text {
	var t audit.Text
	for _, s := range Severities() {
		if n := v.Counts.Severity[s]; n > 0 {
			x := msg.Text("report.n_severity", n, msg.Word(string(s)))
			if t.ZH != "" {
				t.ZH, t.EN = t.ZH+"、", t.EN+", "
			}
			t.ZH, t.EN = t.ZH+x.ZH, t.EN+x.EN
		}
	}
	if t.ZH == "" {
		return msg.Text("report.no_severity")
	}
	return t
}

// Severities lists the severities, worst first.
func Severities() []audit.Severity {
	return []audit.Severity{audit.Critical, audit.High, audit.Medium, audit.Low, audit.Info}
}

func (v *View) banners() []audit.Text {
	var out []audit.Text
	run := v.Report.Run
	if run.Simulated {
		out = append(out, msg.Text("report.banner.simulated"))
	}
	if !run.Complete {
		why := run.Why
		if why.IsZero() {
			why = msg.Text("report.banner.no_reason")
		}
		out = append(out, msg.Text("report.banner.incomplete", why))
	}
	if n := v.unfound(); n > 0 {
		out = append(out, msg.Text("report.banner.unfound", counted("camera", n)))
	}
	return out
}

// next lists what to do next, most useful first.
func (v *View) next() []audit.Text {
	var out []audit.Text
	do := func(id string, args ...any) { out = append(out, msg.Text("report.next."+id, args...)) }
	if !v.Report.Run.Complete {
		do("again")
	}
	if v.Counts.Outcome[audit.Suspected] > 0 {
		do("confirm")
		do("preserve")
	}
	if n := v.unfound(); n > 0 {
		do("find", counted("camera", n))
	}
	if n := len(v.Requests); n > 0 {
		do("request", counted("request", n))
	}
	if !v.holds("site.survey.complete") {
		do("survey")
	}
	if _, ok := v.counted(); !ok {
		do("count")
	}
	if n := len(v.Complete.Unlisted); n > 0 {
		do("list", counted("device", n))
	}
	if !v.holds("site.server_side.attested") {
		do("server_side")
	}
	if v.Report.Run.Permit < audit.PermitSample && v.Counts.Outcome[audit.Undetermined] > 0 {
		do("sample", v.Report.Run.Permit.String())
	}
	if n := v.covered(audit.NoAnswer); n > 0 {
		do("reach", counted("target", n))
	}
	do("verify")
	return out
}
