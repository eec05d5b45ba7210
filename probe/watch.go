package probe

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/guard"
)

const (
	watchBody  = 4 << 20
	watchHead  = 10 * time.Second // some firmware writes the head with the first part of the answer
	watchUsual = 30 * time.Second
)

// Watch is how Asker.Watch takes an answer that does not end.
type Watch struct {
	For    time.Duration     // from the head on; default 30 s
	Take   func([]byte) bool // gets what comes, piece by piece; true means that it has enough. It may not keep the slice
	Record func() []byte     // called once at the end: what may be recorded of the answer, in place of its body
}

// Watch puts one question whose answer does not end, as Ask does, and hands on what comes until the time is over, Take has
// enough, 4 MiB came or the device ends it. The reply's Body is what Record returned; its status is OK wherever an answer
// with success began and Detail says why it ended before its time. It needs the permit to sample.
func (a *Asker) Watch(ctx context.Context, path string, w Watch) *Reply {
	if a.Env.Guard.Permit() < audit.PermitSample {
		return &Reply{Status: audit.Denied, Auth: "none", Detail: "watching needs the permit to sample", At: a.Env.Clock()}
	}
	if w.For <= 0 {
		w.For = watchUsual
	}
	usual := a.client
	a.watch, a.client = &w, nil
	if usual != nil {
		usual.CloseIdleConnections() // the connection is needed for the stream
	}
	defer func() {
		if a.client != nil {
			a.client.CloseIdleConnections()
		}
		a.watch, a.client = nil, usual
	}()
	return a.Ask(ctx, path)
}

// options are those of the client: an answer that does not end may be larger, and may take longer to begin.
func (a *Asker) options() guard.HTTPOptions {
	o := guard.HTTPOptions{Need: audit.PermitQuery, MaxBody: askBody, LegacyTLS: true}
	if a.watch != nil {
		o.Need, o.MaxBody, o.Timeout = audit.PermitSample, watchBody, watchHead
	}
	return o
}

// longest is how long one exchange may take.
func (a *Asker) longest() time.Duration {
	if a.watch != nil {
		return askTime + a.watch.For
	}
	return askTime
}

// read reads a body: whole, or as long as it is watched. stop ends the exchange.
func (a *Asker) read(resp *http.Response, stop func()) (body []byte, why string, err error) {
	if a.watch == nil || resp.StatusCode < 200 || resp.StatusCode > 299 {
		body, err = io.ReadAll(resp.Body)
		return body, "", err
	}
	w := a.watch
	over := time.AfterFunc(w.For, stop)
	defer func() { body = w.Record() }()
	piece := make([]byte, 16<<10)
	for {
		n, err := resp.Body.Read(piece)
		if n > 0 && w.Take(piece[:n]) {
			return nil, "", nil
		}
		var limit *guard.LimitError
		switch {
		case err == nil:
			continue
		case !over.Stop():
			return nil, "", nil // the time was over
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, "the device ended the stream", nil
		case errors.As(err, &limit):
			return nil, "more than 4 MiB came", nil
		default:
			return nil, "the stream broke off", nil
		}
	}
}
