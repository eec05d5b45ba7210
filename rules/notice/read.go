package notice

import (
	"slices"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// Methods of processing, in the vocabulary of the site file.
const (
	VideoRecording    = "video_recording"
	FaceDetection     = "face_detection"
	FaceCapture       = "face_capture_snapshot"
	AttributeAnalysis = "attribute_analysis"
	Verification      = "verification_1_1"
	Identification    = "identification_1_n"
	Tracking          = "tracking_person_id"
	StorageLocal      = "storage_local"
	StorageServer     = "storage_server"
	UploadInternet    = "upload_internet"
	Provision         = "provision_to_third_party"
)

// Data a notice may name, besides the attribute names of package audit.
const (
	DataImage   = "image" // pictures and video
	DataFace    = "face"  // face information in general: covers face crops and templates, no attributes
	DataFeature = "face_template"
)

// Reading is what one notice of the site file says, with everything a comparison needs.
type Reading struct {
	audit.Notice
	Result
	Physical bool // hangs or stands where people pass: a sign, a card or a screen
	Public   bool // rules that can be read elsewhere: a page, an app, an annex
	Firm     bool // an inspector recorded it as present, in full, before capture or off site; nothing about it is merely claimed
	// Open says why Firm is false: the site file's field that is missing.
	Open []string
	// Inferred lists which of methods, data and purposes come from the text, because the inspector filled in nothing.
	Inferred []string
	// Unnamed says that the text speaks of recipients and nobody recorded which.
	Unnamed bool
}

// Read reads a notice. Fields the inspector filled in stand for what the notice states; what is empty is inferred from the
// text. The elements come from the text alone, with one exception: rules recorded as available (URL, QR code, paper)
// count as N11, which a photograph often shows as a picture only. A notice without text is unclear in every element. A
// machine-read text that nobody confirmed decides nothing.
func Read(n audit.Notice) Reading {
	unconfirmed := n.OCR != nil && n.OCR.ConfirmedBy == ""
	full := n.Text != "" && !n.TextPartial
	r := Reading{Notice: n, Result: Check(n.Text, full), Firm: true}
	if unconfirmed {
		r.Result = Check("", false)
	}
	if n.Rules != nil && (n.Rules.URL != "" || n.Rules.QR || n.Rules.PaperAt != "") {
		for i := range r.Hits {
			if h := &r.Hits[i]; h.Element == Rules && h.State != Present {
				h.State = Present
			}
		}
	}
	switch n.Kind {
	case "posted_sign", "counter_card", "screen":
		r.Physical = true
	default:
		r.Public = true
	}
	methods, attributes := split(n.Methods)
	r.take(&r.Stated.Methods, methods, "methods")
	r.take(&r.Stated.Data, append(attributes, n.Scope.Data...), "data")
	r.take(&r.Stated.Purposes, without(n.Purposes, "unknown"), "purposes")
	r.Unnamed = len(n.Scope.Recipients) == 0 && r.State(Recipients) == Present && slices.Contains(r.Stated.Methods, Provision)
	open := func(is bool, field string) {
		if is {
			r.Open, r.Firm = append(r.Open, field), false
		}
	}
	open(r.Physical && n.Location.BeforeCapture == nil, "location.before_capture")
	open(n.DeclaredBy == "operator", "declared_by")
	open(n.Status == "", "status")
	open(unconfirmed, "ocr.confirmed_by")
	open(n.Covers.Hours != "" && n.Covers.Hours != "always", "covers.hours")
	return r
}

// split parts methods from the attributes written behind them, as in attribute_analysis{age,gender}: those are data.
func split(methods []string) (names, attributes []string) {
	for _, m := range methods {
		name, attrs := audit.SplitMethod(m)
		names, attributes = append(names, name), append(attributes, attrs...)
	}
	return names, attributes
}

func (r *Reading) take(inferred *[]string, given []string, what string) {
	if len(given) > 0 {
		*inferred = normal(given)
	} else if len(*inferred) > 0 {
		r.Inferred = append(r.Inferred, what)
	}
}

// Makes reports whether the notice makes a positive statement that behaviour can be compared with: it names a method, data,
// a purpose or a recipient, or it denies that faces are processed.
func (r Reading) Makes() bool {
	return len(r.Stated.Methods)+len(r.Stated.Data)+len(r.Stated.Purposes)+len(r.Scope.Recipients) > 0 || r.Denies()
}

// Zones returns the zones the notice speaks of: those it is said to cover, else where it hangs. Nil for rules that speak of
// the whole site, and for a sign of which nobody recorded either.
func (r Reading) Zones() []string {
	switch {
	case len(r.Covers.Zones) > 0:
		return normal(r.Covers.Zones)
	case r.Physical && r.Location.Zone != "":
		return []string{r.Location.Zone}
	}
	return nil
}

// InTime reports whether the notice was up at a time.
func (r Reading) InTime(at time.Time) bool {
	return (r.PostedOn.IsZero() || !at.Before(r.PostedOn.T)) && (r.RemovedOn.IsZero() || at.Before(r.RemovedOn.T))
}

// covers is whether a sign tells people in one zone of a camera: no, perhaps, or yes. An empty zone is one nobody recorded.
func (r Reading) covers(p Processing, zone string) Truth {
	zones := r.Zones()
	switch {
	case !r.Physical, r.bars(p) != "":
		return No
	case zones == nil:
		return Unknown
	case slices.Contains(zones, "*"):
	case zone == "":
		return Unknown
	case !slices.Contains(zones, zone):
		return No
	}
	if !r.Firm {
		return Unknown
	}
	return Yes
}

// bars is why a sign counts for no zone of a camera: its status, after_capture, not_in_time, other_camera; empty: nothing does.
func (r Reading) bars(p Processing) string {
	switch {
	case r.Status != "present" && r.Status != "":
		return r.Status
	case !r.InTime(p.Seen):
		return "not_in_time"
	case r.Location.BeforeCapture != nil && !*r.Location.BeforeCapture:
		return "after_capture"
	case len(r.Covers.Cameras) > 0 && !slices.Contains(r.Covers.Cameras, "*") && !slices.Contains(r.Covers.Cameras, p.Inventory):
		return "other_camera"
	}
	return ""
}

// excluded is why a sign on record at a zone of the camera does not cover it; empty where it does or hangs elsewhere.
func (r Reading) excluded(p Processing) string {
	zones := r.Zones()
	here := slices.Contains(zones, "*") || slices.ContainsFunc(p.Zones, func(z string) bool { return slices.Contains(zones, z) })
	switch {
	case !r.Physical || !here:
		return ""
	case r.bars(p) != "":
		return r.bars(p)
	case !slices.Contains(zones, "*") && len(minus(p.Zones, zones)) > 0:
		return "some_zones"
	}
	return ""
}

// public reports whether the notice is rules about faces that anyone can read at that time.
func (r Reading) public(at time.Time) bool {
	return r.Public && (r.Status == "present" || r.Status == "") && r.InTime(at) && r.State(Face) != Absent
}

// closures says what a stated method includes: who says that people are identified also said that faces are found and
// captured; who says that there is video said nothing about analysis.
var closures = map[string][]string{
	FaceCapture:       {FaceDetection, VideoRecording},
	FaceDetection:     {VideoRecording},
	AttributeAnalysis: {FaceDetection, VideoRecording},
	Verification:      {FaceDetection, FaceCapture, VideoRecording},
	Identification:    {FaceDetection, FaceCapture, Verification, VideoRecording},
	Tracking:          {FaceDetection, VideoRecording},
	Provision:         {UploadInternet},
}

// Closure returns the methods that somebody stated who stated these.
func Closure(methods []string) []string {
	out := slices.Clone(methods)
	for _, m := range methods {
		out = append(out, closures[m]...)
	}
	return normal(out)
}

func normal(l []string) []string {
	c := slices.Clone(l)
	slices.Sort(c)
	return slices.Compact(c)
}

func without(l []string, x string) []string {
	return slices.DeleteFunc(slices.Clone(l), func(s string) bool { return s == x })
}

// minus returns what is in a and not in b, sorted.
func minus(a, b []string) []string {
	out := []string{}
	for _, x := range normal(a) {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}
