// Package onvif turns ONVIF answers into structs and says what in them concerns faces: rule and module types, topics,
// metadata classes. It reads what package soap received and builds what it sends; it dials nothing and knows nothing of
// audits beyond the five functions of a face. Nothing in it keeps a person's value: names, classes and counts only.
//
// Names and paths follow the ONVIF specifications of release 26.06. Responses are never decoded into the structs of
// use-go/onvif: their tags do not match and lists keep one element, so that a face rule would vanish without an error.
package onvif

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/use-go/onvif/analytics"
	"github.com/use-go/onvif/device"
	"github.com/use-go/onvif/event"
	"github.com/use-go/onvif/media"
	"github.com/use-go/onvif/xsd"
	"github.com/use-go/onvif/xsd/onvif"
)

// Namespaces of the services.
const (
	NSDevice      = "http://www.onvif.org/ver10/device/wsdl"
	NSMedia       = "http://www.onvif.org/ver10/media/wsdl"
	NSMedia2      = "http://www.onvif.org/ver20/media/wsdl"
	NSAnalytics   = "http://www.onvif.org/ver20/analytics/wsdl"
	NSEngine      = "http://www.onvif.org/ver10/analyticsdevice/wsdl"
	NSEvents      = "http://www.onvif.org/ver10/events/wsdl"
	NSApps        = "http://www.onvif.org/ver10/appmgmt/wsdl"
	NSAccess      = "http://www.onvif.org/ver10/accesscontrol/wsdl"
	NSCredential  = "http://www.onvif.org/ver10/credential/wsdl"
	NSBehaviour   = "http://www.onvif.org/ver10/authenticationbehavior/wsdl"
	NSDoor        = "http://www.onvif.org/ver10/doorcontrol/wsdl"
	NSRecording   = "http://www.onvif.org/ver10/recording/wsdl"
	NSReplay      = "http://www.onvif.org/ver10/replay/wsdl"
	NSSchema      = "http://www.onvif.org/ver10/schema"
	NSTopics      = "http://www.onvif.org/ver10/topics"
	nsNotify      = "http://docs.oasis-open.org/wsn/b-2"
	actionUnsub   = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest"
	actionPull    = NSEvents + "/PullPointSubscription/PullMessagesRequest"
	actionCreate  = NSEvents + "/EventPortType/CreatePullPointSubscriptionRequest"
	actionProps   = NSEvents + "/EventPortType/GetEventPropertiesRequest"
	actionEvCaps  = NSEvents + "/EventPortType/GetServiceCapabilitiesRequest"
	actionBrokers = NSEvents + "/EventPortType/GetEventBrokersRequest"
)

// Operation is one question: its name as "tan:GetRules", the service that answers it, its action and its body.
type Operation struct {
	Name    string
	Service string // namespace of the service
	Action  string
	Body    any
}

func op(prefix, ns, name string, body any) Operation {
	return Operation{Name: prefix + ":" + name, Service: ns, Action: ns + "/" + name, Body: body}
}

func acting(o Operation, action string) Operation {
	o.Action = action
	return o
}

// empty is a request without parameters that use-go/onvif lacks.
type empty struct{ XMLName xml.Name }

func bare(prefix, ns, name string) Operation {
	return op(prefix, ns, name, empty{xml.Name{Local: prefix + ":" + name}})
}

// GetSystemDateAndTime asks for the clock. By the default access policy it needs no login, as GetServices, GetCapabilities,
// GetEndpointReference and every GetServiceCapabilities.
func GetSystemDateAndTime() Operation {
	return op("tds", NSDevice, "GetSystemDateAndTime", device.GetSystemDateAndTime{})
}

// GetServices asks for the services with their capabilities.
func GetServices() Operation {
	return op("tds", NSDevice, "GetServices", device.GetServices{IncludeCapability: true})
}

// GetCapabilities is what devices before 2.1 answer instead of GetServices.
func GetCapabilities() Operation {
	return op("tds", NSDevice, "GetCapabilities", device.GetCapabilities{Category: "All"})
}

// GetDeviceInformation asks for maker, model, firmware and serial number: the login test.
func GetDeviceInformation() Operation {
	return op("tds", NSDevice, "GetDeviceInformation", device.GetDeviceInformation{})
}

