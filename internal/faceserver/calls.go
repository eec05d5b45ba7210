package faceserver

import (
	"encoding/json"
	"strings"
)

// Routes of face servers that take pictures. They are only overheard, never asked.
const (
	routeVision          = "/v1/vision/face" // of DeepStack and of those that answer as it does
	routeVisionCompare   = routeVision + "/match"
	routeVisionRecognise = routeVision + "/recognize"      //nolint:misspell // as the program spells it
	routeRecognise       = "/api/v1/recognition/recognize" //nolint:misspell // and so the others
	routeOneOfItsOwn     = "/api/v1/recognition/faces"     // followed by the number of a picture, and /verify
	routeDetect          = "/api/v1/detection/detect"      //
	routeCompare         = "/api/v1/verification/verify"   //
)

// Call is what a face server did with a picture somebody sent it, as its answer shows.
type Call struct {
	Product  string // whose interface it is, where only one has it
	Route    string // without what in a path is somebody's number
	Detect   bool   // a face was found
	Verify   bool   // and compared with another
	Identify bool   // or with all that are known
	Named    bool   // the answer names somebody
	Age      bool   // the answer says so of a face
	Gender   bool
	Mask     bool
}

// ReadCall reads the answer to a request to path that succeeded. ok is false where it is none of a face server, or shows no face:
// a picture without one leaves nothing to prove. (johnolafenwa/DeepStack and codeproject/CodeProject.AI-Server, documentation of
// the vision interface; exadel-inc/CompreFace, docs/Rest-API-description.md; 2021 to 2023.)
func ReadCall(path string, body []byte) (c Call, ok bool) {
	path = strings.TrimSuffix(path, "/")
	switch path {
	case routeVision, routeVisionCompare, routeVisionRecognise:
		c, ok = vision(path, body)
		c.Route = path
		return c, ok
	case routeRecognise, routeDetect, routeCompare:
		c, ok = compreface(body)
		c.Route = path
	default:
		if strings.HasPrefix(path, routeOneOfItsOwn+"/") && strings.HasSuffix(path, "/verify") {
			c, ok = compreface(body)
			c.Route = routeOneOfItsOwn
		}
	}
	c.Product = "CompreFace"
	return c, ok
}

// vision is the interface DeepStack made, which CodeProject.AI and others answer too.
func vision(route string, body []byte) (c Call, ok bool) {
	var m struct {
		Success     bool     `json:"success"`
		Similarity  *float64 `json:"similarity"`
		Predictions []struct {
			User   *string  `json:"userid"`
			XMin   *float64 `json:"x_min"`
			Chance *float64 `json:"confidence"`
		} `json:"predictions"`
	}
	if json.Unmarshal(body, &m) != nil || !m.Success {
		return c, false
	}
	if route == routeVisionCompare {
		return Call{Detect: true, Verify: true}, m.Similarity != nil
	}
	for _, p := range m.Predictions {
		if p.XMin == nil || p.Chance == nil {
			continue
		}
		ok, c.Detect = true, true
		if route == routeVisionRecognise && p.User != nil {
			c.Identify, c.Named = true, c.Named || *p.User != "unknown" && *p.User != ""
		}
	}
	return c, ok
}

func compreface(body []byte) (c Call, ok bool) {
	type face struct {
		Box      json.RawMessage `json:"box"`
		Age      json.RawMessage `json:"age"`
		Gender   json.RawMessage `json:"gender"`
		Mask     json.RawMessage `json:"mask"`
		Subjects []struct {
			Similarity *float64 `json:"similarity"`
		} `json:"subjects"`
		Similarity *float64 `json:"similarity"`
	}
	var m struct {
		Result []struct {
			face
			Source  *face  `json:"source_image_face"`
			Matches []face `json:"face_matches"`
		} `json:"result"`
	}
	if json.Unmarshal(body, &m) != nil {
		return c, false
	}
	see := func(f face) {
		if len(f.Box) < 2 || f.Box[0] != '{' {
			return
		}
		there := func(b json.RawMessage) bool { return len(b) > 2 && b[0] == '{' }
		ok, c.Detect = true, true
		c.Age, c.Gender, c.Mask = c.Age || there(f.Age), c.Gender || there(f.Gender), c.Mask || there(f.Mask)
		for _, s := range f.Subjects {
			c.Identify = c.Identify || s.Similarity != nil
		}
		c.Verify = c.Verify || f.Similarity != nil
	}
	for _, r := range m.Result {
		see(r.face)
		if r.Source != nil {
			see(*r.Source)
		}
		for _, f := range r.Matches {
			see(f)
		}
	}
	c.Named = c.Identify
	return c, ok
}
