package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
)

// TestExhibits: what the site file names goes into the bundle under its digest, but not what is changed, missing, outside the
// folder, or a photograph that may show people.
func TestExhibits(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.txt")
	for name, text := range map[string]string{filepath.Join(dir, "survey.pdf"): "signed survey", filepath.Join(dir, "n1.jpg"): "blurred sign",
		filepath.Join(dir, "n2.jpg"): "sign with people", filepath.Join(dir, "form.pdf"): "form", outside: "elsewhere"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte("signed survey"))
	f := &audit.SiteFile{
		Survey: &audit.Survey{Signed: &audit.File{File: "survey.pdf", SHA256: hex.EncodeToString(sum[:])}},
		Notices: []audit.Notice{{Photo: &audit.Photo{File: "n1.jpg", FacesBlurred: true}}, {Photo: &audit.Photo{File: "n2.jpg"}},
			{Photo: &audit.Photo{File: "gone.jpg", FacesBlurred: true}}},
		Consents:   []audit.Consent{{Form: &audit.File{File: "form.pdf", SHA256: strings.Repeat("0", 64)}}},
		Exemptions: []audit.Exemption{{Document: &audit.File{File: "../" + filepath.Base(filepath.Dir(outside)) + "/secret.txt"}}},
	}
	b, err := evidence.Create(filepath.Join(t.TempDir(), "bundle"), evidence.Options{RunID: "00000000-0000-4000-8000-000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{}
	for _, c := range exhibits(b, dir, f) {
		refused[filepath.Base(c.Target)] = true
		if c.Detail.ZH == "" || c.Detail.EN == "" {
			t.Errorf("%s is refused without a reason", c.Target)
		}
	}
	for name, want := range map[string]bool{"survey.pdf": false, "n1.jpg": false, "n2.jpg": true, "gone.jpg": true, "form.pdf": true, "secret.txt": true} {
		if refused[name] != want {
			t.Errorf("%s: refused is %v", name, refused[name])
		}
	}
	blobs, err := filepath.Glob(filepath.Join(b.Dir(), "data", "blobs", "sha256", "*", "*"))
	if err != nil || len(blobs) != 2 {
		t.Errorf("%d files in the bundle, want 2: %v", len(blobs), err)
	}
}
