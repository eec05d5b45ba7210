package soap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// ErrNotAllowed is returned, before anything is sent, for a body whose first element is not on the allow-list.
var ErrNotAllowed = errors.New("soap: not on the list of questions that may be asked")

// namespaces are the prefixes requests may use.
var namespaces = []struct{ prefix, uri string }{
	{"ans", "http://www.onvif.org/ver10/appmgmt/wsdl"},
	{"onvif", "http://www.onvif.org/ver10/schema"},
	{"tab", "http://www.onvif.org/ver10/authenticationbehavior/wsdl"},
	{"tac", "http://www.onvif.org/ver10/accesscontrol/wsdl"},
	{"tad", "http://www.onvif.org/ver10/analyticsdevice/wsdl"},
	{"tan", "http://www.onvif.org/ver20/analytics/wsdl"},
	{"tcr", "http://www.onvif.org/ver10/credential/wsdl"},
	{"tds", "http://www.onvif.org/ver10/device/wsdl"},
	{"tev", "http://www.onvif.org/ver10/events/wsdl"},
	{"tr2", "http://www.onvif.org/ver20/media/wsdl"},
	{"trt", "http://www.onvif.org/ver10/media/wsdl"},
	{"wsa5", "http://www.w3.org/2005/08/addressing"},
	{"wsnt", "http://docs.oasis-open.org/wsn/b-2"},
}

// allowed lists, by namespace prefix, every operation this program can send. All of them only read, except the pull point
// of an event subscription, which changes no setting, is bounded in time and is released.
var allowed = map[string][]string{
	"tds":  {"GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetServiceCapabilities", "GetScopes", "GetDeviceInformation", "GetEndpointReference", "GetHostname"},
	"trt":  {"GetServiceCapabilities", "GetProfiles", "GetVideoAnalyticsConfigurations", "GetMetadataConfigurations", "GetStreamUri"},
	"tr2":  {"GetServiceCapabilities", "GetProfiles", "GetAnalyticsConfigurations", "GetMetadataConfigurations", "GetStreamUri"},
	"tan":  {"GetServiceCapabilities", "GetSupportedRules", "GetRules", "GetRuleOptions", "GetSupportedAnalyticsModules", "GetAnalyticsModules", "GetAnalyticsModuleOptions", "GetSupportedMetadata"},
	"tev":  {"GetServiceCapabilities", "GetEventProperties", "GetEventBrokers", "CreatePullPointSubscription", "PullMessages", "SetSynchronizationPoint"},
	"wsnt": {"Renew", "Unsubscribe"},
	"ans":  {"GetServiceCapabilities", "GetInstalledApps", "GetAppsInfo"},
	"tcr":  {"GetServiceCapabilities"},
	"tab":  {"GetServiceCapabilities", "GetSecurityLevelList"},
	"tac":  {"GetServiceCapabilities", "GetAccessPointInfoList"},
	"tad":  {"GetServiceCapabilities", "GetAnalyticsEngines", "GetAnalyticsState"},
}

// Allowed reports whether an operation may be sent.
func Allowed(name xml.Name) bool {
	for _, n := range namespaces {
		if n.uri != name.Space {
			continue
		}
		for _, op := range allowed[n.prefix] {
			if op == name.Local {
				return true
			}
		}
	}
	return false
}

// Check returns nil for an envelope whose body holds exactly one element and that element is on the allow-list. Anything
// else, XML it cannot read included, is ErrNotAllowed.
func Check(envelope []byte) error {
	d := xml.NewDecoder(bytes.NewReader(envelope))
	var path []xml.Name
	found := 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) && found == 1 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %d questions in the body", ErrNotAllowed, found)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if len(path) == 2 && path[1].Local == "Body" {
				if found++; found > 1 || !Allowed(t.Name) {
					return fmt.Errorf("%w: {%s}%s", ErrNotAllowed, t.Name.Space, t.Name.Local)
				}
			}
			path = append(path, t.Name)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.Directive:
			return fmt.Errorf("%w: a document type", ErrNotAllowed)
		}
	}
}
