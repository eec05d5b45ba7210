package guard

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// readNeighbours asks the system's table over GetIpNetTable2, which sends nothing. It returns an empty table if that fails.
func readNeighbours() map[netip.Addr]Neighbour {
	out := map[netip.Addr]Neighbour{}
	dll := windows.NewLazySystemDLL("iphlpapi.dll")
	get, free := dll.NewProc("GetIpNetTable2"), dll.NewProc("FreeMibTable")
	if get.Find() != nil || free.Find() != nil {
		return out
	}
	var table *byte
	if r, _, _ := get.Call(uintptr(windows.AF_UNSPEC), uintptr(unsafe.Pointer(&table))); syscall.Errno(r) != 0 || table == nil {
		return out
	}
	defer free.Call(uintptr(unsafe.Pointer(table))) //nolint:errcheck // it returns nothing
	rows := int(*(*uint32)(unsafe.Pointer(table)))
	for _, row := range unsafe.Slice((*[ipnetRow]byte)(unsafe.Add(unsafe.Pointer(table), ipnetTableHead)), rows) {
		if a, n, ok := parseIPNetRow(row[:]); ok {
			out[a] = n
		}
	}
	return out
}

// neighbourLimit is Windows' own default, per interface (netsh interface ipv4 show global).
func neighbourLimit() int { return 256 }
