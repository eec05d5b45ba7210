package evidence

import (
	"net/netip"
	"time"
)

// Exchange is one question and its answer as they were on the wire.
type Exchange struct {
	Protocol string         // http, rtsp, ws-discovery, mdns, tls, tcp
	URI      string         // the target URI for the WARC record, without credentials
	Endpoint netip.AddrPort // who was asked; zero for multicast
	At       time.Time
	Request  []byte // head and body; empty if we only listened
	Response []byte // head and body, decoded of transfer and content encoding; empty if none came
	Note     string // what a reader must know: "cut at 2 MiB", "timeout after 5 s"
}

// Recorder takes exchanges into the transcript. Record redacts first and returns the record's id ("urn:uuid:…", derived
// from the redacted bytes), which observations carry as evidence. It is safe for concurrent use and never fails its caller:
// a full disk is reported when the bundle is closed, and what was written before stays valid.
type Recorder interface {
	Record(Exchange) string
}
