// Command bench measures mingshi beside other scanners on a LAN of network namespaces: how long until every camera is found,
// what share of them, how many frames were sent, how much memory it took. bench/run builds and starts it; docs/performance.md
// explains the figures. What is measured and how belongs here, the network it happens on to internal/netlab.
package main
