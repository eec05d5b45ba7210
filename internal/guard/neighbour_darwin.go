package guard

import (
	"maps"
	"net/netip"
	"syscall"

	"golang.org/x/net/route"
)

// readNeighbours asks the routing table, which sends nothing. It returns what there is where part of that fails.
func readNeighbours() map[netip.Addr]Neighbour {
	const netRTFlags, rtfLLInfo = route.RIBType(2), 0x400 // NET_RT_FLAGS, RTF_LLINFO
	out := map[netip.Addr]Neighbour{}
	for _, family := range []int{syscall.AF_INET, syscall.AF_INET6} {
		if b, err := route.FetchRIB(family, netRTFlags, rtfLLInfo); err == nil {
			maps.Copy(out, parseRouteRIB(b))
		}
	}
	return out
}

// neighbourLimit keeps well below what makes macOS slow; it has no fixed limit.
func neighbourLimit() int { return 512 }
