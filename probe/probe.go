// Package probe defines what a protocol module is. A module asks one protocol of one device, states facts from the answers
// and knows nothing of rules, reports or other modules. Each protocol is one directory below this one, and one line in
// probe/all.
package probe

import (
	"context"
	"net/netip"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
)

// Module is one protocol. Optional functions are nil.
type Module struct {
	Name  string           // lower case, the directory's name
	Doc   audit.Text       // one line for a person
	Needs audit.Permit     // the least permit it needs to say anything
	Facts []audit.FactSpec // every fact it may state
	Asks  []Question       // everything it may ask

	// Elsewhere reports whether a maker is known to configure face functions through another interface than this module's: its
	// answers then show what is on, and nothing of what they leave out. Optional.
	Elsewhere func(vendor string) bool

	// Web is the port at which the module asks over HTTP where a target names none. A port that is silent to that is not asked by
	// it any more. 0: it asks in another way, or is asked first.
	Web uint16

	// Wants reports whether the module can do something with the target. It sends nothing.
	Wants func(audit.Target) bool

	// Probe asks the device; nil where the module only listens. It is called at most once at a time per device and must return soon after the context ends,
	// with what it has. An error means it could not run at all; a refusal, a timeout or garbage is an observation.
	// The observations' ID, Locus and Seq are set by the caller.
	Probe func(ctx context.Context, env Env, t audit.Target) ([]audit.Observation, error)

	// Hears lists what of a capture the module can say something of; Dissect gets nothing else.
	Hears []capture.Proto

	// Dissect says what a flow shows of a device, nil where there is no passive form. It is pure: no clock, no network, no other flow,
	// and keeps nothing of the flow. Of its observations the caller sets ID, Locus, Seq, At, Until, Evidence and Seen. The endpoint is
	// the device an observation is about, with port 0 where the device is the client; only devices inside the perimeter are kept.
	// Two flows that show the same give equal observations, which are added up: Data holds nothing that differs from one event to
	// the next (no time, count or identifier), and never a picture, a template or a person's value. An error says that the flow is
	// not what its protocol demands; it is counted.
	Dissect func(Hearing, *capture.Flow) ([]audit.Observation, error)

	// Derive states the facts an observation of this module supports. It is pure: no clock, no network, no other observation.
	// Subject, Because and Class of the facts are set by the caller.
	Derive func(audit.Observation) ([]audit.Fact, error)
}

// Question is one thing a module may ask a device.
type Question struct {
	Request string       // as the protocol writes it: "GET /ISAPI/Smart/FaceDetect/{channel}", "tds:GetServices"
	Kind    string       // of the observation it leads to
	Needs   audit.Permit // the least permit under which it is asked
	Login   bool         // devices usually want a login for it

	// Decides lists the functions whose state the answer can establish beyond "could"; empty where it says who the device is,
	// or what it could do.
	Decides []audit.Function
}

// Env is everything a probe may touch.
type Env struct {
	Device   *guard.Device // the way to the one device
	Guard    *guard.Guard  // to ask whether an address is inside, and to record what was not followed
	Login    *Login        // nil when the operator gave no credentials for this device
	Evidence evidence.Recorder
	Clock    func() time.Time
	Data     *knowledge.Set // what is known of makers, models and hosts; nil: what is built in
	Sample   Sample
	Brief    bool             // ask only who the device is and what it speaks, with as few packets as possible
	Done     *Done            // what other modules already did on this device
	Progress func(audit.Text) // one short line for a person; never nil
}

// Sample bounds what permit "sample" may do on one device.
type Sample struct {
	Events   time.Duration // pull point window, default 30 s
	Metadata time.Duration // metadata stream window, default 20 s
	Scarce   bool          // also on devices with two pull points or fewer
}

// Hearing is what a dissector may know besides the flow.
type Hearing struct {
	Inside func(netip.Addr) bool // whether an address belongs to the perimeter
	Data   *knowledge.Set        // what is known of makers, models and hosts; nil: what is built in

	// Listed reports whether the inventory has the address, or the hardware address as audit.Identity writes it. Who is not listed
	// and shows no sign of being a camera is passed over by what only hears that somebody is there. Nil: nothing is listed.
	Listed func(addr netip.Addr, mac string) bool
}

// Endpoint is where a target listens: its own address and port, or the module's default port.
func Endpoint(t audit.Target, port uint16) netip.AddrPort {
	if t.Addr.Port() != 0 {
		return t.Addr
	}
	return netip.AddrPortFrom(t.Addr.Addr(), port)
}
