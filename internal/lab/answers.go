package lab

import (
	"fmt"
	"strings"
)

// handler answers one operation.
type handler func(d *device, q *question) (string, *fault)

// handlers returns what the services of a camera answer. Operations of a service the device does not have are answered as
// unknown ones.
func (d *device) handlers() map[string]handler {
	m := map[string]handler{
		"tds:GetSystemDateAndTime":   (*device).dateAndTime,
		"tds:GetServices":            (*device).services,
		"tds:GetCapabilities":        (*device).capabilities,
		"tds:GetServiceCapabilities": (*device).deviceCapabilities,
		"tds:GetDeviceInformation":   (*device).deviceInformation,
		"tds:GetScopes":              (*device).getScopes,
		"tds:GetHostname":            (*device).hostname,
		"tds:GetEndpointReference":   (*device).endpointReference,

		"trt:GetServiceCapabilities":          (*device).mediaCapabilities,
		"trt:GetProfiles":                     (*device).profiles1,
		"trt:GetVideoSources":                 (*device).videoSources,
		"trt:GetStreamUri":                    (*device).streamURI1,
		"trt:GetMetadataConfigurations":       (*device).metadataConfigurations,
		"trt:GetVideoAnalyticsConfigurations": (*device).analyticsConfigurations,
	}
	add := func(on bool, more map[string]handler) {
		for op, h := range more {
			if on {
				m[op] = h
			}
		}
	}
	add(!d.spec.Quirks.NoMedia2, map[string]handler{
		"tr2:GetServiceCapabilities":     (*device).mediaCapabilities,
		"tr2:GetProfiles":                (*device).profiles2,
		"tr2:GetStreamUri":               (*device).streamURI2,
		"tr2:GetMetadataConfigurations":  (*device).metadataConfigurations,
		"tr2:GetAnalyticsConfigurations": (*device).analyticsConfigurations,
	})
	add(d.spec.Analytics.Service, map[string]handler{
		"tan:GetServiceCapabilities":       (*device).analyticsCapabilities,
		"tan:GetSupportedRules":            (*device).supportedRules,
		"tan:GetRules":                     (*device).rules,
		"tan:GetRuleOptions":               (*device).ruleOptions,
		"tan:GetSupportedAnalyticsModules": (*device).supportedModules,
		"tan:GetAnalyticsModules":          (*device).modules,
		"tan:GetAnalyticsModuleOptions":    (*device).moduleOptions,
		"tan:GetSupportedMetadata":         (*device).supportedMetadata,
	})
	add(d.spec.Events.Service, map[string]handler{
		"tev:GetServiceCapabilities":      (*device).eventCapabilities,
		"tev:GetEventProperties":          (*device).eventProperties,
		"tev:GetEventBrokers":             (*device).eventBrokers,
		"tev:CreatePullPointSubscription": (*device).createPullPoint,
		"tev:PullMessages":                (*device).pullMessages,
		"tev:SetSynchronizationPoint":     (*device).synchronise,
		"wsnt:Renew":                      (*device).renew,
		"wsnt:Unsubscribe":                (*device).unsubscribe,
	})
	add(len(d.spec.Apps) > 0, map[string]handler{
		"ans:GetServiceCapabilities": (*device).appCapabilities,
		"ans:GetInstalledApps":       (*device).installedApps,
		"ans:GetAppsInfo":            (*device).appsInfo,
	})
	add(len(d.spec.PACS) > 0, map[string]handler{
		"tcr:GetServiceCapabilities": (*device).credentialCapabilities,
		"tac:GetServiceCapabilities": (*device).accessCapabilities,
		"tac:GetAccessPointInfoList": (*device).accessPoints,
		"tab:GetServiceCapabilities": (*device).behaviourCapabilities,
		"tab:GetSecurityLevelList":   (*device).securityLevels,
	})
	if d.spec.Quirks.NoGetServices {
		delete(m, "tds:GetServices")
	}
	return m
}

func (d *device) answer(q *question) (string, *fault) {
	_, op, _ := strings.Cut(q.op, ":")
	if sub, ok := d.spec.Analytics.Refuse[op]; ok {
		return "", &fault{status: 500, code: "Receiver", sub: sub, text: "Action Failed"}
	}
	h, ok := d.handlers()[q.op]
	if !ok {
		return "", d.unknown(q.op)
	}
	return h(d, q)
}

