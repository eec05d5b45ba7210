package scan

import (
	"cmp"
	"math"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// groupsOf maps the names of methods to how each finds devices.
func groupsOf(methods []discover.Method) map[string]discover.Group {
	out := map[string]discover.Group{}
	for _, m := range methods {
		out[m.Name] = m.Group
	}
	return out
}

// recallOf says how complete the list of cameras is: what the two ways of looking found, what their overlap lets one estimate,
// and how many cameras the estimate, the survey or the inventory says were not found. A method groups does not name counts as
// neither way. It returns nil where the permit allowed no looking.
func recallOf(rec Record, devices []audit.Device, p presence, groups map[string]discover.Group) *audit.Recall {
	if rec.Run.Permit < audit.PermitDiscover {
		return nil
	}
	r := &audit.Recall{Lists: []audit.RecallList{}}
	byMethod := map[string]int{}
	for _, d := range devices {
		if !p.camera(d) {
			continue
		}
		r.Found++
		way := map[discover.Group]bool{}
		for m := range p.by[d.ID] {
			byMethod[m]++
			way[groups[m]] = true
		}
		r.Announced += b2i(way[discover.Announced])
		r.Swept += b2i(way[discover.Swept])
		r.Both += b2i(way[discover.Announced] && way[discover.Swept])
	}
	for m, n := range byMethod {
		r.Lists = append(r.Lists, audit.RecallList{Method: m, Found: n})
	}
	slices.SortFunc(r.Lists, func(a, b audit.RecallList) int { return cmp.Compare(a.Method, b.Method) })

	o := lists{announced: r.Announced, swept: r.Swept, both: r.Both, found: r.Found}
	if r.Usable = rec.Run.Complete && o.usable(); r.Usable {
		r.Estimate, r.Low, r.High = o.estimate()
		r.Missing = int(math.Round(r.Estimate)) - r.Found
	}
	r.Missing = max(r.Missing, uncounted(rec.Site.Survey, devices, p), len(missingEntries(rec, devices, p)))
	r.Note = noteOf(rec, *r)
	return r
}

// noteOf says what the numbers rest on, and what they cannot show.
func noteOf(rec Record, r audit.Recall) audit.Text {
	var why audit.Text
	switch {
	case r.Usable:
		why = msg.Text("scan.recall.usable")
	case !rec.Run.Complete:
		why = msg.Text("scan.recall.incomplete")
	case r.Found == 0:
		why = msg.Text("scan.recall.none")
	case r.Announced == 0 || r.Swept == 0:
		why = msg.Text("scan.recall.one-way")
	default:
		why = msg.Text("scan.recall.few", r.Both)
	}
	blind := msg.Text("scan.recall.blind")
	return audit.Text{ZH: why.ZH + blind.ZH, EN: why.EN + " " + blind.EN}
}

// uncounted is how many cameras somebody counted by eye beyond those found, at least. A device the operator lists in one zone
// can only be one of those counted there; one without a zone, or with several, may be any of them. A channel its recorder tells
// nothing of may be a camera that was met itself, and counts only beyond those.
func uncounted(s *audit.Survey, devices []audit.Device, p presence) int {
	if s == nil {
		return 0
	}
	inZone, anywhere, met, nameless := map[string]int{}, 0, 0, 0
	for _, d := range devices {
		if p.visible(d) && !p.nameless(d) {
			met++
		}
		switch {
		case !p.visible(d):
		case p.nameless(d):
			nameless++
		case len(d.Zones) == 1:
			inZone[d.Zones[0]]++
		default:
			anywhere++
		}
	}
	anywhere += max(0, nameless-met)
	short := 0
	for _, z := range s.Cameras {
		short += max(0, z.Count-inZone[z.Zone])
	}
	return max(0, short-anywhere)
}

// lists is what two ways of looking found: each alone, both, and everything found by these or other ways.
type lists struct{ announced, swept, both, found int }

// leastOverlap is from how many cameras found by both ways on the estimate counts as unbiased: with 7, its bias is below 2 %
// with 95 % confidence (Robson and Regier 1964; Seber 1982, 3.1).
const leastOverlap = 7

// usable reports whether an estimate may be shown. Chapman's estimator is exactly unbiased where the two lists together are at
// least as long as the population. A small shop whose few cameras were found by both ways is such a place: there, the
// estimate counts where even the largest population that fits the overlap is no larger than that. Four cameras that both ways
// found suffice; three do not: two lists of three out of seven are the same three once in 35 times, which is no rare chance.
func (o lists) usable() bool {
	return o.both >= leastOverlap || o.both > 0 && o.most() <= o.announced+o.swept
}

// estimate returns the estimate of all cameras, with one decimal, and its 95 % interval in whole cameras, outward, never below
// what was found. It is Chapman's estimator (1951), with the interval of Chao (1987, 1989) that takes the logarithm of the number unseen to be
// normal. Where one way found everything the other found, that interval has no width however short the lists are; the upper
// end is therefore never below the largest population the overlap is compatible with. both must not be 0.
func (o lists) estimate() (n, low, high float64) {
	n1, n2, m := float64(o.announced), float64(o.swept), float64(o.both)
	seen := n1 + n2 - m
	unseen := (n1 - m) * (n2 - m) / (m + 1) // = (n1+1)(n2+1)/(m+1) - 1 - seen
	n, low, high = seen+unseen, seen, seen
	if unseen > 0 {
		relative := (n1 + 1) * (n2 + 1) / ((n1 - m) * (n2 - m) * (m + 2)) // variance over the square of the number unseen
		c := math.Exp(1.96 * math.Sqrt(math.Log1p(relative)))
		low, high = seen+unseen/c, seen+unseen*c
	}
	high = max(high, float64(o.most()))
	found := float64(o.found) // what only a list of the operator led to was seen too
	n = math.Round(10*max(n, found)) / 10
	return n, max(math.Floor(low+slack), found), max(math.Ceil(high-slack), math.Ceil(n))
}

// slack keeps the last bit of a result, which processors do not agree on, from moving an end of the interval.
const slack = 1e-6

// most is the largest population in which two independent lists of these lengths share this many or more with a probability
// of at least 2.5 %: the upper end of the exact interval. both must not be 0.
func (o lists) most() int {
	fits := func(n int) bool { return o.tail(n) >= 0.025 }
	low, high := o.announced+o.swept-o.both, 2*(o.announced+o.swept)
	for fits(high) {
		low, high = high, 2*high
	}
	for high-low > 1 {
		if mid := low + (high-low)/2; fits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// tail is the probability that lists of these lengths, drawn independently of each other from n, share both or more.
func (o lists) tail(n int) float64 {
	n1, n2 := o.announced, o.swept
	p := math.Exp(choose(n1, o.both) + choose(n-n1, n2-o.both) - choose(n, n2))
	sum := p
	for k := o.both; k < min(n1, n2) && p > 0; k++ {
		p *= float64(n1-k) * float64(n2-k) / (float64(k+1) * float64(n-n1-n2+k+1))
		sum += p
	}
	return sum
}

// choose is the logarithm of a binomial coefficient.
func choose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(float64(k) + 1)
	c, _ := math.Lgamma(float64(n-k) + 1)
	return a - b - c
}
