package jsonkeep

import (
	"encoding/json"
	"testing"
)

func TestClosed(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"b":[{"c":"x","d":"yy`:   `{"a":1,"b":[{"c":"x"}]}`,
		`{"a":1,"b":[{"c":"x"},{"d":2`:   `{"a":1,"b":[{"c":"x"},{}]}`,
		`{"a":12`:                        `{}`,
		`{"a":"x\",y","b`:                `{"a":"x\",y"}`,
		`[1,2,3`:                         `[1,2]`,
		`{"a":{"b":[]}} trailing`:        `{"a":{"b":[]}}`,
		`{"a":[1,{"b":true},null],"c":f`: `{"a":[1,{"b":true},null]}`,
		`"abc`:                           ``,
		`{"a":[}`:                        ``,
		``:                               ``,
	} {
		if got := string(Closed([]byte(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// TestClosedEverywhere: wherever a text is cut, what comes back is JSON.
func TestClosedEverywhere(t *testing.T) {
	const whole = `{"F":{"O":[{"id":"1","k":1,"n":-1.5e3,"s":"a\\\"b","l":[{"T":"11","D":"QUJD"},[],{}],"x":null}]},"z":[true,false]}`
	for i := range whole {
		if got := Closed([]byte(whole[:i])); len(got) > 0 && !json.Valid(got) {
			t.Errorf("%s: %s", whole[:i], got)
		}
	}
}

func FuzzClosed(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[{"c":"x","d":"yy`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := Closed(b); json.Valid(b) && len(b) > 0 && (b[0] == '{' || b[0] == '[') && !json.Valid(got) {
			t.Errorf("%q: %q", b, got)
		}
	})
}
