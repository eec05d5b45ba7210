package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
)

// TestRescue: what an audit gathered outlives a disk that cannot hold its bundle, and the message says where it is.
func TestRescue(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	var out strings.Builder
	a := &app{streams: streams{err: io.Discard, env: os.LookupEnv}, lang: "en", format: "json", result: &output{w: &out}}
	a.out = a.result
	r := audit.Report{Schema: audit.ReportSchema, Observations: []audit.Observation{{ID: "o-000000000001", Module: "onvif"}}}
	err := a.rescue(plan{out: "bundle", yaml: []byte("schema: mingshi.site/v1\n")}, r, errors.New("cannot be written"))
	var e *exitError
	if !errors.As(err, &e) || e.code != exitIncomplete {
		t.Fatalf("%v", err)
	}
	kept, _ := filepath.Glob(filepath.Join(temp, "mingshi-rescued-*", "*"))
	if len(kept) != 2 || !strings.Contains(e.text.EN, filepath.Dir(kept[0])) || !strings.Contains(e.text.ZH, "-o") {
		t.Errorf("kept %v: %s", kept, e.text.EN)
	}
	if !strings.Contains(out.String(), "o-000000000001") {
		t.Error("the report is not shown")
	}
}

// TestUnwrittenBundleIsIncomplete: neither the report nor the manifest calls a run complete whose files are not all there.
func TestUnwrittenBundleIsIncomplete(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a folder cannot stand where a file is to be renamed to, in another way")
	}
	dir := filepath.Join(t.TempDir(), "bundle")
	b, err := evidence.Create(dir, evidence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "data", "site.yaml", "in-the-way"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := audit.Report{Schema: audit.ReportSchema, Run: audit.Run{Complete: true}}
	if err := seal(b, plan{yaml: []byte("x")}, &r, nil, "en"); err == nil || r.Run.Complete {
		t.Errorf("sealing says %v, complete %v", err, r.Run.Complete)
	}
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil || strings.Contains(string(data), `"complete": true`) {
		t.Errorf("%v\n%s", err, data)
	}
}
