package onvif

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/mac"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
	"github.com/mingshi-audit/mingshi/probe"
)

const (
	heard       = "heard:" // begins the kind of what was overheard; the operation or "events", "metadata" follows
	heardEvents = heard + "events"
	heardScene  = heard + "metadata"
	heardToken  = "heard" // in place of a configuration's token, which only the question names

	maxOverheard = 256 << 10
	nsNotify     = "http://docs.oasis-open.org/wsn/b-2"
)

var errNotXML = errors.New("onvif: not well-formed")

// Dissect says what an overheard answer, notification or metadata document shows: the same as it would if the device had been
// asked, but never a no. Of a message that was not captured whole nothing is read: what it leaves out might be the switch that says off.
// Every topic and every kind of scene is an observation of its own, with each count brought down to one, so that a flood adds up.
func Dissect(h probe.Hearing, f *capture.Flow) ([]audit.Observation, error) {
	switch {
	case f.Proto == capture.ProtoMetadata:
		return overheard{f: f, h: h}.metadata()
	case f.Proto != capture.ProtoHTTP:
		return nil, nil
	case f.Answer != nil && f.Answer.Status == 200:
		return overheard{f: f, h: h}.soap(f.Answer, f.Server.Addr)
	case f.Answer == nil && f.Request != nil && f.Request.Method == "POST":
		return overheard{f: f, h: h}.soap(f.Request, netip.AddrPortFrom(f.Client.Addr.Addr(), 0))
	}
	return nil, nil
}

type overheard struct {
	h probe.Hearing
	f *capture.Flow
}

// soap reads the body of a message that at sent.
func (v overheard) soap(m *capture.Message, at netip.AddrPort) ([]audit.Observation, error) {
	b := m.Body
	if len(b) == 0 || len(b) > maxOverheard || !v.h.Inside(at.Addr()) || !bytes.Contains(b, []byte("Envelope")) ||
		!bytes.Contains(b, []byte("www.onvif.org")) && !bytes.Contains(b, []byte(nsNotify)) {
		return nil, nil
	}
	doc, err := xmltree.Parse(b, xmltree.Options{MaxBytes: maxOverheard, Drop: dropped})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotXML, err)
	}
	root := doc.Root()
	if doc.Malformed || root == nil || root.Name.Local != "Envelope" {
		return nil, nil
	}
	body := root.Child("Body")
	if body == nil || len(body.Kids) == 0 {
		return nil, nil
	}
	x, question := body.Kids[0], m.Method != ""
	if question != (x.Name.Local == "Notify") {
		return nil, nil // a question says nothing of who asks; a notification is a question by its form
	}
	switch {
	case x.Is(nsNotify, "Notify"), x.Is(onvif.NSEvents, "PullMessagesResponse"):
		var t onvif.EventTally
		t.ReadMessages(x)
		return events(at, t), nil
	}
	return answered(at, x), nil
}

// dropped are elements whose text is a person's, a picture or a password.
func dropped(local string) bool {
	switch local {
	case "Image", "ImageRef", "SceneImage", "SceneImageRef", "PlateNumber", "EnrollmentID", "RefImageUri", "ImageUri", "GeoLocation", "Username", "Password", "Nonce":
		return true
	}
	return false
}

// reading is how an answer is read into an observation's data and identity.
type reading struct {
	ns   string
	kind string // the operation, with its usual prefix
	read func(*xmltree.Node, *data, *audit.Identity)
}

