package isapi

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/isapi"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	maxAsked  = 16 // channels of a recorder asked one by one; how many were not is in the data
	maxWindow = 60 * time.Second
)

// faces is what was learned of faces while asking.
type faces struct {
	channels []int // of the device itself, as it numbers them
	listed   bool  // the device listed them
	hinted   bool  // some capability document speaks of faces
	denied   []audit.Function
	terminal bool // it says that it recognises faces at a door
	flagged  bool // the capabilities of the device were read with a login
	smart    bool // and what they say of its smart functions with them

	// By question to a channel: how many channels gave it an answer that can be used, and how many said with a login that there
	// is no such thing.
	read, lacking map[wire.Form]int
	libraries     int // -1 where the device has none to list, and said so with a login
	engine        bool
}

// channel notes a channel of the device.
func (f *faces) channel(id string) {
	if n, err := strconv.Atoi(id); err == nil && n > 0 && !slices.Contains(f.channels, n) {
		f.channels = append(f.channels, n)
		f.listed = true
	}
}

// settle establishes what the device does with faces, from what it could do to what it does. A recorder is asked about its
// own channels; a terminal, how it lets people pass.
func (s *session) settle(ctx context.Context, who wire.Device) {
	s.faces.read, s.faces.lacking = map[wire.Form]int{}, map[wire.Form]int{}
	k := kind(who)
	s.flags(ctx, wire.DeviceCap, "DeviceCap")
	if k == audit.KindTerminal {
		s.access(ctx)
	} else {
		if k != audit.KindRecorder {
			s.inputs(ctx)
		}
		if !s.faces.smart {
			s.flags(ctx, wire.SmartCap, "SmartCap")
		}
		s.flags(ctx, wire.IntelliCap, "IntelliCap")
		s.flags(ctx, wire.EventCap, "ChannelEventCap", "ChannelEventCapList", "EventCap")
		s.library(ctx)
		s.perChannel(ctx, k == audit.KindRecorder)
	}
	s.outbound(ctx)
	s.conclude(k)
	s.watch(ctx)
}

// ask puts one question and keeps its observation. read gets the body of an answer; its error marks the answer as misread.
func (s *session) ask(ctx context.Context, p wire.Path, kind string, class audit.Class, read func(b []byte, n *note) error) *note {
	if s.asker.Stopped() != "" || ctx.Err() != nil {
		return nil
	}
	r, n := s.putAs(ctx, p, kind, class)
	if n.Status == audit.OK {
		if err := read(r.Body, n); err != nil {
			misread(n, err)
		}
	}
	s.keep(n)
	return n
}

func (s *session) whole(ctx context.Context, p wire.Path, class audit.Class, read func(b []byte, n *note) error) *note {
	return s.ask(ctx, p, get(p), class, read)
}

// flags reads one capability document. An event that a flag of the device denies is not taken from a list of events: lists
// name what the firmware knows, whether the device has it or not.
func (s *session) flags(ctx context.Context, p wire.Path, roots ...string) {
	s.whole(ctx, p, audit.ClassCapability, func(b []byte, n *note) error {
		f, err := wire.ReadFlags(b, roots...)
		if err != nil {
			return err
		}
		n.data.Present, n.data.Flags, n.data.Denied = true, f.Yes, f.No
		for _, e := range f.Events {
			if slices.ContainsFunc(wire.EventShows(e), func(fn audit.Function) bool { return slices.Contains(s.faces.denied, fn) }) {
				n.data.Doubtful = append(n.data.Doubtful, e)
				continue
			}
			n.data.Events = append(n.data.Events, e)
		}
		s.faces.hinted = s.faces.hinted || len(f.Yes)+len(n.data.Events) > 0
		if p == wire.DeviceCap {
			s.faces.flagged = loggedIn(n)
			s.faces.denied = denied(f)
			s.faces.smart = slices.Contains(slices.Concat(f.Yes, f.No), "isSupportFaceDetect")
		}
		if p == wire.AccessCap || p == wire.DeviceCap {
			s.faces.terminal = s.faces.terminal || slices.Contains(f.Yes, "isSupportFaceRecognizeMode")
		}
		return nil
	})
}

