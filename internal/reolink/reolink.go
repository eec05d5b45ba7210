// Package reolink words the questions of Reolink's api.cgi and reads its answers: lists of commands as JSON, to structs. It
// knows which commands may be asked (Commands) and nothing of sockets or audits. What an answer does not say is left empty.
package reolink

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/jsonkeep"
)

const (
	maxText     = 128
	maxAnswers  = 128
	maxChannels = 64
)

// Command is what may be asked. Everything else of the interface writes, or shows pictures.
type Command string

// The commands. Login and Logout open and end a session and change no setting.
const (
	DevInfo Command = "GetDevInfo"
	Ability Command = "GetAbility"
	AIState Command = "GetAiState"
	Login   Command = "Login"
	Logout  Command = "Logout"
)

// Commands lists every command this program may send.
func Commands() []Command { return []Command{DevInfo, Ability, AIState, Login, Logout} }

// The codes of a refusal (rspCode) that are read.
const (
	CodeFull       = -5  // no session left
	CodeNeedsLogin = -6  // asked without a session
	CodeNoLogin    = -7  // the login is wrong
	CodeNotSupport = -9  // the device does not know the command
	CodeToken      = -21 // the session is over
)

// Path is where a command is sent; token is empty without a session.
func Path(c Command, token string) string {
	p := "/cgi-bin/api.cgi?cmd=" + string(c)
	if token != "" {
		p += "&token=" + url.QueryEscape(token)
	}
	return p
}

type command struct {
	Cmd    Command `json:"cmd"`
	Action int     `json:"action"`
	Param  any     `json:"param"`
}

func body(cs ...command) []byte {
	b, err := json.Marshal(cs)
	if err != nil {
		panic("reolink: " + err.Error()) // a programming error: commands are made of texts and numbers
	}
	return b
}

type nothing struct{}

// Ask is the body of a command that has no parameters.
func Ask(c Command) []byte { return body(command{Cmd: c, Param: nothing{}}) }

// SignIn is the body of Login. The password is in it as it is.
func SignIn(user, password string) []byte {
	type account struct {
		Version  string `json:"Version"`
		User     string `json:"userName"`
		Password string `json:"password"`
	}
	return body(command{Cmd: Login, Param: struct{ User account }{account{"0", user, password}}})
}

// AskAbility is the body of GetAbility for an account.
func AskAbility(user string) []byte {
	type account struct {
		User string `json:"userName"`
	}
	return body(command{Cmd: Ability, Param: struct{ User account }{account{user}}})
}

// AskStates is the body that asks for the states of the first n channels at once, 64 at most.
func AskStates(n int) []byte {
	var cs []command
	for i := range min(n, maxChannels) {
		cs = append(cs, command{Cmd: AIState, Param: struct {
			Channel int `json:"channel"`
		}{i}})
	}
	return body(cs...)
}

// Answer is one entry of the list that comes back.
type Answer struct {
	Cmd   Command
	Code  int // 0 where the command was carried out
	Error int // rspCode of a refusal, 0 without one
	Why   string
	Value json.RawMessage
}

// ErrOther says that a body is not a list of answers.
var ErrOther = errors.New("reolink: not a list of answers")

