package isapi

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// maxNames bounds lists of names that a document states.
const maxNames = 64

// Flags is what a capability document says of faces, by the names of its elements.
type Flags struct {
	Yes    []string // say true
	No     []string // say false
	Events []string // face events the device could send
}

// ReadFlags reads a capability document with one of these roots, wherever in it the elements stand. Linkage is passed over, and
// so are the types that recordings may be searched for, which name what the firmware knows.
func ReadFlags(b []byte, roots ...string) (Flags, error) {
	n, err := strict(b, roots...)
	if err != nil {
		return Flags{}, err
	}
	var f Flags
	var searched []*xmltree.Node
	n.Walk(func(x *xmltree.Node) bool {
		name := x.Name.Local
		if strings.Contains(strings.ToLower(name), "search") {
			searched = append(searched, x.Children("eventType")...)
		}
		if strings.HasPrefix(name, "EventTrigger") { // linkage, which exists for what the device does not have
			return false
		}
		if flag, ok := find(known().Flags, name); ok {
			if yes := boolean(x.Text); yes != nil && *yes {
				f.Yes = add(f.Yes, flag.Name)
			} else if yes != nil {
				f.No = add(f.No, flag.Name)
			}
		}
		if strings.EqualFold(name, "eventType") && !slices.Contains(searched, x) {
			for _, t := range strings.Split(x.Get("opt")+","+x.Text, ",") {
				if e, ok := find(known().Events, strings.TrimSpace(t)); ok {
					f.Events = add(f.Events, e.Name)
				}
			}
		}
		return true
	})
	return f, nil
}

func add(list []string, s string) []string {
	if len(list) >= maxNames || slices.Contains(list, s) {
		return list
	}
	list = append(list, s)
	slices.Sort(list)
	return list
}

// Setting is one face function of a channel that can be switched on.
type Setting struct {
	ID string // of the entry, where the document lists several
	On *bool  // nil where the document does not say, or contradicts itself
}

// ReadSettings reads a FaceDetect or FaceRule document, or a FaceContrastList with its entries: only the switch that is
// directly in the object counts.
func ReadSettings(b []byte, object string) ([]Setting, error) {
	n, err := strict(b, object, object+"List")
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(n.Name.Local, object) {
		return []Setting{{On: enabled(n)}}, nil
	}
	var out []Setting
	for _, k := range bounded(n.Kids) {
		if strings.EqualFold(k.Name.Local, object) {
			out = append(out, Setting{ID: text(k, "id"), On: enabled(k)})
		}
	}
	return out, nil
}

// enabled reads an object's own switch: "enabled", "enable" and "Enabled" all occur.
func enabled(n *xmltree.Node) *bool {
	var on *bool
	for _, k := range n.Kids {
		if name := strings.ToLower(k.Name.Local); name != "enabled" && name != "enable" {
			continue
		}
		v := boolean(k.Text)
		if v == nil || on != nil && *on != *v {
			return nil
		}
		on = v
	}
	return on
}

// ReadResource reads to which task the engine of a channel is assigned: "smart", "facesnap", "close".
func ReadResource(b []byte) (string, error) {
	n, err := strict(b, "VCAResource")
	if err != nil {
		return "", err
	}
	return text(n, "type"), nil
}

// CountLibraries counts the face libraries a device lists. Nothing else of them is read.
func CountLibraries(b []byte) (int, error) {
	n, err := strict(b, "FDLibBaseCfgList", "FDLibList", "FDLibBaseCfg")
	if err != nil {
		return 0, err
	}
	if strings.EqualFold(n.Name.Local, "FDLibBaseCfg") {
		return 1, nil
	}
	return len(n.Children("FDLibBaseCfg")) + len(n.Children("FDLib")), nil
}

// ReadFaceMode reads how a terminal recognises faces: "normalMode", "deepMode".
func ReadFaceMode(b []byte) (string, error) {
	var d struct {
		FaceRecognizeMode *struct {
			Mode string `json:"mode"`
		}
	}
	if err := object(b, &d); err != nil || d.FaceRecognizeMode == nil || d.FaceRecognizeMode.Mode == "" {
		return "", other("FaceRecognizeMode", err)
	}
	return clean.Text(d.FaceRecognizeMode.Mode, maxText), nil
}

// ReadReaders reads how each reader of a terminal lets people pass at this time, as Mode names it; "" for one that is not known.
func ReadReaders(b []byte) ([]string, error) {
	var d struct {
		AcsWorkStatus *struct {
			CardReaderVerifyMode []json.RawMessage `json:"cardReaderVerifyMode"`
		}
	}
	if err := object(b, &d); err != nil || d.AcsWorkStatus == nil {
		return nil, other("AcsWorkStatus", err)
	}
	var out []string
	for _, m := range d.AcsWorkStatus.CardReaderVerifyMode[:min(len(d.AcsWorkStatus.CardReaderVerifyMode), maxNames)] {
		out = append(out, clean.Text(Mode(strings.Trim(string(m), `"`)), maxText))
	}
	return out, nil
}

