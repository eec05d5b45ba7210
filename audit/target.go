package audit

import (
	"net/netip"
	"time"
)

// Target is an address worth probing, as one discovery method reported it. Discovery adds no judgement: what the
// device or the site file said is kept as it was.
type Target struct {
	Method    string              `json:"method"`              // ws-discovery, mdns, inventory, tcp-connect …
	Addr      netip.AddrPort      `json:"addr"`                // port 0 where the method names none
	Interface string              `json:"interface,omitempty"` // the interface it was heard on
	At        time.Time           `json:"at,omitzero"`
	Identity  Identity            `json:"identity,omitzero"`   // what the method learned of who it is
	Types     []string            `json:"types,omitempty"`     // WS-Discovery types, DNS-SD service types
	Scopes    []string            `json:"scopes,omitempty"`    // WS-Discovery scopes
	XAddrs    []string            `json:"xaddrs,omitempty"`    // service addresses as announced; never contacted unless inside the perimeter
	TXT       map[string]string   `json:"txt,omitempty"`       // DNS-SD TXT record
	Inventory string              `json:"inventory,omitempty"` // id of the inventory entry
	Foreign   bool                `json:"foreign,omitempty"`   // answered from outside the perimeter: recorded, never contacted
	Sighting  bool                `json:"sighting,omitempty"`  // says who is there, and names nothing to be asked
	Evidence  []string            `json:"evidence,omitempty"`
	Extra     map[string][]string `json:"extra,omitempty"` // anything else, verbatim
}

// Channel is a video source behind a recorder, as the recorder describes it. Every field but ID is optional and hostile:
// bounded, cleaned text. A channel with an address is a camera on a network; one without is wired to the recorder.
type Channel struct {
	ID       string         `json:"id"` // the recorder's own number or token
	Name     string         `json:"name,omitempty"`
	Addr     netip.AddrPort `json:"addr,omitzero"` // where the recorder says the camera is; port 0 where it names none
	MAC      string         `json:"mac,omitempty"`
	Vendor   string         `json:"vendor,omitempty"`
	Model    string         `json:"model,omitempty"`
	Firmware string         `json:"firmware,omitempty"`
	Serial   string         `json:"serial,omitempty"`
	Online   *bool          `json:"online,omitempty"` // whether the recorder receives it now; nil: not said
}

// Identity is what an exchange says about who a device is. Every field is optional and hostile: bounded, cleaned text.
// The first five identify, strongest first; the rest describe.
type Identity struct {
	MACs     []string `json:"macs,omitempty"`    // lower case, colon separated
	EPR      string   `json:"epr,omitempty"`     // WS-Discovery endpoint reference address
	MDNS     string   `json:"mdns,omitempty"`    // DNS-SD instance or host name
	Serial   string   `json:"serial,omitempty"`  // as the device writes it
	TLSKey   string   `json:"tls_key,omitempty"` // sha256 of the certificate's public key
	Kind     Kind     `json:"kind,omitempty"`    // what the exchange shows it to be
	Vendor   string   `json:"vendor,omitempty"`
	Model    string   `json:"model,omitempty"`
	Firmware string   `json:"firmware,omitempty"`
	Hardware string   `json:"hardware,omitempty"`
	Name     string   `json:"name,omitempty"`
	Location string   `json:"location,omitempty"`
	Channels int      `json:"channels,omitempty"` // video sources behind it
	Services []string `json:"services,omitempty"` // protocols and service namespaces it says it speaks
	Weak     bool     `json:"weak,omitempty"`     // vendor, model and kind are inferred (a banner, a prefix), not stated
}
