package scan

import (
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/probe"
)

// receivers states of every device which of its receivers get results about faces. That one does says nothing of the others: a
// camera that pushes faces to a till next door also talks to its maker's cloud. It is stated where every fact that says so names
// a receiver; where one does not, which they are is not known.
func receivers(facts []audit.Fact) []audit.Fact {
	type known struct {
		hosts, keys, because []string
	}
	of := map[audit.Subject]*known{}
	at := func(s audit.Subject) *known {
		if of[s] == nil {
			of[s] = &known{}
		}
		return of[s]
	}
	for _, f := range facts {
		switch {
		case f.Name == probe.FactOutboundHosts:
			l, _ := f.Value.V.([]string)
			at(f.Subject).hosts = append(at(f.Subject).hosts, l...)
		case f.Name == probe.FactOutboundFace && f.Value.V == true:
			k := at(f.Subject)
			k.keys, k.because = append(k.keys, f.Key), append(k.because, f.Because...)
		}
	}
	var out []audit.Fact
	for s, k := range of {
		var get []string
		for _, h := range unique(k.hosts) {
			if slices.ContainsFunc(k.keys, func(key string) bool { return names(key, h) }) {
				get = append(get, h)
			}
		}
		if len(get) == 0 || slices.ContainsFunc(k.keys, func(key string) bool {
			return !slices.ContainsFunc(get, func(h string) bool { return names(key, h) })
		}) {
			continue
		}
		f := audit.NewFact(probe.FactOutboundFaces, "", get)
		f.Subject, f.Because, f.Class = s, unique(k.because), audit.ClassOutbound
		out = append(out, f)
	}
	slices.SortFunc(out, audit.CompareFacts)
	return out
}

// names reports whether the key of a fact names a receiver "what address": modules use the address, with or without what it is.
func names(key, receiver string) bool {
	_, address, ok := strings.Cut(receiver, " ")
	if !ok {
		address = receiver
	}
	return key != "" && (key == receiver || key == address || strings.HasSuffix(key, " "+address))
}
