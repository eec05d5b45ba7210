package faceserver

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/faceserver"
	"github.com/mingshi-audit/mingshi/probe"
)

// plugins says what a loaded plugin or model could do. Where the eyes are and how a head is turned is part of finding a face.
var plugins = map[string]struct {
	functions  []audit.Function
	attributes []string
}{
	"detector":   {functions: []audit.Function{audit.Detect}},
	"calculator": {functions: []audit.Function{audit.Verify, audit.Identify}}, // templates, which serve both
	"age":        {functions: []audit.Function{audit.Analyse}, attributes: []string{audit.AttrAge}},
	"gender":     {functions: []audit.Function{audit.Analyse}, attributes: []string{audit.AttrGender}},
	"mask":       {functions: []audit.Function{audit.Analyse}, attributes: []string{audit.AttrAccessory}},
}

// routes says what a route of deepface does with the pictures it is sent.
var routes = map[wire.Path]struct {
	functions  []audit.Function
	attributes []string
}{
	wire.DeepfaceAnalyze: {functions: []audit.Function{audit.Detect, audit.Analyse}, attributes: []string{audit.AttrAge, audit.AttrGender, audit.AttrEmotion}},
	wire.DeepfaceVerify:  {functions: []audit.Function{audit.Detect, audit.Verify}},
	wire.DeepfaceSearch:  {functions: []audit.Function{audit.Detect, audit.Identify}},
}

// Derive states the facts of one observation; only an answer that is the product's own states any.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 {
		return nil, nil
	}
	if strings.HasPrefix(o.Kind, probe.Heard) {
		return deriveHeard(o)
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("faceserver: data of %s: %w", o.Kind, err)
	}
	if d.Product == "" || o.Status != audit.OK {
		return nil, nil
	}
	f := collect()
	f.module(d)
	f.offers(d)
	f.recognisers(d)
	return f.Sorted(), nil
}

type facts struct{ probe.Facts }

func collect() *facts { return &facts{probe.Facts{ByLevel: true}} }

// module: CodeProject.AI's module for faces finds faces, compares two, and tells the registered from others. It is started and
// stopped by a switch of its own, which the server's usual installation leaves on; started, it is configured for what it is
// there for, and what it is asked is another's doing. How often it was asked proves nothing: a test counts, and a ping.
func (f *facts) module(d Data) {
	if d.Module == "" {
		return
	}
	key := "module " + d.Module
	f.Say(audit.Capable, key, true, audit.Detect, audit.Verify, audit.Identify)
	switch d.State {
	case "Started":
		f.Say(audit.Configured, key, true, audit.Detect, audit.Identify)
	case "Stopped", "NotEnabled", "NotStarted", "NoAutoStart":
		f.Say(audit.Configured, key, false, audit.Detect, audit.Identify)
	}
}

// offers: what is loaded, or has a route, could be done.
func (f *facts) offers(d Data) {
	for _, n := range d.Loaded {
		if p, ok := plugins[n]; ok {
			f.Say(audit.Capable, "plugin "+n, true, p.functions...)
			f.attributes(p.attributes)
		}
	}
	for _, n := range d.Offers {
		if r, ok := routes[wire.Path(n)]; ok {
			f.Say(audit.Capable, "route "+n, true, r.functions...)
			f.attributes(r.attributes)
		}
	}
}

func (f *facts) attributes(names []string) {
	if len(names) > 0 {
		f.Add(probe.FactAttributesCapable, "", names, audit.ClassCapability)
	}
}

// recognisers: Viseron and Double Take take pictures by themselves and give them to a recogniser.
func (f *facts) recognisers(d Data) {
	for _, n := range d.Uses {
		f.Say(audit.Capable, "component "+n, true, audit.Detect, audit.Identify)
	}
	for _, x := range d.Detectors {
		f.Say(audit.Capable, "detector "+x.Name, true, audit.Detect, audit.Identify)
	}
	if !d.Wired {
		return
	}
	f.Say(audit.Configured, "recognition", true, audit.Detect, audit.Identify)
	for _, x := range d.Detectors {
		if elsewhere(x.Host) {
			f.Add(probe.FactOutboundHosts, "", []string{"face-pictures " + x.Host}, audit.ClassOutbound)
			f.Add(probe.FactOutboundFace, x.Host, true, audit.ClassOutbound)
		}
	}
}

// elsewhere reports an address that is not the machine itself, nor one that only its own containers know by name.
func elsewhere(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return false
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		return !a.IsLoopback()
	}
	return strings.Contains(u.Hostname(), ".")
}
