package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/emmansun/gmsm/sm3"
)

const tempPrefix = ".writing-"

// writeFile writes a file that is either there as a whole or not at all: a temporary file beside it, synced, renamed.
func writeFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			_ = os.Remove(f.Name()) // what went wrong is said already
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// syncDir makes a rename durable where the system can; Windows cannot sync a folder and does not need it.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// file is what an appender needs of a file.
type file interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// appender appends whole entries. After the first failure it cuts the file back to its last whole entry and writes no
// more. It is safe for concurrent use.
type appender struct {
	mu   sync.Mutex
	name string
	f    file
	size int64
	err  error
}

func newAppender(path string, o Options) (*appender, error) {
	f, err := o.create(path)
	if err != nil {
		return nil, fmt.Errorf("evidence: creating %s: %w", filepath.Base(path), err)
	}
	return &appender{name: filepath.Base(path), f: f}, nil
}

func (a *appender) append(entry []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	if _, err := a.f.WriteAt(entry, a.size); err != nil {
		a.err = errors.Join(fmt.Errorf("evidence: writing %s: %w", a.name, err), a.f.Truncate(a.size))
		return a.err
	}
	a.size += int64(len(entry))
	return nil
}

// close returns the first failure there was.
func (a *appender) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.f == nil {
		return nil
	}
	err := a.err
	if e := a.f.Sync(); e != nil && err == nil {
		err = fmt.Errorf("evidence: writing %s: %w", a.name, e)
	}
	if e := a.f.Close(); e != nil && err == nil {
		err = fmt.Errorf("evidence: writing %s: %w", a.name, e)
	}
	a.f, a.err = nil, ErrClosed
	return err
}

// Digests are the digests of one file, in lower-case hexadecimal.
type Digests struct {
	SHA256 string `json:"sha256"`
	SM3    string `json:"sm3"`
}

func digestOf(r io.Reader) (Digests, int64, error) {
	a, b := sha256.New(), sm3.New()
	n, err := io.Copy(io.MultiWriter(a, b), r)
	return Digests{SHA256: hex.EncodeToString(a.Sum(nil)), SM3: hex.EncodeToString(b.Sum(nil))}, n, err
}

func digestFile(path string) (Digests, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return Digests{}, 0, err
	}
	defer f.Close()
	return digestOf(f)
}

func sha256Hex(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
