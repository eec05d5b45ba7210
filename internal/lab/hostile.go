package lab

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// The devices of this file hurt a careless client. None of them stands in the demonstration's shop.

func hostile(name string, b Behaviour) Spec {
	return Spec{Name: name, Kind: audit.KindOther, Maker: "unknown", Model: "unknown", ONVIF: true, Quirks: Quirks{HTTP: b}}
}

// Redirector sends everybody to another host: by HTTP redirect, in every XAddr it announces and in stream URIs.
func Redirector(name, elsewhere string) Spec {
	s := hostile(name, Redirect)
	s.Quirks.Elsewhere = elsewhere
	return s
}

// ForeignXAddr answers properly, but every address it names is on another host.
func ForeignXAddr(name, elsewhere string) Spec {
	s := OpenCamera(name)
	s.Quirks.Elsewhere = elsewhere
	return s
}

// EndlessBody answers with a body that never ends.
func EndlessBody(name string) Spec { return hostile(name, Endless) }

// DeepXML answers with 100 000 nested elements.
func DeepXML(name string) Spec { return hostile(name, Deep) }

// Doctype answers with entities that expand.
func Doctype(name string) Spec { return hostile(name, Bomb) }

// SlowTrickle answers one byte at a time.
func SlowTrickle(name string) Spec { return hostile(name, Trickle) }

// Escapes puts terminal escapes, markup, formulas and bidirectional overrides in everything it says of itself.
func Escapes(name string) Spec {
	s := OpenCamera(name)
	const poison = "\u009b31m\u202Etxt.exe<script>alert(1)</script>=cmd|'/C calc'!A0 ../../etc"
	s.Maker, s.Model, s.Firmware = "Lanting "+poison, poison, "1.0\r\nSet-Cookie: x=1"
	s.Serial = "LAB-" + strings.Repeat("9", 10_000)
	s.Label = poison
	s.Page = Page{Title: "\x1b]0;owned\x07" + poison}
	s.Analytics.Rules = append(s.Analytics.Rules, Configured{Name: poison, Type: "tt:FaceRecognition", Params: []Param{{"Armed", "false"}}})
	return s
}

// BigSDP describes its streams in half a megabyte.
func BigSDP(name string) Spec {
	s := OpenCamera(name)
	s.Quirks.BigSDP = true
	return s
}

// LockingDevice counts refused logins down and then locks everybody out.
func LockingDevice(name string, attempts int) Spec {
	s := WSSEOnly(name)
	s.Login.Attempts = attempts
	return s
}

// EverythingRefused wants a login even for what needs none, and refuses every login.
func EverythingRefused(name string) Spec {
	s := WSSEOnly(name)
	s.Login.PreAuth, s.Login.Refuse = true, true
	return s
}

// Rebooter drops its connections when asked more than eight times a second.
func Rebooter(name string) Spec {
	s := OpenCamera(name)
	s.Quirks.HTTP = Reboot
	return s
}

// LargeMetadata sends documents of several megabytes.
func LargeMetadata(name string) Spec {
	s := OpenCamera(name)
	s.Metadata.Frames = []Frame{{Raw: `<?xml version="1.0"?><tt:MetadataStream xmlns:tt="` + nsTT + `">` + strings.Repeat(" ", 5<<20) + `</tt:MetadataStream>`}}
	return s
}
