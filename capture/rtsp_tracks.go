package capture

import (
	"net/netip"
	"strconv"
	"strings"
)

const maxMedia = 16 // of one description

// sdpMedia is a media of a description.
type sdpMedia struct {
	control  string
	metadata bool
	opaque   bool // EXI
}

// learn takes from a message what it says of metadata tracks.
func (r *rtspConn) learn(c *conn, m *rtspMessage) {
	switch {
	case m.m.Method == "ANNOUNCE", m.request != nil && m.request.Method == "DESCRIBE" && m.m.Status == 200:
		if len(m.m.Body) > 0 {
			r.media = readSDP(string(m.m.Body))
		}
	case m.request != nil && m.request.Method == "SETUP" && m.m.Status == 200:
		transport := m.m.Header.Get("Transport")
		if transport == "" {
			transport = m.request.Header.Get("Transport")
		}
		r.setup(c, m.request.Target, transport)
	}
}

// readSDP reads which media of a description (RFC 4566) carry metadata, and how SETUP will name them. The name of the encoding
// comes with suffixes and in any case: "vnd.onvif.metadata", "vnd.onvif.metadata.gzip", "VND.ONVIF.METADATA.EXI.ONVIF".
func readSDP(s string) []sdpMedia {
	var media []sdpMedia
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "m=") {
			if len(media) == maxMedia {
				break
			}
			media = append(media, sdpMedia{})
		}
		if len(media) == 0 {
			continue
		}
		m := &media[len(media)-1]
		if control, ok := strings.CutPrefix(line, "a=control:"); ok {
			m.control = strings.TrimSpace(control)
			m.control = hideURL(m.control[:min(len(m.control), maxTarget)])
		}
		if coding, ok := strings.CutPrefix(line, "a=rtpmap:"); ok {
			coding = strings.ToLower(coding)
			if _, suffix, ok := strings.Cut(coding, "vnd.onvif.metadata"); ok {
				m.metadata, m.opaque = true, strings.Contains(suffix, "exi")
			}
		}
	}
	return media
}

// setup learns where a track will be sent.
func (r *rtspConn) setup(c *conn, url, transport string) {
	m, known := r.mediaOf(url)
	if !known {
		return // what it carries will tell
	}
	transport, _, _ = strings.Cut(transport, ",")
	if low, ok := portRange(param(transport, "interleaved")); ok && low < 256 {
		if k := r.at(uint8(low)); k != nil {
			r.announce(c, k, m, url)
		}
		return
	}
	if m.metadata {
		r.expectUDP(c, &track{url: url, opaque: m.opaque}, transport)
	}
}

func (r *rtspConn) announce(c *conn, k *channel, m sdpMedia, url string) {
	if k.track != nil {
		k.track.drop(c)
	}
	k.track, k.other, k.known = nil, !m.metadata, false
	if m.metadata {
		k.track = &track{url: url, opaque: m.opaque}
	}
}

// mediaOf finds the media whose control attribute a SETUP's URL ends with.
func (r *rtspConn) mediaOf(url string) (sdpMedia, bool) {
	url = strings.TrimSuffix(url, "/")
	for _, m := range r.media {
		control := strings.TrimSuffix(m.control, "/")
		switch _, path, absolute := strings.Cut(control, "://"); {
		case control == "" || control == "*":
			if len(r.media) == 1 {
				return m, true
			}
		case absolute:
			if i := strings.IndexByte(path, '/'); i >= 0 && strings.HasSuffix(url, path[i:]) {
				return m, true
			}
		case url == control, strings.HasSuffix(url, "/"+strings.TrimPrefix(control, "/")):
			return m, true
		}
	}
	return sdpMedia{}, false
}

// expectUDP tells the engine which end will receive a track.
func (r *rtspConn) expectUDP(c *conn, t *track, transport string) {
	to, from := c.party(c.client).Addr.Addr(), c.party(1-c.client).Addr.Addr()
	if a, err := netip.ParseAddr(param(transport, "destination")); err == nil {
		to = a.Unmap().WithZone("")
	}
	if a, err := netip.ParseAddr(param(transport, "source")); err == nil {
		from = a.Unmap().WithZone("")
	}
	name := "client_port"
	if to.IsMulticast() {
		name = "port"
	}
	if low, ok := portRange(param(transport, name)); ok {
		t.from = from
		c.e.expect(netip.AddrPortFrom(to, low), t)
	}
}

// portRange reads the first number of "5000-5001".
func portRange(s string) (uint16, bool) {
	s, _, _ = strings.Cut(s, "-")
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 16)
	return uint16(n), err == nil
}
