package discover

import "syscall"

// errRefused is what a dial fails with where a host is there and the port is closed.
const errRefused = syscall.ECONNREFUSED
