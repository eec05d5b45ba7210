package rules

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// TestRecipients: a receiver outside counts as one of faces only where that is said of it, or of no receiver in particular.
func TestRecipients(t *testing.T) {
	const cloud, crm, till = "http-host apiieu.hik-connect.com:443", "face-call http://crm.example", "push http://192.0.2.9:8080"
	site := audit.SiteFile{Authority: audit.Authority{Perimeter: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}
	for _, c := range []struct {
		name        string
		hosts, gets []string
		face        any
		want        []string
		sends       notice.Truth
	}{
		{"one of two", []string{cloud, crm}, []string{crm}, true, []string{"crm.example"}, notice.Yes},
		{"nobody says which", []string{cloud, crm}, nil, true, []string{"apiieu.hik-connect.com", "crm.example"}, notice.Yes},
		{"the one inside; what the other gets nobody said", []string{cloud, till}, []string{till}, true, []string{"apiieu.hik-connect.com"}, notice.Unknown},
		{"all inside", []string{till}, []string{till}, true, nil, notice.No},
		{"no faces", []string{cloud}, nil, false, nil, notice.No},
		{"nothing said of faces", []string{cloud}, nil, nil, []string{"apiieu.hik-connect.com"}, notice.Unknown},
		{"nothing known", nil, nil, nil, nil, notice.Unknown},
	} {
		f := facts{}
		if c.hosts != nil {
			f.know(factHosts, c.hosts)
		}
		if c.gets != nil {
			f.know(factFaceHosts, c.gets)
		}
		if c.face != nil {
			f.know(factHostsFace, c.face)
		}
		m := &matcher{in: Input{Site: site}}
		hosts, sends, _ := m.recipients(f)
		if !slices.Equal(hosts, c.want) || sends != c.sends {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, hosts, sends, c.want, c.sends)
		}
	}
}
