package scan

import (
	"cmp"
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	recorderSource = "recorder" // among the sources of a device: a recorder has it as a channel
	channelLocus   = "channel:" // begins the locus of a channel that is nowhere else
	maxBehind      = 512        // channels of one recorder
)

// behind is one channel of one recorder, over all answers that list it.
type behind struct {
	audit.Channel
	recorder    *cluster
	first, last time.Time // of the answers
	shared      bool      // the recorder gives its serial number to cameras at other addresses too
}

// serial returns the serial number fit for telling the camera apart, or nothing.
func (b behind) serial() string {
	if b.shared {
		return ""
	}
	return normalSerial(b.Serial)
}

// attach gives every channel of a recorder to the device it is. A channel that was found otherwise (by its hardware address,
// its serial number, or its address in this run) is that device; every other one is a device of its own. The recorder's word
// never makes one device of two that were found. Groups must have been merged.
func attach(groups map[string]*cluster, places loci) {
	found := distinct(groups)
	var fresh []*cluster
	for _, r := range found {
		if !r.lists() || r.device().Kind != audit.KindRecorder {
			continue
		}
		chosen, _ := r.channels()
		for _, ch := range chosen {
			if ch.socket() {
				continue
			}
			ch.forget(places)
			var at *cluster
			if ch.Addr.IsValid() {
				at = groups[places.of(ch.Addr)]
			}
			home := ch.home(found, at)
			if home == nil {
				home = ch.beside(fresh)
			}
			if home == nil {
				home = newCluster(channelLocus + r.loci[0] + "/" + ch.ID)
				groups[home.loci[0]] = home
				fresh = append(fresh, home)
			}
			if r.isBehind(home) { // recorders that have each other
				continue
			}
			if home.told = home.told || !home.found(); home.told {
				home.learn(audit.Identity{MACs: nonEmpty(normalMAC(ch.MAC)), Serial: ch.serial()})
			}
			home.via = append(home.via, ch)
		}
	}
}

// found reports whether anything but a recorder says that there is a device: the operator, a sighting, or an answer.
func (c *cluster) found() bool {
	return len(c.entries) > 0 || slices.ContainsFunc(c.seen, func(o audit.Observation) bool { return o.Kind == sightingKind || cameBack(o.Status) })
}

// isBehind reports whether the recorder is behind another one, at any remove.
func (c *cluster) isBehind(other *cluster) bool {
	for r := c; ; r = r.via[0].recorder {
		if r == other {
			return true
		}
		if len(r.via) == 0 {
			return false
		}
	}
}

// lists reports whether anything at the cluster named channels.
func (c *cluster) lists() bool {
	return slices.ContainsFunc(c.seen, func(o audit.Observation) bool { return len(o.Behind) > 0 })
}

// channels returns the channels of one recorder, and the modules that list channels, the chosen one first. Each protocol counts
// them in its own way, so that lists cannot be added up: the one that says most is taken, by how many channels it places, then
// by how many it knows to be received, then by how many there are.
func (c *cluster) channels() (chosen []behind, modules []string) {
	slices.SortFunc(c.seen, compareObservations)
	lists := map[string][]behind{}
	for _, o := range c.seen {
		for _, ch := range o.Behind {
			lists[o.Module] = c.enter(lists[o.Module], ch, o.At)
		}
	}
	for m := range lists {
		modules = append(modules, m)
	}
	worth := func(m string) (placed, known int) {
		for _, ch := range lists[m] {
			placed += b2i(ch.Addr.IsValid() || ch.MAC != "" || ch.Serial != "")
			known += b2i(ch.Online != nil)
		}
		return placed, known
	}
	slices.SortFunc(modules, func(a, b string) int {
		pa, ka := worth(a)
		pb, kb := worth(b)
		return cmp.Or(cmp.Compare(pb, pa), cmp.Compare(kb, ka), cmp.Compare(len(lists[b]), len(lists[a])), cmp.Compare(a, b))
	})
	if len(modules) == 0 {
		return nil, nil
	}
	chosen = lists[modules[0]]
	slices.SortFunc(chosen, func(a, b behind) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) })
	for i, a := range chosen {
		chosen[i].shared = a.Addr.IsValid() && slices.ContainsFunc(chosen, func(b behind) bool {
			return b.Addr.IsValid() && b.Addr.Addr() != a.Addr.Addr() && normalSerial(b.Serial) == normalSerial(a.Serial)
		})
	}
	return chosen, modules
}