func readings() []reading {
	profiles := func(n *xmltree.Node, d *data, id *audit.Identity) {
		d.Media, d.Configurations = onvif.ReadProfiles(n), onvif.ReadConfigurations(n)
		id.Channels = onvif.Sources(d.Media)
	}
	configurations := func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Configurations = onvif.ReadConfigurations(n) }
	metadata := func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Metadata = onvif.ReadMetadataConfigurations(n) }
	described := func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Described = onvif.ReadDescriptions(n) }
	instances := func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Instances = onvif.ReadInstances(n, heardToken) }
	apps := func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Apps = onvif.ReadApps(n) }
	return []reading{
		{onvif.NSDevice, "tds:GetDeviceInformation", func(n *xmltree.Node, _ *data, id *audit.Identity) {
			i := onvif.ReadInformation(n)
			id.Vendor, id.Model, id.Firmware, id.Serial, id.Hardware = i.Manufacturer, i.Model, i.Firmware, i.Serial, i.Hardware
		}},
		{onvif.NSDevice, "tds:GetServices", func(n *xmltree.Node, d *data, id *audit.Identity) {
			d.Services = onvif.ReadServices(n)
			id.Services = namespaces(d.Services)
		}},
		{onvif.NSDevice, "tds:GetCapabilities", func(n *xmltree.Node, d *data, id *audit.Identity) {
			d.Services = onvif.ReadLegacyCapabilities(n)
			id.Services = namespaces(d.Services)
		}},
		{onvif.NSDevice, "tds:GetScopes", func(n *xmltree.Node, d *data, id *audit.Identity) {
			s := onvif.SortScopes(onvif.ReadScopes(n))
			d.Profiles, d.Types = s.Profiles, s.Types
			id.Hardware, id.Name, id.Location, id.Serial = s.Hardware, s.Name, s.Location, s.Serial
			if s.MAC != "" {
				id.MACs = []string{s.MAC}
			}
		}},
		{onvif.NSDevice, "tds:GetEndpointReference", func(n *xmltree.Node, _ *data, id *audit.Identity) { id.EPR = onvif.ReadEndpoint(n) }},
		{onvif.NSDevice, "tds:GetNetworkInterfaces", func(n *xmltree.Node, _ *data, id *audit.Identity) {
			for _, i := range n.Children("NetworkInterfaces") {
				if m := mac.Parse(i.Value("Info", "HwAddress")); m != "" && len(id.MACs) < 4 {
					id.MACs = append(id.MACs, m)
				}
			}
		}},
		{onvif.NSMedia, "trt:GetProfiles", profiles},
		{onvif.NSMedia2, "tr2:GetProfiles", profiles},
		{onvif.NSMedia2, "tr2:GetAnalyticsConfigurations", configurations},
		{onvif.NSMedia, "trt:GetVideoAnalyticsConfigurations", configurations},
		{onvif.NSMedia, "trt:GetMetadataConfigurations", metadata},
		{onvif.NSMedia2, "tr2:GetMetadataConfigurations", metadata},
		{onvif.NSAnalytics, "tan:GetSupportedRules", described},
		{onvif.NSAnalytics, "tan:GetSupportedAnalyticsModules", described},
		{onvif.NSAnalytics, "tan:GetAnalyticsModules", instances},
		{onvif.NSAnalytics, "tan:GetRules", instances},
		{onvif.NSAnalytics, "tan:GetRuleOptions", func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Options = onvif.ReadOptions(n) }},
		{onvif.NSAnalytics, "tan:GetSupportedMetadata", func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Samples = onvif.ReadSamples(n) }},
		{onvif.NSEvents, "tev:GetEventProperties", func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Topics = onvif.FaceTopics(onvif.ReadTopics(n)) }},
		{onvif.NSEvents, "tev:GetEventBrokers", func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Brokers = onvif.ReadBrokers(n) }},
		{onvif.NSApps, "ans:GetInstalledApps", apps},
		{onvif.NSApps, "ans:GetAppsInfo", apps},
		{onvif.NSBehaviour, "tab:GetSecurityLevelList", func(n *xmltree.Node, d *data, _ *audit.Identity) { d.Readers = min(onvif.FaceReaders(n), 1) }},
	}
}

// answered reads an answer whose operation is known. The namespace must be its own: a name alone may be anybody's.
func answered(at netip.AddrPort, x *xmltree.Node) []audit.Observation {
	for _, r := range readings() {
		_, op, _ := strings.Cut(r.kind, ":")
		if x.Name.Local != op+"Response" || x.Name.Space != r.ns {
			continue
		}
		var d data
		id := audit.Identity{}
		r.read(x, &d, &id)
		if len(id.Services) == 0 {
			id.Services = []string{moduleName}
		}
		return []audit.Observation{observed(at, heard+r.kind, classOf(r.kind), d, &id)}
	}
	return nil
}

