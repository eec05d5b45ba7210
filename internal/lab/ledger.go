package lab

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Login states of a request.
const (
	LoginNone    = "none"    // no credentials came with it
	LoginOK      = "ok"      // and they were right, or the device did not care
	LoginRefused = "refused" // and they were wrong
	LoginStale   = "stale"   // right, on a nonce that had run out
)

// Request is one thing a device was asked.
type Request struct {
	Device string
	At     time.Time
	What   string // "tds:GetServices", "GET /", "RTSP SETUP /live/1/trackID=1", "WS-Discovery Probe"
	Login  string
}

// ledger remembers what devices were asked and what of it they should not have been.
type ledger struct {
	clock  func() time.Time
	limits Limits
	allow  map[string]bool

	mu       sync.Mutex
	requests []Request
	breaches []string
	refused  map[string]int
	recent   map[string][]time.Time
}

func newLedger(cfg Config) *ledger {
	l := &ledger{clock: cfg.Clock, limits: cfg.Limits, allow: map[string]bool{}, refused: map[string]int{}, recent: map[string][]time.Time{}}
	for _, a := range cfg.Allow {
		l.allow[a] = true
	}
	return l
}

// saw records a request and holds it against the list. The pace is measured by the machine's clock, for an injected one may
// stand still.
func (l *ledger) saw(device, what, login string) {
	listed := l.allow["*"] || l.allow[what] || listed(what)
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, Request{Device: device, At: l.clock(), What: what, Login: login})
	if !listed {
		l.breach(device, "asked "+what+", which is not on the list")
	}
	if login == LoginRefused {
		if l.refused[device]++; l.refused[device] > l.limits.Refusals {
			l.breach(device, fmt.Sprintf("refused login number %d (%s)", l.refused[device], what))
		}
	}
	if strings.HasPrefix(what, "WS-Discovery ") || strings.HasPrefix(what, "mDNS ") || strings.HasPrefix(what, "Inquiry ") {
		return // one datagram asks every device; it is no pace of one
	}
	r := append(l.recent[device], now)
	r = slices.DeleteFunc(r, func(t time.Time) bool { return now.Sub(t) > time.Second })
	if l.recent[device] = r; len(r) == l.limits.Requests+1 {
		l.breach(device, fmt.Sprintf("more than %d requests in a second", l.limits.Requests))
	}
}

// rate is how many requests the device saw within the last second.
func (l *ledger) rate(device string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.recent[device])
}

func (l *ledger) violated(device, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.breach(device, what)
}

func (l *ledger) breach(device, what string) {
	if b := device + ": " + what; !slices.Contains(l.breaches, b) {
		l.breaches = append(l.breaches, b)
	}
}

func (l *ledger) violations() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.breaches)
}

func (l *ledger) all() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.requests)
}

// The reading operations, by service: what a plain user account may ask without changing anything.
const readingList = `
tds GetSystemDateAndTime GetServices GetCapabilities GetServiceCapabilities GetScopes GetDeviceInformation GetEndpointReference GetHostname
trt GetServiceCapabilities GetProfiles GetVideoAnalyticsConfigurations GetMetadataConfigurations GetStreamUri
tr2 GetServiceCapabilities GetProfiles GetAnalyticsConfigurations GetMetadataConfigurations GetStreamUri
tan GetServiceCapabilities GetSupportedRules GetRules GetRuleOptions GetSupportedAnalyticsModules GetAnalyticsModules GetAnalyticsModuleOptions GetSupportedMetadata
tev GetServiceCapabilities GetEventProperties GetEventBrokers CreatePullPointSubscription PullMessages SetSynchronizationPoint
wsnt Renew Unsubscribe
ans GetServiceCapabilities GetInstalledApps GetAppsInfo
tcr GetServiceCapabilities
tab GetServiceCapabilities GetSecurityLevelList
tac GetServiceCapabilities GetAccessPointInfoList
tad GetServiceCapabilities GetAnalyticsEngines GetAnalyticsState`

// listed reports whether a request only reads. RTSP SETUP is on the list for the metadata track alone; the RTSP server
// words any other SETUP differently.
func listed(what string) bool {
	if strings.Contains(makerReading, "\n"+what+"\n") || strings.Contains(ownReading, "\n"+what+"\n") || ownRule.MatchString(what) || cgiReads(what) {
		return true
	}
	switch first, rest, _ := strings.Cut(what, " "); first {
	case "GET", "HEAD":
		return rest == "/" || rest == "/desc.xml" && first == "GET" || first == "GET" && strings.Contains(vendorReading+serverReading, "\n"+rest+"\n")
	case "RTSP":
		method, _, _ := strings.Cut(rest, " ")
		return slices.Contains([]string{"OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN", "GET_PARAMETER"}, method)
	case "WS-Discovery":
		return rest == "Probe" || rest == "Resolve"
	case "mDNS", "TLS", "Inquiry":
		return true
	default:
		prefix, op, _ := strings.Cut(first, ":")
		for line := range strings.Lines(readingList) {
			if w := strings.Fields(line); len(w) > 0 && w[0] == prefix {
				return slices.Contains(w[1:], op)
			}
		}
		return false
	}
}
