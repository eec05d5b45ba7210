package onvif

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

const (
	maxList = 256 // entries kept of any list a device sends
	maxName = 128 // characters kept of any name
)

// Service is one entry of GetServices, or of GetCapabilities rewritten to the same form.
type Service struct {
	Namespace    string            `json:"namespace"`
	XAddr        string            `json:"-"` // as the device wrote it: hostile, to be rebased
	Version      string            `json:"version,omitempty"`
	Capabilities map[string]string `json:"capabilities,omitempty"` // attributes of the capability element and of its children
}

// Services is what a device offers.
type Services []Service

// Find returns the service of that namespace.
func (s Services) Find(ns string) (Service, bool) {
	i := slices.IndexFunc(s, func(x Service) bool { return x.Namespace == ns })
	if i < 0 {
		return Service{}, false
	}
	return s[i], true
}

// Has reports whether any of the namespaces is offered.
func (s Services) Has(ns ...string) bool {
	return slices.ContainsFunc(ns, func(n string) bool { _, ok := s.Find(n); return ok })
}

// ReadServices reads GetServicesResponse.
func ReadServices(n *xmltree.Node) Services {
	var out Services
	for _, s := range n.Children("Service") {
		ns := name(s.Value("Namespace"))
		if ns == "" || len(out) >= maxList || out.Has(ns) {
			continue
		}
		out = append(out, Service{Namespace: ns, XAddr: s.Value("XAddr"), Version: version(s.Child("Version")),
			Capabilities: ReadCapabilities(s.Child("Capabilities"))})
	}
	slices.SortFunc(out, func(a, b Service) int { return strings.Compare(a.Namespace, b.Namespace) })
	return out
}

func version(n *xmltree.Node) string {
	if n == nil {
		return ""
	}
	return name(n.Value("Major") + "." + n.Value("Minor"))
}

// legacy maps the categories of GetCapabilities to namespaces (device management, section "GetCapabilities").
var legacy = map[string]string{"Analytics": NSAnalytics, "Device": NSDevice, "Events": NSEvents, "Media": NSMedia,
	"AnalyticsDevice": NSEngine, "Recording": NSRecording, "Replay": NSReplay, "Imaging": "http://www.onvif.org/ver20/imaging/wsdl",
	"PTZ": "http://www.onvif.org/ver20/ptz/wsdl", "DeviceIO": "http://www.onvif.org/ver10/deviceIO/wsdl", "Search": "http://www.onvif.org/ver10/search/wsdl"}

// ReadLegacyCapabilities reads GetCapabilitiesResponse. It never lists Media2, applications or access control.
func ReadLegacyCapabilities(n *xmltree.Node) Services {
	var out Services
	n.Child("Capabilities").Walk(func(c *xmltree.Node) bool {
		if ns := legacy[c.Name.Local]; ns != "" && c.Value("XAddr") != "" && !out.Has(ns) {
			s := Service{Namespace: ns, XAddr: c.Value("XAddr"), Capabilities: map[string]string{}}
			for _, k := range c.Kids {
				if k.Text != "" && k.Name.Local != "XAddr" {
					s.Capabilities[name(k.Name.Local)] = name(k.Text)
				}
			}
			out = append(out, s)
		}
		return true
	})
	slices.SortFunc(out, func(a, b Service) int { return strings.Compare(a.Namespace, b.Namespace) })
	return out
}

// ReadCapabilities collects the attributes of a capability element and of what is inside it.
func ReadCapabilities(n *xmltree.Node) map[string]string {
	out := map[string]string{}
	n.Walk(func(c *xmltree.Node) bool {
		for _, a := range c.Attrs {
			if len(out) < maxList && a.Name.Space != "xmlns" {
				out[name(a.Name.Local)] = name(a.Value)
			}
		}
		if c.Name.Local == "SupportedIdentifierType" && c.Text != "" {
			out["SupportedIdentifierType"] = strings.TrimSpace(out["SupportedIdentifierType"] + " " + name(c.Text))
		}
		return true
	})
	if len(out) == 0 {
		return nil
	}
	return out
}

// Information is GetDeviceInformation's answer, cleaned.
type Information struct {
	Manufacturer, Model, Firmware, Serial, Hardware string
}

