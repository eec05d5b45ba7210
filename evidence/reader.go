package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Limits of reading: a bundle may come from anyone.
const (
	maxFile  = 512 << 20 // of one file that is read into memory
	maxFiles = 100_000   // in one bundle
)

// Reader reads a bundle. It does not verify it: Verify does.
type Reader struct {
	dir  string
	root *os.Root
}

// NotBundleError is returned by Open for a folder that holds no bundle.
type NotBundleError struct {
	Dir string
	Err error
}

func (e *NotBundleError) Error() string { return "evidence: opening the bundle: " + e.Text().EN }

// Unwrap returns what looking for bagit.txt came to.
func (e *NotBundleError) Unwrap() error { return e.Err }

// Text says so in both languages.
func (e *NotBundleError) Text() audit.Text { return msg.Text("evidence.open.notbundle") }

// Open opens the bundle in dir. It fails with a NotBundleError for a file, and for a folder that has
// no bagit.txt. The caller closes the Reader.
func Open(dir string) (*Reader, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		if info, e := os.Stat(dir); e == nil && !info.IsDir() {
			return nil, &NotBundleError{dir, err}
		}
		return nil, fmt.Errorf("evidence: opening the bundle: %w", err)
	}
	if _, err := root.Lstat("bagit.txt"); err != nil {
		root.Close()
		return nil, &NotBundleError{dir, err}
	}
	return &Reader{dir: dir, root: root}, nil
}

// Close lets go of the folder.
func (r *Reader) Close() error { return r.root.Close() }

// Dir returns the bundle's folder.
func (r *Reader) Dir() string { return r.dir }

// ReadFile returns a file of the bundle. It never leaves the bundle, follows no link, and fails for a file above 512 MiB.
func (r *Reader) ReadFile(name string) ([]byte, error) {
	f, err := r.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("evidence: reading %s: %w", name, err)
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("evidence: reading %s: larger than %d bytes", name, maxFile)
	}
	return b, nil
}

func (r *Reader) open(name string) (*os.File, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	st, err := r.root.Lstat(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("evidence: reading %s: %w", name, err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("evidence: reading %s: not a regular file", name)
	}
	f, err := r.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("evidence: reading %s: %w", name, err)
	}
	return f, nil
}

// Report decodes data/report.json. It fails for another schema, a wrong type and anything after the document. Fields this
// version does not know are passed over: a later version of the same schema may have more.
func (r *Reader) Report() (audit.Report, error) {
	var rep audit.Report
	raw, err := r.ReadFile(reportName)
	if err != nil {
		return rep, err
	}
	err = decodeJSON(reportName, raw, &rep)
	if err == nil && rep.Schema != audit.ReportSchema {
		err = fmt.Errorf("evidence: reading %s: schema %q, and this version reads %q", reportName, rep.Schema, audit.ReportSchema)
	}
	return rep, err
}

// Manifest decodes manifest.json.
func (r *Reader) Manifest() (Manifest, error) {
	var m Manifest
	raw, err := r.ReadFile(manifestName)
	if err != nil {
		return m, err
	}
	err = decodeJSON(manifestName, raw, &m)
	if err == nil && m.Schema != ManifestSchema {
		err = fmt.Errorf("evidence: reading %s: schema %q, and this version reads %q", manifestName, m.Schema, ManifestSchema)
	}
	return m, err
}

func decodeJSON(name string, raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(into); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("evidence: %w", &fs.PathError{Op: "reading", Path: name, Err: io.ErrUnexpectedEOF})
	} else if err != nil {
		return fmt.Errorf("evidence: reading %s: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("evidence: reading %s: something follows the document", name)
	}
	return nil
}

// SiteYAML returns data/site.yaml as it was given to the audit.
func (r *Reader) SiteYAML() ([]byte, error) { return r.ReadFile(siteName) }

// Packs returns the rule packs the audit was judged with: the files below data/packs by their names relative to it.
func (r *Reader) Packs() (map[string][]byte, error) {
	names, err := r.Names()
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, n := range names {
		rel, ok := strings.CutPrefix(n, packsPrefix)
		if !ok {
			continue
		}
		if out[rel], err = r.ReadFile(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Names lists every regular file of the bundle, sorted. Names no bundle may hold are an error.
func (r *Reader) Names() ([]string, error) {
	var out []string
	err := fs.WalkDir(r.root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case len(out) > maxFiles:
			return fmt.Errorf("more than %d files", maxFiles)
		case !d.Type().IsRegular():
			return nil
		}
		out = append(out, p)
		return CheckName(p)
	})
	if err != nil {
		return nil, fmt.Errorf("evidence: listing the bundle: %w", err)
	}
	return out, nil // WalkDir walks in lexical order
}

// Blob returns the blob of a digest ("sha256:…") and fails when the content does not match it.
func (r *Reader) Blob(digest string) ([]byte, error) {
	h, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || !isDigest(h) {
		return nil, fmt.Errorf("evidence: blob %q: not a digest", digest)
	}
	b, err := r.ReadFile(blobName(h))
	if err != nil {
		return nil, err
	}
	if sha256Hex(b) != h {
		return nil, fmt.Errorf("evidence: blob %s: its content does not match", digest)
	}
	return b, nil
}

// Journal returns the journal's entries up to the first that breaks the chain, and a JournalError for that one.
func (r *Reader) Journal() ([]Entry, error) {
	f, err := r.open(journalName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadJournal(f)
}

// Records calls found with every record of the transcript in order, until it returns an error, which is returned. A
// record whose digest does not match is an error too.
func (r *Reader) Records(found func(Stored) error) error {
	f, err := r.open(transcriptName)
	if err != nil {
		return err
	}
	defer f.Close()
	return readWARC(f, found)
}

func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
