package onvif

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// Tally is what was seen in scene metadata: names and counts, never a value, a place or a picture.
type Tally struct {
	Documents  int            `json:"documents,omitempty"`
	Frames     int            `json:"frames,omitempty"`
	Objects    int            `json:"objects,omitempty"`
	Faces      int            `json:"faces,omitempty"`      // objects that are faces, not persons
	Classes    map[string]int `json:"classes,omitempty"`    // objects per class
	Attributes map[string]int `json:"attributes,omitempty"` // faces per attribute, by the names of package audit
	Crops      int            `json:"crops,omitempty"`      // faces with a picture or a reference to one
	Identity   int            `json:"identity,omitempty"`   // faces with an identifier of a person
	Extension  bool           `json:"extension,omitempty"`  // an attribute came as a vendor's own element
	Events     EventTally     `json:"events,omitzero"`
	Broken     int            `json:"broken,omitempty"` // documents that could not be read, or only in part
}

// secret are the elements whose text is a picture, an identifier, a plate or a place. Their presence is all that is kept.
func secret(local string) bool {
	switch local {
	case "Image", "ImageRef", "SceneImage", "SceneImageRef", "PlateNumber", "EnrollmentID", "RefImageUri", "ImageUri", "GeoLocation":
		return true
	}
	return false
}

// Document adds one metadata document. It returns false where nothing of it could be read.
func (t *Tally) Document(b []byte) bool {
	doc, err := xmltree.Parse(b, xmltree.Options{MaxBytes: 4 << 20, Drop: secret})
	if err != nil {
		t.Broken++
		return false
	}
	if doc.Malformed {
		t.Broken++
	}
	t.Documents++
	for _, r := range doc.Roots {
		if !strings.EqualFold(r.Name.Local, "MetadataStream") { // the specification's prose writes MetaDataStream once
			continue
		}
		for _, k := range r.Kids {
			switch k.Name.Local {
			case "VideoAnalytics":
				for _, f := range k.Children("Frame") {
					t.frame(f)
				}
			case "Event":
				for _, m := range k.Children("NotificationMessage") {
					t.Events.message(m)
				}
			}
		}
	}
	return true
}

// frame adds one frame, live or sample.
func (t *Tally) frame(f *xmltree.Node) {
	t.Frames++
	f.Walk(func(n *xmltree.Node) bool {
		if n.Name.Local != "Object" {
			return true
		}
		t.object(n)
		return false
	})
}

// object adds one object: a face by its class or by a HumanFace element, which may hang on an object of class Human.
func (t *Tally) object(o *xmltree.Node) {
	t.Objects++
	if t.Classes == nil {
		t.Classes = map[string]int{}
	}
	face := false
	seen := map[string]bool{}
	for _, a := range o.Children("Appearance") {
		for _, c := range objectClasses(a.Child("Class")) {
			if isFaceClass(c) {
				face = true
			}
			if !seen[c] && (len(t.Classes) < 64 || t.Classes[c] > 0) {
				t.Classes[c]++
			}
			seen[c] = true
		}
		face = face || a.Child("HumanFace") != nil
	}
	attrs := map[string]bool{}
	crop, identity := false, false
	for _, a := range o.Children("Appearance") {
		for _, k := range a.Kids {
			switch k.Name.Local {
			case "HumanFace":
				t.face(k, attrs)
			case "Image", "ImageRef":
				crop = crop || k.Len > 0
			case "Class", "Shape", "Transformation", "HumanBody", "VehicleInfo", "LicensePlateInfo", "Color", "GeoLocation":
			default:
				k.Walk(func(x *xmltree.Node) bool {
					switch {
					case x.Name.Local == "EnrollmentID" || x.Name.Local == "RefImageUri":
						identity = identity || x.Len > 0
					case hasWord(x.Name.Local, "emotion", "mood", "smile", "expression") && filled(x):
						attrs[audit.AttrEmotion], t.Extension, face = true, true, true
					}
					return true
				})
			}
		}
	}
	if !face {
		return
	}
	t.Faces++
	if crop {
		t.Crops++
	}
	if identity {
		t.Identity++
	}
	for a := range attrs {
		if t.Attributes == nil {
			t.Attributes = map[string]int{}
		}
		t.Attributes[a]++
	}
}

// attributeOf maps the children of fc:HumanFace (humanface.xsd 24.06) to attribute names. They come in namespace fc or tt.
var attributeOf = map[string]string{
	"Age": audit.AttrAge, "Gender": audit.AttrGender, "Complexion": audit.AttrComplexion, "Expression": audit.AttrExpression,
	"Temperature": audit.AttrTemperature, "PoseAngle": audit.AttrPose, "Accessory": audit.AttrAccessory,
	"FacialShape": audit.AttrFeatures, "Hair": audit.AttrFeatures, "FacialHair": audit.AttrFeatures, "Eyebrow": audit.AttrFeatures,
	"Eye": audit.AttrFeatures, "Ear": audit.AttrFeatures, "Nose": audit.AttrFeatures, "Lip": audit.AttrFeatures, "Chin": audit.AttrFeatures,
	"AdditionalFeatures": audit.AttrFeatures,
}

func (t *Tally) face(n *xmltree.Node, attrs map[string]bool) {
	for _, k := range n.Kids {
		if !filled(k) {
			continue
		}
		switch a, ok := attributeOf[k.Name.Local]; {
		case ok:
			attrs[a] = true
		case hasWord(k.Name.Local, "emotion", "mood", "smile", "expression"):
			attrs[audit.AttrEmotion], t.Extension = true, true
		}
	}
}

// filled reports whether an element says anything: an empty one names an attribute without stating it.
func filled(n *xmltree.Node) bool {
	yes := false
	n.Walk(func(k *xmltree.Node) bool {
		yes = yes || k.Text != "" || len(k.Attrs) > 0
		return !yes
	})
	return yes
}

// objectClasses reads the three forms of tt:Class that devices send.
func objectClasses(c *xmltree.Node) []string {
	var out []string
	c.Walk(func(n *xmltree.Node) bool {
		if n.Name.Local == "Type" && n.Text != "" && len(out) < 16 {
			out = append(out, localName(name(n.Text)))
		}
		return true
	})
	return out
}

// AttributeNames lists the attributes seen.
func (t *Tally) AttributeNames() []string { return sortedKeys(t.Attributes) }
