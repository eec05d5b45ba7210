// Package audit holds the nouns the whole program shares: what may be done (Permit, Authority), what was met (Target,
// Observation, Device), what that states (Fact), and what follows from it (Finding, Coverage, Report).
//
// A type belongs here when two packages that do not import each other must agree on it. What does not belong here:
// anything that reads, writes, dials or prints, anything that knows a protocol, and anything outside the standard
// library. Logic is limited to what makes a noun well defined: parsing, ordering, folding several facts into one.
package audit