// denied lists what flags of the device deny and none affirms.
func denied(f wire.Flags) []audit.Function {
	var yes, no []audit.Function
	for _, name := range f.Yes {
		yes = append(yes, wire.FlagShows(name)...)
	}
	for _, name := range f.No {
		if fns := wire.FlagShows(name); len(fns) > 0 {
			no = append(no, fns[len(fns)-1]) // the furthest of them: what only a crop denies says nothing of a box
		}
	}
	return slices.DeleteFunc(no, func(fn audit.Function) bool { return slices.Contains(yes, fn) })
}

func loggedIn(n *note) bool { return n.Auth != "" && n.Auth != "none" }

// lacks reports an answer by which a logged-in device says that it has no such thing.
func lacks(n *note) bool {
	return n != nil && n.Status == audit.NotSupported && loggedIn(n) && strings.EqualFold(n.data.Reason, "notSupport")
}

// inputs asks a camera for its sensors. A camera that does not list them is asked about the first.
func (s *session) inputs(ctx context.Context) {
	s.whole(ctx, wire.VideoInputs, audit.ClassInventory, func(b []byte, n *note) error {
		is, err := wire.ReadInputs(b)
		for _, i := range is {
			s.faces.channel(i.ID)
		}
		n.data.Channels = len(is)
		return err
	})
	if len(s.faces.channels) == 0 {
		s.faces.channels = []int{1}
	}
}

// library asks whether there are face libraries, and how many. Their names are in the answer; they are blanked before it is
// recorded, and not read.
func (s *session) library(ctx context.Context) {
	s.flags(ctx, wire.LibraryCap, "FDLibCap")
	s.asker.Withhold = wire.Skeleton
	defer func() { s.asker.Withhold = nil }()
	n := s.whole(ctx, wire.Libraries, audit.ClassCapability, func(b []byte, n *note) error {
		count, err := wire.CountLibraries(b)
		if err != nil {
			return err
		}
		n.data.Count = &count
		s.faces.libraries = count
		return nil
	})
	if lacks(n) {
		s.faces.libraries = -1
	}
}

// perChannel asks about the switches of each channel.
func (s *session) perChannel(ctx context.Context, recorder bool) {
	asked := s.faces.channels
	if len(asked) > maxAsked {
		asked = asked[:maxAsked]
	}
	for _, c := range asked {
		s.setting(ctx, wire.FaceDetect, c, "FaceDetect")
		s.setting(ctx, wire.FaceRule, c, "FaceRule")
		s.setting(ctx, wire.FaceContrast, c, "FaceContrast")
		if !recorder {
			s.resource(ctx, c)
		}
	}
	// What some channels say is only part of the answer where others were not asked or did not say.
	for _, n := range s.notes {
		f := n.data.form
		n.data.Partial = f != "" && len(n.data.Settings) > 0 && s.faces.read[f]+s.faces.lacking[f] < len(s.faces.channels)
		n.data.Sole = f != "" && s.faces.listed && len(s.faces.channels) == 1 && !recorder
	}
}

func (s *session) setting(ctx context.Context, f wire.Form, channel int, object string) {
	n := s.ask(ctx, f.Of(channel), form(f), audit.ClassConfig, func(b []byte, n *note) error {
		set, err := wire.ReadSettings(b, object)
		if err != nil {
			return err
		}
		said := true
		for _, x := range set {
			n.data.Settings = append(n.data.Settings, Setting{ID: x.ID, On: x.On})
			said = said && x.On != nil
		}
		if said {
			s.faces.read[f]++
		}
		return nil
	})
	if n == nil {
		return
	}
	n.data.Channel, n.data.form = strconv.Itoa(channel), f
	if lacks(n) {
		s.faces.lacking[f]++
	}
}

// resource asks to what the engine of a channel is assigned. Capturing faces is what it could do then, no more.
func (s *session) resource(ctx context.Context, channel int) {
	n := s.ask(ctx, wire.Resource.Of(channel), form(wire.Resource), audit.ClassCapability, func(b []byte, n *note) error {
		engine, err := wire.ReadResource(b)
		n.data.Engine = engine
		s.faces.engine = s.faces.engine || engine != "" && engine != "close"
		return err
	})
	if n != nil {
		n.data.Channel = strconv.Itoa(channel)
	}
}

