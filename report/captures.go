package report

import (
	"fmt"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Capture is one thing that was listened to, as a reader meets it: what it is, how much there was, and how to check what rests on it.
type Capture struct {
	Facts []Pair
	audit.Recording
}

// listened reports whether nothing was done but to listen.
func (v *View) listened() bool {
	return v.Report.Run.Permit <= audit.PermitListen && len(v.Report.Captures) > 0
}

func (v *View) captures() {
	for _, r := range v.Report.Captures {
		c := Capture{Recording: r}
		add := func(id string, val audit.Text) {
			if !val.IsZero() {
				c.Facts = append(c.Facts, Pair{msg.Text(id), []audit.Text{val}})
			}
		}
		if r.Live {
			add("report.capture.what", msg.Text("report.capture.live", duration(r.Seconds)))
		} else {
			add("report.capture.what", msg.Text("report.capture.file", spaced(r.Format, size(r.Bytes))))
			digest := same(r.SHA256)
			if r.SHA256 == "" {
				digest = msg.Text("report.capture.undigested")
			}
			add("report.capture.digest", digest)
		}
		add("report.capture.packets", msg.Text("report.capture.extent", r.Packets, size(r.Totals.WireBytes), r.Totals.Conversations))
		add("report.capture.time", span(same(stamp(r.From)), same(stamp(r.To))))
		add("report.capture.shows", list(r.Shows))
		if !r.Whole {
			add("report.l.status", msg.Text("report.capture.part"))
		}
		v.Captures = append(v.Captures, c)
	}
}

// capturesNote says what became of the packets, and how somebody who has them checks what rests on them.
func (v *View) capturesNote() []audit.Text {
	file, live := false, false
	for _, c := range v.Captures {
		file, live = file || !c.Live, live || c.Live
	}
	out := []audit.Text{msg.Text("report.capture.kept")}
	if file {
		out = append(out, msg.Text("report.capture.check"))
	}
	if live {
		out = append(out, msg.Text("report.capture.gone"))
	}
	return out
}

// Heard says how often something was overheard, and how much passed; nothing of what was asked.
func Heard(s *audit.Seen) audit.Text {
	switch {
	case s == nil:
		return audit.Text{}
	case s.Up+s.Down > 0:
		return msg.Text("report.capture.heard_bytes", s.Count, size(s.Up), size(s.Down))
	}
	return msg.Text("report.capture.heard", s.Count)
}

// size is a number of bytes as a person reads it.
func size(n int64) string {
	units, f := []string{"B", "kB", "MB", "GB", "TB"}, float64(n)
	for f >= 999.5 && len(units) > 1 {
		f, units = f/1000, units[1:]
	}
	if units[0] == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[0])
}

func duration(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond).String()
}
