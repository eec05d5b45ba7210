package main

import (
	"errors"

	"golang.org/x/sys/windows"
)

// diskFull reports that nothing more can be written where err comes from.
func diskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// readerGone reports that whoever read the output has ended.
func readerGone(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}
