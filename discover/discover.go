// Package discover finds targets: addresses worth probing. Each method is one file and one line in Methods. A method
// belongs here when it asks many addresses one cheap question, or none at all; talking with one device belongs to probe.
// Discovery adds no judgement: what a device or the site file said is kept as it was said.
package discover

import (
	"context"
	"net/netip"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/fingerprint"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
)

// Method is one way to find targets.
type Method struct {
	Name  string
	Doc   audit.Text
	Needs audit.Permit // the least permit it runs under
	Asks  audit.Text   // what is sent and to whom, in one line; empty where nothing is
	Group Group        // how it finds devices, for the estimate of what was missed

	// Cost says what a run would send in this environment, one entry per interface or prefix. It sends nothing itself.
	Cost func(env Env) []Cost

	// Run looks until it is done or the context ends, and calls found for every target as soon as it is known, possibly
	// from several goroutines at once. The coverage says what was tried on each interface, prefix or entry. An error means
	// it could not run at all; the end of the context is coverage.
	Run func(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error)
}

// Group is how a method finds devices. Methods of different groups find a device independently of each other, roughly.
type Group int

// The groups.
const (
	Listed    Group = iota // the operator names it
	Announced              // it answers a question that goes to everybody
	Swept                  // it answers at its own address
)

// Cost is what a method would send to one interface or prefix.
type Cost struct {
	Target  string        // interface or prefix
	To      string        // "239.255.255.250:3702" or "256 addresses"
	Packets int           // most packets sent
	Lasts   time.Duration // at most, roughly
	Why     audit.Text    // where it would not run: why
}

// Env is everything a method may touch. Guard is required, the rest has defaults.
type Env struct {
	Guard    *guard.Guard
	Site     *audit.SiteFile
	Evidence evidence.Recorder // nil keeps no evidence
	Clock    func() time.Time  // default time.Now
	Data     *knowledge.Set    // what is known of makers; nil: what is built in
	Ports    []uint16          // ports to connect to, default CameraPorts
	Window   time.Duration     // how long to listen for answers, default 6 s
	Quick    bool              // listen no longer than 1.5 times the protocol's own longest delay after the last question
	Keep     bool              // connections are kept for a moment for whoever asks the device at once
	Progress func(audit.Text)  // one short line for a person; may be called concurrently

	// Neighbours is shared by the methods of one run. Default: one of its own for every call of withDefaults, so that a
	// method that runs alone works too.
	Neighbours *Neighbourhood
}

// Methods lists every method, the cheapest first.
func Methods() []Method {
	return []Method{
		Inventory(),
		WSDiscovery(), SSDP(), SADP(), DHIP(), DVRIP(), Hanwha(), Bosch(), Sony(), IPRO(), Vivotek(), TPLink(), Xiongmai(),
		MDNS(),
		Neighbours(), Unicast(), TCPConnect(),
	}
}

// CameraPorts are the TCP ports cameras, recorders and their servers are found on, the telling ones first; then those where
// servers after GA/T 1400, which has no port of its own, were met; then those of programs that recognise faces in other
// devices' pictures, and of what is found beside them: a hub, a relay of streams, a broker, a store of vectors; last TP-Link's and
// ZKTeco's own.
func CameraPorts() []uint16 {
	return []uint16{80, 554, 8000, 443, 37777, 34567, 81, 2020, 5000, 8080, 8443, 8554, 8899, 14000, 10008, 19101, 8120, 9999,
		8971, 32168, 3000, 8888, 5005, 18080, 18081, 8123, 10443, 1984, 1883, 6333, 19530, 20443, 4370}
}

// fingerprints returns the run's fingerprints.
func (e Env) fingerprints() (*fingerprint.DB, error) {
	if e.Data != nil {
		return e.Data.Fingerprints, nil
	}
	return fingerprint.Load()
}

func (e Env) withDefaults() Env {
	if e.Site == nil {
		e.Site = &audit.SiteFile{}
	}
	if e.Evidence == nil {
		e.Evidence = noEvidence{}
	}
	if e.Clock == nil {
		e.Clock = time.Now
	}
	if len(e.Ports) == 0 {
		e.Ports = CameraPorts()
	}
	if e.Window <= 0 {
		e.Window = 6 * time.Second
	}
	if e.Neighbours == nil {
		e.Neighbours = &Neighbourhood{}
	}
	if e.Progress == nil {
		e.Progress = func(audit.Text) {}
	}
	return e
}

// record keeps an exchange and returns its id as a list, empty where no evidence is kept.
func (e Env) record(x evidence.Exchange) []string {
	if id := e.Evidence.Record(x); id != "" {
		return []string{id}
	}
	return nil
}

type noEvidence struct{}

func (noEvidence) Record(evidence.Exchange) string { return "" }

// sleep waits, and reports whether the whole time passed.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// zoned gives a link-local IPv6 address the interface it was heard on: without it, it leads nowhere.
func zoned(a netip.Addr, ifi guard.Interface) netip.Addr {
	if a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "" {
		return a.WithZone(ifi.Name)
	}
	return a
}
