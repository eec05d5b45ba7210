package isapi

import (
	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/isapi"
)

// Data is what an observation of this module holds: names, counts and states. Which parts are filled follows from the kind.
type Data struct {
	Realm    string `json:"realm,omitempty"` // of the challenge
	Type     string `json:"type,omitempty"`  // deviceType, as the device writes it
	Reason   string `json:"reason,omitempty"`
	Channels int    `json:"channels,omitempty"` // entries of a list of channels
	Unused   int    `json:"unused,omitempty"`   // of these, sockets that are switched off

	Flags    []string `json:"flags,omitempty"`    // capability elements about faces that say yes
	Denied   []string `json:"denied,omitempty"`   // … and no, which alone shows nothing
	Events   []string `json:"events,omitempty"`   // face events it could send
	Doubtful []string `json:"doubtful,omitempty"` // … which its own capabilities contradict

	Present  bool      `json:"present,omitempty"` // it has what was asked for
	Channel  string    `json:"channel,omitempty"` // the one asked about
	Settings []Setting `json:"settings,omitempty"`
	Partial  bool      `json:"partial,omitempty"` // other channels were not asked, or did not say
	Sole     bool      `json:"sole,omitempty"`    // the device has no other channel
	Engine   string    `json:"engine,omitempty"`  // to what a channel's engine is assigned; a terminal's way to recognise faces

	Count      *int     `json:"count,omitempty"`      // libraries, persons
	Readers    []string `json:"readers,omitempty"`    // how each reader lets people pass now
	Recognises bool     `json:"recognises,omitempty"` // the terminal has said that it can recognise faces
	Hosts      []Host   `json:"hosts,omitempty"`
	Relayed    bool     `json:"relayed,omitempty"` // an alarm of another device, handed on by this one

	Tally   *wire.Tally `json:"tally,omitempty"`
	Summary *Summary    `json:"summary,omitempty"`

	form wire.Form // the question to a channel
}

// Setting is a switch of a channel.
type Setting struct {
	ID string `json:"id,omitempty"`
	On *bool  `json:"on,omitempty"`
}

// Host is where the device sends to.
type Host struct {
	What   string   `json:"what"`
	URL    string   `json:"url,omitempty"` // empty where it is not named
	Events []string `json:"events,omitempty"`
}

// Summary is what follows from all answers together.
type Summary struct {
	Channels int              `json:"channels"`           // that the device has
	Unasked  int              `json:"unasked,omitempty"`  // beyond the bound
	Complete bool             `json:"complete,omitempty"` // every switch of every channel was read, or does not exist, with a login
	Lacks    []audit.Function `json:"lacks,omitempty"`    // that the device says it does not have
}
