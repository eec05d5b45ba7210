// Package dahua reads the answers of Dahua's CGI programs: lines of "table.Name[0].Key=value" to structs. It knows the
// questions that may be asked (Requests) and nothing of sockets or audits. What an answer does not say is left empty.
package dahua

import (
	"bytes"
	"cmp"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
)

const (
	maxText     = 128
	maxLine     = 2048
	maxLines    = 40_000 // a recorder of 64 channels writes some hundred for each
	maxChannels = 512
)

// Values are the lines of an answer: what stands before the first "=" to what stands behind it, trimmed. Where a key comes
// twice, the first counts.
type Values map[string]string

// Read reads an answer. Lines without "=", overlong lines and what comes after 40 000 lines are passed over; an answer in
// another form gives no values.
func Read(b []byte) Values {
	v := Values{}
	n := 0
	for line := range bytes.Lines(b) {
		if n++; n > maxLines {
			break
		}
		key, value, ok := bytes.Cut(line, []byte("="))
		k := string(bytes.TrimSpace(key))
		if !ok || k == "" || len(line) > maxLine || strings.ContainsAny(k, "<> \t") {
			continue
		}
		if _, twice := v[k]; !twice {
			v[k] = string(bytes.TrimSpace(value))
		}
	}
	return v
}

// Text returns one value, cleaned.
func (v Values) Text(key string) string { return clean.Text(v[key], maxText) }

// RemoteDevice is one camera a recorder fetches over the network, as configured.
type RemoteDevice struct {
	Index    int // from zero: the recorder's channel less one
	Enabled  *bool
	Addr     netip.Addr // zero where it names none, or a host name
	HTTPPort uint16
	MAC      string
	Name     string
	Serial   string
	Type     string // the model
	Class    string
	Vendor   string
	Version  string
	Protocol string // "Dahua2", "Onvif" …
}

var remoteKey = regexp.MustCompile(`^table\.RemoteDevice\.(?:uuid:)?System_CONFIG_NETCAMERA_INFO_(\d{1,4})\.(\w+)$`)

// ReadRemoteDevices reads the table RemoteDevice, by index.
func ReadRemoteDevices(v Values) []RemoteDevice {
	by := map[int]*RemoteDevice{}
	for _, k := range slices.Sorted(maps.Keys(v)) {
		m := remoteKey.FindStringSubmatch(k)
		if m == nil {
			continue
		}
		i := number(m[1])
		if i < 0 || by[i] == nil && len(by) >= maxChannels {
			continue
		}
		if by[i] == nil {
			by[i] = &RemoteDevice{Index: i}
		}
		by[i].set(m[2], v[k])
	}
	out := make([]RemoteDevice, 0, len(by))
	for _, i := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[i])
	}
	return out
}

func (d *RemoteDevice) set(key, value string) {
	text := clean.Text(value, maxText)
	switch key {
	case "Enable":
		d.Enabled = boolean(value)
	case "Address":
		d.Addr = address(value)
	case "HttpPort":
		if n, err := strconv.ParseUint(value, 10, 16); err == nil {
			d.HTTPPort = uint16(n)
		}
	case "Mac":
		d.MAC = text
	case "Name":
		d.Name = text
	case "SerialNo":
		d.Serial = text
	case "DeviceType":
		d.Type = text
	case "DeviceClass":
		d.Class = text
	case "Vendor":
		d.Vendor = text
	case "Version":
		d.Version = text
	case "ProtocolType":
		d.Protocol = text
	}
}

// Title is what a recorder calls a channel.
type Title struct {
	Index int // from zero
	Name  string
}

var titleKey = regexp.MustCompile(`^table\.ChannelTitle\[(\d{1,4})\]\.Name$`)

// ReadTitles reads the table ChannelTitle, by index.
func ReadTitles(v Values) []Title {
	var out []Title
	for k := range v {
		if m := titleKey.FindStringSubmatch(k); m != nil {
			out = append(out, Title{number(m[1]), v.Text(k)})
		}
	}
	slices.SortFunc(out, func(a, b Title) int { return cmp.Compare(a.Index, b.Index) })
	out = slices.CompactFunc(out, func(a, b Title) bool { return a.Index == b.Index })
	return out[:min(len(out), maxChannels)]
}

