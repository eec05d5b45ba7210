package evidence

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestOutside: whatever is written into a bundle after it was closed makes it fail verification, so nothing may be.
func TestOutside(t *testing.T) {
	dir := t.TempDir()
	bundle := filepath.Join(dir, "bundle")
	b, err := Create(bundle, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(Manifest{}); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(bundle, link); err != nil {
		link = bundle // Windows without the right to make links
	}
	for _, inside := range []string{bundle, filepath.Join(bundle, "report.html"), filepath.Join(bundle, "data", "new", "deep"), filepath.Join(link, "x"),
		bundle + "/data/../x"} {
		var e *InsideError
		if err := Outside(inside); !errors.As(err, &e) {
			t.Errorf("%s: %v", inside, err)
		}
	}
	for _, outside := range []string{dir, filepath.Join(dir, "bundle-2"), filepath.Join(bundle, "..", "x")} {
		if err := Outside(outside); err != nil {
			t.Errorf("%s: %v", outside, err)
		}
	}
	var e *InsideError
	if _, err := Create(filepath.Join(bundle, "data", "again"), Options{}); !errors.As(err, &e) {
		t.Errorf("a bundle inside a bundle: %v", err)
	}
	if problems, err := Verify(bundle); err != nil || len(problems) > 0 {
		t.Errorf("refusing changed the bundle: %v %v", problems, err)
	}
	var n *NotBundleError
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{dir, file} {
		if _, err := Open(not); !errors.As(err, &n) {
			t.Errorf("%s: %v", not, err)
		}
	}
}
