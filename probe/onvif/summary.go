package onvif

import (
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/onvif"
)

// settle matches instances with the descriptions of their types and with their companions, over all answers of the device:
// a rule read through Media and its module read through the analytics service are one thing.
func (s *session) settle() {
	var described []onvif.Description
	var all []onvif.Instance
	each := func(f func(*onvif.Instance)) {
		for _, n := range s.notes {
			for i := range n.data.Instances {
				f(&n.data.Instances[i])
			}
			for c := range n.data.Configurations {
				for i := range n.data.Configurations[c].Instances {
					f(&n.data.Configurations[c].Instances[i])
				}
			}
		}
	}
	for _, n := range s.notes {
		described = append(described, n.data.Described...)
	}
	each(func(i *onvif.Instance) { all = append(all, *i) })
	onvif.Settle(all, described)
	k := 0
	each(func(i *onvif.Instance) { *i = all[k]; k++ })
}

// conclude writes the observation that sums up the conversation.
func (s *session) conclude() {
	s.settle()
	sum := &summary{Vendor: s.who.Manufacturer, ProfileM: s.profileM(), Tokens: s.tokens, Questions: s.questions, Stopped: s.stop,
		Catalogue: onvif.CatalogueVersion, PullPoints: s.eventCaps["MaxPullPoints"]}
	switch {
	case s.account:
		sum.Login = string(s.auth)
	case s.burnt:
		sum.Login = "refused"
	case s.loginTry:
		sum.Login = "none"
	default:
		sum.Login = "open"
	}
	if reason, yes := onvif.ConfiguredElsewhere(s.who.Manufacturer); yes {
		sum.Elsewhere = reason
	}
	capable, held, switched, seen := map[audit.Function]bool{}, map[audit.Function]bool{}, map[audit.Function]bool{}, map[audit.Function]bool{}
	var evidence []string
	for _, n := range s.notes {
		for _, f := range states(n.Kind, n.data).Sorted() {
			if b, ok := f.Value.V.(bool); ok && b {
				for _, fn := range audit.Functions() {
					switch f.Name {
					case audit.FactName(fn, audit.Capable):
						capable[fn] = true
					case audit.FactName(fn, audit.Configured):
						switched[fn] = true
					case audit.FactName(fn, audit.Active):
						seen[fn] = true
					}
				}
			}
		}
		for _, i := range instancesOf(n.data) {
			for _, fn := range i.Functions() {
				held[fn] = true
			}
		}
		evidence = append(evidence, n.Evidence...)
	}
	sum.Capable, sum.Held, sum.Switched, sum.Seen = onvif.Ordered(capable), onvif.Ordered(held), onvif.Ordered(switched), onvif.Ordered(seen)
	sum.Listed, sum.Complete = s.listedAll(), s.enumerated()
	for _, q := range s.questions {
		if q.Status == audit.NotSupported && !slices.Contains(sum.Unsupported, q.Ask) {
			sum.Unsupported = append(sum.Unsupported, q.Ask)
		}
	}
	slices.Sort(sum.Unsupported)
	n := &note{Observation: audit.Observation{Module: moduleName, Kind: "enumeration", Class: audit.ClassConfig, Endpoint: s.notes[0].Endpoint,
		At: s.env.Clock(), Auth: authOf(s), Status: audit.OK, Evidence: evidence}, data: data{Summary: sum}}
	k := s.kind()
	if k != "" {
		n.identity().Kind = k
	}
	s.listSources(k)
	if !slices.ContainsFunc(s.notes, func(n *note) bool { return n.Status == audit.OK || n.Detail == repaired }) {
		return // nothing was answered: there is nothing to sum up
	}
	n.Status, n.Detail = s.outcome()
	s.notes = append(s.notes, n)
}

// listSources writes the video sources of what may be a recorder into the observation that lists them: of what shows itself to
// be one, and of anything with more sources than a camera has sensors. ONVIF says nothing of a source but its token: whether a
// camera is there, and where, is not known.
func (s *session) listSources(k audit.Kind) {
	const sensors = 4
	if k != audit.KindRecorder && (k != audit.KindCamera || onvif.Sources(s.profiles) <= sensors) {
		return
	}
	for _, n := range s.notes {
		for _, p := range n.data.Media {
			if p.Source != "" && !slices.ContainsFunc(n.Behind, func(ch audit.Channel) bool { return ch.ID == p.Source }) {
				n.Behind = append(n.Behind, audit.Channel{ID: p.Source})
			}
		}
	}
}

// outcome says how far the conversation came, for the coverage.
func (s *session) outcome() (audit.Status, string) {
	switch {
	case s.timeouts >= 2:
		return audit.Timeout, s.stop
	case s.stop != "" && !s.burnt:
		return audit.Limited, s.stop
	case s.late:
		return audit.Limited, errLate.Error() + ": not every question was answered"
	}
	return audit.OK, ""
}

func authOf(s *session) string {
	if s.account {
		return string(s.auth)
	}
	return "none"
}

// answered reports whether a question was answered in full with the login.
func (s *session) answered(op, token string) bool {
	return slices.ContainsFunc(s.questions, func(q question) bool {
		return q.Ask == op && q.Token == token && q.Status == audit.OK && q.Auth != "none"
	})
}

// listedAll reports whether the rules and the modules of every token were read with the login: by the analytics service, or
// embedded in profiles and configurations.
func (s *session) listedAll() bool {
	return s.account && len(s.tokens) > 0 && !slices.ContainsFunc(s.tokens, func(t string) bool {
		if s.answered("tan:GetRules", t) && s.answered("tan:GetAnalyticsModules", t) {
			return false
		}
		for _, n := range s.notes {
			if n.Status == audit.OK && n.Auth != "none" && slices.ContainsFunc(n.data.Configurations, func(c onvif.Configuration) bool { return c.Token == t && c.Full }) {
				return false
			}
		}
		return true
	})
}

// enumerated reports whether everything an ONVIF Profile M device must reveal about faces was read with the login. Anything
// refused, timed out, repaired or not supported makes it false.
func (s *session) enumerated() bool {
	if !s.account || !s.profileM() || len(s.tokens) == 0 || !s.answered("tan:GetSupportedMetadata", "") {
		return false
	}
	for _, t := range s.tokens {
		for _, op := range []string{"tan:GetSupportedRules", "tan:GetSupportedAnalyticsModules", "tan:GetRules", "tan:GetAnalyticsModules"} {
			if !s.answered(op, t) {
				return false
			}
		}
	}
	if s.late || s.services.Has(onvif.NSEvents) && !s.answered("tev:GetEventProperties", "") || s.services.Has(onvif.NSApps) && !s.answered("ans:GetAppsInfo", "") {
		return false
	}
	// A device that was not even willing to list its configurations or filter classes keeps something back.
	return !slices.ContainsFunc(s.questions, func(q question) bool {
		return !watching(q.Ask) && q.Auth != "none" && q.Status != audit.OK && q.Status != audit.NotSupported
	})
}

// watching reports the questions that come after the enumeration: what they bring cannot make it less complete.
func watching(ask string) bool {
	switch ask {
	case "tev:CreatePullPointSubscription", "tev:PullMessages", "wsnt:Unsubscribe", "tev:GetEventBrokers", "trt:GetStreamUri", "tr2:GetStreamUri", "rtsp:metadata":
		return true
	}
	return false
}

func instancesOf(d data) []onvif.Instance {
	out := slices.Clone(d.Instances)
	for _, c := range d.Configurations {
		out = append(out, c.Instances...)
	}
	return out
}
