package mac

import "testing"

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"02-77-00-00-00-01": "02:77:00:00:00:01", "0277.0000.00AB": "02:77:00:00:00:ab", "02770000000a": "02:77:00:00:00:0a", "02 77 00 00 00 01": "02:77:00:00:00:01",
		"": "", "00:00:00:00:00:00": "", "FF:FF:FF:FF:FF:FF": "", "02:77:00:00:00": "", "02:77:00:00:00:0g": "", "hello": "", "02770000000\x1a": "",
	} {
		if got := Parse(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
	if got := Bytes([]byte{2, 0x77, 0, 0, 0, 0xab}); got != "02:77:00:00:00:ab" {
		t.Error(got)
	}
	if got := Bytes([]byte{1, 2}); got != "" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("02-77-00-00-00-01")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Parse(s); got != "" && Parse(got) != got {
			t.Errorf("%q gives %q, which is none", s, got)
		}
	})
}