// GetScopes asks for the scopes.
func GetScopes() Operation { return op("tds", NSDevice, "GetScopes", device.GetScopes{}) }

// GetEndpointReference asks for the identity WS-Discovery uses.
func GetEndpointReference() Operation {
	return op("tds", NSDevice, "GetEndpointReference", device.GetEndpointReference{})
}

// GetProfiles asks Media1 for every profile with its configurations.
func GetProfiles() Operation { return op("trt", NSMedia, "GetProfiles", media.GetProfiles{}) }

// GetProfiles2 asks Media2; without Type the profiles come without configurations.
func GetProfiles2() Operation {
	return op("tr2", NSMedia2, "GetProfiles", struct {
		XMLName xml.Name `xml:"tr2:GetProfiles"`
		Type    string   `xml:"tr2:Type"`
	}{Type: "All"})
}

// GetVideoAnalyticsConfigurations asks Media1.
func GetVideoAnalyticsConfigurations() Operation {
	return op("trt", NSMedia, "GetVideoAnalyticsConfigurations", media.GetVideoAnalyticsConfigurations{})
}

// GetAnalyticsConfigurations asks Media2.
func GetAnalyticsConfigurations() Operation {
	return bare("tr2", NSMedia2, "GetAnalyticsConfigurations")
}

// GetMetadataConfigurations asks Media1.
func GetMetadataConfigurations() Operation {
	return op("trt", NSMedia, "GetMetadataConfigurations", media.GetMetadataConfigurations{})
}

// GetMetadataConfigurations2 asks Media2.
func GetMetadataConfigurations2() Operation {
	return bare("tr2", NSMedia2, "GetMetadataConfigurations")
}

// GetStreamURI asks Media1 for the RTSP address of a profile.
func GetStreamURI(profile string) Operation {
	return op("trt", NSMedia, "GetStreamUri", media.GetStreamUri{ProfileToken: onvif.ReferenceToken(profile),
		StreamSetup: onvif.StreamSetup{Stream: "RTP-Unicast", Transport: onvif.Transport{Protocol: "RTSP"}}})
}

// GetStreamURI2 asks Media2.
func GetStreamURI2(profile string) Operation {
	return op("tr2", NSMedia2, "GetStreamUri", struct {
		XMLName  xml.Name `xml:"tr2:GetStreamUri"`
		Protocol string   `xml:"tr2:Protocol"`
		Profile  string   `xml:"tr2:ProfileToken"`
	}{Protocol: "RTSP", Profile: profile})
}

// GetAnalyticsCapabilities asks the analytics service for its capabilities.
func GetAnalyticsCapabilities() Operation {
	return op("tan", NSAnalytics, "GetServiceCapabilities", analytics.GetServiceCapabilities{})
}

// GetSupportedRules asks what rule types a configuration can hold.
func GetSupportedRules(token string) Operation {
	return op("tan", NSAnalytics, "GetSupportedRules", analytics.GetSupportedRules{ConfigurationToken: onvif.ReferenceToken(token)})
}

// GetRules asks for the rule instances of a configuration.
func GetRules(token string) Operation {
	return op("tan", NSAnalytics, "GetRules", analytics.GetRules{ConfigurationToken: onvif.ReferenceToken(token)})
}

// GetSupportedAnalyticsModules asks what module types a configuration can hold.
func GetSupportedAnalyticsModules(token string) Operation {
	return op("tan", NSAnalytics, "GetSupportedAnalyticsModules", analytics.GetSupportedAnalyticsModules{ConfigurationToken: onvif.ReferenceToken(token)})
}

// GetAnalyticsModules asks for the module instances of a configuration.
func GetAnalyticsModules(token string) Operation {
	return op("tan", NSAnalytics, "GetAnalyticsModules", analytics.GetAnalyticsModules{ConfigurationToken: onvif.ReferenceToken(token)})
}

// GetRuleOptions asks for the values rule parameters can take. The library's struct always writes an empty RuleType, which
// strict devices refuse.
func GetRuleOptions(token string) Operation {
	return op("tan", NSAnalytics, "GetRuleOptions", struct {
		XMLName xml.Name `xml:"tan:GetRuleOptions"`
		Token   string   `xml:"tan:ConfigurationToken"`
	}{Token: token})
}

// GetSupportedMetadata asks every module for a sample of its metadata.
func GetSupportedMetadata() Operation { return bare("tan", NSAnalytics, "GetSupportedMetadata") }

