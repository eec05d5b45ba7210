package faceserver

import (
	"regexp"
	"slices"
	"strings"
)

// Viseron hands out the text of its configuration file, YAML as its owner wrote it, passwords and all. It is read line by line,
// by indentation; only lines whose place is known are kept, so that no text of several lines can pass for a name.

const (
	maxLines = 20_000
	deepest  = 4 // members of members that matter
)

var member = regexp.MustCompile(`^( *)([A-Za-z0-9_.-]{1,64}):(?:[ \t]+(.*))?$`)

// line is one member of a mapping: its place and its value.
type line struct {
	place []string
	value string
}

// lines reads the members of nested mappings. Lists, texts of several lines and whatever else there is are left out.
func lines(b []byte) []line {
	var out []line
	var place []string
	var indent []int
	n, block := 0, -1 // block is the indentation of a text of several lines
	for raw := range strings.Lines(string(b)) {
		if n++; n > maxLines {
			break
		}
		raw = strings.TrimRight(raw, " \t\r\n")
		text := strings.TrimLeft(raw, " ")
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		deep := len(raw) - len(text)
		if block >= 0 && deep > block {
			continue
		}
		block = -1
		m := member.FindStringSubmatch(raw)
		if m == nil {
			continue
		}
		for len(indent) > 0 && indent[len(indent)-1] >= deep {
			place, indent = place[:len(place)-1], indent[:len(indent)-1]
		}
		value := strings.TrimSpace(m[3])
		if i := strings.Index(value, " #"); i >= 0 {
			value = strings.TrimSpace(value[:i])
		}
		if strings.HasPrefix(value, "#") {
			value = ""
		}
		if strings.HasPrefix(value, "|") || strings.HasPrefix(value, ">") {
			block = deep
		}
		place, indent = append(place, m[2]), append(indent, deep)
		if len(place) <= deepest {
			out = append(out, line{slices.Clone(place), value})
		}
	}
	return out
}

// keeps reports whether a line's place is one of those that matter, and whether its value is the host of a camera.
func (l line) keeps() (keep, host bool) {
	p := l.place
	switch {
	case len(p) == 2 && (p[1] == "face_recognition" || p[1] == "camera"):
		return true, false
	case len(p) == 3 && p[1] == "face_recognition" && p[2] == "cameras", len(p) == 4 && p[1] == "face_recognition" && p[2] == "cameras":
		return true, false
	case len(p) == 3 && p[1] == "camera":
		return true, false
	case len(p) == 4 && p[1] == "camera" && p[3] == "host":
		return true, true
	}
	return len(p) == 1, false // whose part it is
}

// components are parts of Viseron, by which its configuration is known: those that recognise faces, take pictures, or are
// found in every one.
var components = []string{"dlib", "compreface", "codeprojectai", "deepstack", "ffmpeg", "gstreamer", "webserver", "logger", "darknet", "edgetpu", "nvr", "background_subtractor", "mog2"}

// KeepViseronConfig keeps, of a configuration, which components recognise faces in the pictures of which cameras, and where
// those are.
func KeepViseronConfig(b []byte) []byte {
	var out strings.Builder
	kept := 0
	for _, l := range lines(b) {
		keep, host := l.keeps()
		if !keep || kept >= 2048 {
			continue
		}
		kept++
		out.WriteString(strings.Repeat("  ", len(l.place)-1) + l.place[len(l.place)-1] + ":")
		if host {
			out.WriteString(" " + Host(strings.Trim(l.value, `"'`)))
		}
		out.WriteString("\n")
	}
	if kept == 0 {
		return nil
	}
	return []byte(out.String())
}

// Viseron is a Viseron configuration.
type Viseron struct {
	Recognisers []string // components with face recognition, whether or not they name cameras
	Cameras     []Camera // of every component that takes pictures; Faces is true where faces are recognised in them
}

// ReadViseron reads what KeepViseronConfig left.
func ReadViseron(b []byte) (Viseron, error) {
	var v Viseron
	known, at := false, map[string]int{}
	camera := func(name string) *Camera {
		i, ok := at[name]
		if !ok {
			i, at[name] = len(v.Cameras), len(v.Cameras)
			v.Cameras = append(v.Cameras, Camera{Name: name})
		}
		return &v.Cameras[i]
	}
	for _, l := range lines(b) {
		p := l.place
		known = known || len(p) == 1 && slices.Contains(components, p[0])
		switch {
		case len(v.Cameras) >= maxMembers:
		case len(p) == 2 && p[1] == "face_recognition":
			v.Recognisers = append(v.Recognisers, p[0])
		case len(p) == 4 && p[1] == "face_recognition" && p[2] == "cameras":
			on := true
			camera(p[3]).Faces = &on
		case len(p) == 3 && p[1] == "camera":
			camera(p[2])
		case len(p) == 4 && p[1] == "camera" && p[3] == "host":
			c := camera(p[2])
			c.Hosts = hosts(append(c.Hosts, l.value))
		}
	}
	if !known {
		return Viseron{}, errOther
	}
	slices.Sort(v.Recognisers)
	v.Recognisers = slices.Compact(v.Recognisers)
	slices.SortFunc(v.Cameras, func(a, b Camera) int { return strings.Compare(a.Name, b.Name) })
	return v, nil
}
