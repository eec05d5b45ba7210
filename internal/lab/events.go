package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (d *device) eventCapabilityElement() string {
	e := d.spec.Events
	brokers := ""
	if len(e.Brokers) > 0 {
		brokers = ` EventBrokerProtocols="mqtt mqtts" MaxEventBrokers="2" MetadataOverMQTT="true"`
	}
	return fmt.Sprintf(`<tev:Capabilities WSSubscriptionPolicySupport="true" WSPullPointSupport="false" WSPausableSubscriptionManagerInterfaceSupport="false" MaxNotificationProducers="10" MaxPullPoints="%d" PersistentNotificationStorage="false"%s/>`, e.Max, brokers)
}

func (d *device) eventCapabilities(*question) (string, *fault) {
	return "<tev:GetServiceCapabilitiesResponse>" + d.eventCapabilityElement() + "</tev:GetServiceCapabilitiesResponse>", nil
}

func (d *device) eventBrokers(*question) (string, *fault) {
	var b strings.Builder
	b.WriteString("<tev:GetEventBrokersResponse>")
	for _, x := range d.spec.Events.Brokers {
		fmt.Fprintf(&b, `<tev:EventBroker><tev:Address>%s</tev:Address><tev:TopicPrefix>%s</tev:TopicPrefix><tev:UserName>lab</tev:UserName>`, esc(x.Address), esc(x.Prefix))
		if x.Publish != "" {
			fmt.Fprintf(&b, `<tev:PublishFilter><wsnt:TopicExpression Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">%s</wsnt:TopicExpression></tev:PublishFilter>`, esc(x.Publish))
		}
		fmt.Fprintf(&b, `<tev:QoS>1</tev:QoS><tev:Status>Connected</tev:Status>`)
		if x.Metadata != "" {
			fmt.Fprintf(&b, `<tev:MetadataFilter><tev:MetadataStream>%s</tev:MetadataStream></tev:MetadataFilter>`, esc(x.Metadata))
		}
		b.WriteString("</tev:EventBroker>")
	}
	return b.String() + "</tev:GetEventBrokersResponse>", nil
}

// topicNode is a node of the topic set.
type topicNode struct {
	name  string
	topic *Topic
	kids  []*topicNode
}

func (d *device) eventProperties(*question) (string, *fault) {
	root := &topicNode{}
	for _, t := range d.spec.Events.Topics {
		n := root
		for segment := range strings.SplitSeq(t.Path, "/") {
			i := slices.IndexFunc(n.kids, func(k *topicNode) bool { return k.name == segment })
			if i < 0 {
				n.kids = append(n.kids, &topicNode{name: segment})
				i = len(n.kids) - 1
			}
			n = n.kids[i]
		}
		n.topic = &t
	}
	var b strings.Builder
	b.WriteString(`<tev:GetEventPropertiesResponse><tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation>` +
		`<wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet>`)
	for _, k := range root.kids {
		k.write(&b)
	}
	b.WriteString(`</wstop:TopicSet><wsnt:TopicExpressionDialect>http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet</wsnt:TopicExpressionDialect>` +
		`<wsnt:TopicExpressionDialect>http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete</wsnt:TopicExpressionDialect>` +
		`<tev:MessageContentFilterDialect>http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter</tev:MessageContentFilterDialect>` +
		`<tev:MessageContentSchemaLocation>http://www.onvif.org/onvif/ver10/schema/onvif.xsd</tev:MessageContentSchemaLocation></tev:GetEventPropertiesResponse>`)
	return b.String(), nil
}

func (n *topicNode) write(b *strings.Builder) {
	b.WriteString("<" + n.name)
	if n.topic != nil {
		b.WriteString(` wstop:topic="true"`)
	}
	b.WriteString(">")
	if t := n.topic; t != nil {
		b.WriteString(messageDescription("tt:MessageDescription", Message{Property: t.Property, Source: t.Source, Data: t.Data}))
	}
	for _, k := range n.kids {
		k.write(b)
	}
	b.WriteString("</" + n.name + ">")
}

func (d *device) notification(e Event) string {
	items := func(ps []Param) string {
		var b strings.Builder
		for _, p := range ps {
			b.WriteString("<tt:SimpleItem" + d.attributes("Name", p.Name, "Value", p.Value) + "/>")
		}
		return b.String()
	}
	operation := ""
	if e.Operation != "" {
		operation = ` PropertyOperation="` + e.Operation + `"`
	}
	return `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">` + esc(e.Topic) + `</wsnt:Topic>` +
		`<wsnt:Message><tt:Message UtcTime="` + d.now().Format(time.RFC3339) + `"` + operation + `><tt:Source>` + items(e.Source) + `</tt:Source>` +
		`<tt:Data>` + items(e.Data) + `</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
}
