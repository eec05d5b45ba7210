package dahua

import (
	"cmp"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
)

const (
	maxRules   = 1024
	maxUploads = 16
)

// Rule is one entry of the table of rules that has to do with faces, or with the engine that works on them.
type Rule struct {
	Channel int    `json:"channel"` // from one
	Index   int    `json:"index"`   // from zero
	Class   string `json:"class,omitempty"`
	Type    string `json:"type,omitempty"`
	Enabled *bool  `json:"enabled,omitempty"` // nil: not said
	Feature *bool  `json:"feature,omitempty"` // whether a template is computed
}

// Functions returns what the rule does with faces, and what its engine could do besides. The type decides; older firmware has
// a class and no type. A rule for lines and areas that an engine for faces runs does nothing with faces itself.
func (r Rule) Functions() (does, could []audit.Function) {
	byClass := ClassFunctions(r.Class)
	if r.Type == "" {
		return byClass, nil
	}
	return ClassFunctions(r.Type), byClass
}

var ruleKey = regexp.MustCompile(`^(?:table\.)?VideoAnalyseRule\[(\d{1,4})\](?:\[(\d{1,4})\])?\.(Class|Type|Enable|Config\.FeatureEnable)$`)

// ReadRules reads the table of rules: those of faces, and how many there are in all.
func ReadRules(v Values) (faces []Rule, all int) {
	by := map[[2]int]*Rule{}
	for k, value := range v {
		m := ruleKey.FindStringSubmatch(k)
		if m == nil {
			continue
		}
		at := [2]int{number(m[1]), max(number(m[2]), 0)}
		if by[at] == nil {
			by[at] = &Rule{Channel: at[0] + 1, Index: at[1]}
		}
		switch r := by[at]; m[3] {
		case "Class":
			r.Class = clean.Text(value, maxText)
		case "Type":
			r.Type = clean.Text(value, maxText)
		case "Enable":
			r.Enabled = boolean(value)
		default:
			r.Feature = boolean(value)
		}
	}
	for _, r := range by {
		if does, could := r.Functions(); len(does)+len(could) > 0 {
			faces = append(faces, *r)
		}
	}
	slices.SortFunc(faces, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Index, b.Index))
	})
	return faces[:min(len(faces), maxRules)], len(by)
}

// Scene is the engine loaded for a channel.
type Scene struct {
	Channel int    `json:"channel"` // from one
	Type    string `json:"type"`    // a class of faces
}

var sceneKey = regexp.MustCompile(`^(?:table\.)?VideoAnalyseGlobal\[(\d{1,4})\](?:\[\d{1,4}\])?\.Scene\.Type(?:List\[\d{1,3}\])?$`)

// ReadScenes reads the table of engines: those for faces, and how many channels it has.
func ReadScenes(v Values) (faces []Scene, channels int) {
	seen := map[int]bool{}
	for k, value := range v {
		m := sceneKey.FindStringSubmatch(k)
		if m == nil {
			continue
		}
		seen[number(m[1])] = true
		if c := className(value); c != "" {
			faces = append(faces, Scene{number(m[1]) + 1, c})
		}
	}
	slices.SortFunc(faces, func(a, b Scene) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Type, b.Type))
	})
	faces = slices.Compact(faces)
	return faces[:min(len(faces), maxRules)], len(seen)
}

// Listing is what a list of capabilities names.
type Listing struct {
	Classes []string `json:"classes,omitempty"` // those of faces, sorted
	Scenes  bool     `json:"scenes,omitempty"`  // it enumerates the scenes that the analysis supports
}

var segments = regexp.MustCompile(`[^.\[\]]+`)

// ReadCaps reads a list of capabilities. A class counts where a key leads through it or a value names it, unless the line says
// no.
func ReadCaps(v Values) Listing {
	var l Listing
	set := map[string]bool{}
	for k, value := range v {
		parts := segments.FindAllString(k, 16)
		if slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(strings.ToLower(p), "supportedscene") }) {
			l.Scenes = true
		}
		if b := boolean(value); b != nil && !*b {
			continue // it says that there is none, or that one of its options is not there: other lines tell of those
		}
		for _, p := range append(parts, strings.Trim(value, ` "`)) {
			if c := className(p); c != "" {
				set[c] = true
			}
		}
	}
	l.Classes = slices.Sorted(maps.Keys(set))
	return l
}

// Handler is one library that the faces of a channel are compared with, as the table of event handlers has it.
type Handler struct {
	Channel int   `json:"channel"` // from one
	Index   int   `json:"index"`
	Enabled *bool `json:"enabled,omitempty"` // nil: not said, which the firmware does not
}

var handlerKey = regexp.MustCompile(`^(?:table\.)?FaceRecognitionEventHandler\[(\d{1,4})\](?:\[(\d{1,4})\])?\.(GroupID|GroupName|Enable)$`)

// ReadHandlers reads the table of event handlers: entries that name a library.
func ReadHandlers(v Values) []Handler {
	by := map[[2]int]*Handler{}
	named := map[[2]int]bool{}
	for k, value := range v {
		m := handlerKey.FindStringSubmatch(k)
		if m == nil {
			continue
		}
		at := [2]int{number(m[1]), max(number(m[2]), 0)}
		if by[at] == nil {
			by[at] = &Handler{Channel: at[0] + 1, Index: at[1]}
		}
		if m[3] == "Enable" {
			by[at].Enabled = boolean(value)
		} else if !empty(value) {
			named[at] = true
		}
	}
	var out []Handler
	for at, h := range by {
		if named[at] {
			out = append(out, *h)
		}
	}
	slices.SortFunc(out, func(a, b Handler) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Index, b.Index))
	})
	return out[:min(len(out), maxRules)]
}