// enter adds what one answer says of a channel. What an earlier answer said of it stays.
func (c *cluster) enter(list []behind, ch audit.Channel, at time.Time) []behind {
	i := slices.IndexFunc(list, func(x behind) bool { return x.ID == ch.ID })
	if i < 0 {
		if len(list) >= maxBehind {
			return list
		}
		return append(list, behind{Channel: ch, recorder: c, first: at, last: at})
	}
	x := &list[i]
	x.Name, x.MAC, x.Vendor, x.Model = cmp.Or(x.Name, ch.Name), cmp.Or(x.MAC, ch.MAC), cmp.Or(x.Vendor, ch.Vendor), cmp.Or(x.Model, ch.Model)
	x.Firmware, x.Serial = cmp.Or(x.Firmware, ch.Firmware), cmp.Or(x.Serial, ch.Serial)
	if !x.Addr.IsValid() {
		x.Addr = ch.Addr
	}
	if x.Online == nil {
		x.Online = ch.Online
	}
	if at.Before(x.first) {
		x.first = at
	}
	if at.After(x.last) {
		x.last = at
	}
	return list
}

// numbered is a name that recorders give by themselves.
var numbered = regexp.MustCompile(`(?i)^\[?(?:ip|analog|video|网络|模拟)?[ _-]?(?:camera|cam|channel|chan|ch|c|input|source|[ad]|摄像机|摄像头|通道)?[ _-]*\d*\]?$`)

// socket reports whether the channel is nothing but a place where a camera could be: the recorder receives nothing there and
// knows nothing of a camera. A channel somebody gave a name is more than that, and so is one of which nothing is known.
func (b behind) socket() bool {
	return b.Online != nil && !*b.Online && !b.Addr.IsValid() && normalMAC(b.MAC) == "" && normalSerial(b.Serial) == "" && b.Model == "" && numbered.MatchString(b.Name)
}

// camera reports whether the recorder knows a camera there: it receives one, or says which or where it is.
func (b behind) camera() bool {
	return b.Online != nil && *b.Online || b.Addr.IsValid() || normalMAC(b.MAC) != "" || normalSerial(b.Serial) != "" || b.Model != ""
}

// forget drops what the recorder says of itself rather than of a camera.
func (b *behind) forget(places loci) {
	if b.recorder.keys[byMAC][normalMAC(b.MAC)] {
		b.MAC = ""
	}
	if b.recorder.keys[bySerial][normalSerial(b.Serial)] {
		b.Serial = ""
	}
	if b.Addr.IsValid() && (b.Addr.Addr().IsUnspecified() || b.Addr.Addr().IsMulticast() || slices.Contains(b.recorder.loci, places.of(b.Addr)) || slices.Contains(b.recorder.loci, b.Addr.Addr().Unmap().String())) {
		b.Addr = netip.AddrPort{}
	}
}

// home returns the device that was found otherwise and is the channel, or nil. at is what was found at its address. Where
// several carry its hardware address or serial number, none of them is known to be it, unless one is at its address.
func (b behind) home(found []*cluster, at *cluster) *cluster {
	for _, k := range []struct {
		kind  keyKind
		value string
	}{{byMAC, normalMAC(b.MAC)}, {bySerial, b.serial()}} {
		if k.value == "" {
			continue
		}
		var same []*cluster
		for _, c := range found {
			if c != b.recorder && c.keys[k.kind][k.value] && (k.kind == byMAC || !b.differs(c)) {
				same = append(same, c)
			}
		}
		switch {
		case len(same) == 1:
			return same[0]
		case slices.Contains(same, at):
			return at
		}
	}
	if at != nil && at != b.recorder && !b.differs(at) {
		return at
	}
	return nil
}

