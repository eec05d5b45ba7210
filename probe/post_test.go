package probe

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
)

// TestPost: a question put by POST goes out with its body, with and without the login, and is on record; one that is not on the
// guard's list does not go out; the next question is a GET again.
func TestPost(t *testing.T) {
	const body = `{"apiVersion":"1.0","method":"getAllUnrestrictedProperties"}`
	var seen []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen = append(seen, fmt.Sprintf("%s %s %s %s %v", r.Method, r.Header.Get("Content-Type"), r.Header.Get("Accept"), b, r.Header.Get("Authorization") != ""))
		if r.Header.Get("Authorization") == "" && r.Method == http.MethodPost {
			w.Header().Set("WWW-Authenticate", challenge(1))
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer srv.Close()
	a, tp := asker(t, srv.URL)
	defer a.Close()
	a.Env.Login, a.Accept = NewLogin("u", "p"), "application/json"
	if r := a.Post(t.Context(), "/axis-cgi/basicdeviceinfo.cgi", "application/json", []byte(body)); r.Status != audit.OK || r.Auth != "digest" {
		t.Errorf("%+v", r)
	}
	if r := a.Ask(t.Context(), "/"); r.Status != audit.OK {
		t.Errorf("%+v", r)
	}
	if r := a.Post(t.Context(), "/axis-cgi/param.cgi", "application/json", []byte(body)); r.Status != audit.Denied {
		t.Errorf("%+v", r)
	}
	want := []string{"POST application/json application/json " + body + " false", "POST application/json application/json " + body + " true", "GET  application/json  false"}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("the device saw %q", seen)
	}
	if !bytes.HasSuffix(tp.x[0].Request, []byte(body)) {
		t.Errorf("recorded %q", tp.x[0].Request)
	}
}
