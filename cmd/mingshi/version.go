package main

import (
	"runtime"
	"runtime/debug"

	"github.com/mingshi-audit/mingshi/audit"
)

// release is the version of the program between commits; builds add their commit.
const release = "0.1.0"

func version() string { return release }

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
