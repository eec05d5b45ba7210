package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
)

// TestDataFolder: a folder's files replace the built-in ones of the same name, any other name is refused with the names that are
// known, and a bundle is judged with the files it was made with.
func TestDataFolder(t *testing.T) {
	builtin, err := knowledge.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	hosts := "schema: mingshi.hosts/v1\nsource: s\ndate: 2026-01-02\nhosts: []\n"
	put := func(dir, name, text string) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(dir, "hosts.yaml", hosts)
	a := &app{lang: "en"}
	set, err := a.knowledgeOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := set.Host("api-cn.faceplusplus.com"); ok {
		t.Error("the built-in file was not replaced")
	}

	bundle := t.TempDir()
	for _, r := range set.Refs() {
		put(filepath.Join(bundle, filepath.FromSlash(dataDir)), r.Name, string(set.File(r.Name)))
	}
	s := stored{report: audit.Report{Data: set.Refs()}}
	if err := knowledgeIn(&s, bundle); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.record.Data.Host("api-cn.faceplusplus.com"); ok {
		t.Error("the bundle is judged with other data than it was made with")
	}
	s.report.Data = builtin.Refs()
	if err := knowledgeIn(&s, bundle); err == nil {
		t.Error("a data file that was exchanged is not noticed")
	}
	s.report.Data = nil
	if err := knowledgeIn(&s, t.TempDir()); err != nil {
		t.Errorf("a bundle that names no data files: %v", err)
	}

	for _, c := range []struct{ name, text, want string }{
		{"host.yaml", hosts, "host.yaml is no data file this program knows; these can be replaced: hosts.yaml, models.yaml, oui.yaml"},
		{"hosts.yaml", "schema: mingshi.hosts/v1\ndate: 2026-01-02\nhosts: []\n", "no source"},
	} {
		bad := t.TempDir()
		put(bad, c.name, c.text)
		for _, command := range [][]string{{"demo", "--data", bad}, {"discover", "--list", "--data", bad}} {
			r := mingshi(t.Context(), nil, append(command, "--lang", "en")...)
			if r.code != exitNotAllowed || !strings.Contains(strings.Join(strings.Fields(r.err), " "), c.want) {
				t.Errorf("%v: exit %d: %s", command, r.code, r.err)
			}
		}
	}
}
