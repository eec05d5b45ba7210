package guard

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// hours is one checked entry of the authority's hours, in minutes of the day (UTC+8).
type hours struct {
	days     [7]bool // Sunday first, as time.Weekday counts
	from, to int     // to is below from where the hours run past midnight
}

// authorise checks everything New promises, and fills in the parts of the guard that come from the authority.
func (g *Guard) authorise() error {
	a := g.authority
	if !slices.Contains([]string{"statutory_inspection", "owner_consent", "court_order", "self_audit"}, a.Basis) {
		return refusal("guard.authority.basis", a.Basis)
	}
	if g.permit > a.Permit {
		return refusal("guard.authority.permit", g.permit.String(), a.Permit.String())
	}
	if a.Valid.From.IsZero() || a.Valid.To.IsZero() {
		return refusal("guard.authority.undated")
	}
	for _, h := range a.Hours {
		c, err := parseHours(h)
		if err != nil {
			return refusal("guard.authority.hours", err.Error())
		}
		g.hours = append(g.hours, c)
	}
	if len(a.Perimeter) == 0 {
		return refusal("guard.authority.perimeter")
	}
	for _, p := range a.Public {
		if !p.IsValid() {
			return refusal("guard.authority.prefix", "public")
		}
		g.public = append(g.public, normalPrefix(p))
	}
	for _, p := range a.Perimeter {
		if !p.IsValid() {
			return refusal("guard.authority.prefix", "perimeter")
		}
		p = normalPrefix(p)
		for _, m := range []string{"224.0.0.0/4", "ff00::/8"} {
			if m := netip.MustParsePrefix(m); m.Contains(p.Addr()) {
				return refusal("guard.authority.multicast", p.String())
			}
		}
		if !covered(p, slices.Concat(notPublic(), g.public)) {
			return refusal("guard.authority.public", p.String())
		}
		g.perimeter = append(g.perimeter, p)
	}
	if why := g.closed(g.clock()); !why.IsZero() {
		return &AuthorityError{why}
	}
	return nil
}

func refusal(id string, args ...any) error { return &AuthorityError{msg.Text(id, args...)} }

// closed returns why nothing may be sent at a time, or no text if it may.
func (g *Guard) closed(now time.Time) audit.Text {
	v := g.authority.Valid
	if now.Before(v.From.T) || now.After(v.To.End()) {
		return msg.Text("guard.denied.valid", v.From.String(), v.To.String())
	}
	if len(g.hours) == 0 {
		return audit.Text{}
	}
	t := now.In(audit.CST())
	minute, day := t.Hour()*60+t.Minute(), int(t.Weekday())
	for _, h := range g.hours {
		if h.open(day, minute) {
			return audit.Text{}
		}
	}
	return msg.Text("guard.denied.hours", hoursText(g.authority.Hours))
}

// open reports whether a minute of a weekday is within the hours. Hours past midnight belong to the day they begin on.
func (h hours) open(day, minute int) bool {
	if h.from < h.to {
		return h.days[day] && h.from <= minute && minute < h.to
	}
	return h.days[day] && h.from <= minute || h.days[(day+6)%7] && minute < h.to
}

func parseHours(h audit.Hours) (hours, error) {
	var out hours
	var err error
	if out.from, err = parseMinute(h.From); err != nil {
		return out, err
	}
	if out.to, err = parseMinute(h.To); err != nil {
		return out, err
	}
	if out.from == out.to || out.from == 24*60 {
		return out, fmt.Errorf("%s-%s", h.From, h.To)
	}
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	for _, d := range h.Days {
		i := slices.Index(names, strings.ToLower(d))
		if i < 0 {
			return out, fmt.Errorf("%q", d)
		}
		out.days[i] = true
	}
	if len(h.Days) == 0 {
		out.days = [7]bool{true, true, true, true, true, true, true}
	}
	return out, nil
}

// parseMinute reads "09:00" as minutes of the day; "24:00" is the end of it.
func parseMinute(s string) (int, error) {
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

func hoursText(hs []audit.Hours) string {
	var out []string
	for _, h := range hs {
		out = append(out, strings.TrimSpace(strings.Join(h.Days, ",")+" "+h.From+"-"+h.To))
	}
	return strings.Join(out, "; ")
}
