package main

import (
	"cmp"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/scan"
)

// foundDevice is a device as discovery knows it: who it is and where, and nothing of what it does.
type foundDevice struct {
	ID        string     `json:"id"`
	Kind      audit.Kind `json:"kind"`
	Vendor    string     `json:"vendor"`
	Model     string     `json:"model"`
	Firmware  string     `json:"firmware"`
	Serial    string     `json:"serial"`
	Name      string     `json:"name"`
	Addresses []string   `json:"addresses"`
	MACs      []string   `json:"macs"`
	Sources   []string   `json:"sources"`
	Services  []string   `json:"services"`
	Inventory string     `json:"inventory"` // id of the site file's entry, empty where it has none
	Found     bool       `json:"found"`     // false: the inventory lists it, and nothing was heard of it
	Foreign   bool       `json:"foreign"`   // answered from outside the perimeter: recorded, never contacted
	Via       string     `json:"via"`       // id of the recorder whose channel it is
	Channel   string     `json:"channel"`
	Inferred  bool       `json:"inferred"` // vendor and kind rest on a banner or an address prefix only
	FirstSeen string     `json:"first_seen"`
	LastSeen  string     `json:"last_seen"`
	Gone      string     `json:"gone,omitempty"` // since when it no longer answers, where a watch saw it go

	loci []string
}

// foundDevices merges what was seen into devices, in the order of their addresses, and says how complete the list of cameras is.
// It is pure.
func foundDevices(rec scan.Record) ([]foundDevice, *audit.Recall) {
	devices, found, recall := scan.Look(rec)
	out := []foundDevice{}
	for _, d := range devices {
		f := foundDevice{ID: d.ID, Kind: d.Kind, Vendor: d.Vendor, Model: d.Model, Firmware: d.Firmware, Serial: d.Serial, Name: d.Name,
			Addresses: listed(d.Addresses), MACs: listed(d.MACs), Sources: listed(d.Sources), Services: listed(d.Services), Inventory: d.Inventory,
			Found: found[d.ID], Foreign: d.Foreign, Via: d.Via, Channel: d.Channel, Inferred: d.Inferred,
			FirstSeen: d.FirstSeen, LastSeen: d.LastSeen, loci: d.Loci}
		if !f.Found {
			f.FirstSeen, f.LastSeen = "", "" // when the list was read is not when it was seen
		}
		out = append(out, f)
	}
	slices.SortFunc(out, compareFound)
	return out, recall
}

// compareFound orders devices by where they are.
func compareFound(x, y foundDevice) int {
	return cmp.Or(cmp.Compare(b2i(!x.address().IsValid()), b2i(!y.address().IsValid())), x.address().Compare(y.address()), cmp.Compare(x.ID, y.ID))
}

// heardOf reports whether an observation shows that something is there: more than a list that names it, or a question that
// nobody answered.
func heardOf(o audit.Observation) bool {
	switch o.Status {
	case audit.Declared, audit.Unreachable, audit.Timeout, audit.Denied, audit.Interrupted:
		return false
	}
	return true
}

