package report_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/report"
)

// heard is an audit that only listened: to a file of an earlier day, and to an interface.
func heard() audit.Report {
	r := base()
	then := time.Date(2026, 10, 3, 19, 30, 0, 0, audit.CST())
	r.Run.Permit, r.Run.Began, r.Run.Ended = audit.PermitListen, clock(0), clock(11)
	r.Window = audit.Window{From: then, To: clock(11)}
	addDevice(&r, 1, cam{audit.KindCamera, "EXAMPLE", "IPC-F200", "Z1", [5]audit.Level{audit.Active, audit.Active, audit.Active, audit.Unknown, audit.Unknown}, []string{"age"}})
	push := audit.Observation{ID: "o-ca0000000001", Module: "isapi", Kind: "heard:push", Class: audit.ClassLive, Locus: "192.0.2.21:80", Endpoint: netip.MustParseAddrPort("192.0.2.21:0"),
		At: then, Until: then.Add(20 * time.Minute), Status: audit.OK, Evidence: []string{"capture:c1#812-820", "capture:c1#90233-90241"}, Seen: &audit.Seen{Count: 412, Up: 31_400_000, Down: 51_200}}
	r.Observations = []audit.Observation{push}
	r.Devices[0].Sources, r.Devices[0].Looked = []string{"capture", "inventory"}, nil
	for _, f := range []audit.Function{audit.Detect, audit.Capture, audit.Analyse} {
		s := r.Devices[0].Face[f]
		s.Because = []string{push.ID}
		r.Devices[0].Face[f] = s
	}
	r.Captures = []audit.Recording{
		{ID: "c2", Name: "eth1", Live: true, Packets: 48_211, From: clock(1), To: clock(11), Seconds: 600, Whole: true, Totals: audit.RecordingTotals{WireBytes: 31_000_000, Conversations: 311, Received: 48_300, Dropped: 89}},
		{ID: "c1", Name: "<b>周六</b>.pcapng", SHA256: strings.Repeat("5e", 32), Bytes: 1_204_331_008, Format: "pcapng+zstd", Packets: 1_900_412, From: then, To: then.Add(time.Hour),
			Shows: []string{"tls", "isapi"}, Totals: audit.RecordingTotals{WireBytes: 1_900_000_000, Conversations: 51_000, TCP: 1_700_000_000, Encrypted: 900_000_000, Read: 100_000_000, Holes: 12, Missing: 9_000}}}
	cover := func(target, module string, s audit.CoverageStatus, zh, en string) {
		r.Coverage = append(r.Coverage, audit.Coverage{Target: target, Module: module, Status: s, Detail: tx(zh, en)})
	}
	cover("192.0.2.21", "isapi", audit.Overheard, "听到 412 次；没有询问该设备", "overheard 412 times; the device was not asked")
	cover("192.0.2.22", "inventory", audit.NotObserved, "没有听到清单所列的这台设备；这不说明它不在", "listed in the inventory and not heard; that does not show that it is not there")
	cover("eth1", "capture", audit.Partial, "系统收到的 48300 个帧中有 89 个（0.2 %）没来得及取走，已丢失", "of 48300 frames the system received, 89 (0.2 %) were lost because nobody took them in time")
	return r
}

// TestListened: a report of what was only overheard says so first, never calls anything clean, and says how to check it without
// having the packets.
func TestListened(t *testing.T) {
	r := heard()
	v := report.Build(r)
	if clean, _ := v.Clean(); clean {
		t.Error("it is clean")
	}
	if !strings.Contains(v.Lead.EN, "overheard") || !strings.Contains(v.Lead.ZH, "听不到的不等于没有") {
		t.Errorf("%+v", v.Lead)
	}
	for _, lang := range []string{"zh", "en"} {
		for format, wants := range map[string][]string{
			"text": {r.Captures[1].SHA256, "sha256sum", "tcpdump", "1900412", "48211"},
			"html": {r.Captures[1].SHA256, "sha256sum", "capture:c1#812-820", "31.4 MB", "412", "&lt;b&gt;"}} {
			page := string(render(t, format, heard(), report.Options{Lang: lang}))
			for _, w := range wants {
				if !strings.Contains(strings.ReplaceAll(page, "\n  ", ""), w) {
					t.Errorf("%s in %s does not say %q", format, lang, w)
				}
			}
		}
	}
	b, err := report.JSON(r)
	if err != nil {
		t.Fatal(err)
	}
	if c := strings.Index(string(b), `"id": "c1"`); c < 0 || c > strings.Index(string(b), `"id": "c2"`) {
		t.Error("captures are not in the order of their ids")
	}
	if quiet, err := report.JSON(shop()); err != nil || strings.Contains(string(quiet), `"captures"`) {
		t.Errorf("a run that listened to nothing speaks of captures (%v)", err)
	}
}
