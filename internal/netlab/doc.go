// Package netlab holds tests that need a network of their own: a shop's LAN made of network namespaces, with an independent
// mDNS responder, cameras that answer, lie or cannot be heard, and a capture of everything that leaves the auditing machine.
// Nothing but tests belongs here, and none of them touches the network of the machine they run on.
package netlab