func namespaces(s onvif.Services) []string {
	var out []string
	for _, x := range s {
		out = append(out, x.Namespace)
	}
	return out
}

func observed(at netip.AddrPort, kind string, class audit.Class, d data, id *audit.Identity) audit.Observation {
	o := audit.Observation{Module: moduleName, Kind: kind, Class: class, Endpoint: at, Auth: "none", Status: audit.OK, Identity: id}
	if b, err := json.Marshal(d); err == nil && string(b) != "{}" {
		o.Data = b
	}
	return o
}

// events writes one observation for every topic that says or announces anything about faces.
func events(at netip.AddrPort, t onvif.EventTally) []audit.Observation {
	var out []audit.Observation
	for _, topic := range sortedTopics(t) {
		seen := t.Topics[topic]
		if len(seen.Functions(topic))+len(seen.Announces(topic)) == 0 {
			continue
		}
		one := onvif.EventTally{Messages: 1, Topics: map[string]onvif.TopicSeen{topic: once(seen)}}
		out = append(out, observed(at, heardEvents, audit.ClassLive, data{Events: &one}, nil))
	}
	return out
}

// once brings every count down to one.
func once(s onvif.TopicSeen) onvif.TopicSeen {
	s.Messages, s.Initial, s.Live, s.Standing = 1, min(s.Initial, 1), min(s.Live, 1), min(s.Standing, 1)
	s.Identity, s.Crops, s.Reader = min(s.Identity, 1), min(s.Crops, 1), min(s.Reader, 1)
	s.Classes = ones(s.Classes)
	if s.Objects != nil {
		if s.Objects.Faces == 0 {
			s.Objects = nil
		} else {
			o := sceneOnce(*s.Objects)
			s.Objects = &o
		}
	}
	return s
}

// sceneOnce keeps what concerns faces, with every count brought down to one.
func sceneOnce(t onvif.Tally) onvif.Tally {
	return onvif.Tally{Objects: 1, Faces: min(t.Faces, 1), Attributes: ones(t.Attributes), Crops: min(t.Crops, 1), Identity: min(t.Identity, 1), Extension: t.Extension}
}

func ones(m map[string]int) map[string]int {
	out := map[string]int{}
	for k, n := range m {
		if n > 0 {
			out[k] = 1
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// metadata reads one document of a metadata track. Broken XML is read as it is from a device that is asked, unless the capture
// lost part of it.
func (v overheard) metadata() ([]audit.Observation, error) {
	at := v.f.Server.Addr
	if v.f.Transport == "udp" { // a port of this session alone
		at = netip.AddrPortFrom(at.Addr(), 0)
	}
	if v.f.FromHost {
		at = netip.AddrPortFrom(v.f.Client.Addr.Addr(), 0)
	}
	if len(v.f.Payload) == 0 || !v.h.Inside(at.Addr()) {
		return nil, nil
	}
	var t onvif.Tally
	if !t.Document(v.f.Payload) {
		return nil, fmt.Errorf("%w: metadata", errNotXML)
	}
	if t.Broken > 0 && v.f.Cut != 0 {
		return nil, nil
	}
	out := events(at, t.Events)
	if t.Faces > 0 {
		scene := sceneOnce(t)
		out = append(out, observed(at, heardScene, audit.ClassLive, data{Scene: &scene}, nil))
	}
	return out, nil
}

// overheardOnly turns what an answer would state into what may be stated of one that was overheard: no denial, since nobody knows
// what else the device would have said, and as many messages as were seen.
func overheardOnly(o audit.Observation, fs []audit.Fact) []audit.Fact {
	fs = slices.DeleteFunc(fs, func(f audit.Fact) bool {
		return f.Value.V == false || f.Name == probe.FactLiveMessages && f.Value.V == int64(0)
	})
	live := slices.ContainsFunc(fs, func(f audit.Fact) bool { return f.Name == probe.FactLiveMessages })
	if !live {
		fs = slices.DeleteFunc(fs, func(f audit.Fact) bool { return f.Name == probe.FactLiveSeconds })
	}
	for i := range fs {
		if fs[i].Name == probe.FactLiveMessages && o.Seen != nil {
			fs[i].Value.V = int64(o.Seen.Count)
		}
	}
	return fs
}
