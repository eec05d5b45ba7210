package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/netlab"
)

// ports are what every tool looks at.
const ports = "80,443,554,2020,3702,5000,8000,8080,8554,8899,34567,37777"

// tool is one scanner.
type tool struct {
	name    string
	program string // where it is not one of ours
	slow    string // it takes long: the one case of a quick measurement
	fits    func(scene) bool
	argv    func(s scene, o options, site string) []string
	read    func(stdout []byte) report
}

// report is what a tool says. It has found what it names in the way it is used for: mingshi a device with its maker, its model
// and a service, another scanner an address with an open port, or one that answers.
type report struct{ seen, found, identified []netip.Addr }

// tools lists every scanner, ours first.
func tools() []tool {
	nmap := func(s scene, more ...string) []string {
		return slices.Concat([]string{"nmap"}, more, []string{"-n", "-T4", "-p", ports, "--open", "-oG", "-", s.prefix})
	}
	return []tool{
		{name: "mingshi", fits: always, read: readMingshi, argv: func(_ scene, o options, site string) []string {
			return []string{filepath.Join(o.bin, "mingshi"), "discover", "--site", site, "--json", "--quiet", "--ports", ports}
		}},
		{name: "floor", fits: func(s scene) bool { return !s.routed() && !s.plain }, read: readFloor, argv: func(s scene, o options, _ string) []string {
			return []string{filepath.Join(o.bin, "floor"), "-ports", ports, s.prefix}
		}},
		{name: "nmap", program: "nmap", fits: always, read: readNmap, argv: func(s scene, _ options, _ string) []string {
			if s.plain {
				return nmap(s, "--unprivileged")
			}
			return nmap(s)
		}},
		{name: "nmap+scripts", program: "nmap", slow: "onlink24", fits: func(s scene) bool { return !s.plain && s.loss == 0 }, read: readNmap, argv: func(s scene, _ options, _ string) []string {
			return nmap(s, "--script", "rtsp-methods,http-title")
		}},
		{name: "arp-scan", program: "arp-scan", fits: func(s scene) bool { return !s.routed() && !s.plain }, read: readFirstWord, argv: func(s scene, _ options, _ string) []string {
			return []string{"arp-scan", "-q", "-I", "eth0", s.prefix}
		}},
		// On the link masscan sends every frame to the router, here to the first camera: one case shows that.
		{name: "masscan", program: "masscan", slow: "routed22", fits: func(s scene) bool { return s.routed() || s.name == "onlink24" }, read: readMasscan, argv: func(s scene, _ options, _ string) []string {
			router := netlab.RouterMAC
			if !s.routed() {
				router = "02:77:00:01:00:01"
			}
			return []string{"masscan", s.prefix, "-p" + ports, "--rate", "1000", "--wait", "3", "-e", "eth0", "--source-ip", netlab.Scanner, "--source-port", "61000", "--router-mac", router}
		}},
	}
}

func always(scene) bool { return true }

func readMingshi(b []byte) (r report) {
	var d struct {
		Devices []struct {
			Vendor, Model string
			Addresses     []string
			Services      []string
		}
	}
	if json.Unmarshal(b, &d) != nil {
		return r
	}
	for _, x := range d.Devices {
		for _, s := range x.Addresses {
			a, err := netip.ParseAddr(s)
			if ap, err2 := netip.ParseAddrPort(s); err2 == nil {
				a, err = ap.Addr(), nil
			}
			if err != nil {
				continue
			}
			r.seen = append(r.seen, a)
			if x.Vendor != "" && x.Model != "" && len(x.Services) > 0 {
				r.found, r.identified = append(r.found, a), append(r.identified, a)
			}
		}
	}
	return r
}

func readFloor(b []byte) (r report) {
	for line := range bytes.Lines(b) {
		word, rest, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		a, err := netip.ParseAddr(word)
		if err != nil {
			continue
		}
		r.seen, r.found = append(r.seen, a), append(r.found, a)
		if strings.Contains(rest, netlab.CameraVendor) {
			r.identified = append(r.identified, a)
		}
	}
	return r
}

// readNmap takes a host as found when it has an open port. nmap names no maker and no model, with its scripts a page's title.
func readNmap(b []byte) report {
	open := regexp.MustCompile(`^Host: (\S+) .*Ports: .*\d+/open/`)
	return matches(b, open)
}

func readMasscan(b []byte) report {
	return matches(b, regexp.MustCompile(`^Discovered open port \d+/tcp on (\S+)`))
}

func readFirstWord(b []byte) report {
	return matches(b, regexp.MustCompile(`^(\d+\.\d+\.\d+\.\d+)\t`))
}

func matches(b []byte, line *regexp.Regexp) report {
	var out []netip.Addr
	s := bufio.NewScanner(bytes.NewReader(b))
	for s.Scan() {
		if m := line.FindStringSubmatch(s.Text()); m != nil {
			if a, err := netip.ParseAddr(m[1]); err == nil {
				out = append(out, a)
			}
		}
	}
	return report{seen: out, found: out}
}

// siteFile is the site that allows mingshi to look.
func siteFile(s scene, from, to string) string {
	return fmt.Sprintf(`schema: mingshi.site/v1
site: {id: BENCH, name: Bench, venue: other, jurisdiction: [CN], processor: {name: Bench, contact: bench}}
authority:
  basis: self_audit
  granted_by: {name: Bench, title: Bench}
  valid: {from: %s, to: %s}
  perimeter: [%s]
  permit: query
`, from, to, s.prefix)
}
