package evidence

import (
	"strings"
	"testing"
)

// The record of what a device says of one person is the same, to the byte, as of any other.
func TestNoLengthTellsPersonsApart(t *testing.T) {
	seen := func(age, sex, name string) string {
		body := `<tt:Data><tt:SimpleItem Name="Label" Value="` + name + `"/></tt:Data><tt:Object><tt:HumanFace><fc:Age><tt:Min>` + age + `</tt:Min></fc:Age><fc:Gender conf="0.5">` + sex +
			`</fc:Gender></tt:HumanFace></tt:Object>` + `{"FaceObject":{"Age":` + age + `,"Sex":"` + sex + `","Name":"` + name + `"}}`
		r := newScrubber().redact(Exchange{Protocol: "http", Response: []byte("HTTP/1.1 200 OK\r\nContent-Length: " + age + "\r\nServer: lab\r\n\r\n" + body)}, 4096)
		return string(r.Response)
	}
	one, other := seen("7", "Male", "Wang"), seen("42", "Female", "Zhang Sanfeng")
	if one != other {
		t.Errorf("two persons can be told apart:\n%s\n%s", one, other)
	}
	for _, want := range []string{"X-Wire-Content-Length: *\r\n", `Name="Label" Value="*"`, "<tt:Min>*</tt:Min>", `<fc:Gender conf="*">*</fc:Gender>`, `"Sex":"*"`, "Server: lab"} {
		if !strings.Contains(one, want) {
			t.Errorf("%q is not in %s", want, one)
		}
	}
}

func TestLengthsElsewhereStay(t *testing.T) {
	for name, in := range map[string]string{
		"no person":   "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<a>b</a>",
		"interleaved": "$\x00\x00\x28<tt:HumanFace><a>Female</a></tt:HumanFace>",
	} {
		r := newScrubber().redact(Exchange{Protocol: "rtsp", Response: []byte(in)}, 4096)
		if len(r.Response) != len(in) {
			t.Errorf("%s: %d bytes became %d: %s", name, len(in), len(r.Response), r.Response)
		}
	}
}

// Two halves of a secret that shortening brings together are found as well.
func TestShorteningCompletesNoSecret(t *testing.T) {
	s := newScrubber()
	s.Secret("ab*cd")
	r := s.redact(Exchange{Protocol: "http", Response: []byte("<HumanFace>xyz</HumanFace>")}, 4096)
	if strings.Contains(string(r.Response), "xyz") {
		t.Error(string(r.Response))
	}
	out, _ := s.blot(hideLengths([]byte("ab***cd"), []span{{2, 5, kindPerson, learnNot}}), nil, &literals{}, partResponse)
	if strings.Contains(string(out), "ab*cd") {
		t.Error(string(out))
	}
}