func (d *device) dateAndTime(*question) (string, *fault) {
	t := d.now()
	part := fmt.Sprintf(`<tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time><tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date>`,
		t.Hour(), t.Minute(), t.Second(), t.Year(), t.Month(), t.Day())
	return `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>` +
		`<tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone><tt:UTCDateTime>` + part + `</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`, nil
}

// service is one entry of GetServices.
type service struct{ prefix, path, capabilities string }

func (d *device) list() []service {
	out := []service{
		{"tds", "/onvif/device_service", `<tds:Capabilities><tds:Network/><tds:Security UsernameToken="true" HttpDigest="true"/><tds:System DiscoveryResolve="true"/></tds:Capabilities>`},
		{"trt", "/onvif/media_service", `<trt:Capabilities SnapshotUri="true" Rotation="false"><trt:ProfileCapabilities MaximumNumberOfProfiles="10"/><trt:StreamingCapabilities RTPMulticast="false" RTP_TCP="true" RTP_RTSP_TCP="true"/></trt:Capabilities>`},
	}
	if !d.spec.Quirks.NoMedia2 {
		out = append(out, service{"tr2", "/onvif/media2_service", `<tr2:Capabilities SnapshotUri="true"><tr2:ProfileCapabilities MaximumNumberOfProfiles="10" ConfigurationsSupported="VideoSource VideoEncoder Metadata Analytics"/><tr2:StreamingCapabilities RTSPStreaming="true" RTP_RTSP_TCP="true"/></tr2:Capabilities>`})
	}
	if d.spec.Events.Service {
		out = append(out, service{"tev", "/onvif/event_service", d.eventCapabilityElement()})
	}
	if d.spec.Analytics.Service {
		out = append(out, service{"tan", "/onvif/analytics_service", d.analyticsCapabilityElement()})
	}
	if len(d.spec.Apps) > 0 {
		out = append(out, service{"ans", "/onvif/appmgmt_service", `<ans:Capabilities/>`})
	}
	if len(d.spec.PACS) > 0 {
		out = append(out, service{"tcr", "/onvif/credential_service", d.credentialCapabilityElement()},
			service{"tac", "/onvif/accesscontrol_service", `<tac:Capabilities MaxLimit="10"/>`},
			service{"tab", "/onvif/authenticationbehavior_service", `<tab:Capabilities MaxLimit="10"/>`})
	}
	if d.spec.Recording {
		out = append(out, service{"trc", "/onvif/recording_service", `<trc:Capabilities DynamicRecordings="false" DynamicTracks="false"/>`},
			service{"tse", "/onvif/search_service", `<tse:Capabilities MetadataSearch="false"/>`},
			service{"trp", "/onvif/replay_service", `<trp:Capabilities ReversePlayback="false" RTP_RTSP_TCP="true"/>`})
	}
	return append(out, service{"timg", "/onvif/imaging_service", `<timg:Capabilities ImageStabilization="false"/>`})
}

func (d *device) services(q *question) (string, *fault) {
	with := q.body.value("IncludeCapability") == "true"
	var b strings.Builder
	b.WriteString("<tds:GetServicesResponse>")
	for _, s := range d.list() {
		fmt.Fprintf(&b, `<tds:Service><tds:Namespace>%s</tds:Namespace><tds:XAddr>%s</tds:XAddr>`, uriOf(s.prefix), esc(d.url(d.path(s.path))))
		if with {
			b.WriteString("<tds:Capabilities>" + s.capabilities + "</tds:Capabilities>")
		}
		b.WriteString(`<tds:Version><tt:Major>20</tt:Major><tt:Minor>6</tt:Minor></tds:Version></tds:Service>`)
	}
	b.WriteString("</tds:GetServicesResponse>")
	return b.String(), nil
}

func uriOf(prefix string) string {
	for _, n := range namespaces {
		if n.prefix == prefix {
			return n.uri
		}
	}
	return prefix
}

