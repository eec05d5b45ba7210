package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// release is the version of the program between commits; builds add their commit.
const release = "0.1.0"

func version() string { return release }

// versionLine is what --version prints: enough to say which program made a bundle.
func versionLine() string {
	t := tool()
	return strings.TrimSpace(fmt.Sprintf("mingshi %s %s %s %s", t.Version, t.OS, t.Go, t.Commit))
}

// tool describes the running program.
func tool() audit.Tool {
	t := audit.Tool{Name: "mingshi", Version: release, Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				t.Commit = s.Value
			}
		}
	}
	return t
}
