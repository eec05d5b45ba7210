package probe

import (
	"fmt"
	"slices"
	"sync"

	"github.com/mingshi-audit/mingshi/audit"
)

// Login is the one login attempt a device gets per run. Every module of the device shares it: what one module was refused,
// no other tries again.
type Login struct {
	mu       sync.Mutex
	user     string
	password string
	state    loginState
	why      string
}

type loginState int

const (
	fresh    loginState = iota // not tried
	trying                     // one module is trying it now
	accepted                   // the device took it
	spent                      // refused, or not to be tried
)

// NewLogin returns a login that was not tried.
func NewLogin(user, password string) *Login { return &Login{user: user, password: password} }

// Try takes the one attempt. ok is false when there is none to take: no credentials, refused before, or being tried.
// Whoever gets ok must call Accepted or Refused; giving up without an answer counts as Refused.
func (l *Login) Try() (user, password string, ok bool) {
	if l == nil {
		return "", "", false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != fresh {
		return "", "", false
	}
	l.state = trying
	return l.user, l.password, true
}

// Use returns the credentials once the device accepted them, for the requests that follow.
func (l *Login) Use() (user, password string, ok bool) {
	if l == nil {
		return "", "", false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.user, l.password, l.state == accepted
}

// Accepted records that the device took the credentials.
func (l *Login) Accepted() { l.set(accepted, "") }

// Refused records that the device did not; nobody tries again in this run. why is cleaned text for the coverage.
func (l *Login) Refused(why string) { l.set(spent, why) }

// Spent reports whether the attempt was used up, and why.
func (l *Login) Spent() (string, bool) {
	if l == nil {
		return "", false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why, l.state == spent
}

func (l *Login) set(s loginState, why string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state, l.why = s, why
}

// Done remembers what modules did on one device and what was learned of who it is, so that no question is asked twice through
// another address or port, and none that only another maker's device understands.
type Done struct {
	mu    sync.Mutex
	once  map[string]bool
	known []audit.Identity
	pages map[uint16]Page
	quiet map[uint16]*silence
}

// maxKnown bounds what is remembered of one device; what comes after that is not.
const maxKnown = 256

// Learn remembers what was said of who the device is. Nil says nothing.
func (d *Done) Learn(id *audit.Identity) {
	if d == nil || id == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) < maxKnown {
		d.known = append(d.known, *id)
	}
}

// Identified reports whether the device itself has said who made it and which model it is.
func (d *Done) Identified() bool {
	return slices.ContainsFunc(d.Known(), func(id audit.Identity) bool { return !id.Weak && id.Vendor != "" && id.Model != "" })
}

// Known lists what was said of who the device is, in the order it was learned.
func (d *Done) Known() []audit.Identity {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.known)
}

// First reports whether a module is to ask at a port: it did not ask there before, and has not found its device through another.
func (d *Done) First(module string, port uint16) bool {
	return !d.Has(module+foundMark) && d.Once(fmt.Sprintf("%s:%d", module, port))
}

// Found remembers that a module found its device.
func (d *Done) Found(module string) { d.Once(module + foundMark) }

const foundMark = ":found"

// Once returns true the first time it is called with a key. Nil remembers nothing.
func (d *Done) Once(key string) bool {
	if d == nil {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.once[key] {
		return false
	}
	if d.once == nil {
		d.once = map[string]bool{}
	}
	d.once[key] = true
	return true
}

// Has reports whether Once was called with the key.
func (d *Done) Has(key string) bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.once[key]
}
