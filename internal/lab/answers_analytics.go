package lab

import (
	"fmt"
	"strings"
)

func (d *device) analyticsCapabilityElement() string {
	a := d.spec.Analytics
	images := ""
	if a.ImageSending != "" {
		images = fmt.Sprintf(` ImageSendingType="%s"`, a.ImageSending)
	}
	return fmt.Sprintf(`<tan:Capabilities SupportedMetadata="%t" AnalyticsModuleOptionsSupported="true" RuleOptionsSupported="%t" AnalyticsModuleSupport="true" RuleSupport="true"%s/>`,
		len(a.Samples) > 0 || d.spec.ProfileM, len(a.Options) > 0, images)
}

func (d *device) analyticsCapabilities(*question) (string, *fault) {
	return "<tan:GetServiceCapabilitiesResponse>" + d.analyticsCapabilityElement() + "</tan:GetServiceCapabilitiesResponse>", nil
}

func (d *device) analyticsConfigurations(q *question) (string, *fault) {
	_, op, _ := strings.Cut(q.op, ":")
	return d.configurations(q, op+"Response", d.spec.Analytics.Service, d.analyticsConfiguration), nil
}

func (d *device) analyticsConfiguration(element string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<%s token="%s"><tt:Name>VideoAnalytics</tt:Name><tt:UseCount>2</tt:UseCount><tt:AnalyticsEngineConfiguration>`, element, esc(d.spec.Analytics.Token))
	for _, m := range d.spec.Analytics.Modules {
		b.WriteString(d.configured("tt:AnalyticsModule", m))
	}
	b.WriteString("</tt:AnalyticsEngineConfiguration><tt:RuleEngineConfiguration>")
	for _, r := range d.spec.Analytics.Rules {
		b.WriteString(d.configured("tt:Rule", r))
	}
	fmt.Fprintf(&b, "</tt:RuleEngineConfiguration></%s>", element)
	return b.String()
}

func (d *device) configured(element string, c Configured) string {
	var b strings.Builder
	b.WriteString("<" + element + d.attributes("Type", c.Type, "Name", c.Name) + "><tt:Parameters>")
	for _, p := range c.Params {
		b.WriteString("<tt:SimpleItem" + d.attributes("Value", p.Value, "Name", p.Name) + "></tt:SimpleItem>")
	}
	b.WriteString("</tt:Parameters></" + element + ">")
	return b.String()
}

// attributes writes two attributes in the order of the firmware.
func (d *device) attributes(n1, v1, n2, v2 string) string {
	one, two := fmt.Sprintf(` %s="%s"`, n1, esc(v1)), fmt.Sprintf(` %s="%s"`, n2, esc(v2))
	if d.spec.Style.NameFirst {
		return two + one
	}
	return one + two
}

// ofToken refuses a request that names another analytics configuration.
func (d *device) ofToken(q *question, inner func(b *strings.Builder)) (string, *fault) {
	if t := q.body.value("ConfigurationToken"); t != d.spec.Analytics.Token {
		return "", badArgument("ter:NoConfig", "The requested VideoAnalyticsConfiguration does not exist")
	}
	_, op, _ := strings.Cut(q.op, ":")
	var b strings.Builder
	b.WriteString("<tan:" + op + "Response>")
	inner(&b)
	b.WriteString("</tan:" + op + "Response>")
	return b.String(), nil
}

func (d *device) supportedRules(q *question) (string, *fault) {
	return d.ofToken(q, func(b *strings.Builder) {
		b.WriteString(`<tan:SupportedRules Limit="8"><tt:RuleContentSchemaLocation>http://www.onvif.org/ver10/schema/onvif.xsd</tt:RuleContentSchemaLocation>`)
		for _, r := range d.spec.Analytics.SupportedRules {
			b.WriteString(described("tt:RuleDescription", r))
		}
		b.WriteString("</tan:SupportedRules>")
	})
}

func (d *device) supportedModules(q *question) (string, *fault) {
	return d.ofToken(q, func(b *strings.Builder) {
		b.WriteString(`<tan:SupportedAnalyticsModules Limit="8">`)
		for _, m := range d.spec.Analytics.SupportedModules {
			b.WriteString(described("tt:AnalyticsModuleDescription", m))
		}
		b.WriteString("</tan:SupportedAnalyticsModules>")
	})
}

func described(element string, x Described) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<%s Name="%s"`, element, esc(x.Name))
	if x.Fixed {
		b.WriteString(` fixed="true"`)
	}
	if x.Max > 0 {
		fmt.Fprintf(&b, ` maxInstances="%d"`, x.Max)
	}
	b.WriteString("><tt:Parameters>" + itemDescriptions(x.Params) + "</tt:Parameters>")
	for _, m := range x.Messages {
		b.WriteString(messageDescription("tt:Messages", m))
	}
	fmt.Fprintf(&b, "</%s>", element)
	return b.String()
}

func messageDescription(element string, m Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<%s IsProperty="%t"><tt:Source>%s</tt:Source><tt:Data>%s</tt:Data>`, element, m.Property, itemDescriptions(m.Source), itemDescriptions(m.Data))
	if m.Topic != "" {
		b.WriteString("<tt:ParentTopic>" + esc(m.Topic) + "</tt:ParentTopic>")
	}
	return b.String() + "</" + element + ">"
}

func itemDescriptions(ps []Param) string {
	var b strings.Builder
	for _, p := range ps {
		kind := "SimpleItemDescription"
		if strings.HasPrefix(p.Value, "tt:") && p.Value != "tt:ReferenceToken" {
			kind = "ElementItemDescription"
		}
		fmt.Fprintf(&b, `<tt:%s Name="%s" Type="%s"/>`, kind, esc(p.Name), esc(p.Value))
	}
	return b.String()
}

