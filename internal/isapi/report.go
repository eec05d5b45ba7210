package isapi

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mingshi-audit/mingshi/internal/mac"
)

// Report is one alarm that was overheard on its way to a receiver.
type Report struct {
	Alarm              // without its count
	Addrs []netip.Addr // whose alarm it says it is, where it says so: one of each family at most
	MAC   string
	Idle  bool // a sign of life, the end of an alarm, or one kept from before: it shows who speaks and nothing else
}

// ReadReport reads one alarm, in XML or JSON, as devices push it to the receivers in their configuration or send it as a part of
// alertStream. It reports false for anything else, events in JSON of other makers' services among them, and for what is not
// whole.
func ReadReport(b []byte) (Report, bool) {
	if len(b) == 0 || !bytes.Contains(b, []byte("eventType")) || b[0] == '{' && !theirs(b) {
		return Report{}, false
	}
	if b[0] == '<' && !utf8.Valid(b) { // names in another encoding than it says
		b = bytes.ToValidUTF8(b, []byte("?"))
	}
	e, ok := readAlert(b)
	if !ok {
		return Report{}, false
	}
	r := Report{Alarm: e.Alarm, Idle: e.beat || e.past, MAC: mac.Parse(e.mac)}
	r.Count = 0
	if strings.Trim(r.Channel, "0123456789") != "" || len(r.Channel) > 5 {
		r.Channel = ""
	}
	for _, s := range e.ips {
		if a, err := netip.ParseAddr(s); err == nil && !a.IsUnspecified() {
			r.Addrs = append(r.Addrs, a.WithZone("").Unmap())
		}
	}
	return r, true
}

// signs are members that stand beside eventType in the maker's alarms. One of them is found anywhere; two, and an object named
// after the type counts as one, are the maker's.
var signs = []string{"eventState", "dateTime", "activePostCount", "ipAddress", "ipv6Address", "macAddress", "channelID", "dynChannelID", "eventDescription", "portNo", "protocol"}

// theirs reports an alarm in JSON of the maker's form, in its envelope or without.
func theirs(b []byte) bool {
	var m map[string]json.RawMessage
	if json.Unmarshal(b, &m) != nil {
		return false
	}
	if inner, ok := m["EventNotificationAlert"]; ok {
		if m = nil; json.Unmarshal(inner, &m) != nil {
			return false
		}
	}
	var kind string
	if json.Unmarshal(m["eventType"], &kind) != nil || kind == "" {
		return false
	}
	n := 0
	for k := range m {
		if k == kind || slices.Contains(signs, k) {
			n++
		}
	}
	return n >= 2
}
