// Package tplink words the one question of VIGI's OpenAPI that needs no login, and reads its answer. The second step of that
// method is a login; what a login would open says nothing of faces that anybody published, so it is not worded here.
package tplink

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/jsonkeep"
)

// Port is where the OpenAPI listens by default, where the owner switched it on.
const Port = 20443

// First is the body of the first doAuth, which asks for a challenge and answers none.
func First() []byte { return []byte(`{"method":"doAuth","params":null}`) }

// Challenge is the answer to it.
type Challenge struct {
	Realm     string // "TP-LINK IP-Camera"
	Algorithm string // "SHA-256"
	Code      int    // errCode; -10020 with a challenge
}

// ErrOther says that a body is no challenge.
var ErrOther = errors.New("tplink: not a challenge of the OpenAPI")

// ReadChallenge reads the answer. It fails where the body is anything but the method's answer with a challenge in it.
func ReadChallenge(b []byte) (Challenge, error) {
	var v struct {
		Method       string `json:"method"`
		Code         int    `json:"errCode"`
		Authenticate *struct {
			Realm     string `json:"realm"`
			Nonce     string `json:"nonce"`
			Algorithm string `json:"algorithm"`
		} `json:"authenticate"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Challenge{}, fmt.Errorf("%w: %w", ErrOther, err)
	}
	if v.Method != "doAuth" || v.Authenticate == nil || v.Authenticate.Nonce == "" {
		return Challenge{}, ErrOther
	}
	return Challenge{Realm: clean.Text(v.Authenticate.Realm, 128), Algorithm: clean.Text(v.Authenticate.Algorithm, 32), Code: v.Code}, nil
}

// Show is what may be recorded of an answer.
func Show(b []byte) []byte {
	return jsonkeep.Only(b, "method", "realm", "algorithm", "uri", "errCode")
}
