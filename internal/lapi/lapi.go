// Package lapi reads the answers of Uniview's LAPI: JSON documents to structs. It knows the questions that may be asked (Paths)
// and nothing of sockets or audits. Firmware writes yes and no as 1 and 0, as numbers or as text; what an answer does not say
// is left empty, and names of libraries and persons are never read.
package lapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

const (
	maxText  = 128
	maxItems = 512 // channels, tasks or libraries
	maxBody  = 1 << 20
)

// ErrOther is returned for a document that is not the one asked for; errors.Is finds it.
var ErrOther = errors.New("another document")

// Answer is the envelope of every answer. It comes with HTTP 200, and with HTTP 599 where the code is not zero; a public
// integration for Home Assistant met firmware that writes 599 on success too.
type Answer struct {
	Code int             // ResponseCode; 0 is success
	Text string          // ResponseString, and StatusString where it says more
	Data json.RawMessage // nil where there is none: firmware writes the text "null" for it

	status int
}

// Read reads an envelope.
func Read(b []byte) (Answer, error) {
	var doc struct {
		Response *struct {
			Code   integer         `json:"ResponseCode"`
			Status integer         `json:"StatusCode"`
			Text   string          `json:"ResponseString"`
			More   string          `json:"StatusString"`
			Data   json.RawMessage `json:"Data"`
		} `json:"Response"`
	}
	if len(b) > maxBody {
		return Answer{}, fmt.Errorf("lapi: envelope: over a limit: %w", ErrOther)
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return Answer{}, fmt.Errorf("lapi: envelope: %w", errors.Join(ErrOther, err))
	}
	if doc.Response == nil || !doc.Response.Code.ok {
		return Answer{}, fmt.Errorf("lapi: envelope: %w", ErrOther)
	}
	r := doc.Response
	a := Answer{Code: r.Code.n, Text: clean.Text(r.Text, maxText), status: r.Status.n}
	if more := clean.Text(r.More, maxText); more != "" && more != a.Text {
		a.Text = clean.Text(a.Text+" "+more, maxText)
	}
	if d := strings.TrimSpace(string(r.Data)); d != "" && d != "null" && d != `"null"` {
		a.Data = r.Data
	}
	return a, nil
}

// OK reports whether the device answered what was asked.
func (a Answer) OK() bool { return a.Code == 0 }

// Succeeded reports whether the envelope alone says so throughout and holds data, whatever the status it came with.
func (a Answer) Succeeded() bool { return a.Code == 0 && a.status == 0 && len(a.Data) > 0 }

// Denied reports whether it wants a login, or another one.
func (a Answer) Denied() bool {
	return a.Code != 0 && (a.Code == 3 || a.status == 401 || a.says("not authorized"))
}

// NotSupported reports whether it does not have what was asked for.
func (a Answer) NotSupported() bool { return a.Code != 0 && (a.Code == 4 || a.says("not support")) }

// Locked reports whether it says that the account is locked.
func (a Answer) Locked() bool {
	return a.Code != 0 && strings.Contains(strings.ReplaceAll(strings.ToLower(a.Text), "unlock", ""), "lock")
}

func (a Answer) says(words string) bool { return strings.Contains(strings.ToLower(a.Text), words) }

// Locked reports whether a body says that the account is locked.
func Locked(b []byte) bool {
	a, err := Read(b)
	return err == nil && a.Locked()
}

// Device is DeviceBasicInfo or DeviceInfo.
type Device struct {
	Maker    string
	Model    string
	Serial   string
	Firmware string
	MAC      string
	Name     string
	Type     *int // 1 is a recorder; the other numbers differ between firmware
}

// ReadDevice reads the data of BasicInfo or DeviceInfo.
func ReadDevice(data json.RawMessage) (Device, error) {
	var m struct {
		Manufacturer, DeviceModel, SerialNumber, FirmwareVersion, MAC, MACAddress, DeviceName loose
		DeviceType                                                                            integer
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return Device{}, other("device", err)
	}
	d := Device{Maker: m.Manufacturer.text(), Model: m.DeviceModel.text(), Serial: m.SerialNumber.text(), Firmware: m.FirmwareVersion.text(),
		Name: m.DeviceName.text(), MAC: mac.Parse(string(m.MAC))}
	if d.MAC == "" {
		d.MAC = mac.Parse(string(m.MACAddress))
	}
	if m.DeviceType.ok {
		d.Type = &m.DeviceType.n
	}
	if d.Model == "" && d.Serial == "" {
		return Device{}, fmt.Errorf("lapi: device: %w", ErrOther)
	}
	return d, nil
}

