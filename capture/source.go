package capture

import "io"

// Source hands on packets, one after the other.
type Source interface {
	// Next returns the next packet, valid until the following call; io.EOF when there are no more. Any other error names what
	// went wrong and where; what was read before it stands.
	Next() (Packet, error)

	// Losses returns what the system says was not handed on: frames the kernel received for this source, and those of them it
	// dropped since nobody took them in time. Zero for files.
	Losses() (received, dropped int64)

	io.Closer
}
