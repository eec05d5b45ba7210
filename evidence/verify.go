package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Problem is one thing that is wrong with a bundle.
type Problem struct {
	Path   string // the file it is about, relative to the bundle
	Text   audit.Text
	Absent bool // every bundle has the file, and it is not there
}

// Unfinished reports how many of the files that every bundle has are not there, where that is all that is wrong, or where none
// is there by which anything else could be checked: the bundle was never closed, or what closed it was taken away. 0: neither.
func Unfinished(problems []Problem) int {
	absent, closing := 0, 1+len(algorithms) // manifest.json and the manifests it names
	for _, p := range problems {
		if !p.Absent {
			continue
		}
		absent++
		if p.Path == manifestName || slices.ContainsFunc(algorithms, func(a algorithm) bool { return p.Path == "manifest-"+a.name+".txt" }) {
			closing--
		}
	}
	if absent == len(problems) || closing == 0 {
		return absent
	}
	return 0
}

// Verify checks everything about a bundle that needs no key: that it is a complete bag, both digests of every file, that
// manifest.json names these manifests and this journal, the chain of the journal, the records of the transcript, that
// nothing lies in the folder that no manifest lists, and that no name or link leads out of it. Signatures and timestamps
// are outside the manifests and not looked at. No problems mean that the bundle is as it was closed. The error says that
// the folder could not be looked at, which proves nothing either way.
func Verify(dir string) ([]Problem, error) {
	r, err := Open(dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	v := &verifier{r: r, files: map[string]fileSum{}}
	if err := v.walk(); err != nil {
		return nil, err
	}
	v.declaration()
	v.checkManifests("manifest-", true)
	v.checkManifests("tagmanifest-", false)
	v.manifest()
	v.transcript()
	v.blobs()
	slices.SortStableFunc(v.problems, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(v.problems), nil
}

type fileSum struct {
	Digests
	size int64
	err  error
}

type verifier struct {
	r        *Reader
	files    map[string]fileSum
	problems []Problem
}

func (v *verifier) add(path, id string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = clean.Text(s, 200)
		}
	}
	v.problems = append(v.problems, Problem{Path: clean.Text(path, maxName), Text: msg.Text(id, args...), Absent: id == "evidence.verify.required"})
}

// walk reads and digests every file once.
func (v *verifier) walk() error {
	folded := map[string]string{}
	return fs.WalkDir(v.r.root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == "." {
				return fmt.Errorf("evidence: verifying the bundle: %w", err)
			}
			v.add(p, "evidence.verify.unreadable", err.Error())
			return nil
		}
		if p == "." {
			return nil
		}
		if len(v.files) >= maxFiles {
			v.add(p, "evidence.verify.limit", maxFiles)
			return fs.SkipAll
		}
		if d.IsDir() {
			return nil
		}
		if err := CheckName(p); err != nil {
			v.add(p, "evidence.verify.name", err.Error())
		}
		if twin, ok := folded[foldName(p)]; ok {
			v.add(p, "evidence.verify.twins", twin)
		}
		folded[foldName(p)] = p
		if !d.Type().IsRegular() {
			v.add(p, "evidence.verify.irregular")
			return nil
		}
		s := v.sum(p)
		if s.err != nil {
			v.add(p, "evidence.verify.unreadable", s.err.Error())
		}
		v.files[p] = s
		return nil
	})
}

func (v *verifier) sum(p string) fileSum {
	f, err := v.r.root.Open(filepath.FromSlash(p))
	if err != nil {
		return fileSum{err: err}
	}
	defer f.Close()
	d, n, err := digestOf(f)
	return fileSum{Digests: d, size: n, err: err}
}

// read returns a file that must be there.
func (v *verifier) read(name string) ([]byte, bool) {
	if _, ok := v.files[name]; !ok {
		if _, err := v.r.root.Lstat(filepath.FromSlash(name)); errors.Is(err, os.ErrNotExist) {
			v.add(name, "evidence.verify.required")
		}
		return nil, false
	}
	b, err := v.r.ReadFile(name)
	if err != nil {
		v.add(name, "evidence.verify.unreadable", err.Error())
		return nil, false
	}
	return b, true
}

func (v *verifier) declaration() {
	if b, ok := v.read("bagit.txt"); ok && string(b) != bagitText {
		v.add("bagit.txt", "evidence.verify.declaration")
	}
	if b, ok := v.read("bag-info.txt"); ok {
		var octets int64
		files := 0
		for n, s := range v.files {
			if isPayload(n) {
				octets += s.size
				files++
			}
		}
		stated := ""
		for line := range strings.Lines(string(b)) {
			if x, ok := strings.CutPrefix(line, "Payload-Oxum: "); ok {
				stated = strings.TrimRight(x, "\r\n")
			}
		}
		if have := oxum(octets, files); stated != have {
			v.add("bag-info.txt", "evidence.verify.oxum", stated, have)
		}
	}
}

// manifest checks manifest.json against the manifests and the journal.
func (v *verifier) manifest() {
	entries, head, broken := v.journal()
	if _, ok := v.read(manifestName); !ok {
		return
	}
	m, err := v.r.Manifest()
	if err != nil {
		v.add(manifestName, "evidence.verify.format", err.Error())
		return
	}
	for _, alg := range algorithms {
		n := "manifest-" + alg.name + ".txt"
		if have, ok := v.files[n]; ok && m.Manifests[n] != have.Digests {
			v.add(manifestName, "evidence.verify.digest", n)
		}
	}
	if !broken && (m.Journal.Entries != entries || m.Journal.Head != head) {
		v.add(journalName, "evidence.verify.head")
	}
}

func (v *verifier) journal() (entries int64, head string, broken bool) {
	raw, ok := v.read(journalName)
	if !ok {
		return 0, "", true
	}
	list, head, err := readJournal(bytes.NewReader(raw))
	var bad *JournalError
	if errors.As(err, &bad) {
		v.add(journalName, "evidence.verify.journal", bad.Line, bad.Why)
		return 0, "", true
	}
	return int64(len(list)), head, false
}

func (v *verifier) transcript() {
	if _, ok := v.read(transcriptName); !ok {
		return
	}
	seen := map[string]bool{}
	n := 0
	err := v.r.Records(func(s Stored) error {
		n++
		if seen[s.ID] {
			return &RecordError{n, errors.New("has the id of another")}
		}
		seen[s.ID] = true
		return nil
	})
	var bad *RecordError
	if errors.As(err, &bad) {
		v.add(transcriptName, "evidence.verify.record", bad.Record, bad.Err.Error())
	}
}

func (v *verifier) blobs() {
	for n, s := range v.files {
		if rest, ok := strings.CutPrefix(n, blobsPrefix); ok && s.err == nil {
			if !isDigest(s.SHA256) || rest != s.SHA256[:2]+"/"+s.SHA256 {
				v.add(n, "evidence.verify.blob")
			}
		}
	}
}
