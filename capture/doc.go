// Package capture turns packets, from a file or from an interface, into flows that a dissector can judge one by one: a datagram,
// an HTTP request or answer, an RTSP or SIP message, a metadata document, an MQTT message, the hello of a TLS or QUIC connection,
// and the totals of a conversation that ended. It is the only home of gopacket. It knows frames, addresses, connections and how
// protocols delimit their messages; what a message means for faces belongs to the modules below probe.
//
// Memory is bounded whatever comes: conversations, bytes kept for what is not complete, and the length of everything that is
// handed on. Nothing is guessed: where bytes are missing, the flow says so.
package capture
