package main

import (
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
)

// line sums up the runs of one tool: medians, but of what was seen, found and identified the worst run, of memory the largest, and the
// neighbour table's overflows of all.
type line struct {
	measurement
	runs       int
	identified int
	seen       int
	overflows  uint64
	low, high  float64 // seconds
	addrs      map[netip.Addr]bool
	failed     string
}

func summarise(results []result) (out []line) {
	for _, first := range results {
		if slices.ContainsFunc(out, func(l line) bool { return l.Tool == first.Tool }) {
			continue
		}
		l := line{measurement: first.measurement, identified: first.Identified, seen: first.Seen, addrs: map[netip.Addr]bool{}}
		var seconds, frames, rates []float64
		for _, r := range results {
			if r.Tool != first.Tool {
				continue
			}
			l.runs++
			seconds, frames, rates = append(seconds, r.Seconds), append(frames, float64(r.Frames)), append(rates, r.Rate)
			l.Found, l.identified, l.seen = min(l.Found, r.Found), min(l.identified, r.Identified), min(l.seen, r.Seen)
			l.RSS, l.overflows = max(l.RSS, r.RSS), l.overflows+r.Overflows
			for _, a := range r.Addrs {
				l.addrs[a] = true
			}
			if r.Failed != "" {
				l.failed = r.Failed
			}
		}
		l.low, l.high = slices.Min(seconds), slices.Max(seconds)
		l.Seconds, l.Frames, l.RSS, l.Rate = round(median(seconds), 1000), uint64(median(frames)), round(l.RSS, 10), median(rates)
		out = append(out, l)
	}
	return out
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v) / 2
	if len(v)%2 == 0 {
		return (v[n-1] + v[n]) / 2
	}
	return v[n]
}

func round(v, to float64) float64 { return math.Round(v*to) / to }

// printTable prints a case with the ratios to what it is compared with.
func printTable(w io.Writer, s scene, lines []line) {
	fmt.Fprintln(w)
	fmt.Fprintln(w, s.title())
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"tool", "s", "lowest-highest", "seen", "found", "identified", "frames", "MB", "time / floor", "time / nmap", "frames / nmap", "overflows", "runs"})
	of := func(tool string) *line {
		for i := range lines {
			if lines[i].Tool == tool {
				return &lines[i]
			}
		}
		return nil
	}
	for _, l := range lines {
		t.AppendRow(table.Row{l.Tool, fmt.Sprintf("%.2f", l.Seconds), fmt.Sprintf("%.2f-%.2f", l.low, l.high), l.seen, fmt.Sprintf("%d/%d", l.Found, l.Of), l.identified, l.Frames, fmt.Sprintf("%.0f", l.RSS),
			ratio(l.Seconds, of("floor"), seconds), ratio(l.Seconds, of("nmap"), seconds), ratio(float64(l.Frames), of("nmap"), frames), l.overflows, l.runs})
	}
	fmt.Fprintln(w, t.Render())
	for _, l := range lines {
		if l.failed != "" {
			fmt.Fprintf(w, "%s: %s\n", l.Tool, l.failed)
		}
	}
	ours := of("mingshi")
	for _, l := range lines {
		if ours == nil || l.Tool == "mingshi" {
			continue
		}
		missed := 0
		for a := range l.addrs {
			if !ours.addrs[a] {
				missed++
			}
		}
		if missed > 0 {
			fmt.Fprintf(w, "%s found %d that mingshi never did\n", l.Tool, missed)
		}
	}
}

func seconds(l line) float64 { return l.Seconds }
func frames(l line) float64  { return float64(l.Frames) }

func ratio(v float64, to *line, field func(line) float64) string {
	if to == nil || field(*to) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", v/field(*to))
}

// printRuns says in how many runs mingshi found everybody.
func printRuns(w io.Writer, s scene, results []result) {
	whole, worst := 0, math.MaxInt
	var took []float64
	var full uint64
	for _, r := range results {
		if r.Found == r.Of {
			whole++
		}
		worst, full, took = min(worst, r.Found), full+r.Overflows, append(took, r.Seconds)
	}
	if len(results) == 0 {
		return
	}
	fmt.Fprintf(w, "%s\n  %d of %d runs found all %d; the worst found %d; median %.2f s, longest %.2f s; the neighbour table overflowed %d times\n",
		s.title(), whole, len(results), results[0].Of, worst, median(took), slices.Max(took), full)
}
