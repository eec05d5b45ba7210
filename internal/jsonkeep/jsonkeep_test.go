package jsonkeep

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestOnly(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"values go, names stay", `{"name":"Zhang San","OnControl":1}`, `{"name":null,"OnControl":1}`},
		{"lists of kept members stay", `{"types":["face","person"],"people":["Li Si"]}`, `{"types":["face","person"],"people":[null]}`},
		{"an object below a kept member is looked at again", `{"types":{"owner":"Li Si","types":true}}`, `{"types":{"owner":null,"types":true}}`},
		{"without case", `{"TYPES":2}`, `{"TYPES":2}`},
		{"a name that is a person", `{"张三":1,"Zhang San":2}`, `{"?":null,"?":null}`},
		{"a bare value", `"Zhang San"`, `null`},
		{"control characters of what stays", `{"types":"a\u001b[31mb"}`, ``},
		{"an address", `{"types":["https://zhang:pw@192.0.2.1:8443/Zhang?k=Zhang","a@b","x://%"]}`, `{"types":["https://192.0.2.1:8443",null,null]}`},
		{"no document", `<html>Zhang San</html>`, `(22 bytes that are no JSON document, not recorded)`},
		{"two documents", `{} {}`, `(5 bytes that are no JSON document, not recorded)`},
		{"broken off", `{"a":["Zhang`, `(12 bytes that are no JSON document, not recorded)`},
		{"too deep", strings.Repeat("[", 100) + strings.Repeat("]", 100), `(200 bytes that are no JSON document, not recorded)`},
		{"nothing", ``, `(0 bytes that are no JSON document, not recorded)`},
	} {
		got := string(Only([]byte(c.in), "OnControl", "types"))
		if c.want != "" && got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if strings.Contains(got, "Zhang") || strings.Contains(got, "Li Si") || strings.Contains(got, "\x1b") || strings.Contains(got, `\u001b`) {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func FuzzOnly(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"types":["face"]}]}`, `[[[`, `{"a"`, `1e999`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := Only(b, "types")
		if len(got) > 0 && got[0] != '(' && !json.Valid(got) {
			t.Errorf("%q became %q", b, got)
		}
	})
}
