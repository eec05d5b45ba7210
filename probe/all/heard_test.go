package all_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
)

// overheard plays a capture to every module and returns, by address, how many flows showed a face function at work.
func overheard(t *testing.T, c *capturetest.Capture) map[string]int {
	t.Helper()
	faces := map[string]int{}
	h := probe.Hearing{Inside: func(netip.Addr) bool { return true }}
	modules := map[capture.Proto][]probe.Module{}
	for _, m := range all.Modules() {
		for _, p := range m.Hears {
			modules[p] = append(modules[p], m)
		}
	}
	e := capture.New(capture.Options{Sink: func(f *capture.Flow) {
		for _, m := range modules[f.Proto] {
			observations, _ := m.Dissect(h, f)
			for _, o := range observations {
				o.Module, o.Seen = m.Name, &audit.Seen{Count: 1}
				if m.Derive == nil {
					continue
				}
				facts, err := m.Derive(o)
				if err != nil {
					t.Errorf("%s: %v", m.Name, err)
				}
				for _, x := range facts {
					if strings.HasPrefix(x.Name, "face.") && strings.HasSuffix(x.Name, "."+audit.Active.String()) {
						faces[o.Endpoint.Addr().String()]++
						break
					}
				}
			}
		}
	}})
	c.Play(e)
	e.Close()
	return faces
}

// TestFacesAmongConversations: reports of faces hidden among thousands of conversations are found whatever happened to the packets,
// those that were not captured are missed, and nobody else is said to have to do with faces.
func TestFacesAmongConversations(t *testing.T) {
	for name, v := range map[string]struct {
		spoil func(*capturetest.Capture)
		least int // percent of the reports
	}{
		"as it was":    {func(*capturetest.Capture) {}, 100},
		"5 % lost":     {func(c *capturetest.Capture) { c.Lose(0.05, 1) }, 80},
		"out of order": {func(c *capturetest.Capture) { c.Shuffle(200, 1) }, 95},
		"everything":   {func(c *capturetest.Capture) { c.Lose(0.05, 1); c.Repeat(0.1, 1); c.Shuffle(100, 1); c.Damage(0.02, 1) }, 60},
		"cut short":    {func(c *capturetest.Capture) { c.Snap(1000) }, 90},
		"damaged":      {func(c *capturetest.Capture) { c.Damage(0.3, 1) }, 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, cameras := capturetest.Mix{Bytes: 24 << 20, Conversations: 2000, Seed: 3, OneIn: 25}.Capture()
			reports := 0
			for _, n := range cameras {
				reports += n
			}
			v.spoil(c)
			found := 0
			for address, n := range overheard(t, c) {
				if cameras[address] == 0 {
					t.Errorf("%s is said to have to do with faces", address)
				}
				found += n
			}
			if found > reports || found*100 < reports*v.least || reports < 10 {
				t.Errorf("%d of %d reports were found", found, reports)
			}
		})
	}
}
