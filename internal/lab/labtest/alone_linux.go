package labtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

const aloneEnv = "MINGSHI_LAB_ALONE" // this process already has a loopback of its own

// alone runs this process's program again in a network namespace that has nothing but a loopback, and returns its exit code.
// It reports false where the tests are to run in this process: in that namespace, or where none can be made.
func alone() (code int, ran bool) {
	if os.Getenv(aloneEnv) != "" {
		if err := loopback(); err != nil {
			fmt.Fprintln(os.Stderr, "labtest: the namespace's loopback:", err)
			return 2, true
		}
		return 0, false
	}
	if os.Geteuid() != 0 {
		return 0, false
	}
	runtime.LockOSThread() // the child is to end with the thread that started it
	self := exec.Command(os.Args[0], os.Args[1:]...)
	self.Env = append(os.Environ(), aloneEnv+"=1")
	self.Stdin, self.Stdout, self.Stderr = os.Stdin, os.Stdout, os.Stderr
	self.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := self.Start(); err != nil {
		return 0, false // a container without the right to make namespaces
	}
	err := self.Wait()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		return max(ended.ExitCode(), 1), true
	case err != nil:
		fmt.Fprintln(os.Stderr, "labtest:", err)
		return 2, true
	}
	return 0, true
}

// loopback sets this namespace's loopback up, which a new namespace's is not.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, lo); err != nil {
		return err
	}
	lo.SetUint16(lo.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}
