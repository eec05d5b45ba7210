package axis

import (
	"encoding/json"
	"fmt"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/vapix"
	"github.com/mingshi-audit/mingshi/probe"
)

// Derive states the facts of one observation.
//
// An application that can do something with faces makes the device capable of it. While it runs, what it does whenever it runs
// is configured; whether anybody passed before it is not known here, so nothing is ever active. One that runs without the
// licence it needs, or is idle, is not said to do anything.
//
// Comparing faces, one to one or one to many, is stated absent only where a logged-in, complete list shows no application but
// Axis's own that are known to have nothing to do with faces: the firmware itself compares none (reference: AXIS Object
// Analytics tells humans from vehicles). With any application that is not in the catalogue it stays unknown, since a package's
// name does not tell what it does. Of detection, crops and attributes nothing is said at all: AXIS Scene Metadata, which is no
// application and is not in the list, may draw boxes around faces.
func Derive(o audit.Observation) ([]audit.Fact, error) {
	if len(o.Data) == 0 || o.Status != audit.OK || o.Kind != kindApps {
		return nil, nil
	}
	var d Data
	if err := json.Unmarshal(o.Data, &d); err != nil {
		return nil, fmt.Errorf("axis: data of %s: %w", o.Kind, err)
	}
	c, err := Load()
	if err != nil {
		return nil, err
	}
	return states(c, d, o.Auth == "digest"), nil
}

func states(c *Catalogue, d Data, login bool) []audit.Fact {
	var f probe.Facts
	known := true
	for _, a := range d.Apps {
		u, key := c.Use(a), "app "+a.Name
		known = known && u.None
		f.Say(audit.Capable, key, true, u.Can...)
		switch {
		case running(a):
			f.Say(audit.Configured, key, true, u.Runs...)
		case a.Status == "Stopped" && login:
			f.Say(audit.Configured, key, false, u.Can...)
		}
	}
	if d.Whole && known && login {
		f.Say(audit.Capable, moduleName, false, audit.Verify, audit.Identify) // of the device as a whole
	}
	return f.Sorted()
}

// running reports whether an application does what it does: one without the licence it needs is started and does nothing.
func running(a wire.Application) bool {
	return a.Status == "Running" && a.License != "Missing" && a.License != "Invalid"
}
