package report_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mingshi-audit/mingshi/report"
)

// The checks here are made by programs others wrote. They run where these are installed; MINGSHI_REQUIRE="vnu axe" makes
// their absence a failure, as CI does. MINGSHI_NODE_MODULES names the folder npm installed into.

// needs skips the test, or fails it where it is required, unless every path exists.
func needs(t *testing.T, name string, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if _, err := os.Stat(p); p == "" || err != nil {
			if slices.Contains(strings.FieldsFunc(os.Getenv("MINGSHI_REQUIRE"), func(r rune) bool { return r == ' ' || r == ',' }), name) {
				t.Fatalf("%s is required and %q is not there", name, p)
			}
			t.Skipf("%s is not installed (%q); set MINGSHI_NODE_MODULES", name, p)
		}
	}
}

func program(name string) string {
	p, _ := exec.LookPath(name)
	return p
}

// pages writes every sample as a page, in both orders of the languages, and returns the paths.
func pages(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, lang := range []string{"zh", "en"} {
		for _, name := range []string{"shop", "interrupted", "hostile", "zero"} {
			path := filepath.Join(t.TempDir(), name+"-"+lang+".html")
			if err := os.WriteFile(path, render(t, "html", samples()[name], report.Options{Lang: lang, Digest: strings.Repeat("ab", 32)}), 0o600); err != nil {
				t.Fatal(err)
			}
			out = append(out, path)
		}
	}
	return out
}

func run(t *testing.T, env []string, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	return string(out), err
}

func TestHTMLIsValid(t *testing.T) {
	jar := filepath.Join(os.Getenv("MINGSHI_NODE_MODULES"), "vnu-jar", "build", "dist", "vnu.jar")
	java := program("java")
	needs(t, "vnu", java, jar)
	args := append([]string{"-jar", jar, "--format", "json", "--exit-zero-always", "--stdout"}, pages(t)...)
	out, err := run(t, nil, java, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got struct {
		Messages []struct{ Type, SubType, Message, Extract, URL string }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, m := range got.Messages {
		t.Errorf("%s: %s %s: %s in %s", filepath.Base(m.URL), m.Type, m.SubType, m.Message, m.Extract)
	}
}

func TestHTMLIsAccessible(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	modules, chromium, node := os.Getenv("MINGSHI_NODE_MODULES"), "/usr/bin/chromium", program("node")
	needs(t, "axe", node, chromium, filepath.Join(modules, "axe-core"), filepath.Join(modules, "playwright-core"))
	script, err := filepath.Abs(filepath.Join("interop", "axe.cjs"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, []string{"NODE_PATH=" + modules}, node, append([]string{script, chromium}, pages(t)[:4]...)...); err != nil {
		t.Errorf("%v:\n%s", err, out)
	} else {
		t.Log(strings.TrimSpace(out))
	}
}

func TestAnotherValidatorAgrees(t *testing.T) {
	modules, node := os.Getenv("MINGSHI_NODE_MODULES"), program("node")
	needs(t, "ajv", node, filepath.Join(modules, "ajv"), filepath.Join(modules, "ajv-formats"))
	args := []string{filepath.Join("interop", "schema.cjs"), "schema.json"}
	for _, name := range []string{"shop", "interrupted", "zero"} {
		args = append(args, filepath.Join("testdata", name+".json"))
	}
	out, err := run(t, []string{"NODE_PATH=" + modules}, node, args...)
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
