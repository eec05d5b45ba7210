package site

import (
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Answer is yes, no, or not settled; the zero value is the last.
type Answer int

// The answers.
const (
	Unsettled Answer = iota // depends on the premises
	Yes
	No
)

// Venue is a kind of premises.
type Venue struct {
	Token  string     // as the site file writes it
	Words  audit.Text // in both languages
	Public Answer     // whether it is a business premises or public place, as Art. 2(1) of 法释〔2021〕15号 means it
}

// Venues lists the kinds of premises a site file may name: those Art. 2(1) of 法释〔2021〕15号 and Art. 1198 of the Civil Code
// list, those Art. 7 of State Council Order 799 adds, and "other" for the rest.
func Venues() []Venue {
	rows := []struct {
		token  string
		public Answer
	}{
		{"hotel", Yes}, {"mall", Yes}, {"shop", Yes}, {"store", Yes}, {"supermarket", Yes}, {"restaurant", Yes}, {"bank", Yes},
		{"station", Yes}, {"metro", Yes}, {"airport", Yes}, {"port", Yes}, {"stadium", Yes}, {"entertainment", Yes}, {"cinema", Yes},
		{"theatre", Yes}, {"museum", Yes}, {"library", Yes}, {"exhibition", Yes}, {"scenic_area", Yes}, {"park", Yes}, {"hospital", Yes},
		{"pharmacy", Yes}, {"school", Yes}, {"training", Yes}, {"gym", Yes}, {"bathhouse", Yes}, {"beauty_salon", Yes},
		{"sales_office", Yes}, {"car_dealer", Yes}, {"parking", Yes}, {"government", Yes},
		{"residential", Unsettled}, {"office", Unsettled}, {"factory", No}, {"warehouse", No}, {"dormitory", No},
		{"home", No}, {"other", Unsettled},
	}
	out := make([]Venue, len(rows))
	for i, r := range rows {
		out[i] = Venue{Token: r.token, Words: msg.Word(r.token), Public: r.public}
		if r.token == "other" {
			out[i].Words = msg.Text("site.venue.other")
		}
	}
	return out
}

func venue(token string) (Venue, bool) {
	for _, v := range Venues() {
		if v.Token == token {
			return v, true
		}
	}
	return Venue{}, false
}

// ZoneKind is a kind of area within premises. The list is open: a file may use other words, of which nothing follows.
type ZoneKind struct {
	Token      string
	Words      audit.Text
	Passive    Answer // whether people are filmed there without doing anything; No where they walk up to a device
	Public     Answer // whether customers or the public usually get there
	Prohibited bool   // image devices may not be inside: Art. 8 of State Council Order 799, Art. 13 of Order 19
}

// ZoneKinds lists the kinds of zones that are known.
func ZoneKinds() []ZoneKind {
	rows := []ZoneKind{
		{Token: "entrance", Passive: Yes, Public: Yes}, {Token: "exit", Passive: Yes, Public: Yes},
		{Token: "aisle", Passive: Yes, Public: Yes}, {Token: "sales_floor", Passive: Yes, Public: Yes},
		{Token: "shelf", Passive: Yes, Public: Yes}, {Token: "checkout", Passive: Yes, Public: Yes},
		{Token: "hall", Passive: Yes, Public: Yes}, {Token: "lobby", Passive: Yes, Public: Yes},
		{Token: "corridor", Passive: Yes, Public: Yes}, {Token: "waiting", Passive: Yes, Public: Yes},
		{Token: "stairs", Passive: Yes, Public: Yes}, {Token: "escalator", Passive: Yes, Public: Yes},
		{Token: "elevator", Passive: Yes, Public: Yes}, {Token: "concourse", Passive: Yes, Public: Yes},
		{Token: "platform", Passive: Yes, Public: Yes}, {Token: "display", Passive: Yes, Public: Yes},
		{Token: "sand_table", Passive: Yes, Public: Yes}, {Token: "model_room", Passive: Yes, Public: Yes},
		{Token: "dining", Passive: Yes, Public: Yes}, {Token: "playground", Passive: Yes, Public: Yes},
		{Token: "parking", Passive: Yes, Public: Yes}, {Token: "outdoor", Passive: Yes, Public: Yes},
		{Token: "courtyard", Passive: Yes, Public: Unsettled}, {Token: "front_desk", Passive: Unsettled, Public: Yes},
		{Token: "security_check", Passive: Unsettled, Public: Yes},
		{Token: "gate", Passive: No, Public: Yes}, {Token: "turnstile", Passive: No, Public: Yes},
		{Token: "kiosk", Passive: No, Public: Yes}, {Token: "access", Passive: No, Public: Unsettled},
		{Token: "classroom", Passive: Yes, Public: Unsettled},
		{Token: "office", Passive: Yes, Public: No}, {Token: "staff", Passive: Yes, Public: No},
		{Token: "warehouse", Passive: Yes, Public: No}, {Token: "loading", Passive: Yes, Public: No},
		{Token: "server_room", Passive: Yes, Public: No},
		{Token: "fitting_room", Passive: Yes, Public: Yes, Prohibited: true}, {Token: "changing_room", Passive: Yes, Public: Yes, Prohibited: true},
		{Token: "toilet", Passive: Yes, Public: Yes, Prohibited: true}, {Token: "bathroom", Passive: Yes, Public: Yes, Prohibited: true},
		{Token: "nursing_room", Passive: Yes, Public: Yes, Prohibited: true}, {Token: "guest_room", Passive: Yes, Public: Yes, Prohibited: true},
		{Token: "private_room", Passive: Yes, Public: Yes, Prohibited: true}, {Token: "dormitory", Passive: Yes, Public: No, Prohibited: true},
	}
	for i := range rows {
		rows[i].Words = msg.Word(rows[i].Token)
	}
	return rows
}

func zoneKind(token string) (ZoneKind, bool) {
	for _, k := range ZoneKinds() {
		if k.Token == token {
			return k, true
		}
	}
	return ZoneKind{}, false
}

// Closed vocabularies: another word is a problem.
func bases() []string {
	return []string{"statutory_inspection", "owner_consent", "court_order", "self_audit"}
}
func processorKinds() []string {
	return []string{"company", "property_manager", "association", "state_organ", "household"}
}
func noticeKinds() []string {
	return []string{"posted_sign", "counter_card", "screen", "web_rules", "app_rules", "contract_annex", "oral"}
}
func noticeStatuses() []string {
	return []string{"present", "removed", "obscured", "illegible", "expired"}
}
func declarers() []string  { return []string{"inspector", "operator"} }
func capacities() []string { return []string{audit.Entrusted, audit.OtherProcessor} }
func weekdays() []string   { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }
func methods() []string {
	return []string{"video_recording", "face_detection", "face_capture_snapshot", "attribute_analysis", "verification_1_1", "identification_1_n",
		"tracking_person_id", "storage_local", "storage_server", "upload_internet", "provision_to_third_party"}
}
func functions() []string {
	var out []string
	for _, f := range audit.Functions() {
		out = append(out, string(f))
	}
	return out
}

// Open vocabularies: another word is kept, and Check says that nothing follows from it.
func purposes() []string {
	return []string{"public_security", "loss_prevention", "access_control", "payment", "attendance", "footfall_stats", "customer_profiling",
		"marketing", "repeat_visitor", "commission_settlement", "service_quality", "epidemic", "research", "unknown"}
}
func attributes() []string {
	return []string{audit.AttrAge, audit.AttrGender, audit.AttrExpression, audit.AttrEmotion, audit.AttrComplexion, audit.AttrTemperature,
		audit.AttrAccessory, audit.AttrFeatures, audit.AttrPose}
}
func otherWaysIn() []string {
	return []string{"card", "qr", "pin", "phone", "id_card", "manual", "key", "fingerprint"}
}
func dataKinds() []string {
	return append([]string{"image", "video", "face_image", "face_template", "person_id"}, attributes()...)
}

func known(words []string, w string) bool { return slices.Contains(words, w) }