// ReadInformation reads GetDeviceInformationResponse. "NONE" and the like are no names.
func ReadInformation(n *xmltree.Node) Information {
	get := func(local string) string {
		v := name(n.Value(local))
		switch strings.ToLower(v) {
		case "none", "null", "unknown", "n/a", "-", "nil":
			return ""
		}
		return v
	}
	return Information{get("Manufacturer"), get("Model"), get("FirmwareVersion"), get("SerialNumber"), get("HardwareId")}
}

// ReadDateTime reads the UTC time of GetSystemDateAndTimeResponse; false where the device gives none or nonsense.
func ReadDateTime(n *xmltree.Node) (time.Time, bool) {
	utc := n.Path("SystemDateAndTime", "UTCDateTime")
	if utc == nil {
		return time.Time{}, false
	}
	var v [6]int
	for i, p := range [][]string{{"Date", "Year"}, {"Date", "Month"}, {"Date", "Day"}, {"Time", "Hour"}, {"Time", "Minute"}, {"Time", "Second"}} {
		x, err := strconv.Atoi(utc.Value(p...))
		if err != nil {
			return time.Time{}, false
		}
		v[i] = x
	}
	t := time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], 0, time.UTC)
	return t, v[0] >= 1970 && v[0] < 2200 && int(t.Month()) == v[1] && t.Day() == v[2]
}

// ReadEndpoint reads GetEndpointReferenceResponse.
func ReadEndpoint(n *xmltree.Node) string { return name(n.Value("GUID")) }

// ReadScopes reads GetScopesResponse.
func ReadScopes(n *xmltree.Node) []string {
	var out []string
	for _, s := range n.Children("Scopes") {
		if v := name(s.Value("ScopeItem")); v != "" && len(out) < maxList {
			out = append(out, v)
		}
	}
	return out
}

// Scopes is what scope URIs say, sorted into what matters here.
type Scopes struct {
	Profiles []string // "M", "S", "Streaming" …
	Types    []string
	Hardware string
	Name     string
	Location string
	Serial   string
	MAC      string
}

var macText = regexp.MustCompile(`^[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}$`)

// SortScopes reads scope URIs ("onvif://www.onvif.org/hardware/P3818-PVE"). Where one kind comes twice, the longest value
// counts. Some devices leak serial number and MAC address this way.
func SortScopes(uris []string) Scopes {
	var s Scopes
	longest := func(into *string, v string) {
		if len(v) > len(*into) {
			*into = v
		}
	}
	var places []string
	for _, u := range uris {
		rest, ok := cutPrefixFold(u, "onvif://www.onvif.org/")
		if !ok {
			continue
		}
		kind, v, _ := strings.Cut(rest, "/")
		if d, err := url.PathUnescape(v); err == nil {
			v = d
		}
		if v = name(v); v == "" {
			continue
		}
		switch strings.ToLower(kind) {
		case "profile":
			s.Profiles = append(s.Profiles, v)
		case "type":
			s.Types = append(s.Types, v)
		case "hardware":
			longest(&s.Hardware, v)
		case "name":
			longest(&s.Name, v)
		case "location":
			places = append(places, v)
		case "serial", "serialnumber", "sn":
			longest(&s.Serial, v)
		case "macaddr", "mac", "macaddress":
			if macText.MatchString(v) {
				hex := strings.ToLower(strings.NewReplacer(":", "", "-", "").Replace(v))
				s.MAC = strings.Join([]string{hex[0:2], hex[2:4], hex[4:6], hex[6:8], hex[8:10], hex[10:12]}, ":")
			}
		}
	}
	s.Profiles, s.Types = sorted(s.Profiles), sorted(s.Types)
	s.Location = strings.Join(sorted(places), ", ")
	return s
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// name makes a word of a device fit to be stored.
func name(s string) string { return clean.Text(s, maxName) }

func sorted(in []string) []string {
	out := slices.Clone(in)
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > maxList {
		out = out[:maxList]
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func isTrue(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1", "on", "yes", "active", "enabled":
		return true
	}
	return false
}

func isFalse(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "false", "0", "off", "no", "inactive", "disabled":
		return true
	}
	return false
}
