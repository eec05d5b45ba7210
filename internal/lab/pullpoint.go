package lab

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// points are the pull points of a device.
type points struct {
	d    *device
	mu   sync.Mutex
	next int
	open map[int]*point
}

// point is one subscription. Its events follow from how long it exists, so nothing runs in the background.
type point struct {
	since   time.Time
	ends    time.Time
	filter  []string
	initial []Event
	sent    int  // how many of the emitted were sent
	pulling bool // a PullMessages waits
}

func newPoints(d *device) *points {
	return &points{d: d, next: 90_264_310 + d.n*100, open: map[int]*point{}}
}

// close reports every pull point that nobody released.
func (p *points) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.open {
		p.d.violated(fmt.Sprintf("pull point %d was never released", id))
	}
	p.open = map[int]*point{}
}

func (d *device) createPullPoint(q *question) (string, *fault) {
	e := d.spec.Events
	filter := q.body.value("Filter", "TopicExpression")
	if filter != "" && d.spec.Quirks.NoFilter {
		return "", &fault{status: http.StatusBadRequest, code: "Sender", sub: "wsnt:InvalidFilterFault", text: "filter not supported"}
	}
	life, ok := duration(q.body.value("InitialTerminationTime"))
	if !ok || life <= 0 {
		life = time.Minute
	}
	if d.spec.Quirks.YearLong {
		life = 365 * 24 * time.Hour
	}
	p := d.points
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) >= e.Max {
		return "", &fault{status: http.StatusInternalServerError, code: "Receiver", sub: "wsnt:SubscribeCreationFailedFault", text: "Maximum number of pull points reached"}
	}
	p.next++
	now := d.shop.cfg.Clock()
	p.open[p.next] = &point{since: time.Now(), ends: now.Add(life), filter: filters(filter), initial: slices.Clone(e.Initial)}
	address := fmt.Sprintf("%s?Idx=%d", d.url(d.spec.Quirks.PullPath), p.next)
	reference := "<wsa5:Address>" + esc(address) + "</wsa5:Address>"
	switch id := fmt.Sprintf(`<wsa5:ReferenceParameters><tev:SubscriptionId>%d</tev:SubscriptionId></wsa5:ReferenceParameters>`, p.next); {
	case d.spec.Quirks.EmptyAddress:
		reference = "<wsa5:Address/>" + id
	case d.spec.Quirks.URNAddress:
		reference = "<wsa5:Address>urn:uuid:" + d.uuid + "</wsa5:Address>" + id
	}
	return "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>" + reference + "</tev:SubscriptionReference>" +
		d.times("wsnt", d.now().Add(life)) + "</tev:CreatePullPointSubscriptionResponse>", nil
}

func (d *device) times(prefix string, ends time.Time) string {
	return fmt.Sprintf("<%[1]s:CurrentTime>%[2]s</%[1]s:CurrentTime><%[1]s:TerminationTime>%[3]s</%[1]s:TerminationTime>",
		prefix, d.now().Format(time.RFC3339), ends.UTC().Format(time.RFC3339))
}

// find returns the pull point a request speaks of: by the query of the address, by a reference parameter, or the only one.
func (p *points) find(q *question) (int, *point, *fault) {
	id := 0
	if _, idx, ok := strings.Cut(q.url, "Idx="); ok {
		id, _ = strconv.Atoi(idx)
	} else if s := q.header.value("SubscriptionId"); s != "" {
		id, _ = strconv.Atoi(s)
	} else if len(p.open) == 1 {
		for id = range p.open {
		}
	}
	pt := p.open[id]
	if pt == nil || p.d.shop.cfg.Clock().After(pt.ends) {
		return id, nil, &fault{status: http.StatusBadRequest, code: "Sender", sub: "wsrf-rw:ResourceUnknownFault", text: "unknown subscription"}
	}
	return id, pt, nil
}

