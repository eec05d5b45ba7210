package evidence

import (
	"bytes"
	"strings"
)

// checkManifests compares the files of one half of the bag with its manifests. Where one digest of a file fits and the
// other does not, the file is as it was and the manifest was changed: nobody finds a file with a given SHA-256.
func (v *verifier) checkManifests(prefix string, payload bool) {
	lists := map[string]map[string]string{} // manifest → file → digest
	for _, alg := range algorithms {
		name := prefix + alg.name + ".txt"
		if raw, ok := v.read(name); ok {
			lists[name] = v.parseManifest(name, raw, payload)
		}
	}
	listed := map[string]bool{}
	for _, l := range lists {
		for n := range l {
			listed[n] = true
		}
	}
	for n := range v.files {
		if isPayload(n) == payload && !detached(n) && (payload || !strings.HasPrefix(n, "tagmanifest-") || lists[n] == nil) {
			listed[n] = true
		}
	}
	for n := range listed {
		have, there := v.files[n]
		fits := false
		for _, alg := range algorithms {
			fits = fits || there && lists[prefix+alg.name+".txt"][n] == alg.of(have.Digests)
		}
		if !there {
			v.add(n, "evidence.verify.missing")
		}
		for _, alg := range algorithms {
			name := prefix + alg.name + ".txt"
			list, ok := lists[name]
			if !ok {
				continue
			}
			d, in := list[n]
			switch {
			case !in:
				v.add(n, "evidence.verify.unlisted", name)
				if fits {
					v.add(name, "evidence.verify.contradicts", n)
				}
			case !there:
				if other := v.listedElsewhere(lists, name, n); !other {
					v.add(name, "evidence.verify.onlyhere", n)
				}
			case have.err == nil && d != alg.of(have.Digests) && fits:
				v.add(name, "evidence.verify.contradicts", n)
			case have.err == nil && d != alg.of(have.Digests):
				v.add(n, "evidence.verify.changed", name)
			}
		}
	}
}

func (v *verifier) listedElsewhere(lists map[string]map[string]string, but, name string) bool {
	for m, l := range lists {
		if _, ok := l[name]; ok && m != but {
			return true
		}
	}
	return len(lists) < len(algorithms)
}

func (v *verifier) parseManifest(name string, raw []byte, payload bool) map[string]string {
	out := map[string]string{}
	last, n := "", 0
	if len(raw) > 0 && raw[len(raw)-1] != '\n' {
		v.add(name, "evidence.verify.line", bytes.Count(raw, []byte{'\n'})+1)
	}
	for line := range strings.Lines(string(raw)) {
		n++
		line = strings.TrimSuffix(line, "\n")
		digest, path, ok := strings.Cut(line, "  ")
		if !ok || !isDigest(digest) {
			v.add(name, "evidence.verify.line", n)
			continue
		}
		if err := CheckName(path); err != nil || isPayload(path) != payload || detached(path) || strings.HasPrefix(path, "tagmanifest-") {
			v.add(name, "evidence.verify.listed", n, path)
			continue
		}
		if _, twice := out[path]; twice {
			v.add(name, "evidence.verify.twice", n, path)
			continue
		}
		if path < last {
			v.add(name, "evidence.verify.order", n)
		}
		out[path], last = digest, path
	}
	return out
}
