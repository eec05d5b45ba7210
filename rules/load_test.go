package rules

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

// source gives the builtin pack's files for tests to spoil.
func source(t testing.TB) map[string]string {
	out := map[string]string{}
	for name, b := range supreme(t).Files() {
		out[name] = string(b)
	}
	return out
}

func asFS(dir string, files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, s := range files {
		m[dir+"/"+name] = &fstest.MapFile{Data: []byte(s)}
	}
	return m
}

func TestFilesLoadBack(t *testing.T) {
	p := supreme(t)
	q, err := Load(asFS("data/packs/SPC-2021-15", source(t)), "data/packs/SPC-2021-15")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p.Ref(), q.Ref()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(p.Rules(), q.Rules()); d != "" {
		t.Error(d)
	}
}

func TestLoadRefuses(t *testing.T) {
	cases := []struct{ name, file, old, new, want string }{
		{"unknown field", "rules/2.1.yaml", "severity: high", "severty: high", `unknown field "severty"`},
		{"its line", "rules/2.1.yaml", "severity: high", "severty: high", "rules/2.1.yaml: [8:"},
		{"duplicate key", "rules/2.1.yaml", "severity: high", "severity: high\nseverity: low", "already defined"},
		{"alias", "rules/0.1.yaml", "remediation: {zh: 无需处理。", "remediation: &a {zh: 无需处理。", "anchors"},
		{"not yaml", "rules/0.1.yaml", "scope: site", "scope: [site", "rules/0.1.yaml"},
		{"language missing", "rules/2.2.yaml", "title: {zh: 公开处理规则并明示目的、方式、范围, en:", "title: {zh: 公开处理规则并明示目的、方式、范围, EN:", "EN"},
		{"language empty", "rules/0.1.yaml", `remediation: {zh: 无需处理。, en: "Nothing to do."}`, `remediation: {zh: 无需处理。, en: ""}`, "remediation: both zh and en"},
		{"misspelt fact", "rules/2.2.yaml", "if: device.processing && notice_breach", "if: device.procesing && notice_breach", "device"},
		{"misspelt condition", "rules/2.2.yaml", "if: device.processing && notice_breach", "if: device.processing && notice_breech", "notice_breech"},
		{"wrong type", "rules/2.2.yaml", "if: device.processing && notice_breach", "if: device.processing == 'yes'", "no matching overload"},
		{"unknown placeholder", "rules/2.2.yaml", "公示{notice}{quoted}未见{elements}", "公示{notise}未见{elements}", "{notise}"},
		{"severity", "rules/2.1.yaml", "severity: high", "severity: severe", `severity "severe"`},
		{"scope", "rules/2.1.yaml", "scope: device", "scope: camera", `scope "camera"`},
		{"burden", "rules/2.2.yaml", "burden: {default: processor}", "burden: {default: operator}", "burden.default"},
		{"outcome", "rules/2.2.yaml", "outcomes: [suspected,", "outcomes: [illegal,", `"illegal"`},
		{"id", "rules/2.2.yaml", `id: "2.2"`, `id: "2.3"`, `want "2.2"`},
		{"gap of no list", "rules/2.2.yaml", "list: notice.absent", "list: notice.state", "not a list"},
		{"modifier", "rules/2.1.yaml", "    by: 1", "    by: 9", "modifiers[1]"},
		{"listed twice", "pack.yaml", `rules: ["0.1",`, `rules: ["0.1", "0.1",`, "listed twice"},
		{"not listed", "pack.yaml", `"5", "6"]`, `"5"]`, "rules/6.yaml: not listed"},
		{"no such file", "pack.yaml", `"5", "6"]`, `"5", "6", "7"]`, "rules/7.yaml"},
		{"day", "pack.yaml", `effective_from: "2021-08-01"`, `effective_from: August`, "not a day"},
		{"type of a fact", "pack.yaml", "site.minors: bool", "site.minors: boolean", `"boolean"`},
		{"fact of ours", "pack.yaml", "site.minors: bool", "device.processing: bool", "stated by the rules"},
		{"condition below", "pack.yaml", "if: no_notice || lacks_elements", "if: no_notice || notice_ok", "further down"},
		{"condition taken", "pack.yaml", "name: no_notice", "name: recognises", "taken"},
		{"version", "pack.yaml", "version: 1.3.0", "version: latest", "version"},
		{"test of no rule", "tests/5.yaml", `rule: "5"`, `rule: "55"`, "not in the pack"},
		{"test with another fact", "tests/5.yaml", `exemption.item: "2"`, "exemption.itme: x", "exemption.itme"},
		{"test with another type", "tests/5.yaml", `exemption.item: "2"`, "exemption.item: 2", "no string"},
		{"test without a time", "tests/6.yaml", `at: "2022-03-10", given: {finding.open: 0}`, `given: {finding.open: 0}`, "at is missing"},
		{"stray file", "README.md", "", "hello", "holds pack.yaml"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			files := maps.Clone(source(t))
			if c.old != "" && !strings.Contains(files[c.file], c.old) {
				t.Fatalf("%s does not have %q", c.file, c.old)
			}
			if c.old == "" {
				files[c.file] = c.new
			} else {
				files[c.file] = strings.Replace(files[c.file], c.old, c.new, 1)
			}
			_, err := Load(asFS("p", files), "p")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// small is the least pack that loads: one rule and its cases.
var small = map[string]string{
	"pack.yaml": `kind: RulePack
id: SMALL
version: 1.1.0
title: {zh: 小, en: small}
issuer: {zh: 某, en: someone}
legal_force: {zh: 无, en: none}
effective_from: "2021-08-01"
jurisdiction: [CN]
text_status: memory
source: a test
uses: {site.minors: bool}
define:
  - {name: children, if: site.minors, text: {zh: 有未成年人, en: children are there}}
rules: [a]
`,
	"rules/a.yaml": `id: a
scope: device
title: {zh: 题, en: title}
provision: {zh: 条, en: article}
quote: {zh: 文, en: text}
severity: low
modifiers: [{if: children, by: 1, text: {zh: 加, en: more}}]
burden: {default: mixed, facts: {gap: processor}}
applies: {if: "true", text: {zh: 总是, en: always}}
suspected: {if: device.processing, text: {zh: 处理, en: processes}}
conforms: {if: "!device.processing", text: {zh: 不处理, en: does not}}
facts: [{for: [suspected], zh: "{device}", en: "{device}"}]
gaps: [{list: gap.method, prefix: "m:"}]
remediation: {zh: 改, en: mend}
outcomes: [suspected, conforms]
`,
	"tests/a.yaml": `rule: a
cases:
  - {name: on, at: "2022-01-01", given: {device.processing: true}, want: suspected}
  - {name: off, at: "2022-01-01", given: {device.processing: false}, want: conforms}
`,
}

func TestSmallPack(t *testing.T) {
	p, err := Load(asFS("p", small), "p")
	if err != nil {
		t.Fatal(err)
	}
	results, err := p.Test()
	if err != nil || len(results) != 2 || !results[0].OK || !results[1].OK {
		t.Errorf("%v %v", results, err)
	}
	fewer := maps.Clone(small)
	fewer["tests/a.yaml"] = strings.Replace(small["tests/a.yaml"], "want: conforms", "want: suspected", 1)
	if p, err = Load(asFS("p", fewer), "p"); err != nil {
		t.Fatal(err)
	}
	results, err = p.Test()
	if err != nil || len(results) != 3 || results[1].OK || results[2].Problem != "no case wants conforms" {
		t.Errorf("a case that fails and an outcome without one: %+v %v", results, err)
	}
}

// TestRuleDates: a rule may come into force later than its pack and cease earlier.
func TestRuleDates(t *testing.T) {
	files := maps.Clone(small)
	files["rules/a.yaml"] += "effective_from: \"2022-06-01\"\neffective_to: \"2022-12-31\"\n"
	files["rules/a.yaml"] = strings.Replace(files["rules/a.yaml"], "[suspected, conforms]", "[suspected, conforms, undetermined, not-applicable]", 1)
	p, err := Load(asFS("p", files), "p")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]audit.Outcome{"2022-05-31T23:59:59+08:00": audit.NotApplicable, "2022-06-01T00:00:00+08:00": audit.Suspected,
		"2022-12-31T23:59:59+08:00": audit.Suspected, "2023-01-01T00:00:00+08:00": audit.NotApplicable} {
		in := shop()
		analysing(&in)
		m, _ := audit.ParseMoment(at)
		in.Window = audit.Window{From: m.T, To: m.T}
		j, err := Judge([]*Pack{p}, in)
		if err != nil {
			t.Fatal(err)
		}
		if got := j.Findings[0].Outcome; got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}

// FuzzLoad: no file makes the loader panic, and the cases of what it loads can be run or say why not.
func FuzzLoad(f *testing.F) {
	for name, text := range small {
		f.Add(name, text)
	}
	f.Add("pack.yaml", "kind: RulePack\nid: &a [*a]\n")
	f.Add("rules/a.yaml", "id: a\napplies: {if: 'true'}\n")
	f.Add("rules/a.yaml", "- - - -\n? : {[\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		if _, ok := small[name]; !ok {
			name = "rules/a.yaml"
		}
		spoilt := maps.Clone(small)
		spoilt[name] = text
		p, err := Load(asFS("p", spoilt), "p")
		if err != nil {
			return
		}
		if _, err := p.Test(); err != nil && err.Error() == "" {
			t.Error("an error that says nothing")
		}
	})
}
