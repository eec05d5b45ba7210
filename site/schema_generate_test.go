package site

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// generate makes the schema from the types and vocabularies; a test holds the embedded copy to it.
func generate() ([]byte, error) {
	r := &jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true, FieldNameTag: "yaml",
		RequiredFromJSONSchemaTags: true, // what is required is said below: for a person, not for the encoder
		Mapper:                     notation,
	}
	s := r.Reflect(&audit.SiteFile{})
	s.ID = "urn:" + jsonschema.ID(strings.NewReplacer(".", ":", "/", ":").Replace(SchemaName))
	s.Title = "mingshi 现场文件 / mingshi site file"
	types := map[string]reflect.Type{"SiteFile": reflect.TypeFor[audit.SiteFile]()}
	collect(types["SiteFile"], types)
	for name, t := range types {
		d := s
		if name != "SiteFile" {
			d = s.Definitions[name]
		}
		if d == nil {
			return nil, fmt.Errorf("site: generating the schema: no definition of %s", name)
		}
		if err := describe(name, t, d); err != nil {
			return nil, err
		}
	}
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// notation gives types with a notation of their own their schema.
func notation(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[audit.Moment]():
		return &jsonschema.Schema{Type: "string", Pattern: `^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$`}
	case reflect.TypeFor[netip.Prefix]():
		return &jsonschema.Schema{Type: "string", Pattern: `^[0-9A-Fa-f:.]+(/\d{1,3})?$`}
	case reflect.TypeFor[audit.Permit]():
		return &jsonschema.Schema{Type: "string", Enum: words(strings.Split(permitNames(), ", "))}
	case reflect.TypeFor[audit.Function]():
		return &jsonschema.Schema{Type: "string", Enum: words(functions())}
	}
	return nil
}

// collect finds every structure a site file is made of.
func collect(t reflect.Type, into map[string]reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		collect(t.Elem(), into)
	case reflect.Struct:
		if notation(t) != nil || t.Name() != "SiteFile" && into[t.Name()] != nil {
			return
		}
		into[t.Name()] = t
		for f := range t.Fields() {
			collect(f.Type, into)
		}
	}
}

// describe puts in what a type cannot say: descriptions, vocabularies, and what must be there.
func describe(name string, t reflect.Type, d *jsonschema.Schema) error {
	d.Required = required()[name]
	for f := range t.Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		p, ok := d.Properties.Get(key)
		if !ok {
			return fmt.Errorf("site: generating the schema: %s has no %s", name, key)
		}
		id := name + "." + key
		restrict(id, p)
		text := msg.Text("site.field." + id)
		if !slices.Contains(d.Required, key) && id != "Site.venue" {
			p = orNothing(p)
		}
		p.Description = text.ZH + " / " + text.EN
		d.Properties.Set(key, p)
	}
	for alias, key := range aliases() {
		if of, old, _ := strings.Cut(alias, "."); of == name {
			p, _ := d.Properties.Get(key)
			c := *p
			c.Deprecated = true
			d.Properties.Set(old, &c)
			d.AnyOf = []*jsonschema.Schema{{Required: []string{key}}, {Required: []string{old}}}
		}
	}
	return nil
}

// orNothing lets a key that is not required stand without a value, as Parse does.
func orNothing(p *jsonschema.Schema) *jsonschema.Schema {
	if p.AnyOf != nil {
		p.AnyOf = append(p.AnyOf, &jsonschema.Schema{Type: "null"})
		return p
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{p, {Type: "null"}}}
}

// restrict sets the vocabulary or notation of a key. Texts that are often written as numbers may be.
func restrict(id string, p *jsonschema.Schema) {
	if p.Items != nil {
		restrict(id+"[]", p.Items)
		return
	}
	switch id {
	case "SiteFile.schema":
		p.Const = SchemaName
	case "Site.venue":
		for _, v := range Venues() {
			p.Enum = append(p.Enum, v.Token)
		}
	case "Authority.basis":
		p.Enum = words(bases())
	case "Processor.kind":
		p.Enum = words(processorKinds())
	case "Notice.kind":
		p.Enum = words(noticeKinds())
	case "Notice.status":
		p.Enum = words(noticeStatuses())
	case "Notice.declared_by", "Declaration.by", "Recipient.declared_by":
		p.Enum = words(declarers())
	case "Recipient.capacity":
		p.Enum = words(capacities())
	case "Recipient.hosts[]":
		p.Pattern = `^\s*((\*\.)?[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*\.?|[0-9A-Fa-f:.]+)\s*$`
	case "Hours.days[]":
		p.Enum = words(weekdays())
	case "Hours.from", "Hours.to":
		p.Pattern = hoursShape.String()
	case "Site.jurisdiction[]":
		p.Pattern = regionShape.String()
	case "Zone.kind":
		for _, k := range ZoneKinds() {
			p.Examples = append(p.Examples, k.Token)
		}
	case "InventoryEntry.purposes[]", "Notice.purposes[]", "Declaration.purposes[]", "Consent.purpose", "Contract.purposes[]":
		p.Examples = words(purposes())
	case "Declaration.attributes[]":
		p.Examples = words(attributes())
	case "NoticeScope.data[]":
		p.Examples = words(dataKinds())
	case "Notice.methods[]":
		name := `(` + strings.Join(methods(), "|") + `)`
		inner := &jsonschema.Schema{Type: "string", Pattern: `^` + name + `(\{[^{}]*\})?$`}
		pairs := jsonschema.NewProperties()
		pairs.Set("attribute_analysis", &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}})
		*p = jsonschema.Schema{AnyOf: []*jsonschema.Schema{inner, {Type: "object", Properties: pairs, AdditionalProperties: jsonschema.FalseSchema}}}
	case "Authority.retention", "NoticeScope.retention":
		p.Pattern = durationShape.String()
	case "CameraCount.count":
		p.Minimum, p.Maximum = "0", json.Number(strconv.Itoa(maxCount))
	case "SiteFile.credentials":
		p.AdditionalProperties = &jsonschema.Schema{Type: "string", Pattern: `^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$`}
	}
	if strings.HasSuffix(id, "sha256") {
		p.Pattern = `^(sha256:)?[0-9a-fA-F]{64}$`
	}
	if p.Type == "string" && p.Pattern == "" && p.Enum == nil && p.Const == nil {
		examples := p.Examples
		*p = jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}}, Examples: examples}
	}
}

func words(ws []string) []any {
	out := make([]any, len(ws))
	for i, w := range ws {
		out[i] = w
	}
	return out
}

// required lists the keys a person has to write.
func required() map[string][]string {
	return map[string][]string{
		"SiteFile":       {"schema", "site", "authority"},
		"Site":           {"id"}, // and the venue, under either name
		"Authority":      {"basis", "granted_by", "valid", "perimeter", "permit"},
		"Person":         {"name"},
		"InventoryEntry": {"id"},
		"Zone":           {"id", "kind"},
		"NotWalked":      {"zone", "reason"},
		"CameraCount":    {"zone", "count"},
		"Hours":          {"from", "to"},
		"File":           {"file"},
		"Photo":          {"file"},
		"Notice":         {"id", "kind", "status"},
		"Gate":           {"id", "face"},
		"GateTest":       {"method", "ok"},
		"Consent":        {"purpose"},
		"Withdraw":       {"channel"},
		"Exemption":      {"item"},
		"Declaration":    {"id", "by", "at", "runs"},
		"Recipient":      {"id", "declared_by", "hosts", "name", "capacity", "cameras", "since"},
	}
}
