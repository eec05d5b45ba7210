package rtsp

import (
	"fmt"
	"strconv"
	"strings"
)

// Track is one stream of a description.
type Track struct {
	Media    string   // video, audio, application …
	Formats  []Format // what it may carry
	Control  string   // its URL, or what to append to the base URL
	SendOnly bool     // a back channel: sound for the device's loudspeaker
}

// Format is one payload type of a track.
type Format struct {
	Payload int
	Name    string // encoding name as the device writes it
}

// Limits of one description; the largest seen in the field has nine tracks.
const (
	maxTracks  = 64
	maxFormats = 16
	maxLine    = 4 << 10
)

// Metadata returns the best encoding name of ONVIF metadata the track offers: plain, then compressed, then EXI. It returns
// "" for a track that is something else.
func (t Track) Metadata() string {
	best, rank := "", 3
	if t.Media != "application" {
		return ""
	}
	for _, f := range t.Formats {
		n := strings.ToLower(f.Name)
		if !strings.HasPrefix(n, "vnd.onvif.metadata") {
			continue
		}
		r := 0
		switch {
		case isEXI(n):
			r = 2
		case strings.Contains(n, "gzip"):
			r = 1
		}
		if r < rank {
			best, rank = f.Name, r
		}
	}
	return best
}

func isEXI(encoding string) bool {
	return strings.HasPrefix(strings.ToLower(encoding), "vnd.onvif.metadata.exi")
}

// staticNames are the payload types that need no rtpmap (RFC 3551, section 6) and occur in cameras.
var staticNames = map[int]string{0: "PCMU", 3: "GSM", 4: "G723", 8: "PCMA", 9: "G722", 11: "L16", 14: "MPA", 18: "G729",
	26: "JPEG", 31: "H261", 32: "MPV", 33: "MP2T", 34: "H263"}

// description is what is needed of an SDP (RFC 8866).
type description struct {
	name    string
	control string // of the session
	tracks  []Track
}

// parseSDP reads a description. It is more forgiving than gortsplib's reader, which refuses the whole of it for one track
// it does not understand: whatever is not needed here is not looked at. Text without a track and without a version line is
// an error.
func parseSDP(b []byte) (description, error) {
	var d description
	var t *Track
	version := false
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if len(line) < 2 || len(line) > maxLine || line[1] != '=' {
			continue
		}
		v := line[2:]
		switch line[0] {
		case 'v':
			version = true
		case 's':
			if t == nil {
				d.name = strings.TrimSpace(v)
			}
		case 'm':
			if len(d.tracks) == maxTracks {
				return d, nil
			}
			d.tracks = append(d.tracks, parseMedia(v))
			t = &d.tracks[len(d.tracks)-1]
		case 'a':
			key, value, _ := strings.Cut(v, ":")
			value = strings.TrimSpace(value)
			switch key {
			case "control":
				if t == nil {
					d.control = value
				} else {
					t.Control = value
				}
			case "sendonly":
				if t != nil {
					t.SendOnly = true
				}
			case "rtpmap":
				t.rtpmap(value)
			}
		}
	}
	if !version && len(d.tracks) == 0 {
		return d, fmt.Errorf("%w: no session description", errMalformed)
	}
	return d, nil
}

// parseMedia reads "video 0 RTP/AVP 96 97".
func parseMedia(v string) Track {
	f := strings.Fields(v)
	var t Track
	if len(f) > 0 {
		t.Media = strings.ToLower(f[0])
	}
	for _, p := range f[min(3, len(f)):] {
		if n, err := strconv.ParseUint(p, 10, 7); err == nil && len(t.Formats) < maxFormats {
			t.Formats = append(t.Formats, Format{int(n), staticNames[int(n)]})
		}
	}
	return t
}

// rtpmap reads "98 vnd.onvif.metadata/90000".
func (t *Track) rtpmap(v string) {
	pt, name, _ := strings.Cut(v, " ")
	n, err := strconv.Atoi(pt)
	if t == nil || err != nil {
		return
	}
	name, _, _ = strings.Cut(strings.TrimSpace(name), "/")
	for i := range t.Formats {
		if t.Formats[i].Payload == n {
			t.Formats[i].Name = name
			return
		}
	}
	if len(t.Formats) < maxFormats { // a payload type the m-line forgot
		t.Formats = append(t.Formats, Format{n, name})
	}
}

// ReadTracks reads the tracks of a session description that was overheard. The error wraps nothing a caller would tell apart: it
// is no session description.
func ReadTracks(sdp []byte) ([]Track, error) {
	d, err := parseSDP(sdp)
	if err != nil {
		return nil, err
	}
	return d.tracks, nil
}
