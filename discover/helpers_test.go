package discover

import (
	"syscall"

	"golang.org/x/time/rate"
)

// errRefused is what a dial fails with where a host is there and the port is closed.
const errRefused = syscall.ECONNREFUSED

func noLimit() *rate.Limiter { return rate.NewLimiter(rate.Inf, 1) }
