package netlab

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/vishvananda/netns"
)

// Apart are the attributes of a child process that gets network and mount namespaces of its own and does not outlive its
// parent. Such a process is what Open wants to be called by: its own namespace becomes the auditing machine.
func Apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
}

// inside calls do on a thread that is in the namespace. Sockets opened there stay there, and so do processes started there.
func inside(ns netns.NsHandle, do func() error) error {
	return aside(func() error {
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("netlab: entering a namespace: %w", err)
		}
		return do()
	})
}

// newNamespace makes a network namespace that has nothing but a loopback interface.
func newNamespace() (ns netns.NsHandle, err error) {
	err = aside(func() error {
		if ns, err = netns.New(); err != nil {
			return fmt.Errorf("netlab: a new namespace: %w", err)
		}
		// A link-local address is used at once: without this, sending from it fails for more than a second.
		return os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0)
	})
	return ns, err
}

// aside calls do on a thread of its own and brings the thread back to where it was. A thread that cannot come back ends.
func aside(do func() error) error {
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		back, err := netns.Get()
		if err != nil {
			ended <- fmt.Errorf("netlab: finding the own namespace: %w", err)
			return
		}
		defer back.Close()
		err = do()
		if netns.Set(back) == nil {
			runtime.UnlockOSThread()
		}
		ended <- err
	}()
	return <-ended
}
