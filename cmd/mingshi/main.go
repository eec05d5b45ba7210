// Command mingshi finds the cameras and face servers of a shop, hotel or station, establishes from what they answer whether
// faces are detected, captured, analysed, verified or identified, and holds that against the notices people can read.
//
// This package holds the command line: flags, wiring, messages and exit codes. What a person reads comes from the catalogue
// in internal/msg; what the program does is in scan and below.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // "nohup" means to go on; a terminal that was closed is an orderly end
		ends = append(ends, syscall.SIGHUP)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // the report of many devices is large, and the laptop may be small
	}
	log.SetOutput(io.Discard) // libraries log what a device said, as it said it
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	// A reader that went away ("| head") must not cost the bundle: the write fails instead, and the audit goes on.
	signal.Ignore(syscall.SIGPIPE)
	// A second interrupt ends the program at once: the first one has been turned into an orderly end.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv})
	stop()
	os.Exit(code)
}
