package lapi

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// kept are the members whose text is nobody's: the envelope's and what says which device it is.
var kept = []string{"responseurl", "responsestring", "statusstring", "devicemodel", "serialnumber", "firmwareversion", "mac", "macaddress", "manufacturer",
	"devicename", "devicetype", "address", "enable", "enabled", "faceenable", "compareen", "attren", "responsecode", "statuscode", "status"}

// Withhold returns what blanks the answer to a question before it is recorded: every text of a member that is not known to be
// harmless is overwritten by asterisks, so that names, document numbers and pictures stay where they are. Names of members and
// numbers are kept. What is not text at all is dropped. The input is left alone.
func Withhold(p Path) func([]byte) []byte {
	keep := kept
	if p == Channels {
		keep = append(slices.Clone(kept), "name") // of a camera; a library's member is called the same
	}
	return func(b []byte) []byte { return withhold(b, keep) }
}

func withhold(b []byte, keep []string) []byte {
	if !utf8.Valid(b) {
		return nil
	}
	out := bytes.Clone(b)
	if t := bytes.TrimSpace(b); len(t) == 0 || t[0] != '{' && t[0] != '[' {
		return out[:min(len(out), 4096)] // a page of something else
	}
	key := ""
	for i := 0; i < len(out); i++ {
		if out[i] != '"' {
			continue
		}
		end := i + 1
		for end < len(out) && out[end] != '"' {
			if out[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(out))
		text := out[i+1 : end]
		after := bytes.TrimLeft(out[min(end+1, len(out)):], " \t\r\n")
		switch {
		case len(after) > 0 && after[0] == ':':
			key = strings.ToLower(string(text))
		case !slices.Contains(keep, key):
			for j := range text {
				text[j] = '*'
			}
		}
		i = end
	}
	return out
}
