package lab_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/icholy/digest"
	"github.com/pion/rtp"

	"github.com/mingshi-audit/mingshi/internal/lab"
)

// client is a plain client made of other people's parts, so that the lab is not held against ours only.
type client struct {
	t        *testing.T
	r        lab.Running
	user     string
	password string
	offset   time.Duration
	http     *http.Client
}

func newClient(t *testing.T, shop *lab.Shop, name string) *client {
	t.Helper()
	r, ok := shop.Device(name)
	if !ok {
		t.Fatalf("the shop has no %s", name)
	}
	c := &client{t: t, r: r}
	c.user, c.password, _ = shop.Credential(r.Credential)
	var rt http.RoundTripper = &http.Transport{MaxConnsPerHost: 1}
	c.http = &http.Client{Transport: rt, Timeout: 8 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// withDigest makes the client answer digest challenges.
func (c *client) withDigest() *client {
	c.http.Transport = &digest.Transport{Username: c.user, Password: c.password, Transport: c.http.Transport}
	return c
}

// post sends a body without any login.
func (c *client) post(url, body string) (int, string) {
	c.t.Helper()
	return c.send(url, "", body)
}

// login sends a body with a UsernameToken.
func (c *client) login(url, body string) (int, string) {
	c.t.Helper()
	nonce := make([]byte, 16)
	rand.Read(nonce)
	created := time.Now().Add(c.offset).UTC().Format("2006-01-02T15:04:05.000Z")
	sum := sha1.Sum(append(append([]byte{}, nonce...), created+c.password...))
	return c.send(url, fmt.Sprintf(`<Security xmlns="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><UsernameToken><Username>%s</Username>`+
		`<Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest">%s</Password><Nonce>%s</Nonce>`+
		`<Created xmlns="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">%s</Created></UsernameToken></Security>`,
		c.user, base64.StdEncoding.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(nonce), created), body)
}

func (c *client) send(url, header, body string) (int, string) {
	c.t.Helper()
	env := `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>` + header + `</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, url, strings.NewReader(env))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/soap+xml; charset=utf-8")
	res, err := c.http.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return res.StatusCode, err.Error()
	}
	return res.StatusCode, string(b)
}

const (
	tds = `xmlns="http://www.onvif.org/ver10/device/wsdl"`
	trt = `xmlns="http://www.onvif.org/ver10/media/wsdl"`
	tr2 = `xmlns="http://www.onvif.org/ver20/media/wsdl"`
	tan = `xmlns="http://www.onvif.org/ver20/analytics/wsdl"`
	tev = `xmlns="http://www.onvif.org/ver10/events/wsdl"`

	dateAndTime = `<GetSystemDateAndTime ` + tds + `/>`
	information = `<GetDeviceInformation ` + tds + `/>`
)

// documents watches the metadata track for a while and returns the documents that came, decompressed.
func (c *client) documents(uri string, d time.Duration) []string {
	c.t.Helper()
	u, err := base.ParseURL(uri)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.user != "" {
		u, err = base.ParseURL(strings.Replace(uri, "rtsp://", "rtsp://"+c.user+":"+c.password+"@", 1))
		if err != nil {
			c.t.Fatal(err)
		}
	}
	tcp := gortsplib.ProtocolTCP
	rc := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Protocol: &tcp, ReadTimeout: d + 5*time.Second}
	if err := rc.Start(); err != nil {
		c.t.Fatal(err)
	}
	defer rc.Close()
	desc, _, err := rc.Describe(u)
	if err != nil {
		c.t.Fatalf("describe: %v", err)
	}
	var media *description.Media
	for _, m := range desc.Medias {
		if m.Type == description.MediaTypeApplication {
			media = m
		}
	}
	if media == nil {
		c.t.Fatal("no metadata track")
	}
	if _, err := rc.Setup(desc.BaseURL, media, 0, 0); err != nil {
		c.t.Fatalf("setup: %v", err)
	}
	var mu sync.Mutex
	var buf []byte
	var docs []string
	rc.OnPacketRTPAny(func(_ *description.Media, _ format.Format, p *rtp.Packet) {
		mu.Lock()
		defer mu.Unlock()
		buf = append(buf, p.Payload...)
		if p.Marker {
			docs = append(docs, plain(buf))
			buf = nil
		}
	})
	if _, err := rc.Play(nil); err != nil {
		c.t.Fatalf("play: %v", err)
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), d)
	defer cancel()
	<-ctx.Done()
	mu.Lock()
	defer mu.Unlock()
	return docs
}

func plain(b []byte) string {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return string(b)
	}
	out, _ := io.ReadAll(z)
	return string(out)
}

// between returns what stands between two texts, empty where they do not both occur.
func between(s, from, to string) string {
	_, s, ok := strings.Cut(s, from)
	if !ok {
		return ""
	}
	s, _, ok = strings.Cut(s, to)
	if !ok {
		return ""
	}
	return s
}

func wants(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("%q is missing from %.3000s", p, got)
		}
	}
}
