package onvif

import (
	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/onvif"
	"github.com/mingshi-audit/mingshi/probe"
)

// asks lists every question, in the order of the conversation. Rules, modules and applications hold their own switches, so that
// each can show any function to be on; that one is off is for the enumeration as a whole to say.
func asks() []probe.Question {
	var out []probe.Question
	add := func(needs audit.Permit, login bool, decides []audit.Function, ops ...string) {
		for _, op := range ops {
			out = append(out, probe.Question{Request: op, Kind: op, Needs: needs, Login: login, Decides: decides})
		}
	}
	all := audit.Functions()
	add(audit.PermitQuery, false, nil, "tds:GetSystemDateAndTime", "tds:GetServices", "tds:GetCapabilities", "tan:GetServiceCapabilities",
		"tev:GetServiceCapabilities", "tcr:GetServiceCapabilities", "tds:GetEndpointReference")
	add(audit.PermitQuery, true, nil, "tds:GetDeviceInformation", "tds:GetScopes")
	add(audit.PermitQuery, true, all, "trt:GetProfiles", "tr2:GetProfiles", "tr2:GetAnalyticsConfigurations", "trt:GetVideoAnalyticsConfigurations")
	add(audit.PermitQuery, true, nil, "trt:GetMetadataConfigurations", "tr2:GetMetadataConfigurations", "tan:GetSupportedRules", "tan:GetSupportedAnalyticsModules")
	add(audit.PermitQuery, true, all, "tan:GetAnalyticsModules", "tan:GetRules")
	add(audit.PermitQuery, true, nil, "tan:GetRuleOptions", "tan:GetSupportedMetadata", "tev:GetEventProperties", "ans:GetInstalledApps")
	add(audit.PermitQuery, true, all, "ans:GetAppsInfo")
	add(audit.PermitQuery, true, nil, "tac:GetAccessPointInfoList")
	add(audit.PermitQuery, true, []audit.Function{audit.Verify}, "tab:GetSecurityLevelList")
	add(audit.PermitQuery, true, all, "tad:GetAnalyticsEngines")
	add(audit.PermitSample, true, nil, "tev:CreatePullPointSubscription")
	add(audit.PermitSample, true, all, "tev:PullMessages")
	add(audit.PermitSample, true, nil, "wsnt:Unsubscribe", "trt:GetStreamUri", "tr2:GetStreamUri")
	out = append(out, probe.Question{Request: "RTSP DESCRIBE, SETUP, PLAY, TEARDOWN (application/vnd.onvif.metadata)", Kind: "rtsp:metadata", Needs: audit.PermitSample, Login: true, Decides: all})
	add(audit.PermitQuery, true, nil, "tev:GetEventBrokers")
	return out
}

// elsewhere reports whether the maker configures face functions through an interface of its own.
func elsewhere(vendor string) bool {
	_, yes := onvif.ConfiguredElsewhere(vendor)
	return yes
}
