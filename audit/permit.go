package audit

import (
	"fmt"
)

// Permit says how far a run may go. Each permit includes the ones before it; the zero value allows nothing.
type Permit int

// The permits, from nothing to sampling.
const (
	PermitNone     Permit = iota // nothing may be done
	PermitListen                 // receive what is sent anyway
	PermitDiscover               // inquiry packets and TCP connects
	PermitQuery                  // requests without credentials
	PermitLogin                  // one login per device with credentials the operator gave
	PermitSample                 // event subscription and metadata stream for a bounded time
)

var permitNames = [...]string{"none", "listen", "discover", "query", "login", "sample"}

// Permits lists the permits a person can name, least first.
func Permits() []Permit {
	return []Permit{PermitListen, PermitDiscover, PermitQuery, PermitLogin, PermitSample}
}

// ParsePermit returns the permit of that name. An unknown name is an error that lists the known ones.
func ParsePermit(s string) (Permit, error) {
	for i, n := range permitNames {
		if i > 0 && n == s {
			return Permit(i), nil
		}
	}
	return PermitNone, fmt.Errorf("unknown permit %q: use listen, discover, query, login or sample", s)
}

func (p Permit) String() string {
	if p < 0 || int(p) >= len(permitNames) {
		return fmt.Sprintf("permit(%d)", int(p))
	}
	return permitNames[p]
}

// MarshalText writes the permit's name.
func (p Permit) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a permit's name.
func (p *Permit) UnmarshalText(b []byte) error {
	if string(b) == "none" {
		*p = PermitNone
		return nil
	}
	v, err := ParsePermit(string(b))
	*p = v
	return err
}
