// Package sunapi reads the answers of Hanwha's SUNAPI, which come as JSON or as lines of "Channel.0.Key=value", whatever was
// asked for and whatever the header says. It knows the questions that may be asked (Requests) and nothing of sockets or audits.
// What an answer does not say is left empty.
package sunapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

const (
	maxText    = 128
	maxBody    = 1 << 20
	maxValues  = 40_000
	maxLine    = 2048
	maxDepth   = 8
	maxChannel = 512
)

// ErrOther is returned for an answer that is not the one asked for; errors.Is finds it.
var ErrOther = errors.New("another document")

// Values are an answer's leaves by their place: "Channel.0.FaceDetection" to "True". JSON is brought to the same form, with the
// number of a channel in its place: {"FaceDetection":[{"Channel":0,"Enable":true}]} is "Channel.0.FaceDetection.Enable".
// Of lists of text the values are joined by commas.
type Values map[string]string

// Refusal is how the interface says no, with HTTP 200 or with an error.
type Refusal struct {
	Code    int
	Details string
}

func (r *Refusal) Error() string { return fmt.Sprintf("sunapi: error %d: %s", r.Code, r.Details) }

// NotSupported reports whether the device says that it does not have what was asked for.
func (r *Refusal) NotSupported() bool {
	d := strings.ToLower(r.Details)
	return slices.ContainsFunc([]string{"not found", "not support", "not implement"}, func(w string) bool { return strings.Contains(d, w) })
}

// Read reads an answer in either form. The error is a *Refusal where the device says no.
func Read(b []byte) (Values, error) {
	b = bytes.TrimSpace(b)
	if len(b) > maxBody || !utf8.Valid(b) {
		return nil, fmt.Errorf("sunapi: %w", ErrOther)
	}
	v := Values{}
	var doc any
	if json.Unmarshal(b, &doc) == nil {
		if m, ok := doc.(map[string]any); ok {
			v.object("", m, 0)
		}
	} else {
		v.lines(b)
	}
	if r := v.refusal(b); r != nil {
		return nil, r
	}
	if len(v) == 0 {
		return nil, fmt.Errorf("sunapi: %w", ErrOther)
	}
	return v, nil
}

// lines reads "key=value". A brace of JSON around them, which recorders write, is passed over.
func (v Values) lines(b []byte) {
	for line := range bytes.Lines(b) {
		key, value, ok := bytes.Cut(line, []byte("="))
		k := strings.TrimSpace(string(key))
		if !ok || k == "" || len(line) > maxLine || strings.ContainsAny(k, "<> \t\"{") {
			continue
		}
		v.set(k, string(bytes.TrimSpace(value)))
	}
}

func (v Values) set(key, value string) {
	if _, twice := v[key]; !twice && len(v) < maxValues {
		v[key] = value
	}
}

func (v Values) object(at string, m map[string]any, depth int) {
	if depth > maxDepth {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if at == "" && strings.EqualFold(k, "ChannelEvent") { // the state of events, channel by channel
			v.entries("", m[k], depth)
			continue
		}
		v.value(join(at, k), m[k], depth)
	}
}

func (v Values) value(at string, x any, depth int) {
	switch t := x.(type) {
	case map[string]any:
		v.object(at, t, depth+1)
	case []any:
		if s, ok := texts(t); ok {
			v.set(at, s)
			return
		}
		v.entries(at, t, depth)
	case string:
		v.set(at, t)
	case bool:
		v.set(at, strconv.FormatBool(t))
	case float64:
		v.set(at, strconv.FormatFloat(t, 'f', -1, 64))
	}
}

// entries reads a list of which every entry names its channel. Lists of anything else, areas and lines, are passed over.
func (v Values) entries(at string, x any, depth int) {
	list, ok := x.([]any)
	if !ok || depth > maxDepth {
		return
	}
	for _, e := range list[:min(len(list), maxChannel)] {
		m, ok := e.(map[string]any)
		if !ok {
			continue
		}
		n, ok := m["Channel"].(float64)
		if !ok || n < 0 || n >= maxChannel || n != float64(int(n)) {
			continue
		}
		rest := maps.Clone(m)
		delete(rest, "Channel")
		v.object(join("Channel."+strconv.Itoa(int(n)), at), rest, depth+1)
	}
}

func texts(list []any) (string, bool) {
	var out []string
	for _, x := range list {
		s, ok := x.(string)
		if !ok {
			return "", false
		}
		out = append(out, s)
	}
	return strings.Join(out, ","), true
}

func join(at, key string) string {
	if at == "" || key == "" {
		return at + key
	}
	return at + "." + key
}

// refusal finds "NG" with its lines, or the JSON form of it.
func (v Values) refusal(b []byte) *Refusal {
	if strings.EqualFold(v["Response"], "Fail") {
		n, err := strconv.Atoi(v["Error.Code"])
		if err != nil {
			n = 0
		}
		return &Refusal{n, v.Text("Error.Details")}
	}
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	if string(bytes.TrimSpace(first)) != "NG" {
		return nil
	}
	r := &Refusal{}
	for line := range bytes.Lines(rest) {
		k, value, _ := strings.Cut(string(line), ":")
		switch strings.ToLower(strings.TrimSpace(k)) {
		case "error code":
			if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
				r.Code = n
			}
		case "error details":
			r.Details = clean.Text(value, maxText)
		}
	}
	return r
}

// Text returns one value, cleaned.
func (v Values) Text(key string) string { return clean.Text(v[key], maxText) }

// Init is what pw_init.cgi says to anybody.
type Init struct {
	Maker       string
	Initialized *bool // whether a password was ever set
	Channels    int
}

