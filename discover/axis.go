package discover

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/mac"
	"github.com/mingshi-audit/mingshi/internal/ssdp"
)

// Axis has no protocol of its own to be found by: its devices announce themselves over DNS-SD and answer UPnP. This is what
// tells them there.

// axisService names the kind behind a DNS-SD service type of Axis; it is empty for all others.
func axisService(service string) audit.Kind {
	switch service {
	case "_axis-video._tcp":
		return audit.KindCamera
	case "_axis-nvr._tcp":
		return audit.KindRecorder
	}
	return ""
}

// axisInstance reads the model and the hardware address from "AXIS P3245-V - 00408C123456", the name a device announces unless
// somebody gave it another.
func axisInstance(name string) (model, hw string) {
	head, tail, ok := cutLast(name, " - ")
	if !ok || !strings.HasPrefix(strings.ToUpper(head), "AXIS ") {
		return "", ""
	}
	if hw = mac.Parse(tail); hw == "" {
		return "", ""
	}
	return strings.TrimSpace(head[len("AXIS "):]), hw
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// axisSSDP reports whether an answer is of one of its devices.
func axisSSDP(m ssdp.Message) bool {
	return strings.Contains(strings.ToLower(m.Target+" "+m.USN), "axis-com:") || strings.Contains(strings.ToLower(m.Server), "axis ")
}
