package lab

import (
	"time"

	"github.com/mingshi-audit/mingshi/audit"
)

// Spec is one device as data. The zero value of every field is the plain case: an open device with no services.
type Spec struct {
	Name     string // unique in the shop; also the host part of its names
	Label    string // what a person called it, in any language; default Name
	Kind     audit.Kind
	Maker    string
	Model    string
	Firmware string
	Hardware string
	Serial   string // default LAB- and the device's number
	MAC      string // default 02:77:… and the device's number

	Login Login
	Clock time.Duration // how far the device's clock is from the shop's

	ONVIF     bool     // speaks ONVIF at all
	ProfileM  bool     // declares Profile M in its scopes
	Scopes    []string // further scopes, after those made of name, hardware and profiles
	Types     []string // WS-Discovery types; default those of a camera when ONVIF, none otherwise
	Quiet     bool     // does not answer WS-Discovery
	MDNS      []Record // DNS-SD services it announces
	Vendor    Vendor   // makers' search protocols it answers
	Page      Page     // what GET / answers
	RTSP      bool     // has an RTSP server
	Channels  int      // video sources; default 1 for ONVIF devices
	Analytics Analytics
	Events    Events
	Metadata  Metadata
	Apps      []App     // on-camera applications (AppMgmt)
	PACS      []string  // identifier types of an access terminal ("pt:Face")
	Recording bool      // lists the recording, search and replay services
	ISAPI     *ISAPI    // Hikvision's interface
	CGI       *CGI      // Dahua's
	HoloSens  *HoloSens // Huawei's
	Reolink   *Reolink
	VIGI      *VIGI // TP-Link's OpenAPI, on a port of its own
	Protect   *Protect
	ZK        bool    // listens where ZKTeco's terminals do, and says nothing
	TLS       bool    // the web port speaks TLS
	LAPI      *LAPI   // Uniview's
	SUNAPI    *SUNAPI // Hanwha's
	VAPIX     *VAPIX  // Axis's
	Server    *Server // a program's that works on other devices' pictures

	Style  Style
	Quirks Quirks
	Place  Place
}

// Auth is how a device wants to be logged in to.
type Auth int

// The ways.
const (
	AuthNone         Auth = iota // open
	AuthWSSE                     // WS-Security UsernameToken, refusals as HTTP 400 with a fault
	AuthDigestMD5                // HTTP digest, MD5
	AuthDigestSHA256             // HTTP digest, SHA-256 only
	AuthDigestBoth               // HTTP digest, both algorithms offered, SHA-256 first
	AuthAny                      // digest (MD5) or WS-Security, whichever comes
)

// Login is a device's account and how it is checked.
type Login struct {
	Auth     Auth
	User     string        // default "viewer"
	Password string        // default made from the shop's seed and the device's name
	Window   time.Duration // how far wsu:Created may be from the device's clock; default 60 s
	PreAuth  bool          // even calls that need no login are refused without one
	Refuse   bool          // refuses whatever it is shown
	Realm    string        // of a digest challenge; default "LAB Login"
	Attempts int           // counts refusals down in the fault text ("You still have n attempt(s)") and then locks; 0: silent
}

// Param is a name with a value, or with a type where the device describes itself.
type Param struct{ Name, Value string }

// Described is one entry of GetSupportedRules or GetSupportedAnalyticsModules.
type Described struct {
	Name     string // QName, as written
	Fixed    bool
	Max      int
	Params   []Param // name and type
	Messages []Message
}

// Message is a tt:Messages entry: what an event of the rule carries.
type Message struct {
	Property     bool
	Source, Data []Param // name and type
	Topic        string
}

// Configured is one entry of GetRules or GetAnalyticsModules.
type Configured struct {
	Name, Type string
	Params     []Param
}

// Option is one entry of GetRuleOptions.
type Option struct {
	Rule, Name string
	List       string // StringList
}

// Sample is one module of GetSupportedMetadata.
type Sample struct {
	Module string
	Frame  Frame
}

// Analytics is the analytics service. Without Service nothing of it is listed.
type Analytics struct {
	Service          bool
	Token            string // default "VideoAnalyticsToken"
	SupportedRules   []Described
	Rules            []Configured
	SupportedModules []Described
	Modules          []Configured
	Options          []Option
	Samples          []Sample
	ImageSending     string            // ImageSendingType of the capabilities
	Refuse           map[string]string // operation → subcode of the fault it gives ("ter:ActionNotSupported")
}

// Event is a notification.
type Event struct {
	Topic     string
	Operation string // Initialized, Changed, Deleted or empty
	Source    []Param
	Data      []Param
}

// Topic is one topic of the TopicSet.
type Topic struct {
	Path     string // "tns1:RuleEngine/Recognition/Face"
	Property bool
	Source   []Param // name and type
	Data     []Param
}

