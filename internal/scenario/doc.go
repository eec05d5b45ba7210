// Package scenario runs whole stories from testdata/scenarios: simulated devices on real sockets, a site file, one audit, and the
// observations, facts, findings and report that must come of it, each compared with a golden file of its own. It holds tests
// only.
package scenario
