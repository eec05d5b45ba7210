package lab

import (
	"fmt"
	"strings"
)

// profile is one media profile.
type profile struct {
	token, name, source string
	width, height       int
	path                string // of its stream
}

// profiles lists a main and a sub stream for a camera, one stream per channel for what has several.
func (d *device) profiles() []profile {
	if d.spec.Channels == 1 {
		return []profile{
			{"Profile_1", "MainStream", "VideoSource_1", 1920, 1080, "/live/1/main"},
			{"Profile_2", "SubStream", "VideoSource_1", 640, 360, "/live/1/sub"},
		}
	}
	var out []profile
	for i := 1; i <= d.spec.Channels; i++ {
		out = append(out, profile{fmt.Sprintf("Channel%02d_Main", i), fmt.Sprintf("Channel %d", i), fmt.Sprintf("VideoSource_%d", i), 1280, 720, fmt.Sprintf("/live/%d/main", i)})
	}
	return out
}

func (d *device) mediaCapabilities(q *question) (string, *fault) {
	prefix, _, _ := strings.Cut(q.op, ":")
	for _, s := range d.list() {
		if s.prefix == prefix {
			return fmt.Sprintf("<%[1]s:GetServiceCapabilitiesResponse>%[2]s</%[1]s:GetServiceCapabilitiesResponse>", prefix, s.capabilities), nil
		}
	}
	return "", d.unknown(q.op)
}

func (d *device) profiles1(*question) (string, *fault) {
	var b strings.Builder
	b.WriteString("<trt:GetProfilesResponse>")
	for _, p := range d.profiles() {
		fmt.Fprintf(&b, `<trt:Profiles token="%s" fixed="true"><tt:Name>%s</tt:Name>`, p.token, p.name)
		b.WriteString(d.videoSourceConfiguration("tt:VideoSourceConfiguration", p) + d.videoEncoderConfiguration("tt:VideoEncoderConfiguration", p))
		if d.spec.Analytics.Service {
			b.WriteString(d.analyticsConfiguration("tt:VideoAnalyticsConfiguration"))
		}
		if d.spec.Metadata.Configured {
			b.WriteString(d.metadataConfiguration("tt:MetadataConfiguration"))
		}
		b.WriteString("</trt:Profiles>")
	}
	b.WriteString("</trt:GetProfilesResponse>")
	return b.String(), nil
}

// profiles2 leaves the configurations out when the request names no type, as the specification has it.
func (d *device) profiles2(q *question) (string, *fault) {
	want := map[string]bool{}
	for _, k := range q.body.kids {
		if k.name.Local == "Type" {
			want[k.text] = true
		}
	}
	has := func(t string) bool { return want["All"] || want[t] }
	var b strings.Builder
	b.WriteString("<tr2:GetProfilesResponse>")
	for _, p := range d.profiles() {
		fmt.Fprintf(&b, `<tr2:Profiles token="%s" fixed="true"><tr2:Name>%s</tr2:Name>`, p.token, p.name)
		if len(want) > 0 {
			b.WriteString("<tr2:Configurations>")
			if has("VideoSource") {
				b.WriteString(d.videoSourceConfiguration("tr2:VideoSource", p))
			}
			if has("VideoEncoder") {
				b.WriteString(d.videoEncoderConfiguration("tr2:VideoEncoder", p))
			}
			if has("Analytics") && d.spec.Analytics.Service {
				b.WriteString(d.analyticsConfiguration("tr2:Analytics"))
			}
			if has("Metadata") && d.spec.Metadata.Configured {
				b.WriteString(d.metadataConfiguration("tr2:Metadata"))
			}
			b.WriteString("</tr2:Configurations>")
		}
		b.WriteString("</tr2:Profiles>")
	}
	b.WriteString("</tr2:GetProfilesResponse>")
	return b.String(), nil
}

func (d *device) videoSourceConfiguration(element string, p profile) string {
	return fmt.Sprintf(`<%[1]s token="%[2]sConfig"><tt:Name>%[2]sConfig</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>%[2]s</tt:SourceToken><tt:Bounds x="0" y="0" width="%[3]d" height="%[4]d"/></%[1]s>`,
		element, p.source, p.width, p.height)
}

func (d *device) videoEncoderConfiguration(element string, p profile) string {
	return fmt.Sprintf(`<%[1]s token="Encoder_%[2]s"><tt:Name>Encoder_%[2]s</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>%[3]d</tt:Width><tt:Height>%[4]d</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality></%[1]s>`,
		element, p.token, p.width, p.height)
}

func (d *device) videoSources(*question) (string, *fault) {
	var b strings.Builder
	b.WriteString("<trt:GetVideoSourcesResponse>")
	for i := 1; i <= d.spec.Channels; i++ {
		fmt.Fprintf(&b, `<trt:VideoSources token="VideoSource_%d"><tt:Framerate>25</tt:Framerate><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution></trt:VideoSources>`, i)
	}
	b.WriteString("</trt:GetVideoSourcesResponse>")
	return b.String(), nil
}

func (d *device) metadataConfiguration(element string) string {
	m := d.spec.Metadata
	multicast := ""
	if m.Multicast != "" {
		multicast = `<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>` + esc(m.Multicast) + `</tt:IPv4Address></tt:Address><tt:Port>40000</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>true</tt:AutoStart></tt:Multicast>`
	}
	return fmt.Sprintf(`<%[1]s token="MetadataToken" GeoLocation="false" ShapePolygon="false"><tt:Name>Metadata</tt:Name><tt:UseCount>2</tt:UseCount><tt:Analytics>%[2]t</tt:Analytics>%[3]s<tt:SessionTimeout>PT60S</tt:SessionTimeout></%[1]s>`,
		element, m.Analytics, multicast)
}

func (d *device) metadataConfigurations(q *question) (string, *fault) {
	return d.configurations(q, "GetMetadataConfigurationsResponse", d.spec.Metadata.Configured, d.metadataConfiguration), nil
}

func (d *device) configurations(q *question, response string, any bool, write func(element string) string) string {
	prefix, _, _ := strings.Cut(q.op, ":")
	inner := ""
	if any {
		inner = write(prefix + ":Configurations")
	}
	return fmt.Sprintf("<%[1]s:%[2]s>%[3]s</%[1]s:%[2]s>", prefix, response, inner)
}

func (d *device) streamURI1(q *question) (string, *fault) {
	uri, f := d.streamURI(q.body.value("ProfileToken"))
	return `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>` + esc(uri) + `</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>` +
		`<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>`, f
}

func (d *device) streamURI2(q *question) (string, *fault) {
	uri, f := d.streamURI(q.body.value("ProfileToken"))
	return `<tr2:GetStreamUriResponse><tr2:Uri>` + esc(uri) + `</tr2:Uri></tr2:GetStreamUriResponse>`, f
}

func (d *device) streamURI(token string) (string, *fault) {
	if !d.rtsp.IsValid() {
		return "", &fault{status: 500, code: "Receiver", sub: "ter:Action/ter:IncompleteConfiguration", text: "no stream"}
	}
	for _, p := range d.profiles() {
		if p.token == token {
			host := d.rtsp.String()
			if d.spec.Quirks.Elsewhere != "" {
				host = d.spec.Quirks.Elsewhere
			}
			return "rtsp://" + host + p.path, nil
		}
	}
	return "", badArgument("ter:NoProfile", "Profile does not exist")
}
