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
	"github.com/mingshi-audit/mingshi/internal/guard"
)

// Method is one way to find targets.
type Method struct {
	Name  string
	Doc   audit.Text
	Needs audit.Permit // the least permit it runs under

	// Run looks until it is done or the context ends, and calls found for every target as soon as it is known, possibly
	// from several goroutines at once. The coverage says what was tried on each interface, prefix or entry. An error means
	// it could not run at all; the end of the context is coverage.
	Run func(ctx context.Context, env Env, found func(audit.Target)) ([]audit.Coverage, error)
}

// Env is everything a method may touch. Guard is required, the rest has defaults.
type Env struct {
	Guard    *guard.Guard
	Site     *audit.SiteFile
	Evidence evidence.Recorder // nil keeps no evidence
	Clock    func() time.Time  // default time.Now
	Ports    []uint16          // ports to connect to, default CameraPorts
	Window   time.Duration     // how long to listen for answers, default 6 s
	Progress func(audit.Text)  // one short line for a person; may be called concurrently
}

// Methods lists every method, the cheapest first.
func Methods() []Method {
	return []Method{Inventory(), WSDiscovery(), MDNS(), TCPConnect()}
}

// CameraPorts are the TCP ports cameras, recorders and their servers are found on, the telling ones first.
func CameraPorts() []uint16 {
	return []uint16{80, 554, 8000, 443, 37777, 34567, 81, 2020, 5000, 8080, 8443, 8554, 8899}
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
