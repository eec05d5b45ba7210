package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Options say who writes a bundle.
type Options struct {
	Clock func() time.Time // default time.Now
	Tool  audit.Tool
	RunID string // a UUID; it becomes the bag's External-Identifier

	MaxTranscript int64 // the most bytes of transcript on disk, default 256 MiB
	MaxRecord     int   // the most bytes kept of one request or one response, default 2 MiB

	create func(path string) (file, error) // default createFile; tests put a full disk here
}

// Bundle is a bundle being written. It is safe for concurrent use. Everything given to it is on its way to the disk when
// the call returns, so a process that is killed leaves a transcript and a journal that can be read.
type Bundle struct {
	dir  string
	opts Options
	*scrubber

	transcript *transcript
	journal    *journal

	mu     sync.Mutex
	files  map[string]bool // every file of ours, by its name in the bundle
	folded map[string]string
	closed bool
}

var _ Recorder = (*Bundle)(nil)

// ErrClosed is returned by calls on a bundle after Close.
var ErrClosed = errors.New("evidence: the bundle is closed")

// NotEmptyError is returned by Create for a folder that holds something already.
type NotEmptyError struct{ Dir string }

func (e *NotEmptyError) Error() string { return "evidence: " + e.Text().EN }

// Text says in both languages what is wrong and what to do.
func (e *NotEmptyError) Text() audit.Text { return msg.Text("evidence.create.notempty", e.Dir) }

// InsideError is returned by Create for a folder inside another bundle, which would no longer verify.
type InsideError struct{ Dir, Bundle string }

func (e *InsideError) Error() string { return "evidence: " + e.Text().EN }

// Text says in both languages what is wrong and what to do.
func (e *InsideError) Text() audit.Text { return msg.Text("evidence.create.inside", e.Dir, e.Bundle) }

// Outside returns an InsideError when path, which need not exist, is a bundle or lies in one: whatever is written there
// would change that evidence.
func Outside(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("evidence: looking around %s: %w", path, err)
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real // from here up every folder exists
		}
		if _, err := os.Lstat(filepath.Join(dir, "bagit.txt")); err == nil {
			return &InsideError{Dir: path, Bundle: dir}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// Create makes the folder dir, which must not exist or be empty (a NotEmptyError otherwise), and starts a bundle in it. A
// bundle inside another one is an InsideError.
func Create(dir string, o Options) (*Bundle, error) {
	o.fill()
	if err := empty(dir); err != nil {
		return nil, err
	}
	if err := Outside(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		return nil, fmt.Errorf("evidence: creating the bundle: %w", err)
	}
	b := &Bundle{dir: dir, opts: o, scrubber: newScrubber(), files: map[string]bool{}, folded: map[string]string{}}
	var err error
	if b.journal, err = newJournal(b.path(journalName), o); err != nil {
		return nil, err
	}
	if b.transcript, err = newTranscript(b.path(transcriptName), b.path(redactionsName), o); err != nil {
		_ = b.journal.close() // what went wrong is said already
		return nil, err
	}
	for _, n := range []string{journalName, transcriptName, redactionsName} {
		b.note(n)
	}
	for _, f := range []struct{ name, text string }{{"bagit.txt", bagitText}, {"README.txt", readmeText}} {
		if err := b.write(f.name, []byte(f.text)); err != nil {
			return nil, errors.Join(err, b.journal.close(), b.transcript.close())
		}
	}
	return b, nil
}

// Dir returns the bundle's folder.
func (b *Bundle) Dir() string { return b.dir }

// Record redacts an exchange and appends it to the transcript. It returns the id of the record with the answer, or of the
// question where there is none, and "" when nothing could be written: the disk is full, the transcript has reached its
// limit, or the bundle is closed. Close says which.
func (b *Bundle) Record(e Exchange) string {
	r := b.redact(e, b.opts.MaxRecord)
	id, full := b.transcript.append(r)
	if full {
		b.Journal("transcript.full", map[string]any{"limit": b.opts.MaxTranscript})
	}
	return id
}

// Journal appends an event to data/journal.jsonl. Fields are scrubbed of registered secrets. A failure is reported by Close.
func (b *Bundle) Journal(event string, fields map[string]any) {
	b.journal.append(event, fields, b.Scrub)
}

// AddFile writes a file of the bundle: below data/ as payload (data/site.yaml, data/report.json, data/packs/…) or at the
// top as a tag file (report.html). The bytes are written as they are: text of the program's own that may hold a registered
// secret goes through Scrub first. A name that could leave the bundle, that Windows cannot hold, or that the bundle keeps
// for itself is an error; so is a name that differs from another only in case. A file added again is replaced.
func (b *Bundle) AddFile(name string, data []byte) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if reserved(name) {
		return fmt.Errorf("evidence: adding %s: the bundle keeps this name for itself", name)
	}
	return b.write(name, data)
}

// Blob stores data under its digest in data/blobs/sha256 and returns the digest as "sha256:…". Equal data is stored once.
func (b *Bundle) Blob(data []byte) (string, error) {
	d := sha256Hex(data)
	return "sha256:" + d, b.write(blobName(d), data)
}

func (b *Bundle) write(name string, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	if other, ok := b.folded[foldName(name)]; ok && other != name {
		return fmt.Errorf("evidence: adding %s: differs from %s only in case", name, other)
	}
	if err := writeFile(b.path(name), data); err != nil {
		return fmt.Errorf("evidence: adding %s: %w", name, err)
	}
	b.note(name)
	return nil
}

func (b *Bundle) note(name string) {
	b.files[name] = true
	b.folded[foldName(name)] = name
}

func (b *Bundle) path(name string) string { return filepath.Join(b.dir, filepath.FromSlash(name)) }

// names lists the bundle's files below data/ or the others, sorted.
func (b *Bundle) names(payload bool) []string {
	var out []string
	for n := range b.files {
		if isPayload(n) == payload {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

func (o *Options) fill() {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.MaxTranscript == 0 {
		o.MaxTranscript = 256 << 20
	}
	if o.MaxRecord == 0 {
		o.MaxRecord = 2 << 20
	}
	if o.create == nil {
		o.create = createFile
	}
}

func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("evidence: creating the bundle: %w", err)
	case len(entries) > 0:
		return &NotEmptyError{Dir: dir}
	}
	return nil
}
