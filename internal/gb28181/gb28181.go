// Package gb28181 reads the bodies of GB/T 28181, by which cameras and recorders report to a video platform over SIP: MANSCDP, and
// the numbers of 20 digits by which everything is called. It reads only, and knows nothing of SIP, sockets or audits.
package gb28181

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// Type is what a number says it numbers: its digits 11 to 13.
type Type string

// The types that are told apart here. (GB/T 28181-2016 and -2022, appendix D, as written down in open-source platforms.)
const (
	TypeUnknown  Type = ""
	TypeCamera   Type = "camera"
	TypeRecorder Type = "recorder"
	TypePlatform Type = "platform"
)

// ID returns s where it is a number of this standard, and "" otherwise.
func ID(s string) string {
	if s = strings.TrimSpace(s); len(s) != 20 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// TypeOf reads the type out of a number. Numbers are given by hand, so it is what somebody said.
func TypeOf(id string) Type {
	if ID(id) == "" {
		return TypeUnknown
	}
	switch id[10:13] {
	case "131", "132":
		return TypeCamera
	case "111", "118":
		return TypeRecorder
	case "200":
		return TypePlatform
	}
	return TypeUnknown
}

// Message is one body.
type Message struct {
	Form    string // Notify, Query, Response, Control
	Command string // Keepalive, Catalog, DeviceInfo, Alarm …
	Device  string // number of whom it is about
	Items   []Item // of a Catalog, at most 256

	Manufacturer, Model, Firmware string // of a DeviceInfo
}

// Item is an entry of a catalogue: a camera, or something it is sorted under.
type Item struct {
	ID, Name, Manufacturer, Model, Address string

	Online *bool // nil: not said

	// Purposes are the codes of what the entry is for, as its operator declared them: "01" is a face checkpoint. The element's
	// name is from memory of the edition of 2022, and no sample of it was seen.
	Purposes []string
}

// FaceCheckpoint is the purpose of a channel that is there to take faces (人脸卡口).
const FaceCheckpoint = "01"

const (
	maxBody  = 256 << 10
	maxItems = 256
)

// Read reads a body of MANSCDP. charset is what the transport said of it; most are written in GB 2312.
func Read(b []byte, charset string) (Message, error) {
	if charset == "" {
		charset = "gb18030"
	}
	doc, err := xmltree.Parse(b, xmltree.Options{MaxBytes: maxBody, MaxDepth: 16, MaxElements: 20_000, MaxAttributes: 16, Charset: charset})
	if err != nil {
		return Message{}, fmt.Errorf("gb28181: reading a body: %w", err)
	}
	root := doc.Root()
	m := Message{Form: root.Name.Local, Command: root.Value("CmdType"), Device: ID(root.Value("DeviceID"))}
	if !slices.Contains([]string{"Notify", "Query", "Response", "Control"}, m.Form) || m.Command == "" || m.Device == "" {
		return Message{}, fmt.Errorf("gb28181: a body that is %.20q about %.20q", m.Form, m.Command)
	}
	m.Manufacturer, m.Model, m.Firmware = root.Value("Manufacturer"), root.Value("Model"), root.Value("Firmware")
	for _, x := range root.Child("DeviceList").Children("Item") {
		if len(m.Items) == maxItems {
			break
		}
		if i, ok := item(x); ok {
			m.Items = append(m.Items, i)
		}
	}
	return m, nil
}

func item(x *xmltree.Node) (i Item, ok bool) {
	i = Item{ID: ID(x.Value("DeviceID")), Name: x.Value("Name"), Manufacturer: x.Value("Manufacturer"), Model: x.Value("Model"), Address: x.Value("IPAddress")}
	switch strings.ToUpper(x.Value("Status")) {
	case "ON", "OK", "ONLINE":
		on := true
		i.Online = &on
	case "OFF", "OFFLINE":
		off := false
		i.Online = &off
	}
	x.Walk(func(n *xmltree.Node) bool {
		if n.Name.Local == "FunctionType" {
			i.Purposes = append(i.Purposes, purposes(n.Text)...)
		}
		return true
	})
	slices.Sort(i.Purposes)
	i.Purposes = slices.Compact(i.Purposes)
	return i, i.ID != ""
}

// purposes splits codes of two digits, of which one may be left out.
func purposes(s string) []string {
	var out []string
	for _, c := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsDigit(r) }) {
		if len(c) == 1 {
			c = "0" + c
		}
		if len(c) == 2 && len(out) < 16 {
			out = append(out, c)
		}
	}
	return out
}

// User returns the number in an address of SIP ("sip:340…@340…", also within angle brackets), "" where there is none.
func User(address string) string {
	_, rest, ok := strings.Cut(address, "sip:")
	if !ok {
		return ""
	}
	n := strings.IndexFunc(rest+"@", func(r rune) bool { return r < '0' || r > '9' })
	if n < len(rest) && !strings.ContainsRune("@>;:", rune(rest[n])) {
		return ""
	}
	return ID(rest[:n])
}
