package probe

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// posting is the body of a question that is put by POST.
type posting struct {
	kind string // media type
	body []byte
}

// Post puts one question that the protocol words as POST although it only reads, as Ask does. The guard lets through those on
// its own list and no other.
func (a *Asker) Post(ctx context.Context, path, contentType string, body []byte) *Reply {
	a.posting = &posting{contentType, body}
	defer func() { a.posting = nil }()
	return a.Ask(ctx, path)
}

// request words the question.
func (a *Asker) request(ctx context.Context, path string) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if a.posting != nil {
		method, body = http.MethodPost, bytes.NewReader(a.posting.body)
	}
	r, err := http.NewRequestWithContext(ctx, method, webURL(a.At, a.Secure, path), body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "mingshi")
	if a.Accept != "" {
		r.Header.Set("Accept", a.Accept)
	}
	if a.posting != nil {
		r.Header.Set("Content-Type", a.posting.kind)
	}
	return r, nil
}

// sent is the request as it goes out, for the record.
func (a *Asker) sent(r *http.Request) []byte {
	head := requestHead(r)
	if a.posting != nil {
		head = append(head, a.posting.body...)
	}
	return head
}
