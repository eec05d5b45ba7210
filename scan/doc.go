// Package scan turns a site file and a guard into a report. Run is the live half: it starts discovery and probes, and holds
// all of the program's concurrency. Assemble is the other half: a pure function from what was observed to devices, facts,
// findings and a report, so that an old bundle can be judged again, byte for byte.
//
// What does not belong here: sockets (guard), protocols (probe), law (rules), output (report).
package scan
