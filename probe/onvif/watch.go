package onvif

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/internal/rtsp"
	"github.com/mingshi-audit/mingshi/internal/soap"
)

const (
	maxPulls      = 12
	defaultEvents = 30 * time.Second
	defaultScene  = 20 * time.Second
	maxStream     = 40 << 20 // more than the metadata reader takes, so that it is the one to stop
)

// watchEvents is stage 3: one pull point for a bounded time, always released. It allocates on the device: with two pull
// points or fewer, or where the device does not say how many it has, a recorder may own them all, so it needs leave.
func (s *session) watchEvents(ctx context.Context) {
	if s.stop != "" || ctx.Err() != nil || !s.services.Has(onvif.NSEvents) {
		return
	}
	points, err := strconv.Atoi(s.eventCaps["MaxPullPoints"])
	if (err != nil || points <= 2) && !s.env.Sample.Scarce {
		s.spared("tev:PullMessages")
		return
	}
	s.env.Progress(msg.Text("probe.onvif.events"))
	const wait = 5 * time.Second
	s.use(audit.PermitSample, wait+s.pace.call+time.Second)
	defer s.use(s.lastPermit(), s.pace.call)

	sub, ok := s.subscribe(ctx)
	if !ok {
		return
	}
	defer s.release(ctx, sub)
	s.pull(ctx, sub, wait)
}

// lastPermit is what the questions after the watch need.
func (s *session) lastPermit() audit.Permit {
	if s.account {
		return audit.PermitLogin
	}
	return audit.PermitQuery
}

func (s *session) spared(kind string) {
	s.notes = append(s.notes, &note{Observation: audit.Observation{Module: moduleName, Kind: kind, Class: classOf(kind), Endpoint: s.notes[0].Endpoint,
		At: s.env.Clock(), Auth: authOf(s), Status: audit.Spared}})
}

// subscription is a pull point of ours and where it is reached.
type subscription struct {
	to      string
	headers []string
}

// subscribe asks for a pull point: filtered, then without a filter, and once with the period the device insists on.
func (s *session) subscribe(ctx context.Context) (subscription, bool) {
	filter, namespaces := onvif.Filter(s.listed, s.topics)
	period := ""
	for try := 0; try < 3; try++ {
		op := onvif.CreatePullPoint(filter, namespaces, period)
		events := s.address(onvif.NSEvents)
		a, n := s.ask(ctx, op, call{required: true, creates: true, headers: onvif.Addressing(op.Action, events.String(), newMessageID(), nil)})
		if usable(a, n) {
			sub := onvif.ReadSubscription(a.Body)
			to := events.String()
			if u, err := s.rebase(sub.Address); err == nil { // otherwise empty or a URN: the event service itself
				if s.moved[onvif.NSEvents] {
					u.Scheme, u.Host = s.base.url.Scheme, s.base.url.Host
				}
				to = u.String()
			}
			return subscription{to: to, headers: sub.Parameters}, true
		}
		if n == nil || a.Verdict != soap.BadArgument && !a.Fault.Is("Sender", "Client") || a.Refusals > 0 || a.Verdict == soap.NotSupported {
			return subscription{}, false
		}
		switch secs := seconds(a.Fault.Minimum); {
		case a.Fault.Minimum != "" && period == "" && secs > 0 && secs <= 300:
			period = a.Fault.Minimum
		case filter != "":
			filter = ""
		default:
			return subscription{}, false
		}
	}
	return subscription{}, false
}

// pull collects notifications until the window is over or enough was proved. The first answer, the state at the time of
// subscription, is always kept.
func (s *session) pull(ctx context.Context, sub subscription, wait time.Duration) {
	window := s.env.Sample.Events
	if window <= 0 {
		window = defaultEvents
	}
	start := s.env.Clock()
	out := &note{Observation: audit.Observation{Module: moduleName, Kind: "tev:PullMessages", Class: audit.ClassLive, At: start, Auth: authOf(s)}}
	tally := &onvif.EventTally{}
	out.data.Events = tally
	status, why := audit.OK, ""
	for pulls := 0; pulls < maxPulls; pulls++ {
		left := window - s.env.Clock().Sub(start)
		if left <= 0 || ctx.Err() != nil || s.stop != "" {
			break
		}
		span := min(wait, max(left, time.Second)).Round(time.Second)
		op := onvif.PullMessages("PT"+strconv.Itoa(int(span.Seconds()))+"S", 32)
		began := time.Now()
		a, n := s.ask(ctx, op, call{required: true, quiet: true, to: sub.to, timeout: span + s.pace.call,
			headers: onvif.Addressing(op.Action, sub.to, newMessageID(), sub.headers)})
		if n == nil {
			break
		}
		out.Endpoint = n.Endpoint
		out.Evidence = append(out.Evidence, n.Evidence...)
		if a.Verdict != soap.OK || a.Body == nil {
			if status, why = statusOf(a), detail(a); pulls == 0 || a.Verdict != soap.TimedOut {
				break
			}
			continue
		}
		tally.ReadMessages(a.Body)
		if got := tally.Proves(); slices.Contains(got, audit.Identify) || slices.Contains(got, audit.Analyse) {
			break
		}
		// Some devices answer at once, always: the pulls there may be are spread over the window.
		if rest := max(window/maxPulls, 200*time.Millisecond) - time.Since(began); rest > 0 && !sleep(ctx, rest) {
			break
		}
	}
	out.Until = s.env.Clock()
	switch {
	case tally.Messages > 0:
		status = audit.OK
	case ctx.Err() != nil:
		status = audit.Interrupted
	case status == audit.OK:
		status = audit.Empty
	}
	out.Status, out.Detail = status, why
	s.notes = append(s.notes, out)
	s.questions = append(s.questions, question{Ask: out.Kind, Status: status, Auth: out.Auth})
}