// Groups is what is said of libraries: how many, and how many persons are in each. Nothing else of them is read.
type Groups struct {
	Count int   `json:"count"`
	Sizes []int `json:"sizes,omitempty"` // where the device tells
}

var (
	groupID   = regexp.MustCompile(`(?i)^(?:GroupList\[(\d{1,4})\]\.)?groupID(?:\[(\d{1,4})\])?$`)
	groupSize = regexp.MustCompile(`(?i)^GroupList\[(\d{1,4})\]\.groupSize$`)
)

// ReadGroups reads a list of libraries: all of them, or those deployed at a channel.
func ReadGroups(v Values) Groups {
	ids := map[string]bool{}
	sizes := map[int]int{}
	for k, value := range v {
		if m := groupID.FindStringSubmatch(k); m != nil && !empty(value) {
			ids[m[1]+"/"+m[2]] = true
		}
		if m := groupSize.FindStringSubmatch(k); m != nil && number(value) >= 0 && len(sizes) < maxRules {
			sizes[number(m[1])] = number(value)
		}
	}
	g := Groups{Count: len(ids)}
	for _, i := range slices.Sorted(maps.Keys(sizes)) {
		g.Sizes = append(g.Sizes, sizes[i])
	}
	return g
}

// empty reports a value that stands for nothing: unset fields are written all the same.
func empty(value string) bool {
	return slices.Contains([]string{"", "0", "-1", "null", `""`}, strings.TrimSpace(value))
}

// Compare is the table of what compares a face with an identity card.
type Compare struct {
	Entries int    `json:"entries"`
	On      []bool `json:"on,omitempty"` // of entries that have a switch, in their order
}

var compareKey = regexp.MustCompile(`^(?:table\.)?CitizenPictureCompareRule((?:\[\d{1,4}\])*)\.(\w+)`)

// ReadCompare reads the table.
func ReadCompare(v Values) Compare {
	var c Compare
	entries, on := map[string]bool{}, map[string]bool{}
	for k, value := range v {
		m := compareKey.FindStringSubmatch(k)
		if m == nil {
			continue
		}
		entries[m[1]] = true
		if b := boolean(value); m[2] == "Enable" && b != nil {
			on[m[1]] = *b
		}
	}
	c.Entries = len(entries)
	for _, k := range slices.Sorted(maps.Keys(on)) {
		c.On = append(c.On, on[k])
	}
	return c
}

// Upload is a server that results go to.
type Upload struct {
	Host   string   `json:"host"` // without a path, a login or a port
	Port   uint16   `json:"port,omitempty"`
	Secure bool     `json:"secure,omitempty"`
	Face   []string `json:"face,omitempty"` // codes of events about faces that it is sent
}

var uploadKey = regexp.MustCompile(`^(?:table\.)?\w+?((?:\[\d{1,4}\])*(?:\.(?:UploadServerList|ServerList|Server)(?:\[\d{1,4}\])?)?)\.(\w+)(?:\[\d{1,4}\])?$`)

// ReadUploads reads a table of a server that something is sent to. Only what is switched on counts; a table without a switch
// says nothing.
func ReadUploads(v Values) []Upload {
	by := map[string]*Upload{}
	on := map[string]bool{}
	for _, k := range slices.Sorted(maps.Keys(v)) {
		m := uploadKey.FindStringSubmatch(k)
		if m == nil || len(by) >= maxUploads && by[m[1]] == nil {
			continue
		}
		if b := boolean(v[k]); m[2] == "Enable" && b != nil {
			on[m[1]] = *b
			continue
		}
		if by[m[1]] == nil {
			by[m[1]] = &Upload{}
		}
		by[m[1]].set(m[2], v[k])
	}
	var out []Upload
	for _, at := range slices.Sorted(maps.Keys(by)) {
		if u := by[at]; u.Host != "" && switchedOn(on, at) {
			slices.Sort(u.Face)
			u.Face = slices.Compact(u.Face)
			out = append(out, *u)
		}
	}
	return out
}

// switchedOn: the switches of the entry and of the tables around it all say so, and there is one.
func switchedOn(on map[string]bool, at string) bool {
	found := false
	for k, b := range on {
		if strings.HasPrefix(at, k) {
			if !b {
				return false
			}
			found = true
		}
	}
	return found
}

func (u *Upload) set(key, value string) {
	switch key {
	case "Address", "ServerIP", "ServerAddr", "ServerAddress", "Host", "HostName", "IP", "SipSvrIp", "Domain":
		if h := host(value); u.Host == "" && h != "" {
			u.Host = h
		}
	case "Port", "ServerPort", "SipSvrPort":
		if n := number(value); n > 0 && n <= 65535 {
			u.Port = uint16(n)
		}
	case "HttpsEnable", "SSLEnable":
		u.Secure = boolean(value) != nil && *boolean(value)
	case "EventType", "EventTypes":
		if len(EventFunctions(value)) > 0 && len(u.Face) < 32 {
			u.Face = append(u.Face, clean.Text(value, maxText))
		}
	}
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?$`)

// host reads where something goes, without what may stand around it. Placeholders are nothing.
func host(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	s, _, _ = strings.Cut(s, "/")
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		if a.IsUnspecified() || a.IsLoopback() {
			return ""
		}
		return a.WithZone("").String()
	}
	if h, _, ok := strings.Cut(s, ":"); ok {
		return host(h)
	}
	if !hostName.MatchString(s) {
		return ""
	}
	return s
}
