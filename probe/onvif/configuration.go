package onvif

import (
	"context"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/internal/soap"
)

const maxTokens = 4

// configuration is stage 2: who the device is, what it could do, what is configured. One question at a time.
func (s *session) configuration(ctx context.Context) {
	began := s.calls
	within := func() bool { return s.calls-began < maxStage2 && s.stop == "" && ctx.Err() == nil }

	s.readScopes(ctx)
	embedded := s.readProfiles(ctx)
	s.readMetadata(ctx)
	if s.services.Has(onvif.NSAnalytics) && len(s.tokens) > 0 {
		s.readSupported(ctx, within)
		for _, t := range s.tokens[:min(len(s.tokens), maxTokens)] {
			// What the profiles showed is read again where a complete enumeration can prove something, and where they showed
			// no full list.
			if !within() || slices.Contains(embedded, t) && !s.profileM() {
				continue
			}
			if a, n := s.ask(ctx, onvif.GetAnalyticsModules(t), call{token: t}); usable(a, n) {
				n.data.Instances = onvif.ReadInstances(a.Body, t)
			}
			if a, n := s.ask(ctx, onvif.GetRules(t), call{token: t}); usable(a, n) {
				n.data.Instances = onvif.ReadInstances(a.Body, t)
			}
		}
		s.readOptions(ctx, within)
	}
	if analytics, ok := s.services.Find(onvif.NSAnalytics); ok && within() {
		if v, stated := analytics.Capabilities["SupportedMetadata"]; !stated || v == "true" || v == "1" || s.profileM() {
			if a, n := s.ask(ctx, onvif.GetSupportedMetadata(), call{}); usable(a, n) {
				n.data.Samples = onvif.ReadSamples(a.Body)
			}
		}
	}
	if s.services.Has(onvif.NSEvents) && within() {
		if a, n := s.ask(ctx, onvif.GetEventProperties(), call{}); usable(a, n) {
			all := onvif.ReadTopics(a.Body)
			s.listed, s.topics = onvif.FaceTopics(all), true
			n.data.Topics, n.data.TopicCount = s.listed, len(all)
		}
	}
	s.readOthers(ctx, within)
}

func (s *session) profileM() bool { return slices.Contains(s.scopes.Profiles, "M") }

func (s *session) readScopes(ctx context.Context) {
	all := slices.Clone(s.target.Scopes)
	a, n := s.ask(ctx, onvif.GetScopes(), call{})
	if usable(a, n) {
		all = append(all, onvif.ReadScopes(a.Body)...)
	}
	s.scopes = onvif.SortScopes(all)
	if n == nil || !usable(a, n) {
		return
	}
	n.data.Profiles, n.data.Types = s.scopes.Profiles, s.scopes.Types
	id := n.identity()
	id.Hardware, id.Name, id.Location, id.Serial = s.scopes.Hardware, s.scopes.Name, s.scopes.Location, s.scopes.Serial
	if s.scopes.MAC != "" {
		id.MACs = []string{s.scopes.MAC}
	}
}

// readProfiles reads the profiles and the analytics configurations in and beside them. It returns the tokens whose rules and
// modules were both embedded.
func (s *session) readProfiles(ctx context.Context) (embedded []string) {
	collect := func(n *note, cs []onvif.Configuration) {
		n.data.Configurations = cs
		for _, c := range cs {
			if !slices.Contains(s.tokens, c.Token) {
				s.tokens = append(s.tokens, c.Token)
			}
			if c.Full && !slices.Contains(embedded, c.Token) {
				embedded = append(embedded, c.Token)
			}
		}
	}
	profiles := func(op onvif.Operation) bool {
		a, n := s.ask(ctx, op, call{required: true})
		if !usable(a, n) {
			return false
		}
		s.profiles = onvif.ReadProfiles(a.Body)
		n.data.Media = s.profiles
		if c := onvif.Sources(s.profiles); c > 0 {
			n.identity().Channels = c
		}
		collect(n, onvif.ReadConfigurations(a.Body))
		return true
	}
	lists := func(op onvif.Operation) {
		if a, n := s.ask(ctx, op, call{}); usable(a, n) {
			collect(n, onvif.ReadConfigurations(a.Body))
		}
	}
	ok := s.services.Has(onvif.NSMedia) && profiles(onvif.GetProfiles())
	if !ok && s.services.Has(onvif.NSMedia2) {
		s.media2 = profiles(onvif.GetProfiles2())
	}
	if !ok && !s.media2 && len(s.services) == 0 {
		profiles(onvif.GetProfiles()) // no list of services: the device service's address often answers for all
	}
	if s.services.Has(onvif.NSMedia2) {
		lists(onvif.GetAnalyticsConfigurations()) // may hold configurations that no profile uses
	}
	if len(s.tokens) == 0 && s.services.Has(onvif.NSMedia) && s.services.Has(onvif.NSAnalytics) {
		lists(onvif.GetVideoAnalyticsConfigurations())
	}
	slices.Sort(s.tokens)
	return embedded
}