// GetEventCapabilities asks the event service for its capabilities.
func GetEventCapabilities() Operation {
	return acting(op("tev", NSEvents, "GetServiceCapabilities", event.GetServiceCapabilities{}), actionEvCaps)
}

// GetEventProperties asks for the topic set.
func GetEventProperties() Operation {
	return acting(op("tev", NSEvents, "GetEventProperties", event.GetEventProperties{}), actionProps)
}

// GetEventBrokers asks where events are published to. Passwords are never returned.
func GetEventBrokers() Operation {
	return acting(bare("tev", NSEvents, "GetEventBrokers"), actionBrokers)
}

// GetInstalledApps asks for the applications on the camera.
func GetInstalledApps() Operation { return bare("ans", NSApps, "GetInstalledApps") }

// GetAppsInfo asks for the state of every application.
func GetAppsInfo() Operation { return bare("ans", NSApps, "GetAppsInfo") }

// GetCredentialCapabilities asks which identifiers the access control unit reads.
func GetCredentialCapabilities() Operation {
	return bare("tcr", NSCredential, "GetServiceCapabilities")
}

// GetSecurityLevelList asks what an access point demands.
func GetSecurityLevelList() Operation { return bare("tab", NSBehaviour, "GetSecurityLevelList") }

// GetAccessPointInfoList asks for the access points. Credentials themselves are never asked for: they are personal data.
func GetAccessPointInfoList() Operation { return bare("tac", NSAccess, "GetAccessPointInfoList") }

// GetAnalyticsEngines asks a device that analyses other devices' streams.
func GetAnalyticsEngines() Operation { return bare("tad", NSEngine, "GetAnalyticsEngines") }

// CreatePullPoint asks for an event subscription of 60 seconds, or of the period given in ISO 8601. The filter is a concrete
// topic expression whose prefixes are declared by namespaces; empty means no filter.
func CreatePullPoint(filter string, namespaces map[string]string, period string) Operation {
	var b strings.Builder
	b.WriteString(`<tev:CreatePullPointSubscription xmlns:tev="` + NSEvents + `">`)
	if filter != "" {
		b.WriteString(`<tev:Filter><wsnt:TopicExpression xmlns:wsnt="` + nsNotify + `"`)
		for _, p := range sortedKeys(namespaces) {
			fmt.Fprintf(&b, ` xmlns:%s="%s"`, p, escape(namespaces[p]))
		}
		b.WriteString(` Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">` + escape(filter) + `</wsnt:TopicExpression></tev:Filter>`)
	}
	if period == "" {
		period = "PT60S"
	}
	b.WriteString(`<tev:InitialTerminationTime>` + escape(period) + `</tev:InitialTerminationTime></tev:CreatePullPointSubscription>`)
	o := op("tev", NSEvents, "CreatePullPointSubscription", []byte(b.String()))
	return acting(o, actionCreate)
}

// PullMessages asks for what happened, waiting up to the timeout (ISO 8601).
func PullMessages(timeout string, limit int) Operation {
	return acting(op("tev", NSEvents, "PullMessages", event.PullMessages{Timeout: xsd.Duration(timeout), MessageLimit: xsd.Int(limit)}), actionPull)
}

// Unsubscribe releases a pull point.
func Unsubscribe() Operation {
	o := op("wsnt", NSEvents, "Unsubscribe", []byte(`<wsnt:Unsubscribe xmlns:wsnt="`+nsNotify+`"/>`))
	return acting(o, actionUnsub)
}

// Addressing returns the WS-Addressing header blocks for a pull point: the address, the action, and the reference parameters
// of the subscription. None demands to be understood.
func Addressing(action, to, messageID string, parameters []string) []string {
	const ns = ` xmlns:wsa5="http://www.w3.org/2005/08/addressing"`
	out := []string{
		`<wsa5:Action` + ns + `>` + escape(action) + `</wsa5:Action>`,
		`<wsa5:To` + ns + `>` + escape(to) + `</wsa5:To>`,
		`<wsa5:MessageID` + ns + `>` + escape(messageID) + `</wsa5:MessageID>`,
		`<wsa5:ReplyTo` + ns + `><wsa5:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa5:Address></wsa5:ReplyTo>`,
	}
	return append(out, parameters...)
}

func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