func (d *device) pullMessages(q *question) (string, *fault) {
	timeout, ok := duration(q.body.value("Timeout"))
	if !ok {
		timeout = 5 * time.Second
	}
	limit, err := strconv.Atoi(q.body.value("MessageLimit"))
	if err != nil || limit < 1 {
		limit = 32
	}
	d.points.mu.Lock()
	_, pt, f := d.points.find(q)
	if f == nil && pt.pulling {
		d.violated("two PullMessages at once on one pull point")
		f = &fault{status: http.StatusInternalServerError, code: "Receiver", sub: "wsnt:UnableToGetMessagesFault", text: "pull in progress"}
	}
	if f != nil {
		d.points.mu.Unlock()
		return "", f
	}
	pt.pulling = true
	d.points.mu.Unlock()
	defer func() {
		d.points.mu.Lock()
		pt.pulling = false
		d.points.mu.Unlock()
	}()

	var events []Event
	for deadline := time.Now().Add(timeout); ; {
		events = d.due(pt, limit)
		wait := min(time.Until(deadline), 50*time.Millisecond)
		if len(events) > 0 || wait <= 0 {
			break
		}
		select {
		case <-time.After(wait):
		case <-q.cancel:
			return "", &fault{status: http.StatusInternalServerError, code: "Receiver", sub: "ter:Action", text: "gone"}
		case <-d.shop.ctx.Done():
			return "", &fault{status: http.StatusInternalServerError, code: "Receiver", sub: "ter:Action", text: "shutting down"}
		}
	}
	var b strings.Builder
	life := pt.ends.Sub(d.shop.cfg.Clock())
	b.WriteString("<tev:PullMessagesResponse>" + d.times("tev", d.now().Add(life)))
	for _, e := range events {
		b.WriteString(d.notification(e))
	}
	return b.String() + "</tev:PullMessagesResponse>", nil
}

// due takes the events whose time has come.
func (d *device) due(pt *point, limit int) []Event {
	d.points.mu.Lock()
	defer d.points.mu.Unlock()
	var out []Event
	for len(pt.initial) > 0 && len(out) < limit {
		if e := pt.initial[0]; pt.wants(e) {
			out = append(out, e)
		}
		pt.initial = pt.initial[1:]
	}
	e := d.spec.Events
	age := time.Since(pt.since)
	for len(e.Emit) > 0 && age >= e.After+time.Duration(pt.sent)*e.Every && len(out) < limit {
		if x := e.Emit[pt.sent%len(e.Emit)]; pt.wants(x) {
			out = append(out, x)
		}
		pt.sent++
	}
	return out
}

// filters reads a ConcreteSet: alternatives with |, subtrees with //. at the end.
func filters(expression string) []string {
	var out []string
	for f := range strings.SplitSeq(expression, "|") {
		f = strings.TrimSuffix(strings.TrimSpace(f), "//.")
		if f = barePath(f); f != "" {
			out = append(out, f)
		}
	}
	return out
}

func barePath(p string) string {
	parts := strings.Split(p, "/")
	for i, s := range parts {
		parts[i] = s[strings.Index(s, ":")+1:]
	}
	return strings.Join(parts, "/")
}

func (pt *point) wants(e Event) bool {
	topic := barePath(e.Topic)
	return len(pt.filter) == 0 || slices.ContainsFunc(pt.filter, func(f string) bool {
		return topic == f || strings.HasPrefix(topic, f+"/")
	})
}

func (d *device) synchronise(q *question) (string, *fault) {
	d.points.mu.Lock()
	defer d.points.mu.Unlock()
	_, pt, f := d.points.find(q)
	if f != nil {
		return "", f
	}
	pt.initial = slices.Clone(d.spec.Events.Initial)
	return "<tev:SetSynchronizationPointResponse/>", nil
}

func (d *device) renew(q *question) (string, *fault) {
	life, ok := duration(q.body.value("TerminationTime"))
	if !ok {
		life = time.Minute
	}
	d.points.mu.Lock()
	defer d.points.mu.Unlock()
	_, pt, f := d.points.find(q)
	if f != nil {
		return "", f
	}
	pt.ends = d.shop.cfg.Clock().Add(life)
	return "<wsnt:RenewResponse>" + d.times("wsnt", d.now().Add(life)) + "</wsnt:RenewResponse>", nil
}

func (d *device) unsubscribe(q *question) (string, *fault) {
	d.points.mu.Lock()
	defer d.points.mu.Unlock()
	id, _, f := d.points.find(q)
	delete(d.points.open, id)
	if f != nil {
		return "", f
	}
	return "<wsnt:UnsubscribeResponse/>", nil
}

// duration reads an xs:duration of days, hours, minutes and seconds.
func duration(s string) (time.Duration, bool) {
	s, ok := strings.CutPrefix(s, "P")
	if !ok || s == "" {
		return 0, false
	}
	days, clock, _ := strings.Cut(s, "T")
	var total time.Duration
	if n, ok := strings.CutSuffix(days, "D"); ok {
		v, err := strconv.Atoi(n)
		if err != nil {
			return 0, false
		}
		total = time.Duration(v) * 24 * time.Hour
	} else if days != "" {
		return 0, false
	}
	if clock != "" {
		v, err := time.ParseDuration(strings.ToLower(clock))
		if err != nil {
			return 0, false
		}
		total += v
	}
	return total, true
}
