package capture

import "io"

// Source hands on packets, one after the other: a *File or an *Interface.
type Source interface {
	// Next returns the next packet, valid until the following call; io.EOF when there are no more. Any other error names what
	// went wrong and where; what was read before it stands.
	Next() (Packet, error)

	// Losses returns what the system says was not handed on: frames the kernel received for this source, and those of them it
	// dropped since nobody took them in time. Of files, what a pcapng says of its own capture; a pcap says nothing, and that is
	// zero.
	Losses() (received, dropped int64)

	// Close may be called while another goroutine waits for Next, which then returns.
	io.Closer
}
