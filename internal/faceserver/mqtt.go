package faceserver

import (
	"encoding/json"
	"regexp"
	"slices"
)

// FrigateUpdate is a message Frigate publishes below tracked_object_update: of what was worked out about a thing that is followed.
type FrigateUpdate struct {
	Face   bool   // faces were compared, with or without a match: the message comes after every attempt
	Named  bool   // it names somebody
	Camera string // as it came
}

// frigateID is how Frigate numbers what it follows: when it was first seen, and six signs.
var frigateID = regexp.MustCompile(`^\d{9,11}\.\d{1,6}-[0-9a-z]{4,8}$`)

// ReadFrigateUpdate reads such a message. ok is false where it has another form. (Frigate, docs/integrations/mqtt.md, 2025.)
func ReadFrigateUpdate(b []byte) (u FrigateUpdate, ok bool) {
	var m struct {
		Type   string          `json:"type"`
		ID     string          `json:"id"`
		Name   json.RawMessage `json:"name"`
		Score  *float64        `json:"score"`
		Camera string          `json:"camera"`
		At     *float64        `json:"timestamp"`
	}
	if json.Unmarshal(b, &m) != nil || !frigateID.MatchString(m.ID) || m.Type == "" {
		return u, false
	}
	if m.Type != faceLabel {
		return FrigateUpdate{Camera: m.Camera}, true
	}
	if m.Name == nil || m.Score == nil || m.At == nil {
		return u, false
	}
	return FrigateUpdate{Face: true, Named: len(m.Name) > 2 && m.Name[0] == '"' && string(m.Name) != `"unknown"`, Camera: m.Camera}, true
}

// FrigateEvent is a message Frigate publishes below events: of a thing that is followed, before and after something changed.
type FrigateEvent struct {
	Face   bool   // a face was found, as a thing or as part of a person
	Camera string // as it came
}

// ReadFrigateEvent reads such a message. ok is false where it has another form. The name a thing got proves nothing of faces: anybody
// may give it one.
func ReadFrigateEvent(b []byte) (e FrigateEvent, ok bool) {
	type part struct {
		Label string `json:"label"`
	}
	var m struct {
		Type   string          `json:"type"`
		Before json.RawMessage `json:"before"`
		After  struct {
			ID         string             `json:"id"`
			Camera     string             `json:"camera"`
			Label      string             `json:"label"`
			Attributes map[string]float64 `json:"attributes"`
			Current    []part             `json:"current_attributes"`
			Wrong      bool               `json:"false_positive"`
		} `json:"after"`
	}
	if json.Unmarshal(b, &m) != nil || !frigateID.MatchString(m.After.ID) || m.Before == nil || !slices.Contains([]string{"new", "update", "end"}, m.Type) {
		return e, false
	}
	_, has := m.After.Attributes[faceLabel]
	has = has || m.After.Label == faceLabel || slices.ContainsFunc(m.After.Current, func(p part) bool { return p.Label == faceLabel })
	return FrigateEvent{Face: has && !m.After.Wrong, Camera: m.After.Camera}, true
}

// Match is a message Double Take publishes: what recognisers said of the faces in pictures of a camera.
type Match struct {
	Camera    string
	Named     bool     // somebody was recognised
	Detectors []string // that said so, sorted
}

// ReadMatch reads such a message, about one face or about a picture. ok is false where it has another form. (jakowenko/double-take,
// api/src/util/mqtt.util.js and process.util.js, 2021 to 2022.)
func ReadMatch(b []byte) (x Match, ok bool) {
	type face struct {
		Name       *string         `json:"name"`
		Confidence *float64        `json:"confidence"`
		Detector   string          `json:"detector"`
		Box        json.RawMessage `json:"box"` // not in the first versions
	}
	var m struct {
		ID       string          `json:"id"`
		Camera   string          `json:"camera"`
		Attempts json.RawMessage `json:"attempts"`
		Match    *face           `json:"match"`
		Unknown  *face           `json:"unknown"`
		Matches  []face          `json:"matches"`
		Unknowns []face          `json:"unknowns"`
		Misses   []face          `json:"misses"`
	}
	if json.Unmarshal(b, &m) != nil || m.Camera == "" || m.ID == "" || m.Attempts == nil {
		return x, false
	}
	x.Camera = m.Camera
	read := func(named bool, faces ...face) {
		for _, f := range faces {
			if f.Confidence == nil || f.Name == nil || f.Box == nil && f.Detector == "" {
				continue
			}
			ok, x.Named = true, x.Named || named
			if f.Detector != "" && len(f.Detector) <= 40 && !slices.Contains(x.Detectors, f.Detector) && len(x.Detectors) < 8 {
				x.Detectors = append(x.Detectors, f.Detector)
			}
		}
	}
	if m.Match != nil {
		read(true, *m.Match)
	}
	if m.Unknown != nil {
		read(false, *m.Unknown)
	}
	read(true, m.Matches...)
	read(false, slices.Concat(m.Unknowns, m.Misses)...)
	slices.Sort(x.Detectors)
	return x, ok
}
