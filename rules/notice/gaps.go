package notice

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mingshi-audit/mingshi/audit"
)

// gaps compares a device with one notice.
func gaps(p Processing, n Reading) Gaps {
	return Gaps{Method: methodGap(p, n), Data: dataGap(p, n), Zone: zoneGap(p, n), Recipient: recipientGap(p, n),
		Purpose: purposeGap(p.Purposes, n), Hint: hintGap(p, n)}
}

// methodGap: video is never a gap by itself, for every camera films and every statement about faces implies it.
func methodGap(p Processing, n Reading) []string {
	stated := append(Closure(n.Stated.Methods), VideoRecording)
	if len(n.Scope.Recipients) > 0 {
		stated = append(stated, UploadInternet, Provision)
	}
	out, open := []string{}, false
	for m, t := range p.Methods {
		if slices.Contains(stated, m) {
			continue
		}
		switch t {
		case Yes:
			out = append(out, m)
		case Unknown:
			open = true
		}
	}
	if len(out) == 0 && open {
		return nil
	}
	return normal(out)
}

// dataGap compares attributes only: pictures and templates follow from the method. A notice that states the analysis of
// attributes and lists no data has said what it does.
func dataGap(p Processing, n Reading) []string {
	stated := n.Stated.Data
	if len(stated) == 0 && slices.Contains(n.Stated.Methods, AttributeAnalysis) {
		return []string{}
	}
	if p.Attributes != nil {
		return minus(p.Attributes, alike(stated))
	}
	if p.Methods[AttributeAnalysis] == No {
		return []string{}
	}
	return nil
}

// alike adds to stated data what people would call the same: a sign that speaks of moods tells of expressions, and the other
// way round.
func alike(stated []string) []string {
	out := slices.Clone(stated)
	for _, pair := range [][2]string{{audit.AttrExpression, audit.AttrEmotion}, {audit.AttrEmotion, audit.AttrExpression}} {
		if slices.Contains(stated, pair[0]) {
			out = append(out, pair[1])
		}
	}
	return out
}

func zoneGap(p Processing, n Reading) []string {
	zones := n.Zones()
	switch {
	case zones == nil || slices.Contains(zones, "*"):
		return []string{} // says nothing about zones
	case p.Zones == nil:
		return nil
	}
	return minus(p.Zones, zones)
}

// Holder is whose a host is.
type Holder struct {
	Name string
	Seen bool // by an inspector or from a contract; else somebody only says so
}

// recipientGap: a host name cannot be told from the name of a company. Where a notice names recipients and none is the
// host, a person has to say whose host it is, and somebody has to have seen it: what is only said neither fills a gap nor makes one.
func recipientGap(p Processing, n Reading) []string {
	switch {
	case p.Sends == No:
		return []string{}
	case p.Sends == Unknown, n.Unnamed:
		return nil
	}
	out := []string{}
	for _, h := range p.Recipients {
		if slices.ContainsFunc(n.Scope.Recipients, func(s string) bool { return sameHost(h, s) }) {
			continue
		}
		who := p.Holders[h]
		switch named := slices.ContainsFunc(n.Scope.Recipients, func(s string) bool { return sameName(who.Name, s) }); {
		case named && who.Seen:
		case len(n.Scope.Recipients) > 0 && !who.Seen:
			return nil
		default:
			out = append(out, h)
		}
	}
	if p.Either && len(out) > 0 && len(out) < len(p.Recipients) {
		return nil // the one that gets faces may be the one that is named
	}
	return normal(out)
}

// sameName: a notice may use a short form of a company's name, or add to it.
func sameName(name, stated string) bool {
	name, stated = strings.ToLower(strings.Join(strings.Fields(name), "")), strings.ToLower(strings.Join(strings.Fields(stated), ""))
	return utf8.RuneCountInString(name) > 1 && utf8.RuneCountInString(stated) > 1 && (strings.Contains(name, stated) || strings.Contains(stated, name))
}

func sameHost(host, stated string) bool {
	host, stated = strings.ToLower(host), strings.ToLower(stated)
	return stated != "" && (host == stated || strings.HasSuffix(host, "."+stated) || strings.Contains(stated, host))
}

func purposeGap(purposes []string, n Reading) []string {
	switch {
	case len(n.Stated.Purposes) == 0:
		return []string{} // nothing stated: that is for the text check
	case purposes == nil:
		return nil
	}
	out := minus(purposes, n.Stated.Purposes)
	if len(out) > 0 && slices.Contains(n.Inferred, "purposes") {
		return nil // a purpose can be put in a hundred ways: that the text does not have it is for a person to say
	}
	return out
}

func hintGap(p Processing, n Reading) []string {
	if len(n.Stated.Purposes) == 0 {
		return []string{}
	}
	return minus(p.Hints, n.Stated.Purposes)
}
