package site

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// notices: what an element is said to be absent from must have been read in full.
func (c *checker) notices() {
	for i, n := range c.f.Notices {
		path := index("notices", i)
		read := []string{ruleStated, ruleText, ruleGap}
		switch {
		case strings.TrimSpace(n.Text) == "":
			c.say(Blocks, path+".text", read, "site.check.text", n.ID)
		case n.TextPartial:
			c.say(Blocks, path+".text_partial", []string{ruleStated, ruleText}, "site.check.partial", n.ID)
		}
		if n.OCR != nil && n.OCR.ConfirmedBy == "" {
			c.say(Blocks, path+".ocr.confirmed_by", read, "site.check.ocr", n.ID)
		}
		if n.TextSHA256 != "" && n.Text != "" && textDigest(n.Text) != n.TextSHA256 && textDigest(strings.TrimRight(n.Text, "\n")) != n.TextSHA256 {
			c.say(Weakens, path+".text_sha256", read, "site.check.text_digest", n.ID)
		}
		if n.DeclaredBy == "operator" {
			c.say(Weakens, path+".declared_by", []string{ruleStated}, "site.check.claimed", n.ID)
		}
		posted := !slices.Contains([]string{"web_rules", "app_rules", "contract_annex"}, n.Kind)
		if len(n.Covers.Zones)+len(n.Covers.Cameras) == 0 && posted {
			c.say(Blocks, path+".covers", []string{ruleStated, ruleCovert, ruleGap}, "site.check.covers", n.ID)
		}
		if n.Location.BeforeCapture == nil && posted && n.Kind != "oral" {
			c.say(Weakens, path+".location.before_capture", []string{ruleStated}, "site.check.before", n.ID)
		}
		switch {
		case n.Kind == "oral":
		case n.Photo == nil && posted:
			c.say(Weakens, path+".photo", []string{ruleStated}, "site.check.photo", n.ID)
		case n.Photo != nil && !n.Photo.FacesBlurred:
			c.say(Weakens, path+".photo.faces_blurred", nil, "site.check.blurred", n.ID)
		}
	}
}

// claims: exemptions and consent are for the processor to prove; what is not recorded cannot be weighed.
func (c *checker) claims() {
	for i, e := range c.f.Exemptions {
		if e.Document == nil {
			c.say(Weakens, index("exemptions", i)+".document", []string{ruleExempt}, "site.check.exemption", clean.Text(e.Item, 10))
		}
	}
	if len(c.f.Consents) == 0 {
		c.say(Hint, "consents", []string{ruleAgreed}, "site.check.consent")
	}
	for i, s := range c.f.Consents {
		if s.Separate == nil {
			c.say(Weakens, index("consents", i)+".separate", []string{ruleAgreed}, "site.check.separate", clean.Text(s.Purpose, 60))
		}
	}
}

// words finds terms of open vocabularies that nothing follows from.
func (c *checker) words() {
	one := func(path, w string, words []string) {
		if w == "" || known(words, w) || isPlaceholder(w) {
			return
		}
		var hint audit.Text
		if near := nearest(w, words); near != "" {
			hint = msg.Text("site.check.did_you", near)
		}
		c.say(Hint, path, nil, "site.check.word", path, clean.Text(w, 60), hint)
	}
	all := func(path string, ws, words []string) {
		for i, w := range ws {
			one(index(path, i), w, words)
		}
	}
	for i, e := range c.f.Inventory {
		all(index("inventory", i)+".purposes", e.Purposes, purposes())
	}
	var kinds []string
	for _, k := range ZoneKinds() {
		kinds = append(kinds, k.Token)
	}
	for i, z := range c.f.Zones {
		one(index("zones", i)+".kind", z.Kind, kinds)
	}
	for i, n := range c.f.Notices {
		p := index("notices", i)
		all(p+".purposes", n.Purposes, purposes())
		all(p+".scope.data", n.Scope.Data, dataKinds())
		for j, m := range n.Methods {
			_, attrs := audit.SplitMethod(m)
			for _, a := range attrs {
				one(index(p+".methods", j), a, attributes())
			}
		}
	}
	for i, g := range c.f.Gates {
		all(index("gates", i)+".others", g.Others, otherWaysIn())
	}
	for i, r := range c.f.Recipients {
		if r.Contract != nil {
			all(index("recipients", i)+".contract.purposes", r.Contract.Purposes, purposes())
		}
	}
	for i, d := range c.f.Declarations {
		all(index("declarations", i)+".attributes", d.Attributes, attributes())
		all(index("declarations", i)+".purposes", d.Purposes, purposes())
	}
}

// maxFile bounds what is read of one file to take its digest.
const maxFile = 1 << 30

// files compares every file the site file names with its digest, and looks at who can read the files that hold logins.
func (c *checker) files(dir string) {
	var root *os.Root // nothing outside the folder is opened, whatever a link points to
	if dir != "" {
		var err error
		if root, err = os.OpenRoot(dir); err == nil {
			defer root.Close()
		}
	}
	look := func(path, name, want string) {
		shown := clean.Text(name, 120)
		if name == "" || isPlaceholder(name) {
			return
		}
		var got string
		if root != nil {
			var err error
			if got, err = digest(root, name); err != nil {
				c.say(Weakens, path, nil, "site.check.no_file", shown)
				return
			}
		}
		switch {
		case want == "" && got == "":
			c.say(Weakens, path, nil, "site.check.no_digest", shown)
		case want == "":
			c.say(Weakens, path, nil, "site.check.digest", shown, got)
		case got != "" && got != want:
			c.say(Blocks, path, nil, "site.check.mismatch", shown)
		}
	}
	each(reflect.ValueOf(c.f), "", func(path string, v any) {
		switch x := v.(type) {
		case audit.File:
			look(path, x.File, x.SHA256)
		case audit.Photo:
			look(path, x.File, x.SHA256)
		}
	})
	if root == nil {
		return
	}
	refs := map[string]string{}
	for name, ref := range c.f.Credentials {
		refs[join("credentials", name)] = ref
	}
	for i, e := range c.f.Inventory {
		refs[index("inventory", i)+".credentials"] = e.Credentials
	}
	for _, path := range sortedKeys(refs) {
		if name, ok := strings.CutPrefix(refs[path], "file:"); ok && shared(dir, name) {
			c.say(Weakens, path, nil, "site.login.shared")
		}
	}
}

func digest(root *os.Root, name string) (string, error) {
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return "", errors.New("not a file of a size to read")
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxFile)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// shared reports whether others than the owner may read a file. Windows keeps that elsewhere and is not asked.
func shared(dir, name string) bool {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	info, err := os.Stat(name)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}
