package discover

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

func newLink(prefix string) *link {
	return &link{stretch: stretch{prefix: netip.MustParsePrefix(prefix), way: onLink}, known: map[netip.Addr]neighbour{}, holders: map[string]int{}, changed: make(chan struct{})}
}

// TestMissed asks made-up networks that lose packets, in rounds, until the estimate says that nobody is left: in almost every
// network nobody is.
func TestMissed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, loss := range []float64{0, 0.01, 0.0975, 0.3} {
		complete, rounds := 0, 0
		const networks = 400
		for range networks {
			l := newLink("10.0.0.0/24")
			for l.round = 1; l.round <= arpMost; l.round++ {
				for i := 1; i < 254; i++ {
					a := at(l.prefix, i)
					if l.due(a) && r.Float64() >= loss {
						l.heard(a, fmt.Sprintf("02:00:00:00:00:%02x", i))
					}
				}
				if l.round >= 2 && l.missed() < unseenLeft {
					break
				}
			}
			rounds += min(l.round, arpMost)
			if l.answers() == 253 {
				complete++
			}
		}
		t.Logf("loss %.2f: complete %d of %d, %.1f rounds", loss, complete, networks, float64(rounds)/networks)
		if loss < 0.2 && complete < networks*95/100 {
			t.Errorf("loss %.2f: all neighbours found in %d of %d", loss, complete, networks)
		}
		if loss == 0 && rounds != 2*networks {
			t.Errorf("without loss it took %d rounds", rounds)
		}
	}
	if l := newLink("10.0.0.0/24"); l.loss() != 0 || l.missed() != 0 || math.IsNaN(l.missed()) {
		t.Errorf("nobody answered: loss %v, missed %v", l.loss(), l.missed())
	}
}

// TestProxyARP: a hardware address that answers for several addresses is nobody's.
func TestProxyARP(t *testing.T) {
	l := newLink("10.0.0.0/24")
	l.heard(netip.MustParseAddr("10.0.0.1"), "02:00:00:00:00:01")
	l.heard(netip.MustParseAddr("10.0.0.2"), "02:00:00:00:00:02")
	l.heard(netip.MustParseAddr("10.0.0.3"), "02:00:00:00:00:02")
	l.heard(netip.MustParseAddr("10.0.1.3"), "02:00:00:00:00:03")
	l.heard(netip.MustParseAddr("10.0.0.4"), "") // an echo, which has no hardware address
	l.heard(netip.MustParseAddr("10.0.0.4"), "02:00:00:00:00:04")
	for a, want := range map[string]bool{"10.0.0.1": true, "10.0.0.2": false, "10.0.0.3": false, "10.0.1.3": false, "10.0.0.4": true} {
		if _, alone := l.mac(netip.MustParseAddr(a)); alone != want {
			t.Errorf("%s: alone is %v", a, alone)
		}
	}
	if l.answers() != 4 {
		t.Errorf("%d neighbours", l.answers())
	}
}

func TestWindow(t *testing.T) {
	w := newWindow(3, time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	n := 0
	for w.enter(ctx) {
		n++
	}
	if n != 3 {
		t.Errorf("%d entered a room for three", n)
	}
}
