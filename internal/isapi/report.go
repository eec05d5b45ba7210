package isapi

import (
	"net/netip"

	"github.com/mingshi-audit/mingshi/internal/mac"
)

// Report is one alarm that was overheard on its way to a receiver.
type Report struct {
	Alarm            // without its count
	Addr  netip.Addr // whose alarm it says it is, where it says so
	MAC   string
	Idle  bool // a sign of life, the end of an alarm, or one kept from before: it shows who speaks and nothing else
}

// ReadReport reads one alarm, in XML or JSON, as devices push it to the receivers in their configuration or send it as a part of
// alertStream. It reports false for anything else, and for what is not whole.
func ReadReport(b []byte) (Report, bool) {
	if len(b) == 0 {
		return Report{}, false
	}
	e, ok := readAlert(b)
	if !ok {
		return Report{}, false
	}
	r := Report{Alarm: e.Alarm, Idle: e.beat || e.past, MAC: mac.Parse(e.mac)}
	r.Count = 0
	if a, err := netip.ParseAddr(e.ip); err == nil && !a.IsUnspecified() {
		r.Addr = a.Unmap()
	}
	return r, true
}
