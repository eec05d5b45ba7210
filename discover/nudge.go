package discover

import (
	"context"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/wsdiscovery"
)

// nudger sends addresses a datagram so that the system looks for them on the link. The datagram is a WS-Discovery question, which
// is for cameras and which others drop. Whoever is there is asked again, by the methods that listen for the answer.
type nudger struct {
	env  Env
	ifi  guard.Interface
	v6   bool
	now  *guard.UDP
	used int
	old  []nudged
}

type nudged struct {
	u    *guard.UDP
	last time.Time
}

// perNudger is how many datagrams one socket takes: those for addresses nobody answers for wait in it until the system gives up,
// and a socket that is full would make the others wait too.
const perNudger = 60

func (n *nudger) send(ctx context.Context, a netip.Addr) error {
	if n.now == nil || n.used == perNudger {
		if err := n.change(); err != nil {
			return err
		}
	}
	n.used++
	const port = 3702
	return n.now.Send(ctx, wsdiscovery.NewProbe("urn:uuid:"+uuid.NewString(), nil), netip.AddrPortFrom(a, port))
}

// change opens another socket, and closes those whose datagrams the system has given up by now.
func (n *nudger) change() error {
	if n.now != nil {
		n.old = append(n.old, nudged{n.now, time.Now()})
		n.now = nil
	}
	for len(n.old) > 0 && time.Since(n.old[0].last) > tableWait {
		n.old[0].u.Close()
		n.old = n.old[1:]
	}
	u, err := n.env.Guard.OpenUDP(n.ifi, guard.UDPOptions{V6: n.v6})
	if err != nil {
		return err
	}
	n.now, n.used = u, 0
	return nil
}

func (n *nudger) close() {
	for _, o := range n.old {
		o.u.Close()
	}
	if n.now != nil {
		n.now.Close()
	}
}
