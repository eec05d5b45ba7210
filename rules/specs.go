package rules

import (
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/rules/notice"
)

// Names of facts this package reads. They are stated by modules and by the site file.
const (
	factAttributes   = "face.attributes.active"
	factMessages     = "face.live.messages"
	factSeconds      = "face.live.seconds"
	factHeard        = "face.heard.messages"
	factHosts        = "outbound.hosts"
	factHostsFace    = "outbound.face"
	factFaceHosts    = "outbound.face.hosts"
	factZones        = "device.zones"
	factWatches      = "device.watches"
	factZonePublic   = "device.zone.public"
	factPurposes     = "device.declared_purposes"
	factPassive      = "device.passive"
	factRuns         = "declared.runs"
	factDeclaredAttr = "declared.attributes"
	factVenue        = "site.venue"
	factVenuePublic  = "site.venue.public"
	factSurvey       = "site.survey.complete"
	factAttested     = "site.server_side.attested"
	factUnfound      = "site.cameras.missing"
	factServerFaces  = "site.server_side.analyses"
	factServerStores = "site.server_side.stores"
	factSeen         = "outbound.seen"
)

// Exemption states, the values of Finding.Exemption and of the fact exemption.state.
const (
	NoneClaimed        = "none_claimed"
	ClaimedUnsupported = "claimed_unsupported"
	ClaimedSupported   = "claimed_supported"
	Contradicted       = "contradicted"
)

// says maps the elements of a notice to the last part of the fact that states each.
var says = map[notice.Element]string{notice.Face: "face", notice.Purpose: "purpose", notice.Manner: "manner", notice.Scope: "scope",
	notice.Processor: "processor", notice.Contact: "contact", notice.Retention: "retention", notice.Rights: "rights",
	notice.Necessity: "necessity", notice.Impact: "impact", notice.Rules: "rules", notice.Choice: "choice",
	notice.Recipients: "recipients", notice.Minors: "minors", notice.Access: "access"}

func saysFact(e notice.Element) string { return "notice.says." + says[e] }

func modeFact(f audit.Function) string { return "device.mode." + string(f) }

// Specs declares every fact this package states, sorted by name. On a notice's own subject the facts of notice.says,
// notice.absent and notice.unclear are about that notice; on a device they are about the best notice that covers it.
func Specs() []audit.FactSpec {
	var out []audit.FactSpec
	for name, typ := range map[string]audit.Type{
		"device.processing": audit.Bool, "device.attributes": audit.List, "device.public_place": audit.Bool,
		factWatches: audit.List, "survey.covers": audit.Bool,
		"notice.state": audit.String, "notice.best": audit.String, "notice.confirmed": audit.Bool,
		"notice.absent": audit.List, "notice.unclear": audit.List, "notice.rules_public": audit.Bool,
		"notice.states": audit.Bool, "notice.sign": audit.Bool, "notice.offsite_shown": audit.Bool, "notice.sole": audit.Bool,
		"notice.part": audit.Bool, "notice.denies": audit.Bool, "notice.excluded": audit.List,
		"gap.method": audit.List, "gap.data": audit.List, "gap.zone": audit.List, "gap.recipient": audit.List,
		"gap.purpose": audit.List, "gap.purpose_hint": audit.List,
		"outbound.recipients": audit.List, "recipient.other": audit.Bool, "recipient.entrusted": audit.Bool,
		"recipient.others": audit.List, "recipient.unnamed": audit.List,
		factIdentifies: audit.Bool, factResearch: audit.Bool, factInternet: audit.List, factWithin: audit.List, factOnDevice: audit.Bool, factRead: audit.Bool,
		"consent.separate": audit.Bool, "consent.transfer": audit.Bool,
		"exemption": audit.Bool, "exemption.state": audit.String, "exemption.item": audit.String,
		"exemption.document": audit.Bool, "exemption.authority": audit.Bool, "exemption.period": audit.Bool,
		"finding.open": audit.Int, "finding.suspected": audit.Int, "finding.undetermined": audit.Int,
	} {
		out = append(out, audit.FactSpec{Name: name, Type: typ, Merge: audit.MergeAgree, Doc: msg.Text("rule.fact." + name), Ask: msg.Text("rule.ask." + name)})
	}
	for _, f := range audit.Functions() {
		w := msg.Word(string(f))
		out = append(out, audit.FactSpec{Name: modeFact(f), Type: audit.Bool, Merge: audit.MergeAgree, Doc: msg.Text("rule.fact.device.mode", w), Ask: msg.Text("rule.ask.device.mode", w)})
	}
	for _, e := range notice.Elements() {
		w := msg.Word(string(e))
		out = append(out, audit.FactSpec{Name: saysFact(e), Type: audit.Bool, Merge: audit.MergeAgree, Doc: msg.Text("rule.fact.notice.says", w), Ask: msg.Text("rule.ask.notice.says", w)})
	}
	slices.SortFunc(out, func(a, b audit.FactSpec) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func specMap(lists ...[]audit.FactSpec) map[string]audit.FactSpec {
	out := map[string]audit.FactSpec{}
	for _, l := range lists {
		for _, s := range l {
			out[s.Name] = s
		}
	}
	return out
}
