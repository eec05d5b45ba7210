//go:build !linux

package capture

import "fmt"

// Interface is a network interface that is listened on.
type Interface struct{}

// OpenInterface returns an error that wraps ErrNotHere.
func OpenInterface(name string) (*Interface, error) {
	return nil, fmt.Errorf("capture: listening on %s: %w", name, ErrNotHere)
}

// Next returns ErrNotHere.
func (*Interface) Next() (Packet, error) { return Packet{}, ErrNotHere }

// Losses returns nothing.
func (*Interface) Losses() (received, dropped int64) { return 0, 0 }

// Close does nothing.
func (*Interface) Close() error { return nil }
