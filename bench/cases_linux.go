package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/mingshi-audit/mingshi/internal/netlab"
)

// scene is one case: what network, how many cameras, what is wrong with it, and who scans.
type scene struct {
	name   string
	doc    string
	prefix string
	live   int
	loss   int    // percent of the frames, in each direction
	bits   string // prefix length of the auditing machine's own address
	plain  bool   // no root: as the user nobody
	named  bool   // measured only when it is named, and only mingshi: it takes minutes
}

// key tells the scenes of one name apart.
func (s scene) key() string {
	if s.loss > 0 {
		return s.name + strconv.Itoa(s.loss)
	}
	return s.name
}

func (s scene) title() string {
	t := s.name + ": " + s.doc
	if s.loss > 0 {
		t += fmt.Sprintf(", %d %% of the frames lost in either direction", s.loss)
	}
	return t
}

// cases lists every case.
func cases() []scene {
	return []scene{
		{name: "onlink24", doc: "64 of 254 addresses live, on the link", prefix: "10.77.0.0/24", live: 64, bits: "/24"},
		{name: "dense24", doc: "253 of 254 addresses live, on the link", prefix: "10.77.0.0/24", live: 253, bits: "/24"},
		{name: "onlink22", doc: "64 of 1022 addresses live, on the link", prefix: "10.77.0.0/22", live: 64, bits: "/22"},
		{name: "routed22", doc: "64 of 1022 addresses live, behind a router that says nothing of the dead", prefix: netlab.Far().String(), live: 64, bits: "/24"},
		{name: "loss", doc: "253 of 254 addresses live", prefix: "10.77.0.0/24", live: 253, bits: "/24", loss: 1},
		{name: "loss", doc: "253 of 254 addresses live", prefix: "10.77.0.0/24", live: 253, bits: "/24", loss: 5},
		{name: "unpriv24", doc: "64 of 254 addresses live, on the link, without root", prefix: "10.77.0.0/24", live: 64, bits: "/24", plain: true},
		{name: "unpriv22", doc: "64 of 1022 addresses live, on the link, without root", prefix: "10.77.0.0/22", live: 64, bits: "/22", plain: true},
		{name: "dead16", doc: "4 of 65534 addresses live, on the link", prefix: "10.77.0.0/16", live: 4, bits: "/16", named: true},
	}
}

func (s scene) routed() bool { return netip.MustParsePrefix(s.prefix) == netlab.Far() }

func (s scene) config() netlab.Config {
	var wire netlab.Wire // none where nothing is lost: the frames go by the kernel alone
	if s.loss > 0 {
		wire = netlab.Wire{Loss: float64(s.loss) / 100, Seed: uint64(time.Now().UnixNano())}
	}
	return netlab.Config{Scanner: []string{netlab.Scanner + s.bits}, Hosts: netlab.Cameras(netip.MustParsePrefix(s.prefix), s.live),
		Wire: wire}
}
