//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "floor: raw sockets as it uses them exist on Linux only")
	os.Exit(2)
}
