package main

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/site"
)

// because puts the usual reasons of the system into both languages; what is not usual keeps the system's words.
func because(err error) audit.Text {
	var empty *evidence.NotEmptyError
	var inside *evidence.InsideError
	var bundle *evidence.NotBundleError
	var venue *site.VenueError
	switch {
	case errors.As(err, &inside):
		return inside.Text()
	case errors.As(err, &empty):
		return empty.Text()
	case errors.As(err, &bundle):
		return bundle.Text()
	case errors.As(err, &venue):
		return venue.Text
	case diskFull(err):
		return msg.Text("cli.because.full")
	case errors.Is(err, fs.ErrNotExist):
		return msg.Text("cli.because.missing")
	case errors.Is(err, fs.ErrPermission):
		return msg.Text("cli.because.permission")
	case errors.Is(err, fs.ErrExist):
		return msg.Text("cli.because.exists")
	case errors.Is(err, syscall.EISDIR):
		return msg.Text("cli.because.folder")
	case errors.Is(err, syscall.ENOTDIR):
		return msg.Text("cli.because.nofolder")
	case errors.Is(err, syscall.EROFS):
		return msg.Text("cli.because.readonly")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return msg.Text("cli.because.cut")
	}
	return words(err)
}

// words are an error's own words in both languages.
func words(err error) audit.Text {
	text := clean.Text(strings.TrimPrefix(err.Error(), "evidence: "), 400)
	return audit.Text{ZH: text, EN: text}
}

// becauseOf is because, with the file it is about in front where the system named one that the sentence around it, which is
// about known, does not.
func becauseOf(err error, known string) audit.Text {
	why := because(err)
	var p *fs.PathError
	var bundle *evidence.NotBundleError
	switch named := errors.As(err, &p); {
	case errors.As(err, &bundle):
	case !named && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)):
		return words(err) // they name what the system did not
	case named && p.Path != known && !strings.Contains(why.EN, p.Path):
		return msg.Text("cli.because.at", clean.Text(p.Path, 200), why)
	}
	return why
}
