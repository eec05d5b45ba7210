package site

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// LoginError says why a login cannot be had. It never holds the login.
type LoginError struct{ Text audit.Text }

func (e *LoginError) Error() string { return "site: resolving a login: " + e.Text.EN }

// LoginRef returns the reference to the login an inventory entry's device gets: the entry's own, else the one under
// credentials.default. It returns "" when there is none; entryID may be "" for a device that is not in the inventory.
func LoginRef(f *audit.SiteFile, entryID string) string {
	for _, e := range f.Inventory {
		if entryID != "" && e.ID == entryID && e.Credentials != "" {
			if ref, ok := f.Credentials[e.Credentials]; ok {
				return ref
			}
			return e.Credentials
		}
	}
	return f.Credentials["default"]
}

// Resolve returns the user and password a reference stands for: "env:NAME" is a variable holding user:password, "file:PATH"
// a file whose first line does, anything else a name under credentials. The first colon ends the user; a password may hold
// colons. readFile gets the path as written, which is relative to the site file's folder. Every failure is a *LoginError.
func Resolve(ref string, f *audit.SiteFile, env func(string) (string, bool), readFile func(string) ([]byte, error)) (user, password string, err error) {
	if named, ok := f.Credentials[ref]; ok {
		ref = named
	}
	fail := func(id string, args ...any) (string, string, error) {
		return "", "", &LoginError{msg.Text(id, args...)}
	}
	var value string
	switch {
	case ref == "":
		return fail("site.login.none")
	case envShape.MatchString(ref):
		name := strings.TrimPrefix(ref, "env:")
		v, ok := env(name)
		if !ok || v == "" {
			return fail("site.login.unset", name)
		}
		value = v
	case strings.HasPrefix(ref, "file:") && isReference(ref):
		b, err := readFile(strings.TrimPrefix(ref, "file:"))
		if err != nil {
			return fail("site.login.file") // the system's words may quote the path, and the path may be a password in the wrong place
		}
		value, _, _ = strings.Cut(strings.TrimPrefix(string(b), "\ufeff"), "\n")
		value = strings.TrimSuffix(value, "\r")
	default:
		return fail("site.login.form")
	}
	user, password, ok := strings.Cut(value, ":")
	if !ok || user == "" {
		return fail("site.login.colon")
	}
	return user, password, nil
}
