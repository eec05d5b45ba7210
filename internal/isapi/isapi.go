// Package isapi reads the answers of Hikvision's ISAPI: documents to structs, and the stream of alarms to a tally. Firmware of
// different years writes the same names in different namespaces, so local names decide. It knows the questions that may be
// asked (Paths), which names mean which function on faces (data/names.yaml), and nothing of sockets or observations. What a document does not say is left empty, and logins that a document quotes are never kept.
package isapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

const (
	maxText     = 128
	maxChannels = 512 // the largest recorders have 256
)

// ErrOther is returned for a document that is not the one asked for; errors.Is finds it.
var ErrOther = errors.New("another document")

// errNoJSON stands for what the JSON decoder says, which may quote the device.
var errNoJSON = errors.New("not the JSON asked for")

// limits bound what is read of a document, and leave out logins that it quotes.
var limits = xmltree.Options{MaxBytes: 1 << 20, MaxDepth: 32, MaxElements: 40_000, MaxAttributes: 32, Drop: login}

// Device is /ISAPI/System/deviceInfo.
type Device struct {
	Name     string // as the operator called it
	Model    string
	Serial   string // model, date of manufacture and number in one
	MAC      string // as written
	Firmware string // version and build
	Type     string // "IPCamera", "NVR", "DVR", "hybirdNVR" (sic), "ACS", "VIS" …; doorbells leave it out
	Maker    string // whom it names as its manufacturer, white labels included; much firmware names nobody
}

// ReadDevice reads a DeviceInfo document.
func ReadDevice(b []byte) (Device, error) {
	n, err := root(b, "DeviceInfo")
	if err != nil {
		return Device{}, err
	}
	return Device{Name: text(n, "deviceName"), Maker: text(n, "manufacturer"), Model: text(n, "model"), Serial: text(n, "serialNumber"), MAC: text(n, "macAddress"),
		Firmware: clean.Text(n.Value("firmwareVersion")+" "+n.Value("firmwareReleasedDate"), maxText), Type: text(n, "deviceType")}, nil
}

// Recorder reports whether the type is one that has other cameras behind it, and whether those can be wired to it.
func (d Device) Recorder() (recorder, analog bool) {
	t := strings.ToLower(d.Type)
	nvr := strings.Contains(t, "nvr")
	hybrid := strings.Contains(t, "hyb") || strings.Contains(t, "dvr") || strings.Contains(t, "xvr") || strings.Contains(t, "dvs")
	return nvr || hybrid || strings.Contains(t, "cvr"), hybrid
}

// Channel is one camera a recorder fetches over the network.
type Channel struct {
	ID       string
	Name     string
	Protocol string     // "HIKVISION", "ONVIF" …: how the recorder talks to it
	Addr     netip.Addr // where it does; zero where it names none, or only a host name
	Host     string     // the host name, if that is what it names
	Port     uint16     // of the protocol
	Model    string
	Serial   string
	Firmware string
}

// ReadChannels reads an InputProxyChannelList.
func ReadChannels(b []byte) ([]Channel, error) {
	n, err := root(b, "InputProxyChannelList")
	if err != nil {
		return nil, err
	}
	var out []Channel
	for _, c := range bounded(n.Children("InputProxyChannel")) {
		s := c.Child("sourceInputPortDescriptor")
		x := Channel{ID: text(c, "id"), Name: text(c, "name"), Protocol: text(s, "proxyProtocol"), Model: text(s, "model"), Serial: text(s, "serialNumber"),
			Firmware: text(s, "firmwareVersion"), Host: text(s, "hostName")}
		x.Addr, x.Port = address(s)
		if x.ID != "" {
			out = append(out, x)
		}
	}
	return out, nil
}

// State is whether a recorder receives a camera.
type State struct {
	ID     string
	Online *bool
	Reason string // of the recorder, where it is not: "netUnreachable", "userOrPasswordError" …
}

// ReadStates reads an InputProxyChannelStatusList.
func ReadStates(b []byte) ([]State, error) {
	n, err := root(b, "InputProxyChannelStatusList")
	if err != nil {
		return nil, err
	}
	var out []State
	for _, c := range bounded(n.Children("InputProxyChannelStatus")) {
		x := State{ID: text(c, "id"), Online: boolean(c.Value("online")), Reason: text(c, "chanDetectResult")}
		if x.ID != "" {
			out = append(out, x)
		}
	}
	return out, nil
}

// Input is one analog socket of a recorder. Empty sockets are listed too.
type Input struct {
	ID      string
	Name    string // "Camera 01" until somebody changes it
	Enabled *bool
	Signal  *bool // whether a picture comes in; nil where the firmware does not say
}

