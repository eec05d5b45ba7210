// Package rules judges: it reads packs of rules written as data (Load), relates what was observed to what the notices say
// (package notice), evaluates each rule's conditions in Kleene's three values, and words the findings (Judge).
//
// A thing belongs here when it follows from stored data alone: Judge is a pure function, so that an old bundle can be
// judged again under another pack and gives the same bytes. What a rule says belongs into its pack, in YAML. Nothing here
// reads a clock, a network or the host's files.
//
// # Names of facts in conditions
//
// A condition names a fact exactly as its FactSpec does: face.analyse.active, site.venue, notice.state. In a rule about a
// device, a notice or an exemption the name means that subject's fact and, where the subject has none of that name, the
// site's. A fact nobody established, or on which observations disagree, is unknown. An unknown that ends a condition is
// listed in Finding.Missing under the fact's own name, with one refinement: where a fact stated by this package is unknown
// because others are (device.mode.analyse because face.analyse.active is), those others are listed, since they are what a
// person can go and establish.
//
// Beside facts a condition may use observed, conduct.from and conduct.to (timestamps) and the pack's shared conditions
// under the names their define: block gives them.
package rules
