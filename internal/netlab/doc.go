// Package netlab is a network of its own: a LAN of network namespaces with hundreds of simulated cameras, each with its own
// address and hardware address, real multicast, a wire that loses and delays, a router that passes no multicast, real peers
// beside them, and a capture of everything that leaves the auditing machine. What builds or watches such a network belongs
// here; nothing that ships does, and nothing here touches the network of the machine it runs on. It exists on Linux only,
// for root.
//
// Traps of such a network. Captured TCP packets have wrong checksums, because nothing computes them on a virtual wire. The
// neighbour table's limit (net.ipv4.neigh.default.gc_thresh3, 1024) counts the entries of all namespaces of the machine
// together, so hosts and auditing machine must stay below it together: Overflows tells. A bridge delivers all answers to a
// multicast question within the call that asks it, unless they take their time. All virtual wires share one short queue unless
// told otherwise, and lose frames that no switch would: Open tells them, Dropped says whether it was enough. A namespace ends with the last process,
// socket and descriptor in it: none has a name, so none is left behind however the process ends.
package netlab
