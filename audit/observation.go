package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"
)

// Status says how an exchange ended. The zero value is the cautious one: nothing can be concluded.
type Status int

// The statuses.
const (
	Inconclusive Status = iota // ended without an answer that can be used
	OK                         // answered
	Refused                    // authentication or authorisation refused
	AuthRequired               // asked without credentials, credentials wanted
	Locked                     // the device says it is locked or counts attempts
	NotSupported               // the device does not know the request
	BadArgument                // the device did not accept an argument
	Exhausted                  // the device has no resource left for it
	Timeout                    // no answer in time
	Unreachable                // no connection
	Malformed                  // an answer that is not the protocol
	Limited                    // a limit of ours was hit: size, depth, count, time
	Denied                     // our own guard refused to send it
	Interrupted                // the run was stopped
	Declared                   // not an exchange: the site file says so
	Empty                      // watched for the whole window, nothing came
	Spared                     // not asked, because asking would take what the operator's own recorder may need
)

var statusNames = []string{"inconclusive", "ok", "refused", "auth-required", "locked", "not-supported", "bad-argument", "exhausted",
	"timeout", "unreachable", "malformed", "limited", "denied", "interrupted", "declared", "empty", "spared"}

func (s Status) String() string { return enumName("status", statusNames, s) }

// MarshalText writes the status's name.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a status's name.
func (s *Status) UnmarshalText(b []byte) (err error) {
	*s, err = parseEnum[Status]("status", statusNames, b)
	return err
}

// Class is the kind of evidence an observation is; two findings from different classes corroborate each other.
type Class string

// The classes, after the evidence ladder of the project's legal basis.
const (
	ClassInventory   Class = "inventory"   // who and what is there (E0)
	ClassCapability  Class = "capability"  // what it could do (E1)
	ClassConfig      Class = "config"      // what is switched on (E2)
	ClassLive        Class = "live"        // what it did while we watched (E3, E4)
	ClassOutbound    Class = "outbound"    // where results go (E5)
	ClassDeclaration Class = "declaration" // the operator's word (O)
	ClassInspection  Class = "inspection"  // the inspector's own observation (I)
)

// Observation is one recorded sighting: what was asked of which endpoint, what came back, when and how. Data is the
// asking module's own structure; it holds names, counts and states, never a picture, a template or a person's value.
// An Observation is complete in itself: a module's Derive needs nothing else.
type Observation struct {
	ID       string          `json:"id"`
	Module   string          `json:"module"` // the probe module, discovery method or "site"
	Kind     string          `json:"kind"`   // what was asked, in the module's vocabulary: "GetServices"
	Class    Class           `json:"class"`
	Endpoint netip.AddrPort  `json:"endpoint,omitzero"`
	Locus    string          `json:"locus,omitempty"` // the device under probe, set by scan; see Locus in scan
	Seq      int             `json:"seq"`             // counts observations of the same module, kind and locus
	At       time.Time       `json:"at"`              // when it was asked, or since when it is declared
	Until    time.Time       `json:"until,omitzero"`  // end of the window for what was watched
	Auth     string          `json:"auth,omitempty"`  // none, wsse, digest: with what the answer was obtained
	Status   Status          `json:"status"`
	Detail   string          `json:"detail,omitempty"` // bounded, cleaned text of the device or the failure
	Identity *Identity       `json:"identity,omitempty"`
	Behind   []Channel       `json:"behind,omitempty"` // video sources of a recorder, where the exchange lists them
	Data     json.RawMessage `json:"data,omitempty"`
	Evidence []string        `json:"evidence,omitempty"` // ids of the transcript's records, or packets of a capture: "capture:c1#12-14"
	Basis    []string        `json:"basis,omitempty"`    // observations this one sums up
	Seen     *Seen           `json:"seen,omitempty"`     // of what was overheard in a capture: how often, how much
}

// Seen adds up what was overheard between At and Until and showed the same.
type Seen struct {
	Count int   `json:"count"`          // flows
	Up    int64 `json:"up,omitempty"`   // bytes of payload the device sent, where the observation is about traffic
	Down  int64 `json:"down,omitempty"` // bytes of payload it received
}

// SetID computes the observation's identifier from what it is about, so that it is the same in every run that asks the
// same things of the same endpoint: "o-" and 12 hexadecimal digits.
func (o *Observation) SetID() {
	h := sha256.Sum256([]byte(fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%d", o.Module, o.Kind, o.Locus, o.Endpoint, o.Seq)))
	o.ID = "o-" + hex.EncodeToString(h[:6])
}

// CoverageStatus says what became of one attempt to look.
type CoverageStatus string

// The coverage statuses.
const (
	Tried       CoverageStatus = "tried"        // done
	Partial     CoverageStatus = "partial"      // begun, not all of it answered
	Skipped     CoverageStatus = "skipped"      // not attempted: permit, budget or not applicable; detail says which
	RefusedBy   CoverageStatus = "refused"      // the device refused
	NoAnswer    CoverageStatus = "unreachable"  // no answer
	Failed      CoverageStatus = "failed"       // a stage of ours failed
	DeniedByUs  CoverageStatus = "denied"       // outside the perimeter, the hours or the permit
	Stopped     CoverageStatus = "interrupted"  // the run ended first
	NotObserved CoverageStatus = "not-observed" // watched, nothing came
	Overheard   CoverageStatus = "overheard"    // nothing was asked; what it sent was read
)

// Coverage is one entry of how hard the tool looked: what was tried where, and what became of it.
type Coverage struct {
	Target string         `json:"target"` // address, device id, interface or "site"
	Module string         `json:"module"`
	Status CoverageStatus `json:"status"`
	Detail Text           `json:"detail"`

	// Addresses says for every address of a prefix what became of it, where a method asks one by one.
	Addresses []AddressOutcome `json:"addresses,omitempty"`
}

// AddressOutcome lists the addresses of a prefix that shared an outcome.
type AddressOutcome struct {
	Outcome Reached  `json:"outcome"`
	Count   int      `json:"count"`
	Ranges  []string `json:"ranges"` // "192.0.2.7" or "192.0.2.7-192.0.2.19", ascending, both ends included
}

// Reached says what became of one address that was asked one by one.
type Reached string

// What became of an address.
const (
	ReachedOpen    Reached = "open"       // answered, and a port accepts connections
	ReachedClosed  Reached = "closed"     // answered; every port asked refuses
	ReachedMute    Reached = "mute"       // there on the link or by ping; no port answered
	ReachedAbsent  Reached = "absent"     // nobody on the link says the address is theirs
	ReachedNothing Reached = "unanswered" // behind a router: nothing came back, which a device that drops everything does too
	ReachedOwn     Reached = "own"        // this machine, or the network or broadcast address
	ReachedDenied  Reached = "denied"     // our own guard refused
	ReachedFailed  Reached = "failed"     // this machine could not ask
	ReachedNot     Reached = "not-asked"  // the run ended first, or the prefix is too large
)
