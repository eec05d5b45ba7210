package lab

import (
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/netip"
	"time"
)

// VIGI is TP-Link's OpenAPI of a camera, on port 20443 within TLS. It hands out challenges; nobody may answer one.
type VIGI struct{}

func (d *device) startVIGI(host netip.Addr, cert *tls.Config) error {
	ln, err := d.listen(host, 20443, d.firstHTTP)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: http.HandlerFunc(d.serveVIGI), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(discard{}, "", 0)}
	d.makers.closers = append(d.makers.closers, s)
	d.wg.Go(func() { s.Serve(tls.NewListener(ln, cert)) }) //nolint:errcheck // ends with ErrServerClosed
	return nil
}

func (d *device) serveVIGI(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Method string
		Params any
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/" || json.Unmarshal(b, &in) != nil {
		d.saw("OpenAPI "+r.Method+" "+clip(r.URL.Path, 80), LoginNone)
		http.NotFound(w, r)
		return
	}
	d.saw("OpenAPI "+clip(in.Method, 40), LoginNone)
	if in.Params != nil {
		d.violated("was given an answer to its challenge")
	}
	d.writeJSON(w, map[string]any{"method": "doAuth", "errCode": -10020, "authenticate": map[string]any{"realm": "TP-LINK IP-Camera",
		"nonce": hex.EncodeToString(d.random(16)), "algorithm": "SHA-256", "uri": "doAuth", "method": "POST"}})
}