// beside returns the channel listed before that is the same camera: on another recorder by its hardware address, or by its
// serial number unless they name different addresses, on the same one also by its address. Two recorders may both have a camera
// at one address of a network of their own.
func (b behind) beside(fresh []*cluster) *cluster {
	for _, c := range fresh {
		switch {
		case c.keys[byMAC][normalMAC(b.MAC)]:
			return c
		case b.differs(c):
		case c.keys[bySerial][b.serial()] && !slices.ContainsFunc(c.via, func(x behind) bool { return x.Addr.IsValid() && b.Addr.IsValid() && x.Addr.Addr() != b.Addr.Addr() }):
			return c
		case b.Addr.IsValid() && slices.ContainsFunc(c.via, func(x behind) bool { return x.recorder == b.recorder && x.Addr.Addr() == b.Addr.Addr() }):
			return c
		}
	}
	return nil
}

// differs reports whether a hardware address or a serial number says that a device is not the channel. Makers write serial
// numbers in a long and a short form.
func (b behind) differs(c *cluster) bool {
	if m := normalMAC(b.MAC); m != "" && len(c.keys[byMAC]) > 0 && !c.keys[byMAC][m] {
		return true
	}
	s := b.serial()
	if s == "" || len(c.keys[bySerial]) == 0 {
		return false
	}
	for k := range c.keys[bySerial] {
		if strings.Contains(k, s) || strings.Contains(s, k) {
			return false
		}
	}
	return true
}

// fill writes what recorders say of a device. Where the device never answered, theirs is all that is known of it. Identifiers
// of the recorders come later, when all devices have theirs.
func (c *cluster) fill(d *audit.Device, answered bool) {
	if len(c.via) == 0 {
		return
	}
	d.Sources = unique(append(d.Sources, recorderSource))
	d.Channels = max(d.Channels, b2i(len(c.numbers()) > 1)*len(c.numbers()))
	if answered {
		return
	}
	for _, ch := range c.via {
		d.Name, d.Vendor, d.Model = cmp.Or(d.Name, ch.Name), cmp.Or(d.Vendor, ch.Vendor), cmp.Or(d.Model, ch.Model)
		d.Firmware, d.Serial = cmp.Or(d.Firmware, ch.Firmware), cmp.Or(d.Serial, ch.Serial)
	}
	if !c.told {
		return
	}
	var addresses []string
	first, last := c.via[0].first, c.via[0].last
	for _, ch := range c.via {
		if ch.Addr.IsValid() {
			addresses = append(addresses, ch.Addr.Addr().Unmap().WithZone("").String())
		}
		if ch.first.Before(first) {
			first = ch.first
		}
		if ch.last.After(last) {
			last = ch.last
		}
	}
	d.Addresses, d.FirstSeen, d.LastSeen = unique(addresses), stamp(first), stamp(last)
}

// numbers lists the channels of the first recorder that has the device, in its order.
func (c *cluster) numbers() []string {
	var out []string
	for _, ch := range c.via {
		if ch.recorder == c.via[0].recorder {
			out = append(out, ch.ID)
		}
	}
	return out
}

const numberSep = ", " // between the channels of one device

// MarkForeign marks the devices that are known from a recorder alone, at an address outside the perimeter.
func MarkForeign(devices []audit.Device, perimeter []netip.Prefix) {
	for i := range devices {
		d := &devices[i]
		if d.Via == "" || !listedOnly(*d) || len(d.Addresses) == 0 {
			continue
		}
		d.Foreign = !slices.ContainsFunc(d.Addresses, func(s string) bool {
			a, err := netip.ParseAddr(s)
			return err == nil && slices.ContainsFunc(perimeter, func(p netip.Prefix) bool { return p.Contains(a) })
		})
	}
}

// listedOnly reports whether nothing but a recorder knows the device.
func listedOnly(d audit.Device) bool {
	return !slices.ContainsFunc(d.Loci, func(l string) bool { return !strings.HasPrefix(l, channelLocus) })
}

// listings maps every device behind a recorder to the observations that list it.
func listings(devices []audit.Device, observations []audit.Observation) map[string][]string {
	by := map[string]audit.Device{}
	for _, d := range devices {
		by[d.ID] = d
	}
	out := map[string][]string{}
	for _, d := range devices {
		if d.Via == "" {
			continue
		}
		numbers := strings.Split(d.Channel, numberSep)
		for _, o := range observations {
			if slices.Contains(by[d.Via].Loci, o.Locus) && slices.ContainsFunc(o.Behind, func(ch audit.Channel) bool { return slices.Contains(numbers, ch.ID) }) {
				out[d.ID] = append(out[d.ID], o.ID)
			}
		}
	}
	return out
}

