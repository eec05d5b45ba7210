//go:build !linux

package guard

import "net/netip"

func readNeighbours() map[netip.Addr]Neighbour { return map[netip.Addr]Neighbour{} }
