package tplink

import (
	"errors"
	"testing"
)

const challenge = `{"method":"doAuth","authenticate":{"realm":"TP-LINK IP-Camera","nonce":"0123456789abcdef0123456789abcdef","algorithm":"SHA-256","uri":"doAuth","method":"POST"},"errCode":-10020}`

func TestReadChallenge(t *testing.T) {
	c, err := ReadChallenge([]byte(challenge))
	if err != nil || c != (Challenge{"TP-LINK IP-Camera", "SHA-256", -10020}) {
		t.Errorf("%+v, %v", c, err)
	}
	for _, s := range []string{"", "<html>", "{}", "[]", `{"method":"doAuth","errCode":-10020}`, `{"method":"other","authenticate":{"nonce":"1"}}`, `{"method":"doAuth","authenticate":{"realm":"x"}}`,
		`{"method":"doAuth","authenticate":"x"}`} {
		if _, err := ReadChallenge([]byte(s)); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", s, err)
		}
	}
	if got := string(Show([]byte(challenge))); got != `{"method":"doAuth","authenticate":{"realm":"TP-LINK IP-Camera","nonce":null,"algorithm":"SHA-256","uri":"doAuth","method":"POST"},"errCode":-10020}` {
		t.Error(got)
	}
}

func FuzzReadChallenge(f *testing.F) {
	for _, s := range []string{challenge, "", `{"method":"doAuth"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		ReadChallenge(b) //nolint:errcheck // it may fail; it may not panic
		Show(b)
	})
}
