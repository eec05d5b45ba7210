package guard

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grandcat/zeroconf"

	"github.com/mingshi-audit/mingshi/audit"
)

// lo returns the loopback interface as the guard sees it.
func lo(t *testing.T, g *Guard) Interface {
	t.Helper()
	all, err := g.Interfaces()
	if err != nil || len(all) == 0 {
		t.Skipf("no loopback interface to test on: %v", err)
	}
	return all[0]
}

// announce publishes a service on loopback; ifaces must be given, or the library would speak on every interface.
func announce(t *testing.T, ifi Interface, instance, service string, port int, ips, txt []string) {
	t.Helper()
	n, err := net.InterfaceByIndex(ifi.Index)
	if err != nil {
		t.Skip(err)
	}
	s, err := zeroconf.RegisterProxy(instance, service, "local.", port, strings.ToLower(strings.Fields(instance)[0]), ips, txt, []net.Interface{*n})
	if err != nil {
		t.Skipf("multicast DNS does not work on loopback here: %v", err)
	}
	t.Cleanup(s.Shutdown)
	time.Sleep(100 * time.Millisecond) // its goroutines must not be taken for ours
}

func TestBrowseOnLoopback(t *testing.T) {
	g := loopback(t, nil)
	ifi := lo(t, g)
	announce(t, ifi, "AXIS P3245 - 00408C123456", "_axis-video._tcp", 80, []string{"127.0.0.21"}, []string{"macaddress=00408C123456"})
	goroutines(t)
	for range 2 { // twice: resolver and channel serve once
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		var got []string
		err := g.Browse(ctx, ifi, false, "_axis-video._tcp", func(e *zeroconf.ServiceEntry) {
			got = append(got, e.Instance+" "+e.AddrIPv4[0].String()+" "+strings.Join(e.Text, ","))
		})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(got, `AXIS\ P3245\ -\ 00408C123456 127.0.0.21 macaddress=00408C123456`) {
			t.Errorf("found %q", got)
		}
	}
}

func TestBrowseSurvivesItsCaller(t *testing.T) {
	g := loopback(t, nil)
	ifi := lo(t, g)
	announce(t, ifi, "Cam", "_rtsp._tcp", 554, []string{"127.0.0.22"}, nil)
	goroutines(t)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := g.Browse(ctx, ifi, false, "_rtsp._tcp", func(*zeroconf.ServiceEntry) { panic("boom") }); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("got %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if err := g.Browse(ctx, ifi, false, "_rtsp._tcp", func(*zeroconf.ServiceEntry) {}); err != nil {
		t.Errorf("a context that ended before: %v", err)
	}
}

func TestBrowseRefusals(t *testing.T) {
	g := loopback(t, func(c *Config) { c.Permit = audit.PermitListen })
	nothing := func(*zeroconf.ServiceEntry) {}
	if err := g.Browse(t.Context(), lo(t, g), false, "_rtsp._tcp", nothing); !IsDenied(err) {
		t.Errorf("permit listen: %v", err)
	}
	g = loopback(t, nil)
	if err := g.Browse(t.Context(), Interface{Index: 99, Name: "wan0"}, false, "_rtsp._tcp", nothing); !IsDenied(err) {
		t.Errorf("an interface outside: %v", err)
	}
	if _, err := g.OpenUDP(Interface{Index: 99, Name: "wan0"}, UDPOptions{V6: false}); !IsDenied(err) {
		t.Errorf("a socket on an interface outside: %v", err)
	}
	var ae *AuthorityError
	if errors.As(g.Check("dial", netipAddr("192.0.2.1"), audit.PermitDiscover), &ae) {
		t.Error("a refusal during the run is no AuthorityError")
	}
}