func (s *session) readMetadata(ctx context.Context) {
	op := onvif.GetMetadataConfigurations()
	if s.media2 || !s.services.Has(onvif.NSMedia) {
		op = onvif.GetMetadataConfigurations2()
	}
	if !s.services.Has(onvif.NSMedia, onvif.NSMedia2) {
		return
	}
	if a, n := s.ask(ctx, op, call{}); usable(a, n) {
		n.data.Metadata = onvif.ReadMetadataConfigurations(a.Body)
	}
}

// readSupported asks what could be configured. Sensors of one device mostly have identical lists: after two it stops.
func (s *session) readSupported(ctx context.Context, within func() bool) {
	for _, op := range []func(string) onvif.Operation{onvif.GetSupportedRules, onvif.GetSupportedAnalyticsModules} {
		var before []onvif.Description
		for i, t := range s.tokens[:min(len(s.tokens), maxTokens)] {
			if !within() {
				return
			}
			a, n := s.ask(ctx, op(t), call{token: t})
			if !usable(a, n) {
				if a.Verdict == soap.NotSupported {
					break
				}
				continue
			}
			ds := onvif.ReadDescriptions(a.Body)
			n.data.Described, n.data.ImageSending = ds, onvif.ImageSending(s.services)
			if i > 0 && sameTypes(ds, before) {
				break
			}
			before = ds
		}
	}
}

func sameTypes(a, b []onvif.Description) bool {
	return slices.EqualFunc(a, b, func(x, y onvif.Description) bool { return x.Type == y.Type && slices.Equal(x.Params, y.Params) })
}

// readOptions asks for the classes a filter can take, where a supported rule has a filter.
func (s *session) readOptions(ctx context.Context, within func() bool) {
	filters := false
	for _, n := range s.notes {
		for _, d := range n.data.Described {
			filters = filters || slices.ContainsFunc(d.Params, func(p string) bool { return strings.HasPrefix(strings.ToLower(p), "class") })
		}
		for _, i := range n.data.Instances {
			filters = filters || len(i.Classes) > 0
		}
	}
	if !filters || !within() {
		return
	}
	if a, n := s.ask(ctx, onvif.GetRuleOptions(s.tokens[0]), call{token: s.tokens[0]}); usable(a, n) {
		n.data.Options = onvif.ReadOptions(a.Body)
	}
}

// readOthers asks the rarer services, where they are listed: applications, access control, analysis of other devices.
func (s *session) readOthers(ctx context.Context, within func() bool) {
	type other struct {
		ns   string
		op   onvif.Operation
		read func(*soap.Answer, *note)
	}
	for _, o := range []other{
		{onvif.NSApps, onvif.GetInstalledApps(), func(a *soap.Answer, n *note) { n.data.Apps = onvif.ReadApps(a.Body) }},
		{onvif.NSApps, onvif.GetAppsInfo(), func(a *soap.Answer, n *note) { n.data.Apps = onvif.ReadApps(a.Body) }},
		{onvif.NSAccess, onvif.GetAccessPointInfoList(), func(a *soap.Answer, n *note) { n.data.Readers = onvif.FaceReaders(a.Body) }},
		{onvif.NSBehaviour, onvif.GetSecurityLevelList(), func(a *soap.Answer, n *note) { n.data.Readers = onvif.FaceReaders(a.Body) }},
		{onvif.NSEngine, onvif.GetAnalyticsEngines(), func(a *soap.Answer, n *note) {
			n.data.Engines = onvif.ReadEngines(a.Body)
			n.data.Configurations = onvif.ReadConfigurations(a.Body)
		}},
	} {
		if !s.services.Has(o.ns) || !within() {
			continue
		}
		if a, n := s.ask(ctx, o.op, call{}); usable(a, n) {
			o.read(a, n)
		}
	}
}

// brokers asks where events are published to. It comes last: some firmware wants an administrator for it, and a refusal
// ends the conversation.
func (s *session) brokers(ctx context.Context) {
	if v := s.eventCaps["MaxEventBrokers"]; v == "" || v == "0" {
		return
	}
	if a, n := s.ask(ctx, onvif.GetEventBrokers(), call{}); usable(a, n) {
		n.data.Brokers = onvif.ReadBrokers(a.Body)
	}
}
