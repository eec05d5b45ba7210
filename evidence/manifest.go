package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
)

// ManifestSchema names the format of manifest.json.
const ManifestSchema = "mingshi.manifest/v1"

// Manifest is manifest.json, the one file that is signed. The caller of Close gives the first group of fields; the second
// is filled in. It holds Digests of the bag's manifests, and these hold the Digests of everything below data/.
type Manifest struct {
	Run       audit.Run        `json:"run"`
	Site      string           `json:"site"` // the site's id
	Authority AuthoritySummary `json:"authority"`
	Window    audit.Window     `json:"window"`
	Packs     []audit.PackRef  `json:"packs"`
	Clock     Clock            `json:"clock"`
	Previous  *Previous        `json:"previous,omitempty"` // the bundle before this one of the same site

	Schema    string             `json:"schema"`
	Tool      audit.Tool         `json:"tool"`
	Manifests map[string]Digests `json:"manifests"` // of manifest-sha256.txt and manifest-sm3.txt
	Journal   JournalHead        `json:"journal"`
	Closed    time.Time          `json:"closed"`
}

// AuthoritySummary is who allowed what, without the names of inspectors, which stay in data/site.yaml.
type AuthoritySummary struct {
	Basis      string       `json:"basis"`
	GrantedBy  string       `json:"granted_by"`
	DocumentNo string       `json:"document_no,omitempty"`
	Document   *audit.File  `json:"document,omitempty"`
	From       audit.Moment `json:"from,omitzero"`
	To         audit.Moment `json:"to,omitzero"`
	Perimeter  []string     `json:"perimeter"`
	Permit     audit.Permit `json:"permit"`
}

// Clock says how far the machine's clock can be trusted. What nobody measured is absent.
type Clock struct {
	Zone     string   `json:"zone,omitempty"`           // of the machine: "+08:00"
	OffsetMS *int64   `json:"offset_ms,omitempty"`      // against Source, positive when the machine's clock is ahead
	Source   string   `json:"source,omitempty"`         // what it was compared with
	Devices  []string `json:"device_offsets,omitempty"` // "d-1: +3600 s": devices whose clocks differ
}

// Previous names an earlier bundle by its run and the SHA-256 of its manifest.json.
type Previous struct {
	Run    string `json:"run"`
	SHA256 string `json:"sha256"`
}

// JournalHead is the number of lines of the journal and the digest of the last.
type JournalHead struct {
	Entries int64  `json:"entries"`
	Head    string `json:"head"`
}

// Summarise returns what manifest.json keeps of an authority.
func Summarise(a audit.Authority) AuthoritySummary {
	s := AuthoritySummary{Basis: a.Basis, GrantedBy: a.GrantedBy.Name, DocumentNo: a.DocumentNo, Document: a.Document,
		From: a.Valid.From, To: a.Valid.To, Permit: a.Permit, Perimeter: []string{}}
	for _, p := range a.Perimeter {
		s.Perimeter = append(s.Perimeter, p.String())
	}
	return s
}

// PreviousOf names the bundle in dir for the Manifest of the next one.
func PreviousOf(dir string) (*Previous, error) {
	r, err := Open(dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	m, err := r.Manifest()
	if err != nil {
		return nil, err
	}
	raw, err := r.ReadFile(manifestName)
	if err != nil {
		return nil, err
	}
	return &Previous{Run: m.Run.ID, SHA256: sha256Hex(raw)}, nil
}

// Close ends transcript and journal and writes the manifests, so that the bundle can be checked and signed. It also works
// for a run that was stopped: the bundle is smaller then, and valid. It returns the first failure of everything that was
// written, also of calls that could not report theirs. A second call returns ErrClosed.
func (b *Bundle) Close(m Manifest) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.closed = true
	err := errors.Join(b.transcript.close(), b.journal.close())
	return errors.Join(err, b.seal(m))
}

func (b *Bundle) seal(m Manifest) error {
	sums, octets, err := b.digestAll(b.names(true))
	if err != nil {
		return err
	}
	m.Manifests = map[string]Digests{}
	for _, alg := range algorithms {
		text := alg.list(sums)
		d, _, err := digestOf(bytes.NewReader(text))
		if err != nil {
			return err
		}
		m.Manifests["manifest-"+alg.name+".txt"] = d
		if err := b.put("manifest-"+alg.name+".txt", text); err != nil {
			return err
		}
	}
	m.Schema, m.Tool, m.Closed = ManifestSchema, b.opts.Tool, b.opts.Clock().UTC()
	if m.Run.ID == "" {
		m.Run.ID = b.opts.RunID
	}
	m.Journal = JournalHead{Entries: b.journal.seq, Head: b.journal.head}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("evidence: encoding %s: %w", manifestName, err)
	}
	if err := b.put(manifestName, append(b.Scrub(raw), '\n')); err != nil {
		return err
	}
	if err := b.put("bag-info.txt", bagInfo(b.opts, m, octets, len(sums))); err != nil {
		return err
	}
	tags, _, err := b.digestAll(b.names(false))
	if err != nil {
		return err
	}
	for _, alg := range algorithms {
		if err := b.put("tagmanifest-"+alg.name+".txt", alg.list(tags)); err != nil {
			return err
		}
	}
	syncDir(b.dir)
	return nil
}

func (b *Bundle) put(name string, data []byte) error {
	if err := writeFile(b.path(name), data); err != nil {
		return fmt.Errorf("evidence: writing %s: %w", name, err)
	}
	b.note(name)
	return nil
}

// sum is a file with its Digests.
type sum struct {
	name string
	Digests
}

func (b *Bundle) digestAll(names []string) (sums []sum, octets int64, err error) {
	for _, n := range names {
		d, size, err := digestFile(b.path(n))
		if err != nil {
			return nil, 0, fmt.Errorf("evidence: reading %s: %w", n, err)
		}
		sums = append(sums, sum{n, d})
		octets += size
	}
	return sums, octets, nil
}

// algorithm is a digest the bag has manifests for. SM3 (GB/T 32905) is what a Chinese authority may ask for.
type algorithm struct {
	name string
	of   func(Digests) string
}

var algorithms = []algorithm{
	{"sha256", func(d Digests) string { return d.SHA256 }},
	{"sm3", func(d Digests) string { return d.SM3 }},
}

// list is a manifest as RFC 8493 2.1.3 and sha256sum -c want it.
func (a algorithm) list(sums []sum) []byte {
	var out bytes.Buffer
	for _, s := range sums {
		fmt.Fprintf(&out, "%s  %s\n", a.of(s.Digests), s.name)
	}
	return out.Bytes()
}

const bagitText = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

func bagInfo(o Options, m Manifest, octets int64, files int) []byte {
	var out bytes.Buffer
	line := func(label, value string) {
		if value = clean.Text(value, 200); value != "" {
			fmt.Fprintf(&out, "%s: %s\n", label, value)
		}
	}
	line("Bag-Software-Agent", strings.TrimSpace(o.Tool.Name+" "+o.Tool.Version))
	line("Bagging-Date", m.Closed.Format(time.DateOnly))
	line("External-Identifier", runURN(m.Run.ID))
	line("External-Description", "Audit of face analytics on a network; README.txt says how to check it")
	line("Bag-Group-Identifier", m.Site)
	line("Payload-Oxum", oxum(octets, files))
	return out.Bytes()
}

func oxum(octets int64, files int) string { return fmt.Sprintf("%d.%d", octets, files) }
