package discover

import (
	"context"
	"net/netip"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/mac"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Inventory reports the cameras and servers the site file lists with an address. It sends nothing.
func Inventory() Method {
	return Method{Name: "inventory", Doc: msg.Text("discover.inventory.doc"), Needs: audit.PermitListen, Group: Listed,
		Cost: func(Env) []Cost { return nil }, Run: inventory}
}

func inventory(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error) {
	env = env.withDefaults()
	var out []audit.Coverage
	add := func(target string, s audit.CoverageStatus, detail audit.Text) {
		out = append(out, audit.Coverage{Target: target, Module: "inventory", Status: s, Detail: detail})
	}
	n := 0
	for _, e := range env.Site.Inventory {
		if ctx.Err() != nil {
			add("site", audit.Stopped, msg.Text("discover.stopped"))
			break
		}
		ap, ok := parseEndpoint(e.Address)
		switch {
		case e.Address == "":
			add(e.ID, audit.Skipped, msg.Text("discover.inventory.noaddress", e.ID))
		case !ok:
			add(e.ID, audit.Failed, msg.Text("discover.inventory.bad", e.ID, clean.Text(e.Address, 100)))
		case !env.Guard.Inside(ap.Addr()):
			env.Guard.Deny("inventory", ap.Addr().String(), msg.Text("discover.inventory.outside", e.ID, ap.Addr().String()))
			add(ap.Addr().String(), audit.DeniedByUs, msg.Text("discover.inventory.outside", e.ID, ap.Addr().String()))
		default:
			n++
			found(audit.Target{Method: "inventory", Addr: ap, At: env.Clock(), Inventory: e.ID, Identity: inventoryIdentity(e)})
		}
	}
	add("site", audit.Tried, msg.Text("discover.inventory.done", len(env.Site.Inventory), n))
	return out, nil
}

func inventoryIdentity(e audit.InventoryEntry) audit.Identity {
	id := audit.Identity{Serial: clean.Text(e.Serial, 100), Name: clean.Text(e.Name, 200)}
	if m := mac.Parse(e.MAC); m != "" {
		id.MACs = []string{m}
	}
	return id
}

// parseEndpoint reads "192.0.2.21", "192.0.2.21:8081", "2001:db8::1" or "[2001:db8::1]:80". Names are not resolved: that
// would ask somebody outside the perimeter.
func parseEndpoint(s string) (netip.AddrPort, bool) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(a.Unmap(), 0), true
	}
	return netip.AddrPort{}, false
}