// ReadInputs reads a VideoInputChannelList.
func ReadInputs(b []byte) ([]Input, error) {
	n, err := root(b, "VideoInputChannelList")
	if err != nil {
		return nil, err
	}
	var out []Input
	for _, c := range bounded(n.Children("VideoInputChannel")) {
		x := Input{ID: text(c, "id"), Name: text(c, "name"), Enabled: boolean(c.Value("videoInputEnabled"))}
		if d := strings.ToUpper(text(c, "resDesc")); d != "" {
			signal := d != "NO VIDEO" && d != "NOVIDEO"
			x.Signal = &signal
		}
		if x.ID != "" {
			out = append(out, x)
		}
	}
	return out, nil
}

// Refusal is why a device did not answer, in its own words.
type Refusal struct {
	Sub    string // subStatusCode: "notSupport", "lowPrivilege", "methodNotAllowed" …
	Locked bool   // the account or this host is locked, or has no attempt left
}

// NotSupported reports whether the device says that it does not have what was asked for.
func (r Refusal) NotSupported() bool {
	return slices.Contains([]string{"notsupport", "methodnotallowed", "invalidurl"}, strings.ToLower(r.Sub))
}

// ReadRefusal reads a ResponseStatus or userCheck document, the former in XML or JSON; ok is false for any other.
func ReadRefusal(b []byte) (r Refusal, ok bool) {
	if t := bytes.TrimSpace(b); len(t) > 0 && t[0] == '{' {
		return readRefusalJSON(t)
	}
	n, err := root(b, "ResponseStatus")
	if err != nil {
		if n, err = root(b, "userCheck"); err != nil {
			return Refusal{}, false
		}
	}
	r.Sub = text(n, "subStatusCode")
	for _, name := range []string{"lockStatus", "subStatusCode", "statusString"} {
		s := strings.ToLower(n.Value(name))
		r.Locked = r.Locked || strings.Contains(s, "lock") && !strings.Contains(s, "unlock")
	}
	left, stated := n.Value("retryLoginTime"), n.Child("retryLoginTime") != nil
	r.Locked = r.Locked || stated && strings.TrimSpace(left) == "0"
	return r, true
}

func readRefusalJSON(b []byte) (r Refusal, ok bool) {
	type status struct {
		StatusString  string `json:"statusString"`
		SubStatusCode string `json:"subStatusCode"`
	}
	var d struct {
		status
		Inside status `json:"ResponseStatus"` // some firmware wraps it
	}
	if object(b, &d) != nil {
		return Refusal{}, false
	}
	if d.SubStatusCode == "" {
		d.status = d.Inside
	}
	if d.SubStatusCode == "" {
		return Refusal{}, false
	}
	r.Sub = clean.Text(d.SubStatusCode, maxText)
	for _, s := range []string{d.SubStatusCode, d.StatusString} {
		s = strings.ToLower(s)
		r.Locked = r.Locked || strings.Contains(s, "lock") && !strings.Contains(s, "unlock")
	}
	return r, true
}

// Locked reports whether a document says that the account is locked.
func Locked(b []byte) bool {
	r, ok := ReadRefusal(b)
	return ok && r.Locked
}

// root parses a document and returns its root if it has that name.
func root(b []byte, name string) (*xmltree.Node, error) {
	doc, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("isapi: %s: %w", name, err)
	}
	for _, r := range doc.Roots {
		if r.Name.Local == name {
			return r, nil
		}
	}
	return nil, fmt.Errorf("isapi: %s: %w", name, ErrOther)
}

// parse reads a document. Some firmware sends the end of its buffer with it.
func parse(b []byte) (xmltree.Document, error) {
	return xmltree.Parse(bytes.TrimRight(b, "\x00"), limits)
}

// login reports elements that quote an account: the recorder's own at the camera.
func login(local string) bool {
	return local == "userName" || strings.Contains(strings.ToLower(local), "password")
}

func bounded(ns []*xmltree.Node) []*xmltree.Node { return ns[:min(len(ns), maxChannels)] }

func text(n *xmltree.Node, local string) string { return clean.Text(n.Value(local), maxText) }

// boolean reads the ways firmware writes yes and no; nil for anything else.
func boolean(s string) *bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1":
		v := true
		return &v
	case "false", "0":
		v := false
		return &v
	}
	return nil
}

// address reads where a camera is. 0.0.0.0 and :: are placeholders.
func address(n *xmltree.Node) (netip.Addr, uint16) {
	for _, name := range []string{"ipAddress", "ipv6Address"} {
		a, err := netip.ParseAddr(strings.TrimSpace(n.Value(name)))
		if err != nil || a.IsUnspecified() || a.IsMulticast() {
			continue
		}
		port, err := strconv.ParseUint(strings.TrimSpace(n.Value("managePortNo")), 10, 16)
		if err != nil {
			port = 0
		}
		return a.Unmap().WithZone(""), uint16(port)
	}
	return netip.Addr{}, 0
}
