//go:build !windows

package main

import (
	"errors"
	"syscall"
)

// diskFull reports that nothing more can be written where err comes from: no space, or no more of it for this user.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// readerGone reports that whoever read the output has ended.
func readerGone(err error) bool { return errors.Is(err, syscall.EPIPE) }
