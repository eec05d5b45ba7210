package guard

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

// TestSettled: an IPv6 address that is still being tried for duplicates is waited for; no other failure is.
func TestSettled(t *testing.T) {
	tentative := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)}
	taken := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	for _, c := range []struct {
		name  string
		v6    bool
		fails []error
		tries int
		want  error
	}{
		{"at once", true, nil, 1, nil},
		{"later", true, []error{tentative}, 2, nil},
		{"later still", true, []error{tentative, tentative}, 3, nil},
		{"never", true, []error{tentative, tentative, tentative, tentative}, 4, syscall.EADDRNOTAVAIL},
		{"IPv4 has no such time", false, []error{tentative}, 1, syscall.EADDRNOTAVAIL},
		{"another reason", true, []error{taken}, 1, syscall.EADDRINUSE},
	} {
		tries := 0
		_, err := settled(c.v6, 0, func() (*net.UDPConn, error) {
			if tries++; tries <= len(c.fails) {
				return nil, c.fails[tries-1]
			}
			return nil, nil
		})
		if tries != c.tries || !errors.Is(err, c.want) {
			t.Errorf("%s: %d tries, %v", c.name, tries, err)
		}
	}
}
