package onvif

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// Profile is a media profile, as far as it says what is behind it.
type Profile struct {
	Token     string `json:"token"`
	Name      string `json:"name,omitempty"`
	Source    string `json:"source,omitempty"`    // token of the video source
	Analytics string `json:"analytics,omitempty"` // token of the analytics configuration
	Metadata  string `json:"metadata,omitempty"`  // token of the metadata configuration
	Scene     Switch `json:"scene,omitempty"`     // whether the metadata configuration lets analytics data out
	Pixels    int    `json:"pixels,omitempty"`
}

// ReadProfiles reads GetProfilesResponse of Media1 or Media2.
func ReadProfiles(n *xmltree.Node) []Profile {
	var out []Profile
	for _, p := range n.Children("Profiles") {
		if len(out) >= maxList {
			break
		}
		in := p
		if c := p.Child("Configurations"); c != nil {
			in = c
		}
		x := Profile{Token: name(p.Get("token")), Name: name(p.Value("Name"))}
		x.Source = name(first(in, "VideoSourceConfiguration", "VideoSource").Value("SourceToken"))
		x.Analytics = name(first(in, "VideoAnalyticsConfiguration", "Analytics").Get("token"))
		if m := first(in, "MetadataConfiguration", "Metadata"); m != nil {
			x.Metadata = name(m.Get("token"))
			x.Scene = switchOf(m.Value("Analytics"))
		}
		enc := first(in, "VideoEncoderConfiguration", "VideoEncoder")
		w, _ := strconv.Atoi(enc.Value("Resolution", "Width"))
		h, _ := strconv.Atoi(enc.Value("Resolution", "Height"))
		if w > 0 && h > 0 && w < 1<<15 && h < 1<<15 {
			x.Pixels = w * h
		}
		out = append(out, x)
	}
	return out
}

// Sources counts the distinct video sources of profiles. A panoramic camera has many profiles of one source.
func Sources(ps []Profile) int {
	var seen []string
	for _, p := range ps {
		if p.Source != "" && !slices.Contains(seen, p.Source) {
			seen = append(seen, p.Source)
		}
	}
	return len(seen)
}

// BestForMetadata picks the profile whose metadata are worth watching: with scene metadata let out, then with analytics,
// then with any metadata, each time the smallest picture, because some devices start the encoder. False without profiles.
func BestForMetadata(ps []Profile) (Profile, bool) {
	if len(ps) == 0 {
		return Profile{}, false
	}
	score := func(p Profile) int {
		s := 0
		if p.Metadata != "" {
			s += 2
			if p.Scene == On {
				s += 4
			}
		}
		if p.Analytics != "" {
			s++
		}
		return s
	}
	return slices.MinFunc(ps, func(a, b Profile) int {
		if d := score(b) - score(a); d != 0 {
			return d
		}
		return a.Pixels - b.Pixels
	}), true
}

func first(n *xmltree.Node, locals ...string) *xmltree.Node {
	for _, l := range locals {
		if k := n.Child(l); k != nil {
			return k
		}
	}
	return nil
}

func switchOf(s string) Switch {
	switch {
	case isTrue(s):
		return On
	case isFalse(s):
		return Off
	}
	return Unclear
}

// Metadata is a metadata configuration: what a metadata track carries and whether it is sent to everybody.
type Metadata struct {
	Token     string `json:"token"`
	UseCount  int    `json:"use_count,omitempty"`
	Analytics Switch `json:"analytics,omitempty"`
	Events    bool   `json:"events,omitempty"`
	Multicast string `json:"multicast,omitempty"` // "udp://group:port" where it starts by itself
}

// ReadMetadataConfigurations reads GetMetadataConfigurationsResponse of Media1 or Media2.
func ReadMetadataConfigurations(n *xmltree.Node) []Metadata {
	var out []Metadata
	for _, c := range n.Children("Configurations") {
		if len(out) >= maxList {
			break
		}
		m := Metadata{Token: name(c.Get("token")), Analytics: switchOf(c.Value("Analytics")), Events: c.Child("Events") != nil}
		m.UseCount, _ = strconv.Atoi(c.Value("UseCount"))
		mc := c.Child("Multicast")
		group := name(mc.Value("Address", "IPv4Address") + mc.Value("Address", "IPv6Address"))
		if isTrue(mc.Value("AutoStart")) && group != "" && group != "0.0.0.0" {
			if strings.Contains(group, ":") {
				group = "[" + group + "]"
			}
			m.Multicast = "udp://" + group + ":" + name(mc.Value("Port"))
		}
		out = append(out, m)
	}
	return out
}

// ReadStreamURI reads GetStreamUriResponse of Media1 or Media2. The address is as the device wrote it.
func ReadStreamURI(n *xmltree.Node) string {
	if u := n.Value("MediaUri", "Uri"); u != "" {
		return u
	}
	return n.Value("Uri")
}
