package evidence

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The files of a bundle the program relies on.
const (
	journalName    = "data/journal.jsonl"
	transcriptName = "data/transcript.warc.gz"
	redactionsName = "data/redactions.jsonl"
	reportName     = "data/report.json"
	siteName       = "data/site.yaml"
	packsPrefix    = "data/packs/"
	blobsPrefix    = "data/blobs/sha256/"
	manifestName   = "manifest.json"
)

// maxName is well below what Windows allows for a path, so that a bundle can lie a few folders deep.
const maxName = 180

// CheckName returns nil for a name a file in a bundle may have: relative, with forward slashes, printable UTF-8, no part
// "." or "..", nothing Windows refuses or changes silently, and none of the characters BagIt would have to escape.
func CheckName(name string) error {
	bad := func(why string) error { return fmt.Errorf("evidence: file name %q: %s", name, why) }
	switch {
	case name == "":
		return bad("empty")
	case len(name) > maxName:
		return bad("too long")
	case !utf8.ValidString(name):
		return bad("not UTF-8")
	}
	for _, r := range name {
		if r < 0x20 || r == 0x7f || strings.ContainsRune(`\:*?"<>|%`, r) || r >= 0x80 && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
			return bad(fmt.Sprintf("character %q", r))
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "":
			return bad("an empty part")
		case part == "." || part == "..":
			return bad("a part that is . or ..")
		case strings.HasPrefix(part, " ") || strings.HasSuffix(part, " ") || strings.HasSuffix(part, "."):
			return bad("a part that begins or ends with a blank, or ends with a full stop")
		case deviceName(part):
			return bad("a device name of Windows")
		}
	}
	return nil
}

// deviceName reports whether Windows takes the name for a device, with any extension.
func deviceName(part string) bool {
	stem, _, _ := strings.Cut(strings.ToLower(part), ".")
	stem = strings.TrimRight(stem, " ")
	switch stem {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(stem) == 4 && (strings.HasPrefix(stem, "com") || strings.HasPrefix(stem, "lpt")) && stem[3] >= '0' && stem[3] <= '9'
}

// reserved reports whether only the bundle itself may write the name.
func reserved(name string) bool {
	switch f := foldName(name); f {
	case journalName, transcriptName, redactionsName, manifestName, "data", "bagit.txt", "bag-info.txt", "fetch.txt", "readme.txt":
		return true
	default:
		return strings.HasPrefix(f, "data/blobs/") || detached(f) || bagManifest(f) || strings.HasPrefix(f, tempPrefix)
	}
}

// detached reports whether a name belongs to what may be added after the bundle was closed, outside every manifest.
func detached(name string) bool {
	return strings.HasPrefix(name, "signatures/") || strings.HasPrefix(name, "timestamps/")
}

func bagManifest(name string) bool {
	return strings.HasSuffix(name, ".txt") && !strings.Contains(name, "/") &&
		(strings.HasPrefix(name, "manifest-") || strings.HasPrefix(name, "tagmanifest-"))
}

func isPayload(name string) bool { return strings.HasPrefix(name, "data/") }

func blobName(hexDigest string) string { return blobsPrefix + hexDigest[:2] + "/" + hexDigest }

// foldName maps names to one that are the same file on Windows and macOS.
func foldName(name string) string { return strings.ToLower(name) }
