package site

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

var update = flag.Bool("update", false, "rewrite golden files and schema.json")

func TestSchemaIsFresh(t *testing.T) {
	got, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, Schema()) {
		t.Error("schema.json is stale: run go test ./site -run Schema -update")
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("site.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("site.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// decoded reads a file as an editor does, without our types.
func decoded(t *testing.T, text string) (any, error) {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(strings.TrimPrefix(braces(text), "\ufeff")), &v); err != nil {
		return nil, err
	}
	js, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(unBraces.Replace(string(js))))
}

func TestSchemaAcceptsWhatParses(t *testing.T) {
	s := compiled(t)
	texts := map[string]string{}
	for _, name := range validFiles(t) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(b)
	}
	for _, v := range Venues() {
		b, err := Init(v.Token, "zh")
		if err != nil {
			t.Fatal(err)
		}
		texts["template for "+v.Token] = string(b)
	}
	for name, text := range texts {
		v, err := decoded(t, text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaRefuses: the mistakes a schema can see, it sees. What only Parse knows is listed, so that the list cannot grow
// unnoticed.
func TestSchemaRefuses(t *testing.T) {
	onlyParse := []string{"address-broadcast", "address-name", "address-port", "address-prefix", "address-url", "alias-bomb", "camera-twice",
		"date-missing", "dates-order", "declaration", "documents", "encoding", "exemption-item", "file-outside", "hours-empty", "login-device", "login-unknown-name",
		"many", "mac", "recipient-camera", "recipient-dates", "recipient-host-none", "recipient-host-number", "recipient-host-wide", "notice-camera", "notice-dates", "notice-twice", "perimeter-all", "perimeter-empty", "perimeter-host-bits",
		"perimeter-multicast", "perimeter-port", "placeholder-quoted", "reserved", "server-side", "site-id-device", "site-id-path", "survey-both",
		"survey-count-elsewhere", "survey-count-twice", "survey-empty", "survey-online", "type-text", "zone-near", "zone-public", "zone-unknown", "login-empty", "alias-cycle"}
	s := compiled(t)
	files, err := filepath.Glob("testdata/invalid-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		short := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "invalid-"), ".yaml")
		if short == "alias-bomb" || short == "alias-cycle" || short == "deep" {
			continue // not for a reader without limits
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := decoded(t, string(b))
		if err != nil {
			continue // not YAML: an editor says so
		}
		if refused := s.Validate(v) != nil; !refused && !slices.Contains(onlyParse, short) {
			t.Errorf("the schema accepts %s", name)
		}
	}
}

// TestFieldsAreDescribed: every key of the site file has a description in both languages, and no description is left over.
func TestFieldsAreDescribed(t *testing.T) {
	types := map[string]reflect.Type{}
	collect(reflect.TypeFor[audit.SiteFile](), types)
	want := map[string]bool{}
	for name, typ := range types {
		for key, f := range fieldsOf(typ) {
			if js, _, _ := strings.Cut(f.Tag.Get("json"), ","); js != key {
				t.Errorf("%s: %q in YAML, %q in JSON", name, key, js)
			}
			want["site.field."+name+"."+key] = true
		}
	}
	for _, s := range Facts() {
		want["site.fact."+s.Name], want["site.ask."+s.Name] = true, true
	}
	for _, id := range msg.IDs() {
		for _, p := range []string{"site.field.", "site.fact.", "site.ask."} {
			if strings.HasPrefix(id, p) && !want[id] {
				t.Errorf("%s describes nothing", id)
			}
		}
	}
	for id := range want {
		if x := msg.Text(id); x.ZH == "" || x.EN == "" {
			t.Errorf("%s: %+v", id, x)
		}
	}
}

// TestWords: every word of a vocabulary has its words in both languages, and no word stands twice.
func TestWords(t *testing.T) {
	var all []string
	for _, v := range Venues() {
		all = append(all, v.Token)
		if v.Words.ZH == v.Token || v.Words.EN == "" {
			t.Errorf("venue %s has no words: %+v", v.Token, v.Words)
		}
	}
	for _, k := range ZoneKinds() {
		all = append(all, k.Token)
	}
	for _, ws := range [][]string{bases(), processorKinds(), noticeKinds(), noticeStatuses(), declarers(), methods(), functions(), purposes(), attributes()} {
		all = append(all, ws...)
	}
	for _, w := range all {
		if x := msg.Word(w); x.ZH == w {
			t.Errorf("no words for %q", w)
		}
	}
}
