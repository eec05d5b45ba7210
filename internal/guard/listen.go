package guard

import (
	"net"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Listen returns nil if what an interface hears may be read now: the permit includes listening, the hours are open, and the
// authority names the interface. Where it names none, an interface will do that has no address of a network of its own, as a
// port that mirrors others has none, or one that overlaps the perimeter. A refusal is a DeniedError that is also recorded.
// Nothing is sent, and no socket is opened here: capture opens it.
func (g *Guard) Listen(name string) error {
	shown := clean.Text(name, 40)
	if err := g.checkRun("listen", shown, audit.PermitListen); err != nil {
		return err
	}
	ifi, err := net.InterfaceByName(name)
	if err != nil || ifi.Flags&net.FlagUp == 0 {
		return g.refuse("listen", shown, msg.Text("guard.denied.down"))
	}
	limited := g.authority.Interfaces
	switch {
	case len(limited) > 0 && !slices.Contains(limited, name), len(g.granted) > 0 && !slices.Contains(g.granted, name):
		return g.refuse("listen", shown, msg.Text("guard.denied.interface"))
	case len(g.granted) == 0 && !g.mirrors(name):
		return g.refuse("listen", shown, msg.Text("guard.denied.elsewhere"))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hears == nil {
		g.hears = map[string]bool{}
	}
	g.hears[name] = true
	return nil
}

// mirrors reports whether an interface belongs to no network but the perimeter's. A link-local address is of no network.
func (g *Guard) mirrors(name string) bool {
	all, err := g.interfaces()
	if err != nil {
		return false
	}
	own := false
	for _, ifi := range all {
		for _, p := range ifi.Addrs {
			if ifi.Name != name || p.Addr().IsLinkLocalUnicast() {
				continue
			}
			if g.overlaps(p) {
				return true
			}
			own = true
		}
	}
	return !own
}

// listening reports whether an interface was found to be there by Listen, address or not.
func (g *Guard) listening(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hears[name]
}
