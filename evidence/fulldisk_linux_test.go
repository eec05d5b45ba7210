package evidence

import (
	"errors"
	"syscall"
	"testing"
)

// The same on a disk that is really full: what was recorded before stays, and Close says what happened.
func TestFullDiskForReal(t *testing.T) {
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=96k"); err != nil {
		t.Skip("a small file system of its own needs root: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(mount, 0); err != nil {
			t.Error(err)
		}
	})
	dir := mount + "/bundle"
	b, err := Create(dir, options())
	if err != nil {
		t.Fatal(err)
	}
	var good []string
	for i := range 1000 {
		id := b.Record(exchange(i))
		if id == "" {
			break
		}
		good = append(good, id)
	}
	if len(good) == 0 || len(good) == 1000 {
		t.Fatalf("%d exchanges before the disk was full", len(good))
	}
	if err := b.Close(manifest()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close says %v", err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	have := map[string]bool{}
	if err := r.Records(func(s Stored) error { have[s.ID] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, id := range good {
		if !have[id] {
			t.Errorf("%s was lost", id)
		}
	}
}
