package onvif

import (
	"errors"
	"net/http"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/soap"
)

// statusOf maps a verdict to the audit's vocabulary.
func statusOf(a *soap.Answer) audit.Status {
	var denied *guard.DeniedError
	var limit *guard.LimitError
	switch {
	case errors.As(a.Err, &denied):
		return audit.Denied
	case errors.As(a.Err, &limit):
		return audit.Limited
	}
	switch a.Verdict {
	case soap.OK:
		return audit.OK
	case soap.AuthRequired:
		return audit.AuthRequired
	case soap.NotAuthorised, soap.ClockSkew:
		return audit.Refused
	case soap.Locked:
		return audit.Locked
	case soap.NotSupported, soap.NotSOAP:
		return audit.NotSupported
	case soap.BadArgument, soap.NotConfigured:
		return audit.BadArgument
	case soap.Exhausted:
		return audit.Exhausted
	case soap.TimedOut:
		return audit.Timeout
	case soap.Unreachable:
		return audit.Unreachable
	case soap.Malformed:
		return audit.Malformed
	case soap.Limited:
		return audit.Limited
	case soap.Interrupted:
		return audit.Interrupted
	case soap.NotAllowed:
		return audit.Denied
	case soap.Transient, soap.Gone:
		if a.HTTP != 0 && !a.Envelope {
			return audit.Malformed
		}
	}
	return audit.Inconclusive
}

// detail says in one line why there is no answer.
func detail(a *soap.Answer) string {
	if a.Verdict == soap.OK {
		return ""
	}
	var parts []string
	if a.HTTP != 0 {
		parts = append(parts, "HTTP "+http.StatusText(a.HTTP))
		if http.StatusText(a.HTTP) == "" {
			parts[0] = "HTTP status"
		}
	}
	if len(a.Fault.Codes) > 0 {
		parts = append(parts, strings.Join(a.Fault.Codes[:min(len(a.Fault.Codes), 4)], "/"))
	}
	if a.Fault.Text != "" {
		parts = append(parts, a.Fault.Text)
	}
	if a.Err != nil && a.Verdict != soap.Interrupted {
		parts = append(parts, a.Err.Error())
	}
	if a.Verdict == soap.NotSOAP {
		parts = append(parts, "not ONVIF")
	}
	return clean.Text(strings.Join(parts, ": "), 240)
}

// classOf says what kind of evidence an operation yields.
func classOf(kind string) audit.Class {
	switch _, op, _ := strings.Cut(kind, ":"); op {
	case "GetSupportedRules", "GetSupportedAnalyticsModules", "GetRuleOptions", "GetSupportedMetadata", "GetEventProperties", "GetInstalledApps", "GetAccessPointInfoList":
		return audit.ClassCapability
	case "GetProfiles", "GetAnalyticsConfigurations", "GetVideoAnalyticsConfigurations", "GetMetadataConfigurations", "GetRules", "GetAnalyticsModules", "GetAppsInfo",
		"GetSecurityLevelList", "GetAnalyticsEngines", "enumeration", "":
		return audit.ClassConfig
	case "GetEventBrokers":
		return audit.ClassOutbound
	case "PullMessages", "metadata":
		return audit.ClassLive
	case "GetServiceCapabilities":
		if strings.HasPrefix(kind, "tcr:") {
			return audit.ClassCapability
		}
	}
	return audit.ClassInventory
}
