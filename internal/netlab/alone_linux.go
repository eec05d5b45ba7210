package netlab

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Alone waits until no other process of the machine is alone in this sense, and says whether none is: two large networks at the
// same time overflow the neighbour table they share, and each other's measurements. It lasts until the process ends.
func Alone(patience time.Duration) (bool, error) {
	path := filepath.Join(os.TempDir(), "mingshi-netlab.lock")
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600) // never closed: the lock is the descriptor's
	if err != nil {
		return false, fmt.Errorf("netlab: %s: %w", path, err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == nil {
			return true, nil
		}
		if time.Now().After(end) {
			return false, nil
		}
	}
}
