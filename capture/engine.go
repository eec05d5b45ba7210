package capture

import (
	"time"

	"github.com/google/gopacket/layers"
)

// Packet is one captured frame. Data is valid until the next one is read.
type Packet struct {
	Data   []byte
	At     time.Time
	Length int             // as it was on the wire; more than len(Data) where the capture cut it
	Link   layers.LinkType // what Data begins with
	Number int             // counted from 1 within its capture
}

// Options bounds an Engine. Zero values take the defaults.
type Options struct {
	Conversations int           // most held at once: 65,536. The one that was silent longest makes room
	Buffer        int64         // most bytes kept for what is not complete, all conversations together: 64 MiB
	Idle          time.Duration // of capture time after which a conversation is forgotten: 10 min TCP; a fifth of it UDP

	// Sink takes every flow. It is called from Packet and Close, by their goroutine.
	Sink func(*Flow)
}

// Stats is what an Engine has seen so far.
type Stats struct {
	Packets, Bytes       int64     // frames, and their bytes on the wire
	First, Last          time.Time // of the capture's own clock
	Snapped              int64     // packets cut by the snap length
	Undecoded            int64     // packets of no known link or network layer, or that lie about their length
	Fragments            int64     // IP fragments; Unjoined of them never became a datagram
	Unjoined             int64
	Conversations        int64 // TCP and UDP, seen in all
	Evicted              int64 // forgotten to make room
	Holes, Missing       int64 // gaps in TCP conversations, and their bytes as far as known
	TCP, Encrypted, Read int64 // bytes of TCP payload; of them TLS; of them handed to a protocol that was recognised
	OneSided, Mid        int64 // TCP conversations of which one side was seen; that had begun before
	Unicast, Broadcast   int64 // frames to one station; to all or a group. What no mirror port shows is the first of others
	Overlaps             int64 // TCP segments that repeat bytes with other content: the first that came counts
	Limited              int64 // times a limit of ours was reached
}
