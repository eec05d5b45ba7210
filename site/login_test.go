package site

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
)

func TestResolve(t *testing.T) {
	f := &audit.SiteFile{
		Credentials: map[string]string{"default": "env:SHOP", "gates": "file:gates.login", "odd": "env:NOCOLON"},
		Inventory:   []audit.InventoryEntry{{ID: "CAM-01", Credentials: "env:CAM"}, {ID: "CAM-02"}, {ID: "TERM-01", Credentials: "gates"}},
	}
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"SHOP": "viewer:pa:ss:word", "CAM": "cam:x", "EMPTY": "", "NOCOLON": "Tr0ub4dor", "NOUSER": ":Tr0ub4dor", "NOPASS": "viewer:"}[name]
		return v, ok
	}
	read := func(name string) ([]byte, error) {
		b, ok := map[string]string{"gates.login": "\ufeffgate:secret\r\n# a note\n", "plain": "u:p"}[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return []byte(b), nil
	}
	for _, c := range []struct{ ref, user, password, fail string }{
		{ref: "default", user: "viewer", password: "pa:ss:word"},
		{ref: "env:SHOP", user: "viewer", password: "pa:ss:word"},
		{ref: "gates", user: "gate", password: "secret"},
		{ref: "file:plain", user: "u", password: "p"},
		{ref: "env:NOPASS", user: "viewer"},
		{ref: "", fail: "no login was given"},
		{ref: "env:UNSET", fail: "UNSET is not set"},
		{ref: "env:EMPTY", fail: "EMPTY is not set"},
		{ref: "odd", fail: "user:password"},
		{ref: "env:NOUSER", fail: "user:password"},
		{ref: "file:none", fail: "cannot be read"},
		{ref: "file:", fail: "must be env:NAME"},
		{ref: "admin:Tr0ub4dor", fail: "must be env:NAME"},
		{ref: "Tr0ub4dor", fail: "must be env:NAME"},
		{ref: "env:admin:Tr0ub4dor", fail: "must be env:NAME"},
		{ref: "file:/etc/Tr0ub4dor", fail: "cannot be read"},
	} {
		user, password, err := Resolve(c.ref, f, env, read)
		if c.fail == "" {
			if err != nil || user != c.user || password != c.password {
				t.Errorf("%q: %q, %q, %v", c.ref, user, password, err)
			}
			continue
		}
		var e *LoginError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.fail) || user+password != "" {
			t.Errorf("%q: %q, %q, %v", c.ref, user, password, err)
			continue
		}
		if strings.Contains(err.Error()+e.Text.ZH, secret) {
			t.Errorf("%q: the failure shows the login: %v", c.ref, err)
		}
	}
	for id, want := range map[string]string{"CAM-01": "env:CAM", "CAM-02": "env:SHOP", "TERM-01": "file:gates.login", "": "env:SHOP", "unknown": "env:SHOP"} {
		if got := LoginRef(f, id); got != want {
			t.Errorf("LoginRef(%q) = %q, want %q", id, got, want)
		}
	}
	if got := LoginRef(&audit.SiteFile{}, "CAM-01"); got != "" {
		t.Errorf("without credentials: %q", got)
	}
}
