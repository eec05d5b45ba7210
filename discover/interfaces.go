package discover

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// eachInterface runs one inquiry per interface and family, all at once: each mostly waits. Order of the coverage is that of
// the interfaces.
func eachInterface(env Env, module string, run func(guard.Interface, bool) audit.Coverage) ([]audit.Coverage, error) {
	ifis, err := env.Guard.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("discover: %s: %w", module, err)
	}
	if len(ifis) == 0 {
		return []audit.Coverage{{Target: "site", Module: module, Status: audit.Skipped, Detail: msg.Text("discover.nointerface")}}, nil
	}
	type job struct {
		ifi guard.Interface
		v6  bool
	}
	var jobs []job
	for _, ifi := range ifis {
		for _, v6 := range []bool{false, true} {
			if hasFamily(ifi, v6) && !aside(env, ifi, v6) {
				jobs = append(jobs, job{ifi, v6})
			}
		}
	}
	out := make([]audit.Coverage, len(jobs))
	var wg sync.WaitGroup
	for n, j := range jobs {
		wg.Go(func() {
			out[n] = run(j.ifi, j.v6)
			out[n].Target, out[n].Module = j.ifi.Name, module
		})
	}
	wg.Wait()
	return out, nil
}

func hasFamily(ifi guard.Interface, v6 bool) bool {
	for _, p := range ifi.Addrs {
		if p.Addr().Unmap().Is6() == v6 {
			return true
		}
	}
	return false
}

// aside reports whether the family of an interface is not worth asking: IPv6 on the loopback interface, which has no multicast
// there, where the perimeter holds none of it.
func aside(env Env, ifi guard.Interface, v6 bool) bool {
	inside := func(p netip.Prefix) bool { return p.Addr().Is6() && p.Addr().IsLoopback() }
	loopback := slices.ContainsFunc(ifi.Addrs, func(p netip.Prefix) bool { return p.Addr().IsLoopback() })
	return v6 && loopback && !slices.ContainsFunc(env.Guard.Perimeter(), inside)
}

func family(v6 bool) string {
	if v6 {
		return "IPv6"
	}
	return "IPv4"
}

func join(a, b audit.Text) audit.Text {
	return audit.Text{ZH: a.ZH + "；" + b.ZH, EN: a.EN + "; " + b.EN}
}

// reason is why something of ours did not work, for the coverage.
func reason(err error) audit.Text {
	var d *guard.DeniedError
	if errors.As(err, &d) {
		return d.Denial.Reason
	}
	s := clean.Text(err.Error(), 200)
	return audit.Text{ZH: s, EN: s}
}
