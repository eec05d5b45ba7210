package faceserver

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
)

const (
	maxMembers = 256 // of one object that are kept
	maxEntries = 64  // of one list
	maxText    = 80  // runes of a text that is kept
	maxName    = 64  // runes of a name that is kept
	withheld   = "(withheld)"
)

// rule says what is kept of a value and of the members below it.
type rule struct {
	how     byte // 0: only what is listed below; '=': a flag, a number, a short text; '@': the host of an address; '-': that it is there
	members map[string]*rule
}

// rules reads a list of paths: names joined by dots, "*" for every name and every entry of a list. A path may end in "=" (the
// value is kept; the usual case), "@" (of an address, the scheme, host and port) or "-" (that the member is there).
func rules(paths ...string) *rule {
	root := &rule{}
	for _, p := range paths {
		how := byte('=')
		if c := p[len(p)-1]; strings.IndexByte("=@-", c) >= 0 {
			p, how = p[:len(p)-1], c
		}
		at := root
		for _, name := range strings.Split(p, ".") {
			if at.members == nil {
				at.members = map[string]*rule{}
			}
			if at.members[name] == nil {
				at.members[name] = &rule{}
			}
			at = at.members[name]
		}
		at.how = how
	}
	return root
}

// reduce returns what the rules keep of a JSON object, as JSON with sorted names, or nil for anything else. What is not kept
// is counted, so that nobody takes the rest for the whole.
func (r *rule) reduce(b []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil
	}
	if _, ok := v.(map[string]any); !ok {
		return nil
	}
	out, err := json.Marshal(r.of(v))
	if err != nil {
		return nil
	}
	return out
}

func (r *rule) of(v any) any {
	switch t := v.(type) {
	case map[string]any:
		if r.members == nil {
			return r.leaf(v)
		}
		return r.object(t)
	case []any:
		one := r.members["*"]
		if one == nil && r.how == '@' {
			one = r
		}
		if one == nil {
			return r.leaf(v)
		}
		out := []any{}
		for _, e := range t[:min(len(t), maxEntries)] {
			out = append(out, one.of(e))
		}
		return out
	}
	return r.leaf(v)
}

func (r *rule) object(m map[string]any) map[string]any {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	out, other := map[string]any{}, 0
	for _, k := range names {
		one := r.members[k]
		if one == nil {
			one = r.members["*"]
		}
		name := clean.Text(k, maxName)
		if _, twice := out[name]; one == nil || twice || name == withheld || len(out) >= maxMembers {
			other++
			continue
		}
		out[name] = one.of(m[k])
	}
	if other > 0 {
		out[withheld] = other
	}
	return out
}

// leaf is what is kept of a value: nothing but its kind, unless the rule says more.
func (r *rule) leaf(v any) any {
	switch t := v.(type) {
	case nil:
		return nil
	case bool:
		if r.how == '=' {
			return t
		}
	case json.Number:
		if n := t.String(); r.how == '=' && len(n) <= 32 {
			return t
		}
	case string:
		switch r.how {
		case '=':
			return clean.Text(t, maxText)
		case '@':
			return Host(t)
		}
		if t == "" {
			return ""
		}
	case map[string]any:
		return map[string]any{}
	case []any:
		return []any{}
	}
	return "-"
}

var (
	scheme   = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]{0,15}$`)
	hostName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$`)
)

// Host returns where an address points, "rtsp://192.0.2.1:554", or the bare host where it names no scheme, and nothing else of
// it: no login, path or query. It returns "" for what can be read in more than one way, since passwords hold "@" and "/" too.
func Host(s string) string {
	before, rest, has := strings.Cut(s, "://")
	kind := ""
	if !has {
		rest = s
	} else if kind = scheme.FindString(before); kind == "" {
		return ""
	}
	end := strings.IndexAny(rest, "/?#")
	authority, tail := rest, ""
	if end >= 0 {
		authority, tail = rest[:end], rest[end:]
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if !has {
			return ""
		}
		authority = authority[at+1:]
	}
	if strings.Contains(tail, "@") {
		return ""
	}
	host := hostPort(authority)
	if host == "" {
		return ""
	}
	if kind != "" {
		host = strings.ToLower(kind) + "://" + host
	}
	return host
}

// hostPort checks "host", "host:port", "[v6]:port".
func hostPort(s string) string {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return netip.AddrPortFrom(ap.Addr().WithZone(""), ap.Port()).String()
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		if a = a.WithZone(""); a.Is6() {
			return "[" + a.String() + "]"
		}
		return a.String()
	}
	host, port, has := strings.Cut(s, ":")
	if !hostName.MatchString(host) || len(host) > 253 {
		return ""
	}
	if !has {
		return host
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return ""
	}
	return host + ":" + port
}

// object is a reduced JSON object, read without trust in the types of its members.
type object map[string]any

// parse reads what reduce left.
func parse(b []byte) (object, error) {
	var o object
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&o); err != nil || o == nil {
		return nil, errOther
	}
	return o, nil
}

// at returns the object below the names, nil where there is none.
func (o object) at(names ...string) object {
	for _, n := range names {
		m, ok := o[n].(map[string]any)
		if !ok {
			return nil
		}
		o = m
	}
	return o
}

func (o object) has(name string) bool { _, ok := o[name]; return ok }

func (o object) flag(name string) *bool {
	if b, ok := o[name].(bool); ok {
		return &b
	}
	return nil
}

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// number returns a number and whether there is one.
func (o object) number(name string) (float64, bool) {
	n, ok := o[name].(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// names lists the members of an object, sorted, without the count of what was withheld.
func (o object) names() []string {
	var out []string
	for k := range o {
		if k != withheld {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}
