package scan

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/probe"
)

// TestFaceGoesWhereItIsSaid: that one receiver gets results about faces says nothing of the device's other receivers, and what was
// only heard never says that faces were sent.
func TestFaceGoesWhereItIsSaid(t *testing.T) {
	data, err := dataOf(Record{})
	if err != nil {
		t.Fatal(err)
	}
	const face = "http://api-cn.faceplusplus.com"
	device := audit.Subject{Kind: audit.SubjectDevice, ID: "d-1"}
	said := func(keys ...string) map[string]audit.Folded {
		facts := []audit.Fact{audit.NewFact(probe.FactOutboundHosts, "", []string{"face-call " + face}), audit.NewFact(probe.FactOutboundHosts, "", []string{"http-host apiieu.hik-connect.com:443"}),
			audit.NewFact(probe.FactOutboundSeen, "", []string{"attempted iai.tencentcloudapi.com", "in-use iai.tencentcloudapi.com", "resolved hik-connect.com", "resolved iai.tencentcloudapi.com", "unheard-of example.org"})}
		for _, k := range keys {
			facts = append(facts, audit.NewFact(probe.FactOutboundFace, k, true))
		}
		for i := range facts {
			facts[i].Subject, facts[i].Because = device, []string{"o-1"}
		}
		specs := map[string]audit.FactSpec{probe.FactOutboundSeen: {Name: probe.FactOutboundSeen, Type: audit.List, Merge: audit.MergeUnion}}
		for _, s := range append(probe.FaceFacts(), Specs(nil)...) {
			specs[s.Name] = s
		}
		folded, err := audit.Fold(append(facts, receivers(facts)...), specs)
		if err != nil {
			t.Fatal(err)
		}
		return folded[device]
	}
	outside := func(netip.Addr) bool { return false }
	heard := []string{"heard-resolved hik-connect.com", "heard-in-use iai.tencentcloudapi.com"}
	for _, c := range []struct {
		keys []string
		want []string
	}{
		{[]string{face}, []string{"face-call " + face + " face", "http-host apiieu.hik-connect.com:443"}},
		{[]string{face, "http-host apiieu.hik-connect.com:443"}, []string{"face-call " + face + " face", "http-host apiieu.hik-connect.com:443 face"}},
		{nil, []string{"face-call " + face, "http-host apiieu.hik-connect.com:443"}},
		// keyed by something else: which receiver it is, is not known, and no fact is lost
		{[]string{"stream 1"}, []string{"face-call " + face + " face", "http-host apiieu.hik-connect.com:443 face"}},
		{[]string{face, "stream 1"}, []string{"face-call " + face + " face", "http-host apiieu.hik-connect.com:443 face"}},
	} {
		var got []string
		for _, o := range outboundOf(said(c.keys...), outside, data) {
			s := o.What + " " + o.Host
			if o.Face {
				s += " face"
			}
			got = append(got, s)
			if o.Whose == "" || o.Means.ZH == "" || o.Means.EN == "" || !slices.Equal(o.Because, []string{"o-1"}) || o.Face && strings.HasPrefix(o.What, "heard-") {
				t.Errorf("%s is not explained: %+v", s, o)
			}
		}
		if want := append(c.want, heard...); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", c.keys, got, want)
		}
	}
}
