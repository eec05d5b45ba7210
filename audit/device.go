package audit

// Kind is what sort of thing a device is.
type Kind string

// The kinds.
const (
	KindCamera   Kind = "camera"
	KindRecorder Kind = "recorder"
	KindTerminal Kind = "terminal" // access or attendance terminal
	KindServer   Kind = "server"   // analyses or manages video of others
	KindOther    Kind = "other"
)

// FaceState is what was established about one function of a device.
type FaceState struct {
	Level      Level    `json:"level"`
	Attributes []string `json:"attributes"`         // attribute names behind the level, never values
	Because    []string `json:"because"`            // observations
	Dispute    []string `json:"dispute,omitempty"`  // observations that contradict each other
	Inferred   bool     `json:"inferred,omitempty"` // rests on what is known of the model alone
	Note       Text     `json:"note,omitzero"`      // why it is not higher or lower, where that needs saying
}

// Outbound is a place a device is configured to send results to, or was seen sending to.
type Outbound struct {
	Host    string   `json:"host"`
	Inside  bool     `json:"inside"`          // inside the perimeter
	What    string   `json:"what"`            // mqtt-events, metadata-multicast …
	Face    bool     `json:"face"`            // the configuration names face results
	Whose   string   `json:"whose,omitempty"` // whose host it is, where that is known
	Means   Text     `json:"means,omitzero"`  // what it proves that results go there, and what not
	Because []string `json:"because"`
}

// Device is one identified thing, merged from every sighting of it.
type Device struct {
	ID        string                 `json:"id"`
	Kind      Kind                   `json:"kind"`
	Vendor    string                 `json:"vendor"`
	Model     string                 `json:"model"`
	Firmware  string                 `json:"firmware"`
	Serial    string                 `json:"serial"`
	Name      string                 `json:"name"`
	Addresses []string               `json:"addresses"` // "ip:port" of every endpoint that answered, or "ip"
	MACs      []string               `json:"macs"`
	Zones     []string               `json:"zones"`
	Sources   []string               `json:"sources"`             // how it was found: discovery methods
	Services  []string               `json:"services"`            // protocols and service namespaces it speaks
	Inventory string                 `json:"inventory,omitempty"` // id of the site file's entry
	Channels  int                    `json:"channels,omitempty"`
	Loci      []string               `json:"loci"`
	Foreign   bool                   `json:"foreign,omitempty"`  // answered from outside the perimeter: recorded, never contacted
	Via       string                 `json:"via,omitempty"`      // id of the recorder whose channel it is
	Channel   string                 `json:"channel,omitempty"`  // the recorder's number or token for it
	Inferred  bool                   `json:"inferred,omitempty"` // vendor and kind rest on a banner or an address prefix only
	Face      map[Function]FaceState `json:"face"`
	Looked    []Looked               `json:"looked"` // one per function, in report order
	Outbound  []Outbound             `json:"outbound"`
	FirstSeen string                 `json:"first_seen"`
	LastSeen  string                 `json:"last_seen"`
}
