package probe

import (
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
)

// Page is what a port showed of itself to one GET of its front page, for modules that would ask more where it fits.
type Page struct {
	Secure bool     // it speaks TLS
	Code   int      // of HTTP
	Titled bool     // it has a title, whatever that says
	Makers []string // whose page it is, by marks that name them beyond doubt
}

// Show remembers the front page of a port.
func (d *Done) Show(port uint16, p Page) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pages == nil {
		d.pages = map[uint16]Page{}
	}
	if len(d.pages) < maxKnown {
		d.pages[port] = p
	}
}

// Page returns the front page of a port; ok is false where none was seen.
func (d *Done) Page(port uint16) (p Page, ok bool) {
	if d == nil {
		return Page{}, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok = d.pages[port]
	return p, ok
}

// Keys of Target.Extra under which the runner tells modules what the target's own port showed.
const (
	extraPage = "known-page" // the makers of its page; there where it answered HTTP at all
	extraBare = "known-bare" // the page has no title
	extraNone = "known-none" // there is no such page, whatever the words for it
)

// PageOf reports whether the page at the target's port is that of one of the makers.
func PageOf(t audit.Target, makers ...string) bool {
	return slices.ContainsFunc(t.Extra[extraPage], func(v string) bool { return slices.Contains(makers, v) })
}

// Pageless reports whether the target's port answered HTTP and has no front page, in words that name nobody: the title of an error
// is its server's.
func Pageless(t audit.Target) bool {
	_, none := t.Extra[extraNone]
	return none && len(t.Extra[extraPage]) == 0
}

// Bare reports whether the target's port answered HTTP with a page that says neither what it is nor whose: where programs are
// that have an interface for other programs only.
func Bare(t audit.Target) bool {
	_, bare := t.Extra[extraBare]
	return bare && len(t.Extra[extraPage]) == 0
}
