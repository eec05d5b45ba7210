package evidence

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Zip writes the bundle in dir as a zip archive with one folder in it, as RFC 8493 4 asks for. Files are in order, stored
// as they are and dated 1980, so that the same bundle gives the same bytes on every machine and in every version. A link
// or a special file is an error: it would pack something else than the bundle.
func Zip(dir string, w io.Writer) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("evidence: packing: %w", err)
	}
	r, err := Open(dir)
	if err != nil {
		return err
	}
	defer r.Close()
	z := zip.NewWriter(w)
	err = fs.WalkDir(r.root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return zipFile(z, r, filepath.Base(abs)+"/"+p, p)
	})
	if err != nil {
		return fmt.Errorf("evidence: packing: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("evidence: packing: %w", err)
	}
	return nil
}

func zipFile(z *zip.Writer, r *Reader, as, name string) error {
	f, err := r.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := &zip.FileHeader{Name: as, Method: zip.Store, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(os.FileMode(0o644))
	out, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, f)
	return err
}
