package faceserver

import (
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// KeepModules keeps the modules of a CodeProject.AI server and their states.
func KeepModules(b []byte) []byte {
	return rules("success", "statuses.*.moduleId", "statuses.*.status", "statuses.*.version", "statuses.*.processed").reduce(b)
}

// KeepPing keeps the version a CodeProject.AI server answers with.
func KeepPing(b []byte) []byte { return rules("success", "message").reduce(b) }

// ServerModule is one module of a CodeProject.AI server.
type ServerModule struct {
	ID     string
	Status string // "Started", "Stopped", "NotEnabled", "Crashed" …
	Calls  int    // what it was asked since it began, whatever that was
}

// FaceModule is the identifier of CodeProject.AI's module for faces. It finds faces, compares two, tells a registered face from
// others, and registers.
const FaceModule = "FaceProcessing"

// ReadModules reads what KeepModules left.
func ReadModules(b []byte) ([]ServerModule, error) {
	o, err := parse(b)
	if err != nil {
		return nil, err
	}
	list, ok := o["statuses"].([]any)
	if !ok {
		return nil, errOther
	}
	var out []ServerModule
	for _, e := range list {
		m, _ := e.(map[string]any)
		x := ServerModule{ID: object(m).text("moduleId"), Status: object(m).text("status")}
		if n, ok := object(m).number("processed"); ok && n > 0 && n < 1e12 {
			x.Calls = int(n)
		}
		if x.ID != "" {
			out = append(out, x)
		}
	}
	if len(list) > 0 && len(out) == 0 {
		return nil, errOther
	}
	return out, nil
}

// ReadPing returns the version, or "".
func ReadPing(b []byte) string {
	o, err := parse(b)
	if err != nil || !o.has("success") {
		return ""
	}
	return Version([]byte(o.text("message")))
}

// KeepStatus keeps what a CompreFace calculator has loaded.
func KeepStatus(b []byte) []byte {
	return rules("status", "build_version", "calculator_version", "available_plugins.*").reduce(b)
}

// Plugins is what a CompreFace calculator has loaded.
type Plugins struct {
	Build   string
	Plugins []string // "detector", "calculator", "age", "gender", "mask", "landmarks", "pose" …
}

// ReadStatus reads what KeepStatus left.
func ReadStatus(b []byte) (Plugins, error) {
	o, err := parse(b)
	if err != nil {
		return Plugins{}, err
	}
	ps := o.at("available_plugins")
	if ps == nil || !o.has("calculator_version") {
		return Plugins{}, errOther
	}
	p := Plugins{Build: o.text("build_version")}
	for _, n := range ps.names() {
		if len(n) <= 32 && len(p.Plugins) < 32 {
			p.Plugins = append(p.Plugins, n)
		}
	}
	return p, nil
}

// KeepInfo keeps the names of the models an InsightFace-REST server has loaded.
func KeepInfo(b []byte) []byte {
	return rules("version", "models.det_name", "models.rec_name", "models.ga_name", "models.mask_detector",
		"defaults.extract_embedding", "defaults.extract_ga", "defaults.detect_masks").reduce(b)
}

// Models is what an InsightFace-REST server has loaded.
type Models struct {
	Version                        string
	Detect, Embed, GenderAge, Mask bool
}

// ReadInfo reads what KeepInfo left.
func ReadInfo(b []byte) (Models, error) {
	o, err := parse(b)
	if err != nil {
		return Models{}, err
	}
	m := o.at("models")
	if m == nil || o.at("defaults") == nil || !m.has("det_name") || !m.has("rec_name") {
		return Models{}, errOther
	}
	loaded := func(name string) bool {
		s := strings.ToLower(strings.TrimSpace(m.text(name)))
		return s != "" && s != "none" && s != "null"
	}
	return Models{Version: o.text("version"), Detect: loaded("det_name"), Embed: loaded("rec_name"), GenderAge: loaded("ga_name"), Mask: loaded("mask_detector")}, nil
}

// KeepDoubleTake keeps which services Double Take shows faces to, and where its pictures come from.
func KeepDoubleTake(b []byte) []byte {
	return rules("version", "detectors.*.url@", "detectors.*.aws_region", "frigate.url@", "mqtt.host@", "cameras.*.snapshot.url@", "cameras.*.snapshot.topic-",
		"storage-", "server-", "time-").reduce(b)
}

// DoubleTake is a Double Take configuration.
type DoubleTake struct {
	Version   string
	Detectors []Detector // services that recognise
	Cameras   []Camera   // cameras of its own, by name
	Frigate   string     // host of the Frigate whose events it takes
	Broker    string     // host of the broker they come by
}

// Detector is a service pictures are sent to for recognition.
type Detector struct {
	Name string `json:"name"`           // "compreface", "deepstack", "facebox", "aiserver", "rekognition"
	Host string `json:"host,omitempty"` // where it is
}

// Wired reports whether pictures reach the recognition: a service is named, and something that brings pictures.
func (d DoubleTake) Wired() bool {
	return len(d.Detectors) > 0 && (d.Frigate != "" && d.Broker != "" || len(d.Cameras) > 0)
}

// ReadDoubleTake reads what KeepDoubleTake left.
func ReadDoubleTake(b []byte) (DoubleTake, error) {
	o, err := parse(b)
	if err != nil {
		return DoubleTake{}, err
	}
	if !slices.ContainsFunc([]string{"detectors", "frigate"}, o.has) || !o.has("storage") && !o.has("server") && !o.has("time") {
		return DoubleTake{}, errOther
	}
	d := DoubleTake{Version: Version([]byte(o.text("version"))), Frigate: host(o.at("frigate").text("url")), Broker: host(o.at("mqtt").text("host"))}
	for _, n := range o.at("detectors").names() {
		one := o.at("detectors", n)
		x := Detector{Name: n, Host: host(one.text("url"))}
		if region := one.text("aws_region"); hostName.MatchString(region) && !strings.Contains(region, ".") {
			x.Host = "https://rekognition." + region + ".amazonaws.com"
		}
		d.Detectors = append(d.Detectors, x)
	}
	for _, n := range o.at("cameras").names() {
		snapshot := o.at("cameras", n, "snapshot")
		if snapshot.text("url") == "" && snapshot.text("topic") == "" {
			continue
		}
		d.Cameras = append(d.Cameras, Camera{Name: n, Hosts: hosts([]string{snapshot.text("url")})})
	}
	return d, nil
}

// host is a host that is one.
func host(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// KeepAuth keeps whether a Viseron server wants logins.
func KeepAuth(b []byte) []byte { return rules("enabled", "onboarding_complete").reduce(b) }

// ReadAuth reports whether a Viseron server wants logins; ok is false where the answer is something else.
func ReadAuth(b []byte) (enabled, ok bool) {
	o, err := parse(b)
	if err != nil || o.flag("enabled") == nil || !o.has("onboarding_complete") {
		return false, false
	}
	return *o.flag("enabled"), true
}
