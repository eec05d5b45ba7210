package wsdiscovery

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

// Scopes is what the scopes of a device say (ONVIF Core, section "Device related information in scopes"; the MAC and
// serial scopes are vendors'). Values are percent-decoded and cleaned; where a scope is repeated the first value stands,
// except for the lists.
type Scopes struct {
	Name     string
	Hardware string
	Location string // parts joined by "/"
	MAC      string // lower case, colon separated
	Serial   string
	Profiles []string // "Streaming", "T", "M" …
	Types    []string // "video_encoder", "Network_Video_Transmitter" …
}

const maxScopeValue = 200

// ParseScopes reads scopes such as "onvif://www.onvif.org/name/IPC-BO". Other schemes and hosts are passed over.
func ParseScopes(scopes []string) Scopes {
	var s Scopes
	var location []string
	for _, raw := range scopes {
		rest, ok := cutFold(raw, "onvif://www.onvif.org/")
		if !ok {
			continue
		}
		key, value, _ := strings.Cut(rest, "/")
		v := decode(value)
		if v == "" {
			continue
		}
		switch strings.ToLower(key) {
		case "name":
			set(&s.Name, v)
		case "hardware":
			set(&s.Hardware, v)
		case "location":
			if len(location) < 8 && !slices.Contains(location, v) {
				location = append(location, v)
			}
		case "mac", "macaddr", "macaddress":
			set(&s.MAC, mac.Parse(v))
		case "serial", "serialnumber", "sn":
			set(&s.Serial, v)
		case "profile":
			s.Profiles = appendNew(s.Profiles, v)
		case "type":
			s.Types = appendNew(s.Types, v)
		}
	}
	s.Location = clean.Text(strings.Join(location, "/"), maxScopeValue)
	return s
}

func set(to *string, v string) {
	if *to == "" {
		*to = v
	}
}

func appendNew(to []string, v string) []string {
	if len(to) >= 32 || slices.Contains(to, v) {
		return to
	}
	return append(to, v)
}

// decode undoes percent-encoding. Chinese firmware encodes names in UTF-8 or in GB 18030; text that is not the first is
// taken as the second.
func decode(s string) string {
	d, err := url.PathUnescape(s)
	if err != nil {
		d = s
	}
	if !utf8.ValidString(d) {
		if g, err := simplifiedchinese.GB18030.NewDecoder().String(d); err == nil {
			d = g
		}
	}
	return clean.Text(d, maxScopeValue)
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// Any reports whether the scopes say anything in ONVIF's words.
func (s Scopes) Any() bool {
	return s.Name != "" || s.Hardware != "" || s.Location != "" || s.MAC != "" || s.Serial != "" || len(s.Profiles)+len(s.Types) > 0
}
