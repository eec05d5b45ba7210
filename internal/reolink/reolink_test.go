package reolink

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	info = `[{"cmd":"GetDevInfo","code":0,"value":{"DevInfo":{"channelNum":1,"detail":"IPC_523128M5MP","exactType":"IPC","firmVer":"v3.1.0.1","hardVer":"IPC_523",
"model":"LAB-810A","name":"前门","serial":"00000000000000","type":"IPC","wifi":0}}}]`
	needs  = `[ { "cmd" : "GetDevInfo", "code" : 1, "error" : { "detail" : "please login first", "rspCode" : -6 } } ]`
	token  = `[{"cmd":"Login","code":0,"value":{"Token":{"leaseTime":3600,"name":"f0e1d2c3b4a5"}}}]`
	states = `[{"cmd":"GetAiState","code":0,"value":{"channel":0,"dog_cat":{"alarm_state":0,"support":1},"face":{"alarm_state":1,"support":1},"people":{"alarm_state":1,"support":1}}},
{"cmd":"GetAiState","code":0,"value":{"channel":1,"face":{"alarm_state":0,"support":0}}},{"cmd":"GetAiState","code":1,"error":{"rspCode":-9,"detail":"not support"}},
{"cmd":"GetAiState","code":0,"value":{"channel":3,"people":{"support":1}}},{"cmd":"GetAiState","code":0,"value":{"channel":4,"face":{"support":7}}},
{"cmd":"GetAiState","code":0,"value":{"face":{"support":1}}}]`
	ability = `[{"cmd":"GetAbility","code":0,"value":{"Ability":{"abilityChn":[{"supportAi":{"permit":6,"ver":1},"supportAiFace":{"permit":0,"ver":0}},{"supportAiFace":{"permit":6,"ver":1}},{}]}}}]`
)

func TestRead(t *testing.T) {
	first := func(s string, c Command) Answer {
		as, err := Read([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		a, ok := First(as, c)
		if !ok {
			t.Fatalf("no answer to %s", c)
		}
		return a
	}
	d, err := ReadDevice(first(info, DevInfo))
	if err != nil {
		t.Fatal(err)
	}
	if x := cmp.Diff(Device{Model: "LAB-810A", Serial: "00000000000000", Firmware: "v3.1.0.1", Hardware: "IPC_523", Name: "前门", Type: "IPC", Channels: 1}, d); x != "" {
		t.Error(x)
	}
	if a := first(needs, DevInfo); a.Error != CodeNeedsLogin || a.Why != "please login first" || a.Value != nil {
		t.Errorf("%+v", a)
	}
	if got := Token(first(token, Login)); got != "f0e1d2c3b4a5" {
		t.Errorf("token %q", got)
	}
	as, err := Read([]byte(states))
	if err != nil {
		t.Fatal(err)
	}
	want := []Face{{0, flag(true), flag(true)}, {1, flag(false), flag(false)}, {Channel: 3}, {Channel: 4}}
	if x := cmp.Diff(want, ReadStates(as)); x != "" {
		t.Error(x)
	}
	fs, err := ReadAbility(first(ability, Ability))
	if err != nil {
		t.Fatal(err)
	}
	if x := cmp.Diff([]Face{{0, flag(false), nil}, {1, flag(true), nil}, {Channel: 2}}, fs); x != "" {
		t.Error(x)
	}
}

func TestOther(t *testing.T) {
	for _, s := range []string{"", "<html>", "{}", "[]", "[1]", `[{"x":1}]`, `{"cmd":"GetDevInfo"}`, `[null]`} {
		if _, err := Read([]byte(s)); !errors.Is(err, ErrOther) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestQuestions: only reading commands and the session's own ones; the texts of a login cannot leave their place.
func TestQuestions(t *testing.T) {
	for _, c := range Commands() {
		if !strings.HasPrefix(string(c), "Get") && c != Login && c != Logout {
			t.Errorf("%s may be sent", c)
		}
	}
	if got := string(SignIn(`a"},"x":{`, "p\n")); got != `[{"cmd":"Login","action":0,"param":{"User":{"Version":"0","userName":"a\"},\"x\":{","password":"p\n"}}}]` {
		t.Error(got)
	}
	if got := Path(AIState, "a&cmd=Reboot"); got != "/cgi-bin/api.cgi?cmd=GetAiState&token=a%26cmd%3DReboot" {
		t.Error(got)
	}
	if got := string(AskStates(2)); got != `[{"cmd":"GetAiState","action":0,"param":{"channel":0}},{"cmd":"GetAiState","action":0,"param":{"channel":1}}]` {
		t.Error(got)
	}
}

func TestShow(t *testing.T) {
	got := string(Show([]byte(token)))
	if strings.Contains(got, "f0e1d2c3b4a5") || !strings.Contains(got, `"name":null`) {
		t.Error(got)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{info, needs, token, states, ability, "", "[[", `[{"cmd":"GetAiState","code":0,"value":{"channel":-1,"face":{"support":1e9}}}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		as, err := Read(b)
		if err != nil {
			return
		}
		if len(as) > maxAnswers || len(ReadStates(as)) > maxChannels {
			t.Error("more than the bound")
		}
		for _, a := range as {
			Token(a)
			if fs, err := ReadAbility(a); err == nil && len(fs) > maxChannels {
				t.Error("more channels than the bound")
			}
			if d, err := ReadDevice(a); err == nil && (d.Channels < 0 || d.Channels > maxChannels) {
				t.Error(d.Channels)
			}
		}
	})
}
