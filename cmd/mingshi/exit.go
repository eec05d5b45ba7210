package main

import (
	"github.com/mingshi-audit/mingshi/audit"
)

// Exit codes, as the manual lists them.
const (
	exitDone       = 0 // nothing suspected at or above --fail-on
	exitSuspected  = 1 // something suspected at or above --fail-on
	exitNotAllowed = 2 // the command line, the site file or its authority does not allow this; nothing was sent
	exitUndecided  = 3 // --strict, and a rule at or above --fail-on is undetermined or a camera is known to have been missed
	exitIncomplete = 4 // the audit could not be completed; the bundle holds what was gathered
	exitChanged    = 5 // verify found the bundle changed
)

// exitError ends the program with a code and a message; a zero message prints nothing more.
type exitError struct {
	code  int
	text  audit.Text
	cause error
}

func (e *exitError) Error() string { return e.text.EN }

func (e *exitError) Unwrap() error { return e.cause }

// verdict returns the exit code a report asks for.
func verdict(r audit.Report, failOn audit.Severity, strict bool) int {
	if !r.Run.Complete {
		return exitIncomplete
	}
	code := exitDone
	if strict && r.Recall != nil && r.Recall.Missing > 0 {
		code = exitUndecided // nothing is said of cameras that were not found, and that is no result
	}
	for _, f := range r.Findings {
		if f.Severity.Rank() < failOn.Rank() {
			continue
		}
		switch {
		case f.Outcome == audit.Suspected:
			return exitSuspected
		case f.Outcome == audit.Undetermined && strict:
			code = exitUndecided
		}
	}
	return code
}
