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

// job is one interface in one family.
type job struct {
	ifi guard.Interface
	v6  bool
}

// jobs lists where an inquiry is to be made: on every interface in every family it has an address of.
func jobs(env Env, v6too bool) []job {
	ifis, err := env.Guard.Interfaces()
	if err != nil {
		return nil
	}
	families := []bool{false}
	if v6too {
		families = append(families, true)
	}
	var out []job
	for _, ifi := range ifis {
		for _, v6 := range families {
			if hasFamily(ifi, v6) && !aside(env, ifi, v6) {
				out = append(out, job{ifi, v6})
			}
		}
	}
	return out
}

// eachInterface runs one inquiry per interface and family, all at once: each mostly waits. Order of the coverage is that of
// the interfaces.
func eachInterface(env Env, module string, v6too bool, run func(guard.Interface, bool) audit.Coverage) ([]audit.Coverage, error) {
	ifis, err := env.Guard.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("discover: %s: %w", module, err)
	}
	if len(ifis) == 0 {
		return []audit.Coverage{{Target: "site", Module: module, Status: audit.Skipped, Detail: msg.Text("discover.nointerface")}}, nil
	}
	all := jobs(env, v6too)
	out := make([]audit.Coverage, len(all))
	var wg sync.WaitGroup
	for n, j := range all {
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