func listed(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// address returns the device's first address; invalid where it has none.
func (f foundDevice) address() netip.Addr {
	for _, s := range slices.Concat(f.Addresses, f.loci) {
		if a, _, ok := endpointOf(s); ok {
			return a
		}
	}
	return netip.Addr{}
}

// endpointOf reads "192.0.2.7", "192.0.2.7:80" or an IPv6 address in either form; the port is 0 where none is named.
func endpointOf(s string) (netip.Addr, uint16, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap(), ap.Port(), true
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap(), 0, err == nil
}

const (
	// wholeWidth is how many columns a terminal needs to show every column of the table side by side.
	wholeWidth = 150
	leastWidth = 40
	maxCell    = 40 // runes of what a device says, in one cell; twice that where lines may be as long as they are
)

// columns returns how wide the terminal of stdout is; 0 where stdout is no terminal, and lines may be as long as they are.
func (a *app) columns() int {
	f, ok := a.result.w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < leastWidth {
		return 80
	}
	return width
}

// deviceTable shows devices in a table at most width columns wide; 0 is as wide as need be, one line a device. Where the width
// does not allow all columns, what belongs together stands below each other.
func (a *app) deviceTable(devices []foundDevice, width int) string {
	names := map[string]string{}
	for _, d := range devices {
		names[d.ID] = d.label()
	}
	head := []string{"address", "mac", "kind", "vendor", "model", "firmware", "sources", "services", "inventory", "note"}
	stacks := [][]int{{0, 1}, {2, 3, 4, 5}, {6}, {7}, {8, 9}}
	if width == 0 || width >= wholeWidth {
		stacks = [][]int{{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}}
	}
	var header table.Row
	for _, s := range stacks {
		var names []string
		for _, i := range s {
			names = append(names, a.t("cli.discover.col."+head[i]))
		}
		header = append(header, strings.Join(names, "\n"))
	}
	var rows []table.Row
	for _, d := range devices {
		cells := a.deviceCells(d, names, width == 0)
		var row table.Row
		for _, s := range stacks {
			var lines []string
			for _, i := range s {
				if cells[i] != "" {
					lines = append(lines, cells[i])
				}
			}
			row = append(row, strings.Join(lines, "\n"))
		}
		rows = append(rows, row)
	}
	return drawn(header, rows, width, len(header) < len(head))
}

// deviceCells are the columns of one device, free of whatever a device may have put into its own words.
func (a *app) deviceCells(d foundDevice, names map[string]string, whole bool) [10]string {
	limit := maxCell
	if whole {
		limit *= 2
	}
	said := func(s string) string { return clean.Text(s, limit) }
	kind := msg.Word(string(d.Kind)).In(a.lang)
	if d.Inferred {
		kind = a.t("cli.discover.inferred", kind)
	}
	sources := strings.Join(slices.DeleteFunc(slices.Clone(d.Sources), func(s string) bool { return s == "inventory" }), ", ")
	if d.Via != "" {
		sources = a.t("cli.discover.via", cmp.Or(names[d.Via], said(d.Via)), said(d.Channel))
	}
	inventory := a.t("cli.discover.unlisted")
	switch {
	case d.Inventory != "" && d.Found:
		inventory = said(d.Inventory)
	case d.Inventory != "":
		inventory = a.t("cli.discover.notfound", said(d.Inventory))
	}
	note := ""
	switch {
	case d.Gone != "":
		note = a.t("cli.discover.gone", localTime(d.Gone))
	case d.Foreign:
		note = a.t("cli.discover.outside")
	}
	return [10]string{strings.Join(d.endpoints(), " "), clean.Text(strings.Join(d.MACs, " "), 2*maxCell), kind, said(d.Vendor), said(d.Model), said(d.Firmware),
		clean.Text(sources, 3*maxCell), clean.Text(strings.Join(d.protocols(), ", "), 3*maxCell), inventory, note}
}

// endpoints lists a device's addresses with the ports of each behind it: "192.0.2.7:80,554".
func (f foundDevice) endpoints() []string {
	ports := map[netip.Addr][]string{}
	var order []netip.Addr
	for _, s := range f.Addresses {
		addr, port, ok := endpointOf(s)
		if !ok {
			continue
		}
		if _, known := ports[addr]; !known {
			order = append(order, addr)
			ports[addr] = nil
		}
		if port != 0 {
			ports[addr] = append(ports[addr], strconv.Itoa(int(port)))
		}
	}
	var out []string
	for _, addr := range order {
		one := addr.String()
		if len(ports[addr]) > 0 {
			if addr.Is6() {
				one = "[" + one + "]"
			}
			one += ":" + strings.Join(ports[addr], ",")
		}
		out = append(out, clean.Text(one, 2*maxCell))
	}
	return out
}

// protocols lists what a device speaks by short names: the namespaces of a protocol's parts stand for the protocol.
func (f foundDevice) protocols() []string {
	var out []string
	for _, s := range f.Services {
		switch {
		case strings.Contains(s, "onvif.org/"):
			s = "onvif"
		case strings.Contains(s, "://"):
			continue
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// label is a device in a few words.
func (f foundDevice) label() string {
	if a := f.address(); a.IsValid() {
		return a.String()
	}
	return cmp.Or(clean.Text(f.Inventory, 40), clean.Text(f.Name, 40), f.ID)
}

// drawn is a table with a frame, its columns narrowed until it fits; 0 fits always. Rows of several lines are told apart by a
// line between them where ruled is set.
func drawn(header table.Row, rows []table.Row, width int, ruled bool) string {
	text.OverrideRuneWidthEastAsianWidth(false)
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Options.SeparateRows = ruled
	t.AppendHeader(header)
	t.AppendRows(rows)
	if width > 0 {
		t.SetColumnConfigs(narrowed(append([]table.Row{header}, rows...), width))
	}
	return t.Render()
}

// narrowed says how wide each column may be so that the frame is at most width columns wide. The widest gives first, and no column
// gives up a whole word while another has something to give.
func narrowed(rows []table.Row, width int) []table.ColumnConfig {
	const least, word = 4, 17 // a hardware address is the longest word worth keeping whole
	wide, whole := make([]int, len(rows[0])), make([]int, len(rows[0]))
	over := 1 + 3*len(wide) - width
	for _, r := range rows {
		for i, cell := range r {
			s, _ := cell.(string)
			wide[i] = max(wide[i], text.LongestLineLen(s))
			for _, w := range strings.Fields(s) {
				whole[i] = max(whole[i], min(word, text.StringWidth(w)))
			}
		}
	}
	for _, w := range wide {
		over += w
	}
	for _, floor := range [][]int{whole, slices.Repeat([]int{least}, len(wide))} {
		for ; over > 0; over-- {
			most := -1
			for i := range wide {
				if wide[i] > max(floor[i], least) && (most < 0 || wide[i] > wide[most]) {
					most = i
				}
			}
			if most < 0 {
				break
			}
			wide[most]--
		}
	}
	out := make([]table.ColumnConfig, len(wide))
	for i, w := range wide {
		out[i] = table.ColumnConfig{Number: i + 1, WidthMax: w, WidthMaxEnforcer: folded}
	}
	return out
}

// folded breaks lines at spaces and between wide characters so that none is wider than width columns, and words that alone are
// wider after a comma or wherever they must be.
func folded(s string, width int) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		at := ""
		for _, part := range parts(line) {
			if at != "" && text.StringWidth(at)+text.StringWidth(strings.TrimRight(part, " ")) > width {
				out = append(out, strings.TrimRight(at, " "))
				at = ""
			}
			at += part
			for text.StringWidth(strings.TrimRight(at, " ")) > width {
				head := text.Trim(at, width)
				if comma := strings.LastIndexAny(head, ",:"); comma > len(head)/2 {
					head = head[:comma+1]
				}
				if head == "" {
					break // not even one character fits
				}
				out = append(out, head)
				at = at[len(head):]
			}
		}
		out = append(out, strings.TrimRight(at, " "))
	}
	return strings.Join(out, "\n")
}

// parts splits a line where it may be broken: after spaces, and around wide characters, but not before a closing mark.
func parts(line string) []string {
	var out []string
	var last rune
	for _, r := range line {
		wide := text.RuneWidth(r) > 1
		switch {
		case len(out) == 0, last == ' ' && r != ' ', r != ' ' && (wide || text.RuneWidth(last) > 1) && !strings.ContainsRune("，。；：、）”？！", r):
			out = append(out, string(r))
		default:
			out[len(out)-1] += string(r)
		}
		last = r
	}
	return out
}

// localTime is the time of day of a moment as results carry it, on this machine's clock.
func localTime(stamp string) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return ""
	}
	return t.Local().Format(time.TimeOnly)
}