// Broker is an MQTT broker the device publishes to.
type Broker struct {
	Address, Prefix   string
	Publish, Metadata string // filters
}

// Events is the event service.
type Events struct {
	Service bool
	Max     int // MaxPullPoints; default 10
	Topics  []Topic
	Initial []Event       // sent at once to every subscriber
	Emit    []Event       // sent after that, in turn, over and over
	After   time.Duration // until the first of Emit; default 300 ms
	Every   time.Duration // between them; default 500 ms
	Brokers []Broker
}

// AttributeNS says which namespace the children of HumanFace are written in.
type AttributeNS int

// The namespaces seen in the field.
const (
	InFC AttributeNS = iota // the human face schema
	InTT                    // the base schema, which some firmware writes
)

// ClassForm is how an object states its class.
type ClassForm int

// The forms.
const (
	ClassType      ClassForm = iota // tt:Type with a likelihood
	ClassCandidate                  // the deprecated form
	ClassOther                      // the old extension form
)

// Object is one object of a frame. Attributes are children of HumanFace: the value is text, or XML where it starts with "<".
type Object struct {
	ID, Parent int
	Class      string
	Form       ClassForm
	Attributes []Param
	NS         AttributeNS
	Image      bool   // an ImageRef that points nowhere
	Extra      string // further XML below Appearance
}

// Frame is one metadata document, or one sample frame.
type Frame struct {
	Objects []Object
	Raw     string // instead of a frame: the whole document
}

// Encoding is how metadata is packed.
type Encoding string

// The encodings of the metadata track.
const (
	PlainMetadata Encoding = "vnd.onvif.metadata"
	GzipMetadata  Encoding = "vnd.onvif.metadata+gzip"
)

// Metadata is the metadata configuration and track.
type Metadata struct {
	Configured  bool // a metadata configuration exists
	Analytics   bool // … and carries analytics
	Track       bool // the SDP has the track
	Encoding    Encoding
	PayloadType uint8 // default 107
	Frames      []Frame
	Every       time.Duration // default 200 ms
	NoMarker    bool          // the marker bit is never set
	Multicast   string        // address of an automatically started multicast stream
}

// App is an on-camera application.
type App struct{ ID, Name, State string }

// Record is a DNS-SD service.
type Record struct {
	Service string // "_http._tcp"
	TXT     []string
}

// Page is the start page of the web server.
type Page struct {
	Server, Title string
	Realm         string // answers 401 with this realm
	Body          string // instead of a page with the title
}

// Place is where the demonstration puts the device.
type Place struct {
	Zone        string
	Inventoried bool // in the site file's inventory; the others must be found
	NoLogin     bool // the operator gave no credentials for it
}

// Style is how a firmware writes XML.
type Style struct {
	Envelope  string            // prefix of the envelope; default "env"
	GSOAP     bool              // declares every namespace it was compiled with on every answer
	Prefix    map[string]string // our prefix → the device's
	NameFirst bool              // Name before Type
	Indent    bool              // line feeds between elements
	OneXAddr  string            // one path for all services
	Echo      bool              // echoes the request's security header
	Fault     FaultStyle
}

// FaultStyle is how a firmware says that it does not know an operation.
type FaultStyle int

// The styles.
const (
	FaultReceiver FaultStyle = iota // HTTP 500, Receiver/ter:ActionNotSupported
	FaultBare                       // HTTP 400, Sender without a subcode and without a text
	FaultGSOAP                      // HTTP 400, "Method … not implemented: method name or namespace not recognized"
	FaultSOAP11                     // SOAP 1.1, the code in the faultstring
)

// Behaviour is what a device does with HTTP requests.
type Behaviour int

// The behaviours.
const (
	Normal   Behaviour = iota
	Garbage            // answers random bytes
	Silent             // accepts and never answers
	Redirect           // 302 to Quirks.Elsewhere
	Endless            // a body without an end
	Deep               // 100 000 nested elements
	Bomb               // a document type with entities that expand
	Trickle            // one byte every 100 ms
	Reboot             // drops every connection when asked more than Quirks.Rate times a second
)

// Quirks are departures from the specification, as seen in the field or made to hurt.
type Quirks struct {
	HTTP          Behaviour
	Elsewhere     string // host:port that redirects, XAddrs and stream URIs name
	Rate          int    // for Reboot; default 8
	NoGetServices bool
	NoMedia2      bool
	NoStreamTrack bool   // SETUP of the metadata track alone yields no packets
	PullPath      string // path of the subscription manager; default /onvif/PullSubManager
	EmptyAddress  bool   // the subscription reference is empty
	URNAddress    bool   // … or a urn:uuid
	NoFilter      bool   // refuses a topic filter
	YearLong      bool   // subscriptions end in a year, whatever was asked
	BigSDP        bool   // an SDP of half a megabyte
}
