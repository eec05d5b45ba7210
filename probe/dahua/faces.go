package dahua

import (
	"context"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/dahua"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

// capsAsked is how many channels of a recorder are asked what they could do: the answers differ little and decide nothing.
const capsAsked = 4

// Conclusion sums up an enumeration that was answered with the login and in full: the scenes the device supports, those loaded,
// the rules, and the events it knows.
type Conclusion struct {
	Rules int `json:"rules"` // of any sort
}

// faces asks what the device could do with faces, what of it is switched on and where results go.
func (s *session) faces(ctx context.Context) {
	caps, whole := s.caps(ctx)
	events := &Data{}
	eventsKnown := s.ask(ctx, wire.EventCaps, audit.ClassCapability, func(v wire.Values, d *Data) {
		l := wire.ReadCaps(v)
		d.Caps, events = &l, d
	})
	scenes := 0
	loaded := s.ask(ctx, wire.Scenes, audit.ClassConfig, func(v wire.Values, d *Data) { d.Scenes, scenes = wire.ReadScenes(v) })
	s.rules(ctx)
	identifies := s.libraries(ctx)
	compares := false
	s.ask(ctx, wire.CardCompare, audit.ClassConfig, func(v wire.Values, d *Data) {
		c := wire.ReadCompare(v)
		d.Compare, compares = &c, c.Entries > 0
	})
	for _, q := range []wire.Request{wire.PictureUpload, wire.EventUpload, wire.GAT1400, wire.GAVI, wire.GB28181, wire.Cloud} {
		s.ask(ctx, q, audit.ClassOutbound, func(v wire.Values, d *Data) { d.Uploads = wire.ReadUploads(v) })
	}
	s.watch(ctx)

	none := func(d *Data) bool { return d.Caps == nil || len(d.Caps.Classes) == 0 }
	quiet := !identifies && !compares && !s.seen && len(s.ruled.Rules) == 0 && len(s.loaded) == 0 && none(events)
	answered := whole && loaded && s.whole && s.ruled.AllRules > 0 && scenes > 0 && (eventsKnown || s.said(wire.EventCaps) == audit.NotSupported)
	if quiet && answered && none(caps) && kind(s.class, s.model) == audit.KindCamera && s.asker.Stopped() == "" && ctx.Err() == nil {
		s.conclude(s.ruled.AllRules)
	}
}

// rules asks for the table of rules, once. It reports whether the device has one.
func (s *session) rules(ctx context.Context) bool {
	if s.ruled == nil {
		s.ruled = &Data{}
		s.whole = s.ask(ctx, wire.Rules, audit.ClassConfig, func(v wire.Values, d *Data) {
			d.Rules, d.AllRules = wire.ReadRules(v)
			s.ruled = d
		})
	}
	return s.ruled.AllRules > 0
}

// idle lists the channels with rules for faces that are all switched off: nothing is compared there, whatever libraries are
// deployed. A channel without such a rule is not among them.
func (s *session) idle() (out []int) {
	working := map[int]bool{}
	for _, r := range s.ruled.Rules {
		if does, could := r.Functions(); len(does)+len(could) > 0 {
			working[r.Channel] = working[r.Channel] || r.Enabled == nil || *r.Enabled && len(does) > 0
		}
	}
	for c, on := range working {
		if !on {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return out
}

// ask puts one question and reads its answer. It reports whether it was answered with the login, and in full.
func (s *session) ask(ctx context.Context, q wire.Request, class audit.Class, read func(wire.Values, *Data)) bool {
	if s.asker.Stopped() != "" || ctx.Err() != nil {
		return false
	}
	v, o, d := s.put(ctx, q)
	o.Class = class
	if v != nil {
		read(v, d)
		s.loaded = append(s.loaded, d.Scenes...)
	} else if o.Auth == "none" && (o.Status == audit.NotSupported || o.Status == audit.BadArgument) {
		o.Status = audit.Inconclusive // whoever is not logged in is told that there is no such thing by some firmware
	}
	s.keep(o, d)
	return v != nil && o.Auth != "none" && d.Whole
}

// said is what became of a question.
func (s *session) said(q wire.Request) audit.Status {
	for _, o := range s.out {
		if o.Kind == kindOf(q) {
			return o.Status
		}
	}
	return audit.Inconclusive
}

// numbers lists the channels to be asked one by one, from one: those of a recorder that a camera is at.
func (s *session) numbers(most int) []int {
	used := s.at()
	if !s.recorder() || len(used) == 0 {
		return []int{1}
	}
	return used[:min(len(used), most)]
}

// caps asks what the analysis could do. whole reports whether the answer lists the scenes it supports.
func (s *session) caps(ctx context.Context) (of *Data, whole bool) {
	of = &Data{}
	for _, n := range s.numbers(capsAsked) {
		in := s.ask(ctx, wire.Caps(n), audit.ClassCapability, func(v wire.Values, d *Data) {
			l := wire.ReadCaps(v)
			d.Channel, d.Caps, of = n, &l, d
		})
		if whole = in && of.Caps != nil && of.Caps.Scenes; !in {
			break
		}
	}
	return of, whole
}

// libraries asks which libraries there are, and which of them the faces of a channel are compared with.
func (s *session) libraries(ctx context.Context) (some bool) {
	s.ask(ctx, wire.Armed, audit.ClassConfig, func(v wire.Values, d *Data) {
		d.Handlers, d.Idle = wire.ReadHandlers(v), s.idle()
		some = some || len(d.Handlers) > 0
	})
	s.ask(ctx, wire.Libraries, audit.ClassCapability, func(v wire.Values, d *Data) {
		g := wire.ReadGroups(v)
		d.Groups = &g
		some = some || g.Count > 0
	})
	for _, n := range s.numbers(wire.MaxAsked) {
		if n > wire.MaxAsked {
			break
		}
		answered := false
		s.ask(ctx, wire.Deployed(n), audit.ClassConfig, func(v wire.Values, d *Data) {
			g := wire.ReadGroups(v)
			d.Channel, d.Deployed, d.Idle, answered = n, &g, s.idle(), true
			some = some || g.Count > 0
		})
		if !answered {
			break
		}
	}
	return some
}

// watch asks what goes on now, and then listens for a while. The device keeps nothing of it: the stream ends with the connection.
func (s *session) watch(ctx context.Context) {
	if s.env.Guard.Permit() < audit.PermitSample || s.asker.Stopped() != "" || ctx.Err() != nil {
		return
	}
	for _, q := range []wire.Request{wire.DetectingNow, wire.RecognisingNow} {
		s.ask(ctx, q, audit.ClassLive, func(v wire.Values, d *Data) {
			if at := wire.ReadIndexes(v); len(at) > 0 {
				_, d.Code, _ = strings.Cut(string(q), "&code=")
				d.Running, s.seen = at, true
			}
		})
	}
	if s.asker.Stopped() != "" || ctx.Err() != nil {
		return
	}
	s.env.Progress(msg.Text("probe.dahua.events", s.asker.At.String()))
	qs := []wire.Request{wire.Attach, wire.AttachDoor}
	if kind(s.class, s.model) == audit.KindTerminal {
		slices.Reverse(qs)
	}
	for _, q := range qs { // firmware that knows none of the codes of one list refuses it
		if s.listen(ctx, q) != audit.NotSupported || s.asker.Stopped() != "" || ctx.Err() != nil {
			return
		}
	}
}

// listen watches one list of events.
func (s *session) listen(ctx context.Context, q wire.Request) audit.Status {
	stream, recorded := &wire.Stream{}, false
	record := func() []byte {
		recorded = true
		return stream.Record()
	}
	usual := s.asker.Withhold
	defer func() { s.asker.Withhold = usual }()
	s.asker.Withhold = func(b []byte) []byte {
		if recorded {
			return b // events are struck out by their record, which leaves names of keys
		}
		return usual(b)
	}
	r := s.asker.Watch(ctx, string(q), probe.Watch{For: s.env.Sample.Events, Record: record, Take: func(b []byte) bool {
		stream.Feed(b)
		return stream.Full() || enough(&stream.Tally)
	}})
	o := r.Observation(moduleName, kindOf(q), audit.ClassLive, s.asker.At)
	o.Until = s.env.Clock()
	d := &Data{Realm: r.Realm}
	if r.Status == audit.OK {
		o.Status = outcome(ctx, &stream.Tally, r.Detail)
	} else if r.Status == audit.BadArgument && r.Auth != "none" {
		o.Status = audit.NotSupported
	}
	if o.Status == audit.OK || o.Status == audit.Empty || len(stream.Tally.Codes) > 0 {
		d.Live = &stream.Tally
		s.seen = s.seen || stream.Tally.Events() > 0
	}
	s.keep(&o, d)
	return o.Status
}

// enough reports whether more events would show nothing new.
func enough(t *wire.Tally) bool {
	const many = 40
	seen := t.Proves()
	return t.Events() >= many || slices.Contains(seen, audit.Identify) && slices.Contains(seen, audit.Analyse)
}

// outcome says what became of a stream that began with success; why is why it ended before its time.
func outcome(ctx context.Context, t *wire.Tally, why string) audit.Status {
	switch {
	case t.Events() > 0:
		return audit.OK
	case ctx.Err() != nil:
		return audit.Interrupted
	case len(t.Codes) == 0 && t.Heartbeats == 0 && t.Stray > 0:
		return audit.Malformed
	case why != "":
		return audit.Inconclusive
	}
	return audit.Empty
}

// conclude writes the observation that sums up a look at a camera which has nothing for faces.
func (s *session) conclude(rules int) {
	o := audit.Observation{Module: moduleName, Kind: "enumeration", Class: audit.ClassConfig, Endpoint: s.asker.At, At: s.env.Clock(), Auth: "digest", Status: audit.OK}
	for _, x := range s.out {
		if x.Class == audit.ClassCapability || x.Class == audit.ClassConfig {
			o.Evidence = append(o.Evidence, x.Evidence...)
		}
	}
	s.keep(&o, &Data{None: &Conclusion{Rules: rules}})
}
