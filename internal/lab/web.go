package lab

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const maxRequest = 1 << 20

// serve answers one HTTP request. It is recorded first, whatever becomes of it.
func (d *device) serve(w http.ResponseWriter, r *http.Request) {
	release := d.oneAtATime()
	defer release()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest {
		d.violated("sent a request body that broke off or is larger than 1 MiB")
		return
	}
	// The header may be looked for with or without a body: a client that shows a password in the clear is wrong either way.
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Authorization")), "basic") {
		d.violated("was shown a password in the clear (HTTP Basic)")
	}
	if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/onvif") {
		d.serveSOAP(w, r, body, release)
		return
	}
	if d.maker(w, r, body) || d.vendor(w, r) || d.served(w, r) || d.ownInterface(w, r, body) {
		return
	}
	d.saw(r.Method+" "+clip(r.URL.RequestURI(), 80), httpLogin(r))
	if d.misbehave(w, r) {
		return
	}
	d.page(w, r)
}

// oneAtATime holds a client to two requests in flight per device: one that asks and one that waits for events. The result
// is called before the answer is written, so that the client's next request is not counted with this one.
func (d *device) oneAtATime() func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flying++; d.flying > 2 {
		d.violated(fmt.Sprintf("%d requests in flight at once", d.flying))
	}
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.flying--
	})
}

func httpLogin(r *http.Request) string {
	if r.Header.Get("Authorization") == "" {
		return LoginNone
	}
	return LoginRefused // no page of these devices takes a login
}

func (d *device) page(w http.ResponseWriter, r *http.Request) {
	p := d.spec.Page
	if p.Server != "" {
		w.Header().Set("Server", p.Server)
	}
	if p.Realm != "" {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Digest realm="%s", qop="auth", nonce="%x"`, p.Realm, d.random(8)))
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	if r.URL.Path != "/" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	body := p.Body
	if body == "" {
		title := p.Title
		if title == "" {
			title = d.spec.Maker + " " + d.spec.Model
		}
		body = "<!DOCTYPE html><html><head><title>" + html.EscapeString(title) + "</title></head><body></body></html>\n"
	}
	io.WriteString(w, body)
}

// misbehave does what the device's behaviour says and reports whether it did anything.
func (d *device) misbehave(w http.ResponseWriter, r *http.Request) bool {
	switch d.spec.Quirks.HTTP {
	case Normal:
		return false
	case Garbage:
		d.raw(w, d.random(512+int(d.random(1)[0])))
	case Silent:
		select { // until the client gives up, or the shop closes
		case <-r.Context().Done():
		case <-d.shop.ctx.Done():
		}
		panic(http.ErrAbortHandler)
	case Redirect:
		w.Header().Set("Location", d.url(r.URL.Path))
		w.WriteHeader(http.StatusFound)
	case Endless:
		w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
		io.WriteString(w, `<?xml version="1.0"?><env:Envelope xmlns:env="`+nsEnv12+`"><env:Body>`)
		chunk := bytes.Repeat([]byte("<a>endless</a>\n"), 1000)
		for r.Context().Err() == nil && d.shop.ctx.Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				break
			}
		}
		panic(http.ErrAbortHandler)
	case Deep:
		w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
		const depth = 100_000
		io.WriteString(w, `<?xml version="1.0"?><env:Envelope xmlns:env="`+nsEnv12+`"><env:Body>`)
		io.WriteString(w, strings.Repeat("<a>", depth)+strings.Repeat("</a>", depth)+"</env:Body></env:Envelope>")
	case Bomb:
		w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
		io.WriteString(w, entityBomb)
	case Trickle:
		w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
		for _, c := range []byte(`<?xml version="1.0"?><env:Envelope xmlns:env="` + nsEnv12 + `"><env:Body>` + strings.Repeat(" ", 1<<16)) {
			if _, err := w.Write([]byte{c}); err != nil {
				break
			}
			http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			case <-time.After(100 * time.Millisecond):
			}
		}
		panic(http.ErrAbortHandler)
	case Reboot:
		if d.shop.ledger.rate(d.spec.Name) <= d.spec.Quirks.Rate {
			return false
		}
		d.raw(w, nil)
	}
	return true
}

const entityBomb = `<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY x SYSTEM "file:///etc/hostname">]>
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body>&d;&x;</env:Body></env:Envelope>`

// raw takes the connection over, writes the bytes as they are and hangs up.
func (d *device) raw(w http.ResponseWriter, b []byte) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	c.Write(b)
}
