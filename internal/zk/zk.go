// Package zk tells whether what a port says by itself is the binary protocol of ZKTeco's terminals, and reads what such terminals
// upload to their server over HTTP. A terminal's port says nothing before it is connected to by a command, and that command opens
// a session; so there is nothing here that could be sent.
package zk

// Port is where the terminals listen for their protocol.
const Port = 4370

// Magic reports whether bytes begin as every message of the protocol over TCP does.
func Magic(b []byte) bool {
	return len(b) >= 4 && b[0] == 0x50 && b[1] == 0x50 && b[2] == 0x82 && b[3] == 0x7d
}
