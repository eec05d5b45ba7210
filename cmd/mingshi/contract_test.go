package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/site"
)

// The contract of the command line: what can be relied on by who scripts it, and what a person reads. Nothing here needs a
// network or a scan; commands that send something are held in e2e_test.go and permit_test.go.

// TestHelpSpeaksOneLanguage: every command explains itself in the language asked for, and nothing of the library's own
// English is left in the Chinese help.
func TestHelpSpeaksOneLanguage(t *testing.T) {
	var each func(c *cobra.Command, path []string)
	each = func(c *cobra.Command, path []string) {
		for _, lang := range []string{"zh", "en"} {
			for _, args := range [][]string{append(append([]string{}, path...), "--help"), append([]string{"help"}, path...)} {
				r := mingshi(t.Context(), nil, append(args, "--lang", lang)...)
				if r.code != exitDone || r.err != "" {
					t.Errorf("%v: exit %d, %s", args, r.code, r.err)
				}
				chinese := strings.ContainsFunc(r.out, func(c rune) bool { return unicode.Is(unicode.Han, c) })
				if chinese != (lang == "zh") {
					t.Errorf("%v in %s:\n%s", args, lang, r.out)
				}
				for _, bad := range []string{"[flags]", "[command]", "Usage", "Available", "Global", "(default", "string", "duration", "more information", "help for"} {
					if lang == "zh" && strings.Contains(r.out, bad) {
						t.Errorf("%v has %q:\n%s", args, bad, r.out)
					}
				}
			}
		}
		for _, s := range c.Commands() {
			if s.Name() != "help" {
				each(s, append(append([]string{}, path...), s.Name()))
			}
		}
	}
	a := &app{lang: "en", result: &output{w: io.Discard}}
	each(a.root(), nil)
	if r := mingshi(t.Context(), nil, "--lang", "zh"); r.code != exitDone || !strings.Contains(r.out, "退出码") {
		t.Errorf("alone: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := mingshi(t.Context(), nil, "--version"); r.code != exitDone || !strings.HasPrefix(r.out, "mingshi "+release) {
		t.Errorf("--version: exit %d: %s", r.code, r.out)
	}
}

// TestRefusedCommandLines: a mistake costs exit code 2, nothing on stdout, and one sentence in one language that names it.
func TestRefusedCommandLines(t *testing.T) {
	folder, missing := t.TempDir(), filepath.Join(t.TempDir(), "missing")
	file := filepath.Join(t.TempDir(), "site.yaml")
	writeFile(t, file, siteYAML("127.0.0.0/8", "query", "", nil))
	for _, c := range []struct {
		args   string
		zh, en string
	}{
		{"attack", "没有命令“attack”", "attack"},
		{"demmo", "mingshi demo", "mingshi demo"},
		{"site foo", "没有命令“foo”", "foo"},
		{"rules lst", "mingshi rules list", "mingshi rules list"},
		{"help foo", "foo", "foo"},
		{"completion", "completion", "completion"},
		{"scan --exploit", "没有选项 --exploit", "--exploit"},
		{"scan -z", "没有选项 -z", "-z"},
		{"scan --site", "缺少值", "needs a value"},
		{"scan --discover-for abc", "时长", "time"},
		{"scan --discover-for=-5s", "-5s", "-5s"},
		{"scan --events-for=48h", "48h", "48h"},
		{"scan --strict=maybe", "true", "true"},
		{"scan", "site init", "site init"},
		{"scan --site " + missing, "不存在", "does not exist"},
		{"scan --site " + folder, "文件夹", "folder"},
		{"scan --site " + file + " --permit everything", "everything", "everything"},
		{"scan --site " + file + " --permit login", "authority.permit", "authority.permit"},
		{"scan --site " + file + " --iface no-such-interface", "no-such-interface", "no-such-interface"},
		{"scan --site " + file + " -o " + filepath.Dir(file), "-o", "-o"},
		{"scan --site " + file + " --json", "--plan", "--plan"},
		{"scan --plan", "mingshi scan", "mingshi scan"},
		{"scan --plan --site " + file + " --permit login", "authority.permit", "authority.permit"},
		{"scan --plan --site " + file + " --iface no-such-interface", "no-such-interface", "no-such-interface"},
		{"discover", "mingshi discover", "mingshi discover"},
		{"discover extra", "多出参数", "too many"},
		{"discover --site " + missing, "不存在", "does not exist"},
		{"discover --site " + file + " --permit login", "从不登录", "never logs in"},
		{"discover --site " + file + " --permit sample", "mingshi scan", "mingshi scan"},
		{"discover --site " + file + " --permit everything", "everything", "everything"},
		{"discover --site " + file + " --ports 80,http", "http", "http"},
		{"discover --site " + file + " --ports 0", "65535", "65535"},
		{"discover --site " + file + " --for=-1s", "-1s", "-1s"},
		{"discover --site " + file + " --iface no-such-interface", "no-such-interface", "no-such-interface"},
		{"discover --list --watch", "--watch", "--watch"},
		{"discover --list --site " + missing, "不存在", "does not exist"},
		{"demo extra", "多出参数", "too many"},
		{"demo --format pdf", "html, json, text", "html, json, text"},
		{"demo --fail-on info", "critical", "critical"},
		{"demo --fail-on", "缺少值", "needs a value"},
		{"demo --lang fr", "fr", "fr"},
		{"judge", "mingshi judge", "mingshi judge"},
		{"judge a b", "多出参数“b”", "too many"},
		{"judge " + missing, "不存在", "does not exist"},
		{"judge " + folder, "bagit.txt", "bagit.txt"},
		{"verify " + file, "bagit.txt", "bagit.txt"},
		{"report " + folder + " --format pdf", "html, json, text", "html, json, text"},
		{"explain " + folder + " x", "bagit.txt", "bagit.txt"},
		{"explain " + folder, "缺少参数", "missing"},
		{"rules show", "缺少参数", "missing"},
		{"rules show 99.9", "rules list", "rules list"},
		{"rules test a b", "多出参数", "too many"},
		{"rules test " + missing, "规则包", "pack"},
		{"site check", "缺少参数", "missing"},
		{"site check " + missing, "不存在", "does not exist"},
		{"site init --venue disco", "mall", "mall"},
		{"site init -o " + file, "已经存在", "exists already"},
	} {
		for _, lang := range []string{"zh", "en"} {
			args := strings.Fields(c.args)
			if !strings.Contains(c.args, "--lang") {
				args = append([]string{"--lang", lang}, args...)
			} else if lang == "zh" {
				continue
			}
			r := mingshi(t.Context(), nil, args...)
			want := c.en
			if lang == "zh" {
				want = c.zh
			}
			if r.code != exitNotAllowed || r.out != "" || !strings.Contains(r.err, want) {
				t.Errorf("%s (%s): exit %d, stdout %q, does not say %q: %s", c.args, lang, r.code, r.out, want, r.err)
			}
			if chinese := strings.ContainsFunc(r.err, func(c rune) bool { return unicode.Is(unicode.Han, c) }); chinese != (lang == "zh") {
				t.Errorf("%s is not in %s: %s", c.args, lang, r.err)
			}
			for _, bad := range []string{"unknown", "invalid argument", "strconv", "no such file", "is a directory", "statat", "accepts "} {
				if strings.Contains(r.err, bad) {
					t.Errorf("%s (%s) speaks of %q: %s", c.args, lang, bad, r.err)
				}
			}
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		args []string
		zh   bool
	}{
		{nil, nil, false},
		{map[string]string{"LANG": "zh_CN.UTF-8"}, nil, true},
		{map[string]string{"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, nil, false},
		{map[string]string{"LC_ALL": "en_GB.UTF-8", "MINGSHI_LANG": "zh"}, nil, true},
		{map[string]string{"LANG": "zh_CN.UTF-8"}, []string{"--lang", "en"}, false},
		{nil, []string{"--lang=zh-CN"}, true},
	} {
		r := mingshi(t.Context(), c.env, append([]string{"rules", "list"}, c.args...)...)
		if r.code != exitDone || strings.Contains(r.out, "编号") != c.zh {
			t.Errorf("%v %v: exit %d\n%.300s%s", c.env, c.args, r.code, r.out, r.err)
		}
	}
}

func TestRules(t *testing.T) {
	if r := mingshi(t.Context(), nil, "rules", "list", "--json"); r.code != exitDone || !strings.HasPrefix(r.out, "[\n") || !strings.Contains(r.out, `"SPC-2021-15/2.2"`) {
		t.Errorf("list: exit %d\n%.300s", r.code, r.out)
	}
	whole := mingshi(t.Context(), nil, "rules", "show", "SPC-2021-15/2.2")
	for _, name := range []string{"2.2", "spc-2021-15/2.2"} {
		if r := mingshi(t.Context(), nil, "rules", "show", name); r.code != exitDone || r.out != whole.out || !strings.Contains(r.out, "SPC-2021-15/2.2") {
			t.Errorf("show %s: exit %d\n%s%s", name, r.code, r.out, r.err)
		}
	}
	if r := mingshi(t.Context(), nil, "rules", "show", "covert"); r.code != exitDone || !strings.Contains(r.out, "SPC-2021-15/COVERT") {
		t.Errorf("show covert: exit %d\n%s", r.code, r.err)
	}
	if r := mingshi(t.Context(), nil, "rules", "test"); r.code != exitDone {
		t.Errorf("test: exit %d\n%s", r.code, r.out)
	}
}

// TestTemplates: what site init writes for every kind of venue can be checked, and not be scanned before it is filled in.
func TestTemplates(t *testing.T) {
	for _, v := range site.Venues() {
		for _, lang := range []string{"zh", "en"} {
			dir := t.TempDir()
			name, out := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "bundle")
			if r := mingshi(t.Context(), nil, "--lang", lang, "site", "init", "--venue", v.Token, "-o", name); r.code != exitDone || r.out != "" {
				t.Fatalf("%s: exit %d %s%s", v.Token, r.code, r.out, r.err)
			}
			check := mingshi(t.Context(), nil, "--lang", lang, "site", "check", name)
			must := map[string]string{"zh": "[必须]", "en": "[must]"}[lang]
			if check.code != exitDone || !strings.Contains(check.out, must) || !strings.Contains(check.out, "SPC-2021-15/COVERT") {
				t.Errorf("%s: check: exit %d\n%s%s", v.Token, check.code, check.out, check.err)
			}
			r := mingshi(t.Context(), nil, "--lang", lang, "scan", "--site", name, "-o", out)
			if _, err := os.Stat(out); r.code != exitNotAllowed || !strings.Contains(r.err, "authority.granted_by.name") || err == nil {
				t.Errorf("%s: scan of a template: exit %d %s", v.Token, r.code, r.err)
			}
			file, _, err := readSite(name)
			if err != nil {
				t.Fatal(err)
			}
			// A template must not state what nobody saw.
			if s := file.Survey; s.Complete || len(s.Walked.Zones)+len(s.Walked.Entrances)+len(s.NotWalked) > 0 || len(file.Gates)+len(file.Notices)+len(file.Consents)+len(file.Exemptions) > 0 {
				t.Errorf("%s: the template records what nobody saw", v.Token)
			}
			for _, e := range file.Inventory {
				if len(e.Purposes) > 0 {
					t.Errorf("%s: the template declares a purpose for %s", v.Token, e.ID)
				}
			}
		}
	}
}

// TestVerdict is the table of exit codes.
func TestVerdict(t *testing.T) {
	finding := func(o audit.Outcome, s audit.Severity) audit.Finding { return audit.Finding{Outcome: o, Severity: s} }
	both := []audit.Finding{finding(audit.Undetermined, audit.Critical), finding(audit.Suspected, audit.Medium)}
	for _, c := range []struct {
		name     string
		complete bool
		findings []audit.Finding
		failOn   audit.Severity
		strict   bool
		want     int
	}{
		{"nothing", true, nil, audit.High, true, exitDone},
		{"suspected at the bar", true, []audit.Finding{finding(audit.Suspected, audit.High)}, audit.High, false, exitSuspected},
		{"suspected below the bar", true, []audit.Finding{finding(audit.Suspected, audit.Medium)}, audit.High, false, exitDone},
		{"suspected below the bar, strict", true, []audit.Finding{finding(audit.Suspected, audit.Medium)}, audit.High, true, exitDone},
		{"undetermined", true, []audit.Finding{finding(audit.Undetermined, audit.High)}, audit.High, false, exitDone},
		{"undetermined, strict", true, []audit.Finding{finding(audit.Undetermined, audit.High)}, audit.High, true, exitUndecided},
		{"undetermined below the bar, strict", true, []audit.Finding{finding(audit.Undetermined, audit.Low)}, audit.High, true, exitDone},
		{"suspected outweighs undetermined", true, both, audit.Medium, true, exitSuspected},
		{"only undetermined reaches the bar", true, both, audit.Critical, true, exitUndecided},
		{"incomplete outweighs all", false, both, audit.Low, true, exitIncomplete},
	} {
		if got := verdict(audit.Report{Run: audit.Run{Complete: c.complete}, Findings: c.findings}, c.failOn, c.strict); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	unfound := audit.Report{Run: audit.Run{Complete: true}, Recall: &audit.Recall{Missing: 1}}
	for strict, want := range map[bool]int{true: exitUndecided, false: exitDone} {
		if got := verdict(unfound, audit.High, strict); got != want {
			t.Errorf("a camera was not found, strict %v: %d, want %d", strict, got, want)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

// TestResultThatCannotBeWritten: a pipeline that did not get the result must not be told that all is well.
func TestResultThatCannotBeWritten(t *testing.T) {
	for _, args := range [][]string{{"rules", "list"}, {"rules", "list", "--json"}, {"rules", "show", "2.2"}, {"rules", "test"}, {"site", "schema"}, {"site", "init"}, {"--help"}, {"discover", "--list"}, {"discover", "--list", "--json"}} {
		var errs strings.Builder
		code := run(t.Context(), args, streams{out: brokenWriter{}, err: &errs, env: func(string) (string, bool) { return "", false }})
		if code != exitIncomplete || !strings.Contains(errs.String(), "broken") {
			t.Errorf("%v: exit %d %s", args, code, errs.String())
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
