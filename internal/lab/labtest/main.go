package labtest

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
)

// Main runs a package's tests, at most so many at once: tests with shops wait for devices, not for a processor. Where the
// system allows it the tests get a loopback of their own, since a shop answers multicast inquiries, and the tests of another
// package that run beside it would be heard, asked and found. It does not return.
func Main(m *testing.M, parallel int) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
		fmt.Fprintln(os.Stderr, "labtest:", err)
		os.Exit(2)
	}
	if code, ran := alone(); ran {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
