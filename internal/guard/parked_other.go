//go:build !linux

package guard

import "net"

const canPark = false

func delayAcknowledgements(*net.TCPConn) {}

func untouched(net.Conn) bool { return false }
