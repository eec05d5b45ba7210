package sunapi

// Request is a question: the path and query of a GET request. Only those below are ever sent; other actions of the same
// programs write by GET, and pw_init.cgi sets the first password.
type Request string

// The questions.
const (
	Status       Request = "/init-cgi/pw_init.cgi?msubmenu=statuscheck&action=view" // answered to anybody
	DeviceInfo   Request = "/stw-cgi/system.cgi?msubmenu=deviceinfo&action=view"
	Attributes   Request = "/stw-cgi/attributes.cgi/attributes"
	FaceSource   Request = "/stw-cgi/eventsources.cgi?msubmenu=facedetection&action=view"
	ObjectSource Request = "/stw-cgi/eventsources.cgi?msubmenu=objectdetection&action=view"
	BestShots    Request = "/stw-cgi/eventsources.cgi?msubmenu=metaimagetransfer&action=view"
	EventStatus  Request = "/stw-cgi/eventstatus.cgi?msubmenu=eventstatus&action=check" // what goes on now
)

// Requests lists every question this program may ask.
func Requests() []Request {
	return []Request{Status, DeviceInfo, Attributes, FaceSource, ObjectSource, BestShots, EventStatus}
}