// ReadInit reads the answer to Status.
func ReadInit(v Values) (Init, error) {
	i := Init{Maker: v.Text("Manufacturer"), Initialized: boolean(v["Initialized"]), Channels: max(number(v["MaxChannel"]), 0)}
	if i.Initialized == nil {
		return Init{}, fmt.Errorf("sunapi: status: %w", ErrOther)
	}
	return i, nil
}

// Device is the answer to DeviceInfo.
type Device struct {
	Model    string
	Serial   string
	Firmware string
	Type     string // "NWC" is a camera, "NVR" and "DVR" are recorders
	MAC      string
	Name     string
}

// ReadDevice reads the answer to DeviceInfo.
func ReadDevice(v Values) (Device, error) {
	d := Device{Model: v.Text("Model"), Serial: v.Text("SerialNumber"), Firmware: v.Text("FirmwareVersion"), Type: v.Text("DeviceType"),
		MAC: mac.Parse(v["ConnectedMACAddress"]), Name: v.Text("DeviceName")}
	if d.Model == "" {
		return Device{}, fmt.Errorf("sunapi: device: %w", ErrOther)
	}
	return d, nil
}

// Source is what one channel's source of events is set to.
type Source struct {
	Channel int   `json:"channel"`
	Enabled *bool `json:"enabled,omitempty"`
	Face    *bool `json:"face,omitempty"` // whether its ObjectTypes name faces; nil where it has no such list
}

// ReadSources reads the settings of a source of events, called as JSON calls it: "FaceDetection", "ObjectDetection",
// "MetaImageTransfer". They come by channel; in the text form the name may be left out.
func ReadSources(v Values, name string) ([]Source, error) {
	by := map[int]*Source{}
	for k, value := range v {
		parts := strings.Split(k, ".")
		if len(parts) < 3 || parts[0] != "Channel" {
			continue
		}
		n, key := number(parts[1]), parts[2]
		if len(parts) == 4 && parts[2] == name {
			key = parts[3]
		} else if len(parts) != 3 {
			continue // of an area, a line or another source
		}
		if n < 0 || n >= maxChannel || key != "Enable" && key != "ObjectTypes" {
			continue
		}
		if by[n] == nil {
			by[n] = &Source{Channel: n}
		}
		if key == "Enable" {
			by[n].Enabled = boolean(value)
			continue
		}
		face := slices.ContainsFunc(strings.Split(value, ","), func(t string) bool { return strings.TrimSpace(t) == "Face" })
		by[n].Face = &face
	}
	if len(by) == 0 {
		return nil, fmt.Errorf("sunapi: %s: %w", name, ErrOther)
	}
	var out []Source
	for _, s := range by {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Source) int { return cmp.Compare(a.Channel, b.Channel) })
	return out, nil
}

// State is the state of a face event of one channel.
type State struct {
	Channel int
	Name    string // "FaceDetection" or "ObjectDetection.Face"
	On      bool
}

// ReadStates reads the answer to EventStatus: the states of face events, by channel and name. It fails where the answer has no
// states of events at all; of a device that has none of faces the list is empty.
func ReadStates(v Values) ([]State, error) {
	var out []State
	events := false
	for k, value := range v {
		rest, ok := strings.CutPrefix(k, "Channel.")
		on := boolean(value)
		if !ok || on == nil {
			continue
		}
		events = true
		n, name, _ := strings.Cut(rest, ".")
		if c := number(n); c >= 0 && c < maxChannel && (name == "FaceDetection" || name == "ObjectDetection.Face") {
			out = append(out, State{c, name, *on})
		}
	}
	if !events {
		return nil, fmt.Errorf("sunapi: events: %w", ErrOther)
	}
	slices.SortFunc(out, func(a, b State) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

// ReadAttributes reports whether the answer to Attributes says that the device can detect faces. It fails where the document is
// none of attributes.
func ReadAttributes(b []byte) (faces bool, err error) {
	doc, err := xmltree.Parse(b, xmltree.Options{MaxBytes: maxBody, MaxDepth: 24, MaxElements: 60_000, MaxAttributes: 32})
	if err != nil {
		return false, fmt.Errorf("sunapi: attributes: %w", err)
	}
	n := 0
	for _, r := range doc.Roots {
		r.Walk(func(e *xmltree.Node) bool {
			if e.Name.Local == "attribute" {
				n++
				faces = faces || e.Get("name") == "FaceDetection" && strings.EqualFold(e.Get("value"), "true")
			}
			return true
		})
	}
	if n == 0 {
		return false, fmt.Errorf("sunapi: attributes: %w", ErrOther)
	}
	return faces, nil
}

// Locked reports whether a body says that the account is blocked.
func Locked(b []byte) bool {
	s := strings.ToLower(string(b[:min(len(b), 4096)]))
	return strings.Contains(s, "account") && (strings.Contains(s, "block") || strings.Contains(strings.ReplaceAll(s, "unlock", ""), "lock"))
}

// States blanks an answer to EventStatus before it is recorded: of every line, or member, only yes and no are kept. An event of
// a newer firmware may name what it saw. The input is left alone.
func States(b []byte) []byte {
	v, err := Read(b)
	if err != nil {
		return fmt.Appendf(nil, "(%d bytes that hold no states of events, not recorded)", len(b))
	}
	var out bytes.Buffer
	for _, k := range slices.Sorted(maps.Keys(v)) {
		value := "*"
		if on := boolean(v[k]); on != nil {
			value = v[k]
		}
		fmt.Fprintf(&out, "%s=%s\r\n", clean.Text(k, maxText), value)
	}
	return out.Bytes()
}

func boolean(s string) *bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true":
		v := true
		return &v
	case "false":
		v := false
		return &v
	}
	return nil
}

func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return -1
	}
	return n
}
