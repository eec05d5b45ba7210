//go:build !linux

package guard

func openLinkWire(int, func([]byte)) (linkWire, error) { return nil, ErrNoRight }