// Switches are the on-switches a document about faces may hold. Nil is one it does not hold.
type Switches struct {
	Enabled    *bool `json:"enabled,omitempty"`    // Enable, Enabled or FaceEnable
	Compare    *bool `json:"compare,omitempty"`    // CompareEn
	Attributes *bool `json:"attributes,omitempty"` // AttrEn
	Document   bool  `json:"document,omitempty"`   // has a threshold for the picture of an identity document (IDFaceThreshold)
}

// ReadSwitches reads the data of FaceEnable, of a rule, or of Comparison. It looks at the outermost members and no deeper: what
// lies below belongs to areas and plans, which are switched on whether or not the rule is.
func ReadSwitches(data json.RawMessage) (Switches, error) {
	var m struct {
		Enable, Enabled, FaceEnable, CompareEn, AttrEn flag
		IDFaceThreshold                                json.RawMessage
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return Switches{}, other("switches", err)
	}
	s := Switches{Compare: m.CompareEn.v, Attributes: m.AttrEn.v, Document: len(m.IDFaceThreshold) > 0 && string(m.IDFaceThreshold) != "null"}
	for _, f := range []flag{m.Enable, m.Enabled, m.FaceEnable} {
		switch {
		case f.v == nil:
		case s.Enabled != nil && *s.Enabled != *f.v:
			return Switches{}, fmt.Errorf("lapi: switches: two that differ: %w", ErrOther)
		default:
			s.Enabled = f.v
		}
	}
	if s == (Switches{}) {
		return s, fmt.Errorf("lapi: switches: %w", ErrOther)
	}
	return s, nil
}

