package faceserver

import "testing"

// FuzzMessages: what programs publish and answer is read or refused, whatever it is.
func FuzzMessages(f *testing.F) {
	for _, s := range []string{
		`{"type":"face","id":"1607123955.475377-mxklsc","name":"a","score":0.95,"camera":"door","timestamp":1607123958.7}`,
		`{"type":"update","before":{},"after":{"id":"1607123955.475377-mxklsc","camera":"door","label":"person","attributes":{"face":0.86},"current_attributes":[{"label":"face"}]}}`,
		`{"id":"1","attempts":4,"camera":"door","match":{"name":"a","confidence":82.6,"detector":"x"},"unknowns":[{"name":"u","confidence":1,"box":{}}]}`,
		`{"success":true,"predictions":[{"confidence":0.74,"userid":"a","x_min":1}],"similarity":0.1}`,
		`{"result":[{"age":{"low":25},"box":{"x":1},"subjects":[{"similarity":0.97}],"source_image_face":{"box":{"x":1}},"face_matches":[{"similarity":1}]}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if u, ok := ReadFrigateUpdate(b); !ok && (u.Face || u.Named) {
			t.Error(u)
		}
		if e, ok := ReadFrigateEvent(b); !ok && e.Face {
			t.Error(e)
		}
		if m, ok := ReadMatch(b); ok && len(m.Detectors) > 8 {
			t.Error(m)
		}
		for _, path := range []string{routeVision, routeVisionRecognise, routeVisionCompare, routeRecognise, routeOneOfItsOwn + "/1/verify"} {
			if c, ok := ReadCall(path, b); ok && !c.Detect {
				t.Error(c)
			}
		}
	})
}
