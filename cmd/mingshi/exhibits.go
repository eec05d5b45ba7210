package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

const maxExhibit = 64 << 20

// exhibits copies the files a site file refers to into the bundle, under their digests: what a survey or a document says is
// worth little without it. A photograph goes in only when its faces are said to be blurred. What is missing or is not the file
// its digest names is not taken, and the coverage says so. Files outside the site file's folder are not opened.
func exhibits(b *evidence.Bundle, dir string, f *audit.SiteFile) []audit.Coverage {
	var out []audit.Coverage
	refuse := func(name string, why audit.Text) {
		out = append(out, audit.Coverage{Target: clean.Text(name, 120), Module: "site", Status: audit.Failed, Detail: why})
	}
	files, unblurred := referred(f)
	for _, name := range unblurred {
		refuse(name, msg.Text("cli.exhibit.faces"))
	}
	if len(files) == 0 {
		return out
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		refuse(dir, msg.Text("cli.exhibit.unreadable", clean.Text(err.Error(), 200)))
		return out
	}
	defer root.Close()
	for _, x := range files {
		data, err := readExhibit(root, x.File)
		if err != nil {
			refuse(x.File, msg.Text("cli.exhibit.unreadable", clean.Text(err.Error(), 200)))
			continue
		}
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:]); x.SHA256 != "" && x.SHA256 != got {
			refuse(x.File, msg.Text("cli.exhibit.changed", got))
			continue
		}
		digest, err := b.Blob(data)
		if err != nil {
			refuse(x.File, msg.Text("cli.exhibit.unreadable", clean.Text(err.Error(), 200)))
			continue
		}
		b.Journal("exhibit-stored", map[string]any{"file": x.File, "digest": digest, "bytes": len(data)})
	}
	return out
}

// referred lists the files a site file names, and the photographs that may show people.
func referred(f *audit.SiteFile) (files []audit.File, unblurred []string) {
	add := func(x *audit.File) {
		if x != nil && x.File != "" {
			files = append(files, *x)
		}
	}
	add(f.Authority.Document)
	if f.Survey != nil {
		add(f.Survey.Signed)
		for _, c := range f.Survey.OnlineChecked {
			add(c.Screenshot)
		}
	}
	for _, n := range f.Notices {
		switch {
		case n.Photo == nil:
		case n.Photo.FacesBlurred:
			add(&audit.File{File: n.Photo.File, SHA256: n.Photo.SHA256})
		default:
			unblurred = append(unblurred, n.Photo.File)
		}
	}
	for _, c := range f.Consents {
		add(c.Form)
	}
	for _, e := range f.Exemptions {
		add(e.Document)
	}
	for _, d := range f.Declarations {
		add(d.Exhibit)
	}
	if f.ServerSide != nil {
		add(f.ServerSide.Document)
	}
	return files, unblurred
}

func readExhibit(root *os.Root, name string) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			return nil, p.Err
		}
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxExhibit+1))
	if err == nil && len(data) > maxExhibit {
		err = fmt.Errorf("larger than %d MiB", maxExhibit>>20)
	}
	return data, err
}
