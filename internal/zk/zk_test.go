package zk

import "testing"

func TestMagic(t *testing.T) {
	for s, want := range map[string]bool{"PP\x82}": true, "PP\x82}\x08\x00": true, "PP\x82": false, "": false, "SSH-2.0-x": false, "\x00PP\x82}": false} {
		if got := Magic([]byte(s)); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func FuzzMagic(f *testing.F) {
	f.Add([]byte("PP\x82}\x08\x00\x00\x00"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, b []byte) {
		if Magic(b) && len(b) < 4 {
			t.Error("read what is not there")
		}
	})
}
