package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// makerReading lists what may be asked of the interfaces below. A session's token is no part of it.
const makerReading = `
GET /SDCAPI/V1.0/MiscIaas/System
GET /SDCAPI/V1.0/Rest/DeviceID
GET /SDCAPI/V1.0/FaceApp/FaceRecog/FaceLibs/Libs
GET /SDCAPI/V2.0/Metadata/Subscription
POST /cgi-bin/api.cgi?cmd=GetDevInfo
POST /cgi-bin/api.cgi?cmd=GetAbility
POST /cgi-bin/api.cgi?cmd=GetAiState
POST /cgi-bin/api.cgi?cmd=Login
POST /cgi-bin/api.cgi?cmd=Logout
GET /proxy/protect/api/bootstrap
POST /api/auth/login
POST /api/auth/logout
OpenAPI doAuth
TCP 4370
`

// makers is the state of makers' interfaces that need any: what else listens, and the sessions that are open.
type makers struct {
	closers []io.Closer

	mu   sync.Mutex
	open map[string]bool
}

func (m *makers) close() {
	for _, c := range m.closers {
		c.Close()
	}
}

// begin opens a session.
func (m *makers) begin(token string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open == nil {
		m.open = map[string]bool{}
	}
	m.open[token] = true
}

// end ends a session and reports whether there was one.
func (m *makers) end(token string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.open[token]
	delete(m.open, token)
	return was
}

func (m *makers) has(token string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open[token]
}

// startMakers opens the further ports of makers' interfaces and returns the listener of the web port, within TLS where the device
// wants it.
func (d *device) startMakers(host netip.Addr, web net.Listener) (net.Listener, error) {
	if !d.spec.TLS && d.spec.VIGI == nil && !d.spec.ZK {
		return web, nil
	}
	cert, err := d.certificate()
	if err != nil {
		return nil, err
	}
	if d.spec.VIGI != nil {
		if err := d.startVIGI(host, cert); err != nil {
			return nil, err
		}
	}
	if d.spec.ZK {
		if err := d.startZK(host); err != nil {
			return nil, err
		}
	}
	if d.spec.TLS {
		return tls.NewListener(web, cert), nil
	}
	return web, nil
}

// certificate signs one for the device, as cameras do.
func (d *device) certificate() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(int64(d.n)), Subject: pkix.Name{CommonName: d.spec.Name}, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(9, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, nil
}

// maker answers a request to one of these interfaces and reports whether there is one at the path.
func (d *device) maker(w http.ResponseWriter, r *http.Request, body []byte) bool {
	switch {
	case d.spec.HoloSens != nil && startsWithAny(r.URL.Path, "/SDCAPI/"):
		d.serveHoloSens(w, r)
	case d.spec.Reolink != nil && startsWithAny(r.URL.Path, "/cgi-bin/api.cgi"):
		d.serveReolink(w, r, body)
	case d.spec.Protect != nil && startsWithAny(r.URL.Path, "/proxy/protect/", "/api/auth/"):
		d.serveProtect(w, r, body)
	default:
		return false
	}
	return true
}

// checkPassword verifies a login that shows its password, which is a breach outside TLS, and returns a session where it is right.
func (d *device) checkPassword(r *http.Request, what, user, password string) (token string) {
	if r.TLS == nil {
		d.violated("was shown a password outside TLS (" + what + ")")
	}
	if d.guards.locked() || d.spec.Login.Refuse || user != d.spec.Login.User || password != d.spec.Login.Password {
		d.guards.refused()
		d.saw(what, LoginRefused)
		return ""
	}
	d.saw(what, LoginOK)
	token = hex.EncodeToString(d.random(16))
	d.makers.begin(token)
	return token
}