// ReadCapabilities reads the data of Capabilities: the names of what the device has for faces, ascending. What it states as
// missing is left out.
func ReadCapabilities(data json.RawMessage) ([]string, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil || m == nil {
		return nil, other("capabilities", err)
	}
	var out []string
	for name, v := range m {
		if n := clean.Text(name, maxText); strings.Contains(strings.ToLower(n), "face") && has(v) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out[:min(len(out), 64)], nil
}

// has reports whether a capability's value says that it is there: 1, true, or an object that does not deny it.
func has(v json.RawMessage) bool {
	var f flag
	if json.Unmarshal(v, &f) == nil && f.v != nil {
		return *f.v
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(v, &m) != nil || len(m) == 0 {
		return false
	}
	for k, x := range m {
		var f flag
		if strings.Contains(strings.ToLower(k), "support") && json.Unmarshal(x, &f) == nil && f.v != nil && !*f.v {
			return false
		}
	}
	return true
}

// Task is one order to compare faces with libraries.
type Task struct {
	ID      int   `json:"id"`
	Enabled *bool `json:"enabled,omitempty"` // its on-switch; nil where it has none
}

// ReadTasks reads the data of Monitors: one order with a switch of its own, or a list of them. Of several lists only those
// called after tasks count, since cameras and libraries are listed below a task too. whole reports that the document says how
// many there are and lists them all.
func ReadTasks(data json.RawMessage) (tasks []Task, whole bool, err error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil || m == nil {
		return nil, false, other("tasks", err)
	}
	var single task
	if json.Unmarshal(data, &single) == nil && single.at(0).Enabled != nil {
		return []Task{single.at(0)}, false, nil
	}
	var lists [][]task
	named := -1
	for k, v := range m {
		var list []task
		if json.Unmarshal(v, &list) != nil || list == nil {
			continue
		}
		lists = append(lists, list)
		if k = strings.ToLower(k); strings.Contains(k, "monitor") || strings.Contains(k, "task") {
			if named >= 0 {
				return nil, false, fmt.Errorf("lapi: tasks: two lists: %w", ErrOther)
			}
			named = len(lists) - 1
		}
	}
	var list []task
	switch {
	case named >= 0:
		list = lists[named]
	case len(lists) == 1:
		list = lists[0]
	case len(lists) > 1:
		return nil, false, fmt.Errorf("lapi: tasks: several lists: %w", ErrOther)
	}
	for i, t := range list[:min(len(list), maxItems)] {
		tasks = append(tasks, t.at(i))
	}
	slices.SortFunc(tasks, func(a, b Task) int { return a.ID - b.ID })
	for _, k := range []string{"Num", "Nums", "Total"} {
		var n integer
		if v, ok := m[k]; ok && json.Unmarshal(v, &n) == nil && n.ok {
			return tasks, n.n == len(tasks), nil
		}
	}
	if len(tasks) == 0 {
		return nil, false, fmt.Errorf("lapi: tasks: %w", ErrOther)
	}
	return tasks, false, nil
}

// task is a Task as it is written.
type task struct {
	ID              integer
	Enable, Enabled flag
}

// at is the task at a place of the list, which is its number where it has none.
func (t task) at(i int) Task {
	out := Task{ID: i, Enabled: t.Enable.v}
	if t.ID.ok {
		out.ID = t.ID.n
	}
	if out.Enabled == nil {
		out.Enabled = t.Enabled.v
	}
	return out
}

// Library is one library of persons, by its size. Its name is not read.
type Library struct {
	Persons int `json:"persons"`
	Faces   int `json:"faces"` // pictures of faces
}

// ReadLibraries reads the data of Libraries.
func ReadLibraries(data json.RawMessage) ([]Library, error) {
	var m struct {
		Num     integer
		LibList []struct{ PersonNum, FaceNum integer }
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, other("libraries", err)
	}
	if m.LibList == nil && !m.Num.ok {
		return nil, fmt.Errorf("lapi: libraries: %w", ErrOther)
	}
	out := make([]Library, 0, len(m.LibList))
	for _, l := range m.LibList[:min(len(m.LibList), maxItems)] {
		out = append(out, Library{Persons: max(l.PersonNum.n, 0), Faces: max(l.FaceNum.n, 0)})
	}
	return out, nil
}

// Channel is one camera behind a recorder.
type Channel struct {
	ID     int
	Name   string
	Maker  string
	Model  string
	MAC    string
	Addr   netip.AddrPort // zero where the slot is empty
	Online *bool
}

// ReadChannels reads the data of Channels, by number. Slots without an address and without a model are left out and counted.
func ReadChannels(data json.RawMessage) (out []Channel, empty int, err error) {
	var m struct {
		DetailInfos []struct {
			ID                              integer
			Name, Manufacturer, DeviceModel loose
			Status                          integer
			AddressInfo                     struct {
				Address, MAC loose
				Port         integer
			}
		}
	}
	if err := json.Unmarshal(data, &m); err != nil || m.DetailInfos == nil {
		return nil, 0, other("channels", err)
	}
	for _, c := range m.DetailInfos[:min(len(m.DetailInfos), maxItems)] {
		x := Channel{ID: c.ID.n, Name: c.Name.text(), Maker: c.Manufacturer.text(), Model: c.DeviceModel.text(), MAC: mac.Parse(string(c.AddressInfo.MAC)),
			Addr: address(string(c.AddressInfo.Address), c.AddressInfo.Port)}
		if c.Status.ok {
			online := c.Status.n == 1
			x.Online = &online
		}
		switch {
		case !c.ID.ok || c.ID.n < 0 || c.ID.n > MaxChannel || slices.ContainsFunc(out, func(o Channel) bool { return o.ID == x.ID }):
		case x.Model == "" && !x.Addr.IsValid():
			empty++
		default:
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b Channel) int { return a.ID - b.ID })
	return out, empty, nil
}

func address(s string, port integer) netip.AddrPort {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
		return netip.AddrPort{}
	}
	if !port.ok || port.n < 0 || port.n > 65535 {
		port.n = 0
	}
	return netip.AddrPortFrom(a.Unmap().WithZone(""), uint16(port.n))
}

func other(what string, err error) error {
	return fmt.Errorf("lapi: %s: %w", what, errors.Join(ErrOther, err))
}

// integer is a whole number, or text that is one. Anything else leaves it unset.
type integer struct {
	n  int
	ok bool
}

// UnmarshalJSON never fails: a member of another type is one that is not there.
func (i *integer) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(b), `" `), 10, 32)
	*i = integer{int(n), err == nil}
	return nil
}

// flag is yes or no in any of the ways firmware writes it. Anything else leaves it unset.
type flag struct{ v *bool }

// UnmarshalJSON never fails, as integer's.
func (f *flag) UnmarshalJSON(b []byte) error {
	yes, no := true, false
	switch strings.ToLower(strings.Trim(string(b), `" `)) {
	case "1", "true":
		f.v = &yes
	case "0", "false":
		f.v = &no
	default:
		f.v = nil
	}
	return nil
}

// loose is text; a member of another type is empty.
type loose string

// UnmarshalJSON never fails, as integer's.
func (l *loose) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = ""
	}
	*l = loose(s)
	return nil
}

func (l loose) text() string { return clean.Text(string(l), maxText) }