// ReadPersonCount reads how many persons a terminal knows.
func ReadPersonCount(b []byte) (int, error) {
	var d struct {
		UserInfoCount *struct {
			UserNumber *int `json:"userNumber"`
		}
	}
	if err := object(b, &d); err != nil || d.UserInfoCount == nil || d.UserInfoCount.UserNumber == nil || *d.UserInfoCount.UserNumber < 0 {
		return 0, other("UserInfoCount", err)
	}
	return *d.UserInfoCount.UserNumber, nil
}

// Host is where a device sends something.
type Host struct {
	What   string   // "http-events", "isup", "cloud", "sip"
	URL    string   // scheme://host:port, without a path; "" where the host is not named
	Events []string // face events the receiver subscribed to by name
}

// ReadHosts reads a document that says where a device sends to: HttpHostNotificationList, Ehome, EZVIZ, SIPServerList and their
// single entries. What is switched off, and placeholders for an address, are left out.
func ReadHosts(b []byte, what string) ([]Host, error) {
	roots := map[string][]string{"http-events": {"HttpHostNotificationList", "HttpHostNotification"}, "isup": {"Ehome", "EhomeList", "EhomeParams"},
		"cloud": {"EZVIZ"}, "sip": {"SIPServerList", "SIPServer", "SIP"}}[what]
	n, err := strict(b, roots...)
	if err != nil {
		return nil, err
	}
	var out []Host
	keep := func(h Host) {
		if len(out) < maxNames {
			out = append(out, h)
		}
	}
	n.Walk(func(x *xmltree.Node) bool {
		if what == "http-events" {
			if strings.EqualFold(x.Name.Local, "HttpHostNotification") {
				if h := eventHost(x); h.URL != "" {
					keep(h)
				}
				return false
			}
			return true
		}
		switch on := enabled(x); {
		case on == nil:
			return true
		case *on:
			host, port := where(x)
			h := Host{What: what}
			if host != "" {
				h.URL = hostURL(map[string]string{"isup": "isup", "cloud": "https", "sip": "sip"}[what], host, port)
			}
			if host != "" || what == "cloud" { // the maker's own cloud needs no address
				keep(h)
			}
		}
		return false
	})
	return out, nil
}

// eventHost reads one receiver of event notifications.
func eventHost(n *xmltree.Node) Host {
	h := Host{What: "http-events"}
	if on := enabled(n); on != nil && !*on {
		return h
	}
	scheme := strings.ToLower(text(n, "protocolType"))
	if scheme == "" {
		scheme = "http"
	}
	host, port := where(n)
	if u, err := url.Parse(strings.TrimSpace(n.Value("url"))); err == nil && u.Host != "" && u.Hostname() != "0.0.0.0" {
		host, port, scheme = clean.Text(u.Hostname(), maxText), clean.Text(u.Port(), 5), strings.ToLower(clean.Text(u.Scheme, 16))
	}
	if host != "" {
		h.URL = hostURL(scheme, host, port)
	}
	n.Walk(func(x *xmltree.Node) bool {
		if name := strings.ToLower(x.Name.Local); name == "type" || name == "eventtype" {
			for _, t := range strings.Split(x.Text, ",") {
				if e, ok := find(known().Events, strings.TrimSpace(t)); ok && e.Named {
					h.Events = add(h.Events, e.Name)
				}
			}
		}
		return true
	})
	return h
}

// where finds the first address below an element that is no placeholder, and the port beside it.
func where(n *xmltree.Node) (host, port string) {
	n.Walk(func(x *xmltree.Node) bool {
		for _, k := range x.Kids {
			v := strings.TrimSpace(k.Text)
			switch strings.ToLower(k.Name.Local) {
			case "ipaddress", "ipv4address", "ipv6address", "hostname", "serverip", "proxy", "registrar", "serveraddress":
				a, err := netip.ParseAddr(v)
				if v == "" || err == nil && (a.IsUnspecified() || a.IsLoopback()) || strings.ContainsAny(v, " /@") || host != "" {
					continue
				}
				host = clean.Text(v, maxText)
			case "portno", "port", "proxyport", "registrarport", "serverport":
				if p, err := strconv.ParseUint(v, 10, 16); err == nil && p > 0 && port == "" {
					port = strconv.FormatUint(p, 10)
				}
			}
		}
		return true
	})
	return host, port
}

func hostURL(scheme, host, port string) string {
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return scheme + "://" + host
}

// strict parses a document as root does. A document that is broken says nothing about faces.
func strict(b []byte, names ...string) (*xmltree.Node, error) {
	doc, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("isapi: %s: %w", names[0], err)
	}
	for _, r := range doc.Roots {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, r.Name.Local) }) {
			if doc.Malformed {
				return nil, fmt.Errorf("isapi: %s: %w", names[0], xmltree.ErrMalformed)
			}
			return r, nil
		}
	}
	return nil, other(names[0], nil)
}

func other(name string, err error) error {
	if err != nil {
		return fmt.Errorf("isapi: %s: %w", name, err)
	}
	return fmt.Errorf("isapi: %s: %w", name, ErrOther)
}

// object reads a JSON object; the error does not quote the device.
func object(b []byte, into any) error {
	if err := json.Unmarshal(b, into); err != nil {
		return errNoJSON
	}
	return nil
}