var indexKey = regexp.MustCompile(`^channels\[\d{1,4}\]$`)

// ReadIndexes reads the answer to getEventIndexes: the channels, from zero and ascending, an event is going on at.
func ReadIndexes(v Values) []int {
	var out []int
	for k, s := range v {
		if i := number(s); i >= 0 && i < maxChannels && indexKey.MatchString(k) {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// locked finds the word by itself: a page that is not there may speak of clocks and blocks.
var locked = regexp.MustCompile(`(?i)(?:^|[^a-z]|account|user|login)lock(?:ed)?(?:[^a-z]|$)`)

// Locked reports whether a text says that the account is locked.
func Locked(b []byte) bool { return locked.Match(b[:min(len(b), 4096)]) }

// secret finds the values that give a login away: tables quote the recorder's own accounts at its cameras.
var secret = regexp.MustCompile(`(?im)^[^=\r\n]*(?:password|passwd|pwd|username|userinfo|secret|token|authorit)[^=\r\n]*=([^\r\n]*)`)

// persons finds the values that name libraries and persons, or say how alike two faces are. A library's number and its name are
// the operator's words for those who are in it.
var persons = regexp.MustCompile(`(?im)^[^=\r\n]*(?:groupid|groupname|groupdetail|groupremark|simil[a-z]*|importantrank|personid|personname|candidate|certificate|facerecognition[^=\r\n]*\.name)[^=\r\n]*=([^\r\n]*)`)

// inside finds a login, and what follows a question mark, in an address.
var inside = regexp.MustCompile(`(?i)://([^/@\s]*)@|=[^?\r\n]*/[^?\r\n]*\?([^\r\n]*)`)

// foreign finds what is in no form of a table: lines of JSON, and the data of an event, which some server writes to whatever
// it is asked.
var foreign = regexp.MustCompile(`(?m)[;=]data=([^\r\n]*)|^([ \t]*["{}\[\]][^\r\n]*)`)

// Withhold returns the answer with the values of logins, those that speak of persons, and everything in JSON overwritten by
// asterisks. Of the second, values that stand for nothing stay. The input is left alone.
func Withhold(b []byte) []byte {
	out := bytes.Clone(b)
	blank := func(from, to int) {
		for i := from; i >= 0 && i < to; i++ {
			out[i] = '*'
		}
	}
	for _, m := range secret.FindAllSubmatchIndex(b, -1) {
		blank(m[2], m[3])
	}
	for _, m := range persons.FindAllSubmatchIndex(b, -1) {
		if !empty(string(b[m[2]:m[3]])) {
			blank(m[2], m[3])
		}
	}
	for _, m := range foreign.FindAllSubmatchIndex(b, -1) {
		blank(m[2], m[3])
		blank(m[4], m[5])
	}
	for _, m := range inside.FindAllSubmatchIndex(b, -1) {
		blank(m[2], m[3])
		blank(m[4], m[5])
	}
	return out
}

// Whole reports whether Read reads all of an answer: there is a line with a value, and none is passed over for its length or
// for how many there are.
func Whole(b []byte) bool {
	n, values := 0, 0
	for line := range bytes.Lines(b) {
		if n++; n > maxLines || len(line) > maxLine {
			return false
		}
		values += bytes.Count(line, []byte("="))
	}
	return values > 0
}

func boolean(s string) *bool {
	switch strings.ToLower(s) {
	case "true", "1":
		v := true
		return &v
	case "false", "0":
		v := false
		return &v
	}
	return nil
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// address reads where a camera is. An address that ends in zero bytes is what the firmware fills empty slots with.
func address(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() && a.Is6() {
		return netip.Addr{}
	}
	if b := a.AsSlice(); a.Is4() && b[3] == 0 {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