func (d *device) capabilities(*question) (string, *fault) {
	var b strings.Builder
	xaddr := func(path string) string { return "<tt:XAddr>" + esc(d.url(d.path(path))) + "</tt:XAddr>" }
	b.WriteString("<tds:GetCapabilitiesResponse><tds:Capabilities>")
	if d.spec.Analytics.Service {
		b.WriteString("<tt:Analytics>" + xaddr("/onvif/analytics_service") + "<tt:RuleSupport>true</tt:RuleSupport><tt:AnalyticsModuleSupport>true</tt:AnalyticsModuleSupport></tt:Analytics>")
	}
	b.WriteString("<tt:Device>" + xaddr("/onvif/device_service") + "</tt:Device>")
	if d.spec.Events.Service {
		b.WriteString("<tt:Events>" + xaddr("/onvif/event_service") + "<tt:WSSubscriptionPolicySupport>true</tt:WSSubscriptionPolicySupport><tt:WSPullPointSupport>false</tt:WSPullPointSupport></tt:Events>")
	}
	b.WriteString("<tt:Imaging>" + xaddr("/onvif/imaging_service") + "</tt:Imaging>")
	b.WriteString("<tt:Media>" + xaddr("/onvif/media_service") + "<tt:StreamingCapabilities><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>")
	if d.spec.Recording {
		b.WriteString("<tt:Extension><tt:Recording>" + xaddr("/onvif/recording_service") + "</tt:Recording><tt:Search>" + xaddr("/onvif/search_service") +
			"<tt:MetadataSearch>false</tt:MetadataSearch></tt:Search><tt:Replay>" + xaddr("/onvif/replay_service") + "</tt:Replay></tt:Extension>")
	}
	b.WriteString("</tds:Capabilities></tds:GetCapabilitiesResponse>")
	return b.String(), nil
}

func (d *device) deviceCapabilities(*question) (string, *fault) {
	return "<tds:GetServiceCapabilitiesResponse>" + d.list()[0].capabilities + "</tds:GetServiceCapabilitiesResponse>", nil
}

func (d *device) deviceInformation(*question) (string, *fault) {
	s := d.spec
	return fmt.Sprintf(`<tds:GetDeviceInformationResponse><tds:Manufacturer>%s</tds:Manufacturer><tds:Model>%s</tds:Model><tds:FirmwareVersion>%s</tds:FirmwareVersion><tds:SerialNumber>%s</tds:SerialNumber><tds:HardwareId>%s</tds:HardwareId></tds:GetDeviceInformationResponse>`,
		esc(s.Maker), esc(s.Model), esc(s.Firmware), esc(s.Serial), esc(s.Hardware)), nil
}

// scopes are the device's scopes as discovery and GetScopes tell them.
func (d *device) scopes() []string {
	const base = "onvif://www.onvif.org/"
	kind := "video_encoder"
	if d.spec.Kind == "recorder" {
		kind = "Network_Video_Storage"
	}
	out := []string{base + "type/" + kind, base + "Profile/Streaming", base + "Profile/T",
		base + "hardware/" + scopeValue(d.spec.Hardware), base + "name/" + scopeValue(d.spec.Label), base + "location/country/china"}
	if d.spec.ProfileM {
		out = append(out, base+"Profile/M")
	}
	if d.spec.Recording {
		out = append(out, base+"Profile/G")
	}
	if d.spec.ONVIF {
		out = append(out, base+"macaddr/"+d.spec.MAC)
	}
	return append(out, d.spec.Scopes...)
}

// scopeValue escapes a value for a scope URI; non-ASCII letters stay, as most firmware leaves them.
func scopeValue(s string) string {
	return strings.NewReplacer(" ", "%20", "/", "%2F", "<", "%3C", ">", "%3E").Replace(s)
}

func (d *device) getScopes(*question) (string, *fault) {
	var b strings.Builder
	b.WriteString("<tds:GetScopesResponse>")
	for _, s := range d.scopes() {
		b.WriteString("<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>" + esc(s) + "</tt:ScopeItem></tds:Scopes>")
	}
	b.WriteString("</tds:GetScopesResponse>")
	return b.String(), nil
}

func (d *device) hostname(*question) (string, *fault) {
	return "<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>" + esc(d.spec.Name) +
		"</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>", nil
}

func (d *device) endpointReference(*question) (string, *fault) {
	return "<tds:GetEndpointReferenceResponse><tds:GUID>urn:uuid:" + d.uuid + "</tds:GUID></tds:GetEndpointReferenceResponse>", nil
}
