package netlab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Sent returns how many frames the auditing machine has sent so far, counted where they leave it: what the wire loses later is
// among them.
func (l *LAN) Sent() (uint64, error) {
	eth, err := netlink.LinkByName("eth0")
	if err != nil {
		return 0, fmt.Errorf("netlab: counting frames: %w", err)
	}
	return eth.Attrs().Statistics.TxPackets, nil
}

// ForgetNeighbours empties the neighbour tables of the auditing machine and of the hosts, so that a tool neither profits from
// the one before nor answers for it.
func (l *LAN) ForgetNeighbours() error {
	at, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlab: the neighbour table: %w", err)
	}
	if err := forget(at); err != nil {
		return err
	}
	for _, h := range l.hosts {
		at, err := netlink.NewHandleAt(h.ns, unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("netlab: the neighbour table of %s: %w", h.Name, err)
		}
		if err := forget(at); err != nil {
			return err
		}
	}
	return nil
}

func forget(at *netlink.Handle) error {
	defer at.Close()
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		all, err := at.NeighList(0, family)
		if err != nil {
			return fmt.Errorf("netlab: the neighbour table: %w", err)
		}
		for _, n := range all {
			if err := at.NeighDel(&n); err != nil && !errors.Is(err, unix.ENOENT) {
				return fmt.Errorf("netlab: forgetting %s: %w", n.IP, err)
			}
		}
	}
	return nil
}

// Settle waits until the neighbour table of the whole machine has room: networks that are gone leave it only after seconds, and
// others may be there. It reports how many entries are left.
func Settle(room int, patience time.Duration) (entries uint64, err error) {
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		sum, processors, err := column("/proc/1/net/stat/arp_cache", "entries")
		if err != nil || processors == 0 {
			return 0, fmt.Errorf("netlab: the neighbour table: %w", err)
		}
		entries = sum / processors // every line has the same
		if entries <= uint64(tableLimit-room) || time.Now().After(end) {
			return entries, nil
		}
	}
}

// tableLimit is the kernel's default of net.ipv4.neigh.default.gc_thresh3.
const tableLimit = 1024

// Overflows returns how often the neighbour table of the whole machine had no room for another address since it started.
// Every such moment is a packet that was not sent. Only the machine's first namespace shows the counter, so it is read as its
// first process sees it.
func Overflows() (uint64, error) {
	var sum uint64
	for _, table := range []string{"arp_cache", "ndisc_cache"} {
		n, _, err := column("/proc/1/net/stat/"+table, "table_fulls")
		if err != nil {
			return 0, fmt.Errorf("netlab: the neighbour table's overflows: %w", err)
		}
		sum += n
	}
	return sum, nil
}

// Dropped returns how many frames the whole machine has lost since it started because it could not take them in as fast as
// they came (the second column of softnet_stat). A network that loses frames like that is none to judge a scanner on.
func Dropped() (sum uint64, err error) {
	b, err := os.ReadFile("/proc/1/net/softnet_stat")
	if err != nil {
		return 0, fmt.Errorf("netlab: dropped frames: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, err := strconv.ParseUint(fields[1], 16, 64)
		if err != nil {
			return 0, fmt.Errorf("netlab: dropped frames: %w", err)
		}
		sum += n
	}
	return sum, nil
}

// column adds up a column of hexadecimal numbers, one line per processor.
func column(path, name string) (sum, processors uint64, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	head, rest, _ := strings.Cut(string(b), "\n")
	i := slices.Index(strings.Fields(head), name)
	for line := range strings.Lines(rest) {
		fields := strings.Fields(line)
		if i < 0 || i >= len(fields) {
			return 0, 0, fmt.Errorf("%s has no column %s", path, name)
		}
		n, err := strconv.ParseUint(fields[i], 16, 64)
		if err != nil {
			return 0, 0, err
		}
		sum, processors = sum+n, processors+1
	}
	return sum, processors, nil
}
