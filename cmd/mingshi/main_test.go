package main

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets audits run side by side: they wait for devices, not for a processor.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
