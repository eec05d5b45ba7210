// Package policy says which single packets and requests may leave at all, whoever wants to send them and whatever permit the
// run has: inquiries, and requests that only read. It judges bytes and knows nothing of sockets, perimeters or pace, which
// are the guard's. It shares no code with the packages that build what it judges, so that a mistake there is seen here.
//
// Datagrams and POST requests are allowed by a list of exact forms; everything not on it is refused. GET requests are
// allowed except for a list of those that write, or that hand out personal data nobody needs for proof.
package policy

import (
	"errors"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Refusal is the error of everything that must not be sent.
type Refusal struct{ Reason audit.Text }

func (r *Refusal) Error() string { return "policy: " + r.Reason.EN }

// Reason returns why something is refused, or the error's own text where it is no Refusal.
func Reason(err error) audit.Text {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return audit.Text{ZH: err.Error(), EN: err.Error()}
}

func refuse(id string, args ...any) error { return &Refusal{msg.Text("guard.policy."+id, args...)} }