// release gives the pull point back, also when the run was stopped: some devices would keep it for a year.
func (s *session) release(ctx context.Context, sub subscription) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	op := onvif.Unsubscribe()
	stop, calls := s.stop, s.calls
	s.stop, s.calls = "", 0 // this one is always sent, and at once
	if s.burnt {
		s.auth = soap.None
	}
	a, n := s.ask(ctx, op, call{required: true, to: sub.to, timeout: 3 * time.Second,
		headers: onvif.Addressing(op.Action, sub.to, newMessageID(), sub.headers)})
	s.calls += calls
	if stop != "" {
		s.stop = stop
	}
	if n != nil && a.Verdict == soap.TimedOut {
		n.Detail = "no answer within 3 s; it ends by itself"
	}
	if n != nil && a.Verdict == soap.Gone {
		n.Status, n.Detail = audit.OK, "had ended by itself"
	}
}

// watchMetadata is stage 4: the metadata track of one profile, and nothing else of the stream.
func (s *session) watchMetadata(ctx context.Context) {
	if s.stop != "" || ctx.Err() != nil {
		return
	}
	p, ok := onvif.BestForMetadata(s.profiles)
	if !ok {
		return
	}
	op := onvif.GetStreamURI(p.Token)
	if s.media2 {
		op = onvif.GetStreamURI2(p.Token)
	}
	a, n := s.ask(ctx, op, call{required: true, token: p.Token})
	if !usable(a, n) {
		return
	}
	raw := onvif.ReadStreamURI(a.Body)
	u, foreign, err := soap.Rebase(raw, s.ip, "rtsp", "rtsps")
	if err != nil {
		n.Status, n.Detail = audit.Malformed, "no usable stream address"
		return
	}
	if foreign {
		s.deny("stream", raw)
	}
	s.env.Progress(msg.Text("probe.onvif.metadata"))
	s.close() // the connection slot is needed for the stream

	budget := s.env.Sample.Metadata
	if budget <= 0 {
		budget = defaultScene
	}
	out := &note{Observation: audit.Observation{Module: moduleName, Kind: "rtsp:metadata", Class: audit.ClassLive, At: s.env.Clock(), Auth: "none", Endpoint: endpointOf(s, u.Port())}}
	tally := &onvif.Tally{}
	documents := 0
	o := rtsp.Options{Host: s.ip, Budget: budget, Timeout: s.pace.call, Clock: s.env.Clock,
		Dial: func(ctx context.Context, port uint16) (net.Conn, error) {
			return s.env.Device.Dial(ctx, audit.PermitSample, port, maxStream)
		},
		Record: func(request, response []byte, remark string) string {
			return s.env.Evidence.Record(evidence.Exchange{Protocol: "rtsp", URI: u.String(), Endpoint: out.Endpoint, At: s.env.Clock(), Request: request, Response: response, Note: remark})
		},
		OnDocument: func(doc []byte) bool {
			documents++
			tally.Document(doc)
			return documents >= 3 && (tally.Identity > 0 || tally.Analyses())
		}}
	if s.account {
		o.User, o.Password = s.user, s.password
	}
	res, err := rtsp.Metadata(ctx, u.String(), o)
	if res.Login {
		out.Auth = "digest"
	}
	out.Until = s.env.Clock()
	out.At = out.Until.Add(-res.Watched)
	out.Evidence = res.Evidence
	out.data.Stream = &stream{Encoding: clean.Text(res.Encoding, 64), Documents: res.Documents, Lost: res.Lost, Ended: res.Ended, Result: res.Status}
	out.Status, out.Detail = streamStatus(res, err, tally), clean.Text(res.Detail, 240)
	if res.Status == rtsp.StatusOK {
		out.data.Scene = tally
	}
	if res.Status == rtsp.StatusRefused && s.account {
		s.burnt, s.stop = true, "the stream refused the login"
	}
	s.notes = append(s.notes, out)
	s.questions = append(s.questions, question{Ask: out.Kind, Status: out.Status, Auth: out.Auth})
}

func endpointOf(s *session, port string) netip.AddrPort {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		n = 554
	}
	return netip.AddrPortFrom(s.ip, uint16(n))
}

func streamStatus(r rtsp.Result, err error, t *onvif.Tally) audit.Status {
	if err != nil && r.Status == "" {
		return audit.Inconclusive
	}
	switch r.Status {
	case rtsp.StatusOK:
		switch {
		case t.Objects > 0 || t.Events.Messages > 0:
			return audit.OK
		case r.Ended == rtsp.EndedCancelled:
			return audit.Interrupted
		}
		return audit.Empty
	case rtsp.StatusNoTrack, rtsp.StatusEXI:
		return audit.NotSupported
	case rtsp.StatusAuthRequired:
		return audit.AuthRequired
	case rtsp.StatusRefused:
		return audit.Refused
	case rtsp.StatusTimeout:
		return audit.Timeout
	case rtsp.StatusMalformed:
		return audit.Malformed
	case rtsp.StatusExhausted:
		return audit.Exhausted
	case rtsp.StatusUnreachable:
		return audit.Unreachable
	}
	return audit.Inconclusive
}

// seconds reads an ISO 8601 duration of hours, minutes and seconds ("PT1M30S"); anything else is 0.
func seconds(s string) int {
	t, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(s)), "PT")
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(strings.ToLower(t))
	if err != nil {
		return 0
	}
	return int(d.Seconds())
}
