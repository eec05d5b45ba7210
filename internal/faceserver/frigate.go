package faceserver

import (
	"slices"
	"strings"
)

// KeepFrigateConfig keeps what decides whether faces are recognised or looked for, the cameras' names, and the hosts of cameras
// and broker.
func KeepFrigateConfig(b []byte) []byte {
	return rules("version", "face_recognition.enabled", "face_recognition.save_attempts", "cameras.*.enabled", "cameras.*.face_recognition.enabled",
		"cameras.*.detect.enabled", "cameras.*.objects.track.*", "objects.track.*", "model.labelmap.*", "detectors.*.model.labelmap.*",
		"cameras.*.ffmpeg.inputs.*.path@", "go2rtc.streams.*@", "mqtt.enabled", "mqtt.host@", "mqtt.port",
		"detectors-", "ffmpeg-", "record-", "objects-").reduce(b)
}

// KeepFrigateStats keeps the speed and the rate of face recognition.
func KeepFrigateStats(b []byte) []byte {
	return rules("embeddings.face_recognition_speed", "embeddings.face_recognition", "service.version", "service.uptime", "detection_fps", "cameras-").reduce(b)
}

// Frigate is the part of Frigate's configuration in force that is about faces.
type Frigate struct {
	Knows   bool     // the version can recognise faces: its configuration has a member for it
	On      *bool    // whether recognition is on at all; nil where it does not say
	Saves   int      // pictures of recognised faces that are kept
	Names   *bool    // whether a model in use calls anything a face; nil where no names are listed
	Cameras []Camera // sorted by name
	Broker  string   // host and port of the MQTT broker events go to; "" where that is off
}

// Camera is a camera a server takes pictures of.
type Camera struct {
	Name  string   `json:"name"`
	On    *bool    `json:"on,omitempty"`    // whether its pictures are taken at all
	Faces *bool    `json:"faces,omitempty"` // whether faces are recognised in them; nil where it is not said of the camera
	Looks *bool    `json:"looks,omitempty"` // whether things are looked for in them; nil where it is not said
	Track bool     `json:"track,omitempty"` // faces are among the things it looks for
	Hosts []string `json:"hosts,omitempty"` // where the pictures come from
}

// ReadFrigate reads what KeepFrigateConfig left of a configuration.
func ReadFrigate(b []byte) (Frigate, error) {
	o, err := parse(b)
	if err != nil {
		return Frigate{}, err
	}
	cameras, ok := o["cameras"].(map[string]any)
	if !ok || !slices.ContainsFunc([]string{"detectors", "ffmpeg", "record", "objects", "mqtt"}, o.has) {
		return Frigate{}, errOther
	}
	face := o.at("face_recognition")
	f := Frigate{On: face.flag("enabled")}
	f.Knows, f.Names = f.On != nil, o.namesFaces()
	if n, ok := face.number("save_attempts"); ok && n > 0 && n < 1e6 {
		f.Saves = int(n)
	}
	if mqtt := o.at("mqtt"); mqtt.text("host") != "" && (mqtt.flag("enabled") == nil || *mqtt.flag("enabled")) {
		f.Broker = mqtt.text("host")
		if n, ok := mqtt.number("port"); ok && n >= 1 && n <= 65535 && !strings.Contains(strings.TrimPrefix(f.Broker, "["), ":") {
			f.Broker += ":" + itoa(int(n))
		}
	}
	restreams := o.at("go2rtc", "streams")
	for _, name := range object(cameras).names() {
		c := o.at("cameras", name)
		if c == nil {
			continue
		}
		x := Camera{Name: name, On: c.flag("enabled"), Faces: c.at("face_recognition").flag("enabled"), Looks: c.at("detect").flag("enabled")}
		things, own := c.at("objects")["track"]
		if !own {
			things = o.at("objects")["track"]
		}
		x.Track = slices.Contains(texts(things), faceLabel)
		inputs, _ := c.at("ffmpeg")["inputs"].([]any)
		for _, i := range inputs {
			if m, ok := i.(map[string]any); ok {
				x.Hosts = append(x.Hosts, object(m).text("path"))
			}
		}
		x.Hosts = hosts(append(x.Hosts, texts(restreams[name])...))
		f.Cameras = append(f.Cameras, x)
	}
	return f, nil
}

// faceLabel is what models call a face. The default attributes of a person hold the word too, in every configuration.
const faceLabel = "face"

// namesFaces reads the names of what the models in use tell apart.
func (o object) namesFaces() *bool {
	maps := []object{o.at("model", "labelmap")}
	for _, d := range o.at("detectors").names() {
		maps = append(maps, o.at("detectors", d, "model", "labelmap"))
	}
	listed, faces := false, false
	for _, m := range maps {
		for _, n := range m.names() {
			listed, faces = true, faces || m.text(n) == faceLabel
		}
	}
	if !listed {
		return nil
	}
	return &faces
}

// FrigateRun is what runs at this moment.
type FrigateRun struct {
	Speed *float64 // milliseconds of one recognition; there only while recognition is switched on
	Rate  float64  // recognitions a second, matched or not
}

// ReadFrigateStats reads what KeepFrigateStats left.
func ReadFrigateStats(b []byte) (FrigateRun, error) {
	o, err := parse(b)
	if err != nil {
		return FrigateRun{}, err
	}
	if !o.has("cameras") && !o.has("service") && !o.has("detection_fps") {
		return FrigateRun{}, errOther
	}
	var s FrigateRun
	if n, ok := o.at("embeddings").number("face_recognition_speed"); ok {
		s.Speed = &n
		s.Rate, _ = o.at("embeddings").number("face_recognition")
	}
	return s, nil
}

// hosts frees a list of repeats, of what is no host, and of this very machine.
func hosts(list []string) []string {
	var out []string
	for _, h := range list {
		if h != "" && h != "-" && !own(h) && !slices.Contains(out, h) && len(out) < 8 {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return out
}

// own reports a host that names the machine itself.
func own(h string) bool {
	_, at, ok := strings.Cut(h, "://")
	if !ok {
		at = h
	}
	return strings.HasPrefix(at, "127.") || strings.HasPrefix(at, "[::1]") || at == "localhost" || strings.HasPrefix(at, "localhost:")
}

// texts is a text, or the texts of a list.
func texts(v any) []string {
	switch t := v.(type) {
	case string:
		return []string{t}
	case []any:
		var out []string
		for _, e := range t {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