// channelCoverage says what is known of what is behind every recorder: how many channels there are, and for each device that
// only a recorder knows why it was not asked. It follows from the observations, so that what it said before is left out of there.
func channelCoverage(devices []audit.Device, observations []audit.Observation, there []audit.Coverage) []audit.Coverage {
	out := slices.DeleteFunc(slices.Clone(there), func(c audit.Coverage) bool {
		return c.Module == recorderSource && strings.HasPrefix(c.Target, devicePrefix)
	})
	add := func(c audit.Coverage) {
		c.Module = recorderSource
		out = append(out, c)
	}
	at := map[string]*cluster{}
	for _, o := range observations {
		if at[o.Locus] == nil {
			at[o.Locus] = newCluster(o.Locus)
		}
		at[o.Locus].seen = append(at[o.Locus].seen, o)
	}
	label := map[string]string{}
	for _, d := range devices {
		label[d.ID] = d.ID
		if len(d.Addresses) > 0 {
			label[d.ID] = d.Addresses[0]
		}
	}
	for _, d := range devices {
		whole := newCluster(d.ID)
		for _, l := range d.Loci {
			if at[l] != nil {
				whole.seen = append(whole.seen, at[l].seen...)
			}
		}
		answered := slices.ContainsFunc(whole.seen, func(o audit.Observation) bool { return o.Kind != sightingKind && cameBack(o.Status) })
		if d.Kind == audit.KindRecorder && answered {
			recorderCoverage(d, whole, add)
		}
		if d.Via != "" && !answered {
			add(unasked(d, label[d.Via], len(whole.seen) > 0))
		}
	}
	return out
}

func recorderCoverage(d audit.Device, c *cluster, add func(audit.Coverage)) {
	chosen, modules := c.channels()
	if len(modules) == 0 {
		add(audit.Coverage{Target: d.ID, Status: audit.Partial, Detail: msg.Text("scan.channel.unlisted")})
		return
	}
	empty, known := 0, 0
	for _, ch := range chosen {
		empty += b2i(ch.socket())
		known += b2i(ch.camera())
	}
	add(audit.Coverage{Target: d.ID, Status: audit.Tried, Detail: msg.Text("scan.channel.listed", len(chosen), known, empty, len(chosen)-known-empty)})
	for _, m := range modules[1:] {
		add(audit.Coverage{Target: d.ID, Status: audit.Tried, Detail: msg.Text("scan.channel.several", modules[0], m)})
	}
}

// unasked says why a device that only a recorder knows was not asked, or that it did not answer.
func unasked(d audit.Device, recorder string, asked bool) audit.Coverage {
	c := audit.Coverage{Target: d.ID, Status: audit.Skipped, Detail: msg.Text("scan.channel.unnamed", recorder)}
	switch {
	case d.Foreign:
		c.Status, c.Detail = audit.DeniedByUs, msg.Text("scan.channel.outside", recorder)
	case asked:
		c.Status, c.Detail = audit.NoAnswer, msg.Text("scan.channel.silent", recorder)
	case len(d.Addresses) > 0:
		c.Detail = msg.Text("scan.channel.unasked", recorder)
	}
	return c
}

// behind queues the cameras an observation lists at addresses inside the perimeter that nothing else has found yet. Whatever
// becomes of them, they are listed.
func (r *runner) behind(ctx context.Context, o audit.Observation) {
	if r.o.Guard.Permit() < audit.PermitQuery {
		return
	}
	for _, ch := range o.Behind[:min(len(o.Behind), maxBehind)] {
		if !ch.Addr.IsValid() || !r.o.Guard.Inside(ch.Addr.Addr()) {
			continue
		}
		t := audit.Target{Method: recorderSource, Addr: ch.Addr, At: o.At, Identity: audit.Identity{Vendor: ch.Vendor, Model: ch.Model, Weak: true}}
		if ch.Addr.Port() == 0 || !probe.WebInterface(t) {
			t.Addr = netip.AddrPortFrom(ch.Addr.Addr(), 80) // the recorder names no port, or that of a maker's own protocol
		}
		locus := r.places.of(t.Addr)
		r.mu.Lock()
		known := r.found[locus] != nil
		r.mu.Unlock()
		if locus != o.Locus && !known {
			r.queue(ctx, locus, t)
		}
	}
}
