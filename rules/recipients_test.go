package rules

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

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
		{"one outside or one inside, nobody says which", []string{crm, till}, nil, true, []string{"crm.example"}, notice.Unknown},
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

const sent = "face-call https://push.cloud.example:443"

// sends lets the camera identify people and send results about faces to these receivers, on a day Order 19 is in force.
func sends(receivers ...string) func(*Input) {
	return func(in *Input) {
		in.Window = audit.Window{From: day2026, To: day2026.Add(time.Hour)}
		say(in, cam, "o-live", audit.ClassLive, "face.identify.active", true, "face.live.messages", 5, "face.live.seconds", 60)
		say(in, cam, "o-out", audit.ClassOutbound, factHosts, receivers, factHostsFace, true)
		say(in, cam, "o-inv", audit.ClassDeclaration, factPurposes, []string{"footfall_stats"})
	}
}

var day2026 = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)

func moment(t *testing.T, s string) audit.Moment {
	t.Helper()
	m, err := audit.ParseMoment(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRegisterOfRecipients holds rule 2.6 to what the site file says of who receives.
func TestRegisterOfRecipients(t *testing.T) {
	const s, u, c = audit.Suspected, audit.Undetermined, audit.Conforms
	since := moment(t, "2025-03-01")
	contract := func(digest string) *audit.Contract {
		return &audit.Contract{Signed: since, Document: &audit.File{File: "c.pdf", SHA256: digest}, Purposes: []string{"footfall_stats"}}
	}
	entrusted := audit.Recipient{ID: "R-1", DeclaredBy: "inspector", Hosts: []string{"*.cloud.example"}, Name: "某某云", Capacity: audit.Entrusted,
		Contract: contract(""), Cameras: []string{"*"}, Since: since}
	other := audit.Recipient{ID: "R-2", DeclaredBy: "operator", Hosts: []string{"crm.example"}, Name: "某某数据", Capacity: audit.OtherProcessor, Cameras: []string{"CAM-01"}, Since: since}
	with := func(r audit.Recipient, change func(*audit.Recipient)) audit.Recipient {
		if r.Contract != nil {
			k := *r.Contract
			r.Contract = &k
		}
		change(&r)
		return r
	}
	bundled := func(in *Input) { in.Site.Consents = []audit.Consent{{Separate: ptr(false)}} }
	gate := func(in *Input) {
		drop(in, factPassive)
		say(in, cam, "o-inv", audit.ClassDeclaration, factPassive, false)
		in.Site.Consents = []audit.Consent{{Purpose: "footfall_stats", Separate: ptr(true), Bundled: ptr(false), Conditional: ptr(false), Form: &audit.File{File: "f.pdf", SHA256: "00"}}}
	}
	names := func(who ...string) func(*Input) {
		return func(in *Input) { post(in, audit.Notice{Text: goodText, Scope: audit.NoticeScope{Recipients: who}}) }
	}
	both := []string{sent, "push https://crm.example"}
	for _, x := range []struct {
		name    string
		to      []string
		entries []audit.Recipient
		build   []func(*Input)
		want    audit.Outcome
		missing []string // exactly, where the outcome leaves something open
		says    string
	}{
		{"no register", []string{sent}, nil, nil, u, []string{"recipient.entrusted", "recipient.other"}, "push.cloud.example"},
		{"a contract the inspector saw", []string{sent}, []audit.Recipient{entrusted}, nil, c, nil, "push.cloud.example（登记为某某云）"},
		{"the domain itself", []string{"face-call https://cloud.example"}, []audit.Recipient{entrusted}, nil, c, nil, ""},
		{"a name that only ends alike", []string{"face-call https://evilcloud.example"}, []audit.Recipient{entrusted}, nil, u, []string{"recipient.entrusted", "recipient.other"}, ""},
		{"a host below an exact name", []string{"face-call https://a.crm.example"}, []audit.Recipient{other}, nil, u, []string{"recipient.entrusted", "recipient.other"}, ""},
		{"an address, written another way", []string{"face-call http://[2001:db8::1]:80"}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.Hosts = []string{"2001:DB8:0::1"} })}, nil, c, nil, ""},
		{"the operator's word", []string{sent}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.DeclaredBy = "operator" })}, nil, u, []string{"recipient.entrusted"}, ""},
		{"the operator's word and the document", []string{sent}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.DeclaredBy, r.Contract = "operator", contract("00") })}, nil, c, nil, ""},
		{"entrusted without a contract", []string{sent}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.Contract = nil })}, nil, u, []string{"recipient.entrusted"}, ""},
		{"signed after the observation", []string{sent}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.Contract.Signed = moment(t, "2026-03-11") })}, nil, u, []string{"recipient.entrusted"}, ""},
		{"a contract for something else", []string{sent}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.Contract.Purposes = []string{"access_control"} })}, nil, u, []string{"recipient.entrusted"}, ""},
		{"a contract that states no purpose", []string{sent}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.Contract.Purposes = nil })}, nil, u, []string{"recipient.entrusted"}, ""},
		{"nobody says what the camera is for", []string{sent}, []audit.Recipient{entrusted}, []func(*Input){func(in *Input) { drop(in, factPurposes) }}, u, []string{factPurposes}, ""},
		{"an entry that has ended", []string{sent}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.Until = moment(t, "2026-03-09") })}, nil, u, []string{"recipient.entrusted", "recipient.other"}, ""},
		{"an entry that begins later", []string{sent}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.Since = moment(t, "2026-03-11") })}, nil, u, []string{"recipient.entrusted", "recipient.other"}, ""},
		{"an entry about another camera", []string{sent}, []audit.Recipient{with(entrusted, func(r *audit.Recipient) { r.Cameras = []string{"CAM-02"} })}, nil, u, []string{"recipient.entrusted", "recipient.other"}, ""},
		{"two entries that differ", []string{sent}, []audit.Recipient{entrusted, with(entrusted, func(r *audit.Recipient) { r.ID, r.Capacity = "R-3", audit.OtherProcessor })}, nil, u, []string{"recipient.entrusted", "recipient.other"}, ""},
		{"another processor, nobody told, no consent", both[1:], []audit.Recipient{other}, []func(*Input){bundled}, s, nil, "crm.example（登记为某某数据）"},
		{"another processor, nobody told, consent not recorded", both[1:], []audit.Recipient{other}, nil, u, []string{"gap.recipient"}, "另一个个人信息处理者"},
		{"one entrusted, one another processor", both, []audit.Recipient{entrusted, other}, []func(*Input){bundled}, s, nil, "其中crm.example（登记为某某数据）的身份"},
		{"one entrusted, one nobody knows", both, []audit.Recipient{entrusted}, []func(*Input){bundled}, u, []string{"recipient.entrusted", "recipient.other"}, ""},
		{"one another processor, one nobody knows", both, []audit.Recipient{other}, []func(*Input){bundled}, u, []string{"recipient.entrusted", "recipient.other"}, ""},
		{"a notice that names the other by its company", both[1:], []audit.Recipient{with(other, func(r *audit.Recipient) { r.DeclaredBy = "inspector" })}, []func(*Input){names("某某数据有限公司"), gate}, c, nil, ""},
		{"named, but only the operator says whose host it is", both[1:], []audit.Recipient{other}, []func(*Input){names("某某数据有限公司"), gate}, u, []string{"gap.recipient"}, ""},
		{"the notice names somebody else", both[1:], []audit.Recipient{with(other, func(r *audit.Recipient) { r.DeclaredBy = "inspector" })}, []func(*Input){names("别家公司"), bundled}, s, nil, ""},
		{"the notice names the entrusted one alone", both, []audit.Recipient{entrusted, with(other, func(r *audit.Recipient) { r.DeclaredBy = "inspector" })}, []func(*Input){names("某某云"), bundled}, s, nil, ""},
		{"the notice names the other one alone", both, []audit.Recipient{entrusted, with(other, func(r *audit.Recipient) { r.DeclaredBy = "inspector" })}, []func(*Input){names("某某数据"), gate}, c, nil, ""},
	} {
		in := shop()
		sends(x.to...)(&in)
		if len(x.to) > 1 { // it is said of each that it gets faces
			say(&in, cam, "o-out", audit.ClassOutbound, factFaceHosts, x.to)
		}
		for _, b := range x.build {
			b(&in)
		}
		in.Site.Recipients = x.entries
		f := find(t, judge(t, in), "2.6")
		f.Missing = slices.DeleteFunc(f.Missing, func(m string) bool { return m == "consent.separate" }) // open wherever it is not recorded
		if f.Outcome != x.want || x.want == u && !slices.Equal(f.Missing, slices.Sorted(slices.Values(x.missing))) || !strings.Contains(f.Message.ZH, x.says) {
			t.Errorf("%s: %s, want %s; missing %v, want %v\n%s", x.name, f.Outcome, x.want, f.Missing, x.missing, f.Message.ZH)
		}
		if x.want == s && slices.Contains(f.Gaps, "recipient:push.cloud.example") {
			t.Errorf("%s: who is entrusted is among those no notice names: %v", x.name, f.Gaps)
		}
	}
}