func (d *device) rules(q *question) (string, *fault) {
	return d.ofToken(q, func(b *strings.Builder) {
		for _, r := range d.spec.Analytics.Rules {
			b.WriteString(d.configured("tan:Rule", r))
		}
	})
}

func (d *device) modules(q *question) (string, *fault) {
	return d.ofToken(q, func(b *strings.Builder) {
		for _, m := range d.spec.Analytics.Modules {
			b.WriteString(d.configured("tan:AnalyticsModule", m))
		}
	})
}

func (d *device) ruleOptions(q *question) (string, *fault) {
	if len(d.spec.Analytics.Options) == 0 {
		return "", d.unknown(q.op)
	}
	return d.ofToken(q, func(b *strings.Builder) {
		want := q.body.value("RuleType")
		for _, o := range d.spec.Analytics.Options {
			if want == "" || strings.HasSuffix(want, o.Rule[strings.LastIndex(o.Rule, ":")+1:]) {
				fmt.Fprintf(b, `<tan:RuleOptions RuleType="%s" Name="%s" Type="tt:StringList"><tt:StringList>%s</tt:StringList></tan:RuleOptions>`, esc(o.Rule), esc(o.Name), esc(o.List))
			}
		}
	})
}

func (d *device) moduleOptions(q *question) (string, *fault) {
	return d.ofToken(q, func(*strings.Builder) {})
}

func (d *device) supportedMetadata(q *question) (string, *fault) {
	if len(d.spec.Analytics.Samples) == 0 && !d.spec.ProfileM {
		return "", d.unknown(q.op)
	}
	var b strings.Builder
	b.WriteString("<tan:GetSupportedMetadataResponse>")
	for _, s := range d.spec.Analytics.Samples {
		fmt.Fprintf(&b, `<tan:AnalyticsModule Type="%s"><tan:SampleFrame UtcTime="%s">%s</tan:SampleFrame></tan:AnalyticsModule>`,
			esc(s.Module), d.now().Format("2006-01-02T15:04:05.000Z"), frameContent(s.Frame))
	}
	b.WriteString("</tan:GetSupportedMetadataResponse>")
	return b.String(), nil
}

func (d *device) appCapabilities(*question) (string, *fault) {
	return "<ans:GetServiceCapabilitiesResponse><ans:Capabilities/></ans:GetServiceCapabilitiesResponse>", nil
}

func (d *device) installedApps(*question) (string, *fault) {
	var b strings.Builder
	b.WriteString("<ans:GetInstalledAppsResponse>")
	for _, a := range d.spec.Apps {
		fmt.Fprintf(&b, "<ans:App><ans:Name>%s</ans:Name><ans:AppID>%s</ans:AppID></ans:App>", esc(a.Name), esc(a.ID))
	}
	return b.String() + "</ans:GetInstalledAppsResponse>", nil
}

func (d *device) appsInfo(*question) (string, *fault) {
	var b strings.Builder
	b.WriteString("<ans:GetAppsInfoResponse>")
	for _, a := range d.spec.Apps {
		fmt.Fprintf(&b, "<ans:Info><ans:AppID>%s</ans:AppID><ans:Name>%s</ans:Name><ans:Version>1.0</ans:Version><ans:State>%s</ans:State><ans:Autostart>true</ans:Autostart></ans:Info>",
			esc(a.ID), esc(a.Name), esc(a.State))
	}
	return b.String() + "</ans:GetAppsInfoResponse>", nil
}

func (d *device) credentialCapabilityElement() string {
	var b strings.Builder
	b.WriteString(`<tcr:Capabilities MaxLimit="10" MaxCredentials="1000">`)
	for _, t := range d.spec.PACS {
		b.WriteString("<tcr:SupportedIdentifierType>" + esc(t) + "</tcr:SupportedIdentifierType>")
	}
	return b.String() + "</tcr:Capabilities>"
}

func (d *device) credentialCapabilities(*question) (string, *fault) {
	return "<tcr:GetServiceCapabilitiesResponse>" + d.credentialCapabilityElement() + "</tcr:GetServiceCapabilitiesResponse>", nil
}

func (d *device) accessCapabilities(*question) (string, *fault) {
	return `<tac:GetServiceCapabilitiesResponse><tac:Capabilities MaxLimit="10"/></tac:GetServiceCapabilitiesResponse>`, nil
}

func (d *device) accessPoints(*question) (string, *fault) {
	return fmt.Sprintf(`<tac:GetAccessPointInfoListResponse><tac:AccessPointInfo token="AP_1"><tac:Name>Door</tac:Name><tac:Entity>Door_1</tac:Entity><tac:Capabilities DisableAccessPoint="false" SupportedRecognitionTypes="%s"/></tac:AccessPointInfo></tac:GetAccessPointInfoListResponse>`,
		esc(strings.Join(d.spec.PACS, " "))), nil
}

func (d *device) behaviourCapabilities(*question) (string, *fault) {
	return `<tab:GetServiceCapabilitiesResponse><tab:Capabilities MaxLimit="10"/></tab:GetServiceCapabilitiesResponse>`, nil
}

func (d *device) securityLevels(*question) (string, *fault) {
	var b strings.Builder
	b.WriteString(`<tab:GetSecurityLevelListResponse><tab:SecurityLevel token="Level_1"><tab:Name>Door</tab:Name><tab:Priority>0</tab:Priority>`)
	for i, t := range d.spec.PACS {
		fmt.Fprintf(&b, `<tab:RecognitionGroup><tab:RecognitionMethod RecognitionType="%s" Order="%d"/></tab:RecognitionGroup>`, esc(t), i)
	}
	return b.String() + `</tab:SecurityLevel></tab:GetSecurityLevelListResponse>`, nil
}
