package guard

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/grandcat/zeroconf"

	"github.com/mingshi-audit/mingshi/audit"
)

const (
	maxBrowse  = 10 * time.Second // the library remembers every entry it ever sent (Z9) and retries for 15 minutes (Z11)
	maxEntries = 2000             // of one browse; the rest is read and dropped
	letGo      = 20 * time.Millisecond
)

// Browse runs one DNS-SD browse for a service type ("_axis-video._tcp") on one interface and one IP family with the
// zeroconf library, until the context ends or 10 s passed, and calls found for at most 2000 entries. It returns when the
// library let go of everything. It never calls found concurrently with itself; a panic in found becomes the error. The end
// of the context is not an error. Needs permit discover.
func (g *Guard) Browse(ctx context.Context, ifi Interface, v6 bool, service string, found func(*zeroconf.ServiceEntry)) (err error) {
	if err := g.checkRun("browse", ifi.Name, audit.PermitDiscover); err != nil {
		return err
	}
	if err := g.allowed("browse", ifi); err != nil {
		return err
	}
	// Two questions leave at once; everything on the link hears them, so they are paced like all that goes to everybody.
	s := g.acquire(link(ifi))
	defer g.release(s)
	if g.pay(ctx, s, 2) != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxBrowse)
	defer cancel()
	family := zeroconf.IPType(zeroconf.IPv4)
	if v6 {
		family = zeroconf.IPv6
	}
	// Both families in one resolver fail together and leak (Z5); a resolver and its channel serve once (Z1, Z2).
	r, err := zeroconf.NewResolver(zeroconf.SelectIPTraffic(family), zeroconf.SelectIfaces([]net.Interface{netInterface(ifi)}))
	if err != nil {
		return fmt.Errorf("guard: browsing on %s: %w", ifi.Name, err)
	}
	entries := make(chan *zeroconf.ServiceEntry, 16)
	done := make(chan error, 1)
	go func() { done <- drain(entries, found) }()
	// Browse closes the channel itself when the context ends, also where it fails (Z1); until then it must be read (Z3).
	if err := r.Browse(ctx, service, "local.", entries); err != nil {
		cancel()
		<-done
		return fmt.Errorf("guard: browsing on %s for %s: %w", ifi.Name, service, err)
	}
	err = <-done
	// The library closes its sockets right after the channel and does not say when it has (Z11).
	time.Sleep(letGo)
	return err
}

// drain reads the channel until the library closes it, whatever found does.
func drain(entries <-chan *zeroconf.ServiceEntry, found func(*zeroconf.ServiceEntry)) (err error) {
	n := 0
	for e := range entries {
		if n++; n > maxEntries || err != nil {
			continue
		}
		err = call(found, e)
	}
	return err
}

func call(found func(*zeroconf.ServiceEntry), e *zeroconf.ServiceEntry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("guard: handling an entry: %v", p)
		}
	}()
	found(e)
	return nil
}

// netInterface is the interface as the system knows it, which the library needs on systems that join groups by address.
func netInterface(ifi Interface) net.Interface {
	if n, err := net.InterfaceByIndex(ifi.Index); err == nil {
		return *n
	}
	return net.Interface{Index: ifi.Index, Name: ifi.Name}
}