// access asks a terminal how it recognises people.
func (s *session) access(ctx context.Context) {
	s.flags(ctx, wire.AccessCap, "AccessControl", "AccessControlCap")
	s.whole(ctx, wire.FaceMode, audit.ClassCapability, func(b []byte, n *note) error {
		mode, err := wire.ReadFaceMode(b)
		n.data.Engine = mode
		s.faces.terminal = s.faces.terminal || err == nil
		return err
	})
	s.whole(ctx, wire.AccessState, audit.ClassConfig, func(b []byte, n *note) error {
		modes, err := wire.ReadReaders(b)
		n.data.Readers, n.data.Recognises = modes, s.faces.terminal
		return err
	})
	s.whole(ctx, wire.PersonCount, audit.ClassInventory, func(b []byte, n *note) error {
		count, err := wire.ReadPersonCount(b)
		if err == nil {
			n.data.Count = &count
		}
		return err
	})
}

// outbound asks where the device sends to.
func (s *session) outbound(ctx context.Context) {
	s.asker.Withhold = wire.WithoutKeys
	defer func() { s.asker.Withhold = nil }()
	for _, q := range []struct {
		path wire.Path
		what string
	}{{wire.HTTPHosts, "http-events"}, {wire.EHome, "isup"}, {wire.EZVIZ, "cloud"}, {wire.SIP, "sip"}} {
		s.whole(ctx, q.path, audit.ClassOutbound, func(b []byte, n *note) error {
			hosts, err := wire.ReadHosts(b, q.what)
			for _, h := range hosts {
				n.data.Hosts = append(n.data.Hosts, Host{What: h.What, URL: h.URL, Events: h.Events})
			}
			return err
		})
	}
}

// conclude writes what follows from the whole and from no part of it: which functions the device does not have. A recorder is
// never said to lack one: some send what they find by the maker's binary protocol alone, of which ISAPI says nothing.
func (s *session) conclude(k audit.Kind) {
	f := &s.faces
	sum := &Summary{Channels: len(f.channels), Unasked: max(len(f.channels)-maxAsked, 0)}
	none := func(form wire.Form) bool {
		return f.listed && len(f.channels) > 0 && f.lacking[form] == len(f.channels)
	}
	camera := k == audit.KindCamera && f.flagged && !f.hinted
	if camera && none(wire.FaceRule) && !f.engine {
		sum.Lacks = append(sum.Lacks, audit.Capture)
		if none(wire.FaceDetect) {
			sum.Lacks = append(sum.Lacks, audit.Detect)
		}
	}
	if camera && none(wire.FaceContrast) && f.libraries < 0 {
		sum.Lacks = append(sum.Lacks, audit.Identify)
	}
	sum.Complete = k == audit.KindCamera && f.flagged && f.listed
	for _, form := range []wire.Form{wire.FaceDetect, wire.FaceRule, wire.FaceContrast} {
		sum.Complete = sum.Complete && f.read[form]+f.lacking[form] == len(f.channels)
	}
	first := s.notes[0].Observation
	n := &note{Observation: audit.Observation{Module: moduleName, Kind: "enumeration", Class: audit.ClassConfig, Endpoint: s.asker.At, At: s.env.Clock(),
		Auth: first.Auth, Status: audit.OK}, data: Data{Summary: sum}}
	for _, x := range s.notes {
		n.Evidence = append(n.Evidence, x.Evidence...)
		if loggedIn(x) {
			n.Auth = x.Auth
		}
	}
	if sum.Unasked > 0 {
		n.Status, n.Detail = audit.Limited, fmt.Sprintf("%d of %d channels were asked one by one", maxAsked, len(f.channels))
	}
	s.keep(n)
}

// watch reads the stream of alarms for a bounded time.
func (s *session) watch(ctx context.Context) {
	if s.env.Guard.Permit() < audit.PermitSample || s.asker.Stopped() != "" || ctx.Err() != nil {
		return
	}
	s.env.Progress(msg.Text("probe.isapi.watching"))
	window := min(s.env.Sample.Events, maxWindow)
	var alerts wire.Alerts
	stream := false
	r := s.asker.Watch(ctx, string(wire.AlertStream), probe.Watch{For: window, Take: alerts.Take, Record: func() []byte {
		stream = alerts.Close()
		return alerts.Record()
	}})
	n := s.begin(r, get(wire.AlertStream), audit.ClassLive)
	n.Until = s.env.Clock()
	switch {
	case r.Status != audit.OK:
	case len(alerts.Tally.Alarms) > 0:
		n.data.Tally = &alerts.Tally
	case ctx.Err() != nil:
		n.Status = audit.Interrupted
	case !stream:
		n.Status, n.Detail = audit.Malformed, "no stream of alarms"
	default:
		n.Status, n.data.Tally = audit.Empty, &alerts.Tally
	}
	s.keep(n)
}