// Read reads an answer, 128 entries at most. It fails where the body is something else, or none of the entries names a command.
func Read(b []byte) ([]Answer, error) {
	var raw []struct {
		Cmd   *string `json:"cmd"`
		Code  *int    `json:"code"`
		Error *struct {
			Detail string `json:"detail"`
			Code   int    `json:"rspCode"`
		} `json:"error"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOther, err)
	}
	var out []Answer
	for _, r := range raw[:min(len(raw), maxAnswers)] {
		if r.Cmd == nil || r.Code == nil {
			continue
		}
		a := Answer{Cmd: Command(clean.Text(*r.Cmd, maxText)), Code: *r.Code, Value: r.Value}
		if r.Error != nil {
			a.Error, a.Why = r.Error.Code, clean.Text(r.Error.Detail, maxText)
		}
		if a.Code != 0 {
			a.Value = nil
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, ErrOther
	}
	return out, nil
}

// First returns the first answer to a command; ok is false where there is none.
func First(as []Answer, c Command) (a Answer, ok bool) {
	for _, x := range as {
		if x.Cmd == c {
			return x, true
		}
	}
	return Answer{}, false
}

// Token reads the session of a Login's answer; it is empty where there is none, or one that no device gives out.
func Token(a Answer) string {
	var v struct{ Token struct{ Name string } }
	if a.Cmd != Login || a.Code != 0 || json.Unmarshal(a.Value, &v) != nil || len(v.Token.Name) > 256 {
		return ""
	}
	return v.Token.Name
}

// Device is who a device says it is.
type Device struct {
	Model, Serial, Firmware, Hardware, Name string
	Type                                    string // exactType: "IPC", "NVR", "DOORBELL"
	Channels                                int    // 0 where it does not say; 64 at most
}

// ReadDevice reads the answer to GetDevInfo.
func ReadDevice(a Answer) (Device, error) {
	var v struct {
		DevInfo *struct {
			Model    string `json:"model"`
			Serial   string `json:"serial"`
			Firm     string `json:"firmVer"`
			Hard     string `json:"hardVer"`
			Name     string `json:"name"`
			Type     string `json:"exactType"`
			Older    string `json:"type"`
			Channels int    `json:"channelNum"`
		}
	}
	if err := json.Unmarshal(a.Value, &v); err != nil || v.DevInfo == nil {
		return Device{}, ErrOther
	}
	t := func(s string) string { return clean.Text(s, maxText) }
	d := Device{Model: t(v.DevInfo.Model), Serial: t(v.DevInfo.Serial), Firmware: t(v.DevInfo.Firm), Hardware: t(v.DevInfo.Hard), Name: t(v.DevInfo.Name),
		Type: t(v.DevInfo.Type), Channels: max(0, min(v.DevInfo.Channels, maxChannels))}
	if d.Type == "" {
		d.Type = t(v.DevInfo.Older)
	}
	return d, nil
}

// Face is what one channel says of faces. A nil field was not said.
type Face struct {
	Channel   int
	Supported *bool
	Alarm     *bool // a face is seen at this moment
}

// ReadAbility returns for each channel whether GetAbility lists supportAiFace with a version, which is how the interface says
// that it has something.
func ReadAbility(a Answer) ([]Face, error) {
	var v struct {
		Ability *struct {
			Channels []struct {
				Face *struct {
					Version *int `json:"ver"`
				} `json:"supportAiFace"`
			} `json:"abilityChn"`
		}
	}
	if err := json.Unmarshal(a.Value, &v); err != nil || v.Ability == nil {
		return nil, ErrOther
	}
	var out []Face
	for i, c := range v.Ability.Channels[:min(len(v.Ability.Channels), maxChannels)] {
		f := Face{Channel: i}
		if c.Face != nil && c.Face.Version != nil {
			f.Supported = flag(*c.Face.Version > 0)
		}
		out = append(out, f)
	}
	return out, nil
}

// ReadStates reads the answers to AskStates, by the channel each names. A channel without an answer of its own is not listed.
func ReadStates(as []Answer) []Face {
	var out []Face
	seen := map[int]bool{}
	for _, a := range as {
		var v struct {
			Channel *int `json:"channel"`
			Face    *struct {
				Alarm   *int `json:"alarm_state"`
				Support *int `json:"support"`
			} `json:"face"`
		}
		if a.Cmd != AIState || a.Code != 0 || json.Unmarshal(a.Value, &v) != nil || v.Channel == nil || *v.Channel < 0 || *v.Channel >= maxChannels || seen[*v.Channel] {
			continue
		}
		seen[*v.Channel] = true
		f := Face{Channel: *v.Channel}
		if v.Face != nil {
			f.Supported, f.Alarm = bit(v.Face.Support), bit(v.Face.Alarm)
		}
		out = append(out, f)
	}
	return out
}

// bit reads 0 and 1; anything else says nothing.
func bit(n *int) *bool {
	if n == nil || *n != 0 && *n != 1 {
		return nil
	}
	return flag(*n == 1)
}

func flag(b bool) *bool { return &b }

// Show is what may be recorded of an answer: the names of everything and the values that decide.
func Show(b []byte) []byte {
	return jsonkeep.Only(b, "cmd", "code", "rspCode", "detail", "model", "exactType", "channelNum", "firmVer", "channel", "support", "alarm_state", "ver", "permit", "leaseTime")
}
