package audit

import "slices"

// Looked is how hard one function of one device was looked for: what was asked that could tell more than that the device could,
// and what became of it. It is worked out from what was recorded, so that "not found" is never read as "looked for in vain".
type Looked struct {
	Function Function   `json:"function"`
	Asked    []Question `json:"asked"`   // answered, if only with "there is no such thing"
	Refused  []Question `json:"refused"` // the device wanted a login, or did not accept the one it was shown
	Failed   []Question `json:"failed"`  // asked, and nothing came back that can be used
	Skipped  []Question `json:"skipped"` // not asked; Why says why
	// Unknown: the device answered, and none of the questions this program knows belongs to the interface through which its maker
	// configures the function: the program does not know how to ask.
	Unknown bool `json:"unknown"`
}

// InFull reports whether everything that would decide the function was read with a login: something was, and nothing else was
// refused, lost or left out for want of a permit, a login or time. What only watching could add is no want.
func (l Looked) InFull() bool {
	wanting := func(q Question) bool { return !q.Watch && !q.Moot }
	return !l.Unknown && !slices.ContainsFunc(slices.Concat(l.Refused, l.Failed, l.Skipped), wanting) &&
		slices.ContainsFunc(l.Asked, func(q Question) bool { return q.Login && !q.Watch })
}

// Question is one question of one protocol, and what became of it.
type Question struct {
	Module  string   `json:"module"`
	Request string   `json:"request"`         // as the protocol writes it
	Login   bool     `json:"login,omitempty"` // answered with a login
	Watch   bool     `json:"watch,omitempty"` // watches what the device does, rather than asking what is set
	Moot    bool     `json:"moot,omitempty"`  // not asked because earlier answers gave no reason to
	Why     Text     `json:"why,omitzero"`
	Because []string `json:"because,omitempty"` // observations
}