// TestEither: where faces go to one of two receivers and nobody said which, nothing is said of the one that holds for the other only.
func TestEither(t *testing.T) {
	in := shop()
	sends(sent, "push https://crm.example")(&in)
	since := moment(t, "2025-03-01")
	in.Site.Consents = []audit.Consent{{Separate: ptr(false)}}
	in.Site.Recipients = []audit.Recipient{
		{ID: "R-1", DeclaredBy: "inspector", Hosts: []string{"*.cloud.example"}, Name: "某某云", Capacity: audit.Entrusted, Cameras: []string{"*"}, Since: since,
			Contract: &audit.Contract{Signed: since, Purposes: []string{"footfall_stats"}}},
		{ID: "R-2", DeclaredBy: "inspector", Hosts: []string{"crm.example"}, Name: "某某数据", Capacity: audit.OtherProcessor, Cameras: []string{"*"}, Since: since}}
	if f := find(t, judge(t, in), "2.6"); f.Outcome != audit.Undetermined || !slices.Equal(f.Missing, []string{factFaceHosts}) {
		t.Errorf("%s, missing %v", f.Outcome, f.Missing)
	}
}

// TestStoredOnDevice holds rule 8 of Order 19 to what was seen to leave, and to what was looked at where nothing was.
func TestStoredOnDevice(t *testing.T) {
	const s, u, c, n = audit.Suspected, audit.Undetermined, audit.Conforms, audit.NotApplicable
	bundled := func(in *Input) { in.Site.Consents = []audit.Consent{{Separate: ptr(false)}} }
	attested := func(in *Input) {
		say(in, shopSite, "o-server", audit.ClassDeclaration, factAttested, true, factServerFaces, false, factServerStores, false)
	}
	looked := func(status audit.Status, full bool) func(*Input) {
		return func(in *Input) {
			in.Devices[0].Loci = []string{"l-1"}
			l := audit.Looked{Function: audit.Capture, Asked: []audit.Question{{Module: "x", Request: "GET /push", Login: true}}}
			if !full {
				l.Refused = []audit.Question{{Module: "x", Request: "GET /faces"}}
			}
			in.Devices[0].Looked = []audit.Looked{l}
			in.Observations = append(in.Observations, audit.Observation{ID: "o-push", Module: "x", Kind: "push", Class: audit.ClassOutbound, Locus: "l-1", Status: status, Auth: "digest"})
		}
	}
	// identifies: the camera identifies people; nobody knows where results go.
	identifies := func(in *Input) {
		sends()(in)
		drop(in, factHosts, factHostsFace)
	}
	attributes := func(in *Input) {
		analysing(in)
		in.Window = audit.Window{From: day2026, To: day2026}
		say(in, cam, "o-out", audit.ClassOutbound, factHosts, []string{sent}, factHostsFace, true)
	}
	terminal := func(in *Input) {
		attributes(in)
		in.Devices[0].Kind = audit.KindTerminal
		say(in, cam, "o-conf", audit.ClassConfig, "face.verify.configured", true)
	}
	research := func(class audit.Class) func(*Input) {
		return func(in *Input) {
			drop(in, factPurposes)
			say(in, cam, "o-decl", class, factPurposes, []string{"research"})
		}
	}
	for _, x := range []struct {
		name  string
		build []func(*Input)
		want  audit.Outcome
		lacks string // among what is missing
		says  string
	}{
		{"to a cloud", []func(*Input){sends(sent), bundled}, s, "", "互联网上的push.cloud.example"},
		{"to an address on the Internet", []func(*Input){sends("push http://203.0.113.5:80"), bundled}, s, "", "203.0.113.5"},
		{"to a private address outside the perimeter", []func(*Input){sends("push http://10.9.8.7:80"), bundled}, u, factOnDevice, "本地的10.9.8.7"},
		{"to a server inside", []func(*Input){sends("push http://192.0.2.9:80"), bundled}, u, factOnDevice, "本地的192.0.2.9"},
		{"to a server inside, whatever is attested", []func(*Input){sends("push http://192.0.2.9:80"), bundled, attested, looked(audit.OK, true)}, u, factOnDevice, "没有明确"},
		{"to a name without a domain", []func(*Input){sends("push http://nvr:80"), bundled}, u, factInternet, ""},
		{"to the maker's cloud, which has no name", []func(*Input){sends("cloud ezviz://unnamed"), bundled}, u, factInternet, ""},
		{"consent not recorded", []func(*Input){sends(sent)}, u, "consent.separate", "互联网上的push.cloud.example"},
		{"the same in 2022", []func(*Input){sends(sent), bundled, func(in *Input) { in.Window = audit.Window{From: noon, To: noon} }}, n, "", "2025-06-01"},
		{"attributes only", []func(*Input){attributes, bundled}, u, factIdentifies, "互联网上的push.cloud.example"},
		{"a terminal set to verify", []func(*Input){terminal, bundled}, s, "", ""},
		{"research, says the operator", []func(*Input){sends(sent), bundled, research(audit.ClassDeclaration)}, u, factResearch, ""},
		{"research, seen by an inspector", []func(*Input){sends(sent), bundled, research(audit.ClassInspection)}, n, "", ""},
		{"attested, push settings read, nothing there", []func(*Input){identifies, attested, looked(audit.OK, true)}, c, "", ""},
		{"attested and not read", []func(*Input){identifies, attested}, u, factHosts, ""},
		{"attested, and the question was refused", []func(*Input){identifies, attested, looked(audit.Refused, true)}, u, factRead, ""},
		{"attested, and not all of the maker's interface was read", []func(*Input){identifies, attested, looked(audit.OK, false)}, u, factRead, ""},
		{"read and not attested", []func(*Input){identifies, looked(audit.OK, true)}, u, factAttested, ""},
		{"a library on a server", []func(*Input){identifies, looked(audit.OK, true), func(in *Input) {
			say(in, shopSite, "o-server", audit.ClassDeclaration, factAttested, true, factServerFaces, true, factServerStores, true)
		}}, u, factOnDevice, "设备以外保存人脸信息"},
		{"attested and read, and it talks to a cloud", []func(*Input){identifies, attested, looked(audit.OK, true), func(in *Input) {
			say(in, cam, "o-seen", audit.ClassOutbound, factSeen, []string{"in-use ezvizlife.com"})
		}}, u, factHostsFace, ""},
	} {
		in := shop()
		for _, b := range x.build {
			b(&in)
		}
		f := find(t, judge(t, in), "CN-FRT19/8")
		if f.Outcome != x.want || x.lacks != "" && !slices.Contains(f.Missing, x.lacks) || !strings.Contains(f.Message.ZH, x.says) {
			t.Errorf("%s: %s, want %s; missing %v, want %s\n%s", x.name, f.Outcome, x.want, f.Missing, x.lacks, f.Message.ZH)
		}
	}
	if r := orderNineteen(t).Rules()[0]; r.TextStatus != "secondary" || !strings.Contains(r.Source, "no official copy") {
		t.Errorf("the article is shown as %s (%s); no official copy was read", r.TextStatus, r.Source)
	}
}

func orderNineteen(t *testing.T) *Pack {
	t.Helper()
	for _, p := range builtinPacks(t) {
		if p.ID() == "CN-FRT19" {
			return p
		}
	}
	t.Fatal("no pack CN-FRT19")
	return nil
}

// TestLack: what one fact lacks is not changed by naming it for another.
func TestLack(t *testing.T) {
	f := facts{}
	roots := []string{"b", "a", "b", "a"}
	f.lack("x", roots...)
	f.lack("y", roots...)
	for _, n := range []string{"x", "y"} {
		if s := f[n]; !slices.Equal(s.roots, []string{"a", "b"}) || !slices.Equal(s.deps, s.roots) {
			t.Errorf("%s: %q %q", n, s.roots, s.deps)
		}
	}
}
