package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"net/netip"

	generator "github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/report"
)

const schemaID = "https://github.com/mingshi-audit/mingshi/report/schema.json"

// TestSchemaIsFresh generates the schema from the types and their comments and compares it with the published one.
func TestSchemaIsFresh(t *testing.T) {
	r := generator.Reflector{Anonymous: true, ExpandedStruct: true, Mapper: mapped}
	if err := r.AddGoComments("github.com/mingshi-audit/mingshi/report", "../audit", generator.WithFullComment()); err != nil {
		t.Fatal(err)
	}
	s := r.Reflect(audit.Report{})
	face := r.Reflect(audit.FaceState{}) // only reached through a map that mapped writes itself
	face.Version = ""
	s.Definitions["FaceState"] = face
	s.ID, s.Title = schemaID, "mingshi report, schema "+audit.ReportSchema
	if p, ok := s.Properties.Get("schema"); ok {
		p.Const, p.Type = audit.ReportSchema, ""
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if *update {
		if err := os.WriteFile("schema.json", b, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(b, report.Schema()) {
		t.Error("schema.json does not match the types: go test ./report -run Schema -update")
	}
}

// mapped gives the schema of types that write themselves, and the values of closed vocabularies.
func mapped(t reflect.Type) *generator.Schema {
	str := func(format string) *generator.Schema { return &generator.Schema{Type: "string", Format: format} }
	switch t {
	case reflect.TypeFor[time.Time]():
		return str("date-time")
	case reflect.TypeFor[audit.Moment]():
		return &generator.Schema{Type: "string", Description: "a date, an RFC 3339 time, or nothing"}
	case reflect.TypeFor[netip.Prefix](), reflect.TypeFor[netip.AddrPort]():
		return str("")
	case reflect.TypeFor[json.RawMessage]():
		return generator.TrueSchema
	case reflect.TypeFor[audit.Value]():
		return &generator.Schema{OneOf: []*generator.Schema{{Type: "boolean"}, {Type: "integer"}, {Type: "string"}, {Type: "null"},
			{Type: "array", Items: &generator.Schema{Type: "string"}}}}
	case reflect.TypeFor[audit.Level]():
		return oneOf(names(audit.Level(0)))
	case reflect.TypeFor[audit.Status]():
		return oneOf(names(audit.Status(0)))
	case reflect.TypeFor[audit.Permit]():
		return oneOf(append([]any{audit.PermitNone.String()}, stringed(audit.Permits())...))
	case reflect.TypeFor[audit.Outcome]():
		return oneOf([]any{audit.Suspected, audit.Conforms, audit.Undetermined, audit.NotApplicable})
	case reflect.TypeFor[audit.Severity]():
		return oneOf(anys(report.Severities()))
	case reflect.TypeFor[audit.Confidence]():
		return oneOf([]any{audit.ConfidenceHigh, audit.ConfidenceMedium, audit.ConfidenceLow})
	case reflect.TypeFor[audit.CoverageStatus]():
		return oneOf(anys(report.CoverageStatuses()))
	case reflect.TypeFor[audit.Reached]():
		return oneOf(anys(report.ReachedOutcomes()))
	case reflect.TypeFor[audit.Kind]():
		return oneOf([]any{audit.KindCamera, audit.KindRecorder, audit.KindTerminal, audit.KindServer, audit.KindOther})
	case reflect.TypeFor[audit.Class]():
		return oneOf([]any{audit.ClassInventory, audit.ClassCapability, audit.ClassConfig, audit.ClassLive, audit.ClassOutbound,
			audit.ClassDeclaration, audit.ClassInspection})
	case reflect.TypeFor[audit.Type]():
		return oneOf([]any{audit.Bool, audit.Int, audit.String, audit.List, audit.Time})
	case reflect.TypeFor[audit.Merge]():
		return oneOf([]any{audit.MergeAgree, audit.MergeAny, audit.MergeUnion, audit.MergeSum, audit.MergeMax})
	case reflect.TypeFor[map[audit.Function]audit.FaceState]():
		p := generator.NewProperties()
		for _, f := range audit.Functions() {
			p.Set(string(f), &generator.Schema{Ref: "#/$defs/FaceState"})
		}
		s := &generator.Schema{Type: "object", Properties: p, AdditionalProperties: generator.FalseSchema}
		for _, f := range audit.Functions() {
			s.Required = append(s.Required, string(f))
		}
		return s
	}
	return nil
}

func oneOf(values []any) *generator.Schema { return &generator.Schema{Type: "string", Enum: values} }

// names lists the names of a vocabulary kept as numbers.
func names[T interface {
	~int
	fmt.Stringer
}](zero T) []any {
	var out []any
	for v := zero; !strings.Contains(v.String(), "("); v++ {
		out = append(out, v.String())
	}
	return out
}

func anys[T any](list []T) []any {
	var out []any
	for _, v := range list {
		out = append(out, v)
	}
	return out
}

func stringed[T fmt.Stringer](list []T) []any {
	var out []any
	for _, v := range list {
		out = append(out, v.String())
	}
	return out
}

func TestSamplesMeetTheSchema(t *testing.T) {
	doc, err := validator.UnmarshalJSON(bytes.NewReader(report.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaID)
	if err != nil {
		t.Fatal(err)
	}
	check := func(b []byte) error {
		v, err := validator.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(v)
	}
	for _, name := range []string{"shop", "interrupted", "zero"} {
		b, err := report.JSON(samples()[name])
		if err != nil {
			t.Fatal(err)
		}
		if err := check(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err := report.JSON(shop())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"outcome outside the vocabulary": {`"outcome": "suspected"`, `"outcome": "guilty"`},
		"level outside the vocabulary":   {`"level": "absent"`, `"level": "none"`},
		"a key nobody declared":          {`"as_of": `, `"verdict": true, "as_of": `},
		"null where a list belongs":      {`"dispute": [`, `"missing": null, "x": [`},
		"another schema":                 {`"schema": "mingshi.report/v1"`, `"schema": "mingshi.report/v2"`},
	} {
		bad := bytes.Replace(good, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(bad, good) {
			t.Fatalf("%s: nothing to change", name)
		}
		if check(bad) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
