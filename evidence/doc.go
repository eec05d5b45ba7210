// Package evidence keeps what an audit saw: a bundle, a folder laid out as a BagIt bag (RFC 8493), with the redacted
// transcript of every exchange, the exact inputs, the report and a journal, under digests that can be checked without this
// program. It writes bundles, reads them, verifies them and packs them.
//
// What belongs here: the layout of a bundle on disk, redaction before anything reaches the disk, digests and chains. What
// does not: what an exchange means, what a report says, and any socket.
package evidence
