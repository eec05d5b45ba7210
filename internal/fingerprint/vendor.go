package fingerprint

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
)

// Canonical is DB.Canonical over the embedded data.
func Canonical(vendor string) string {
	db, err := Load()
	if err != nil {
		return strings.TrimSpace(vendor) // a test loads the data
	}
	return db.Canonical(vendor)
}

func (db *DB) loadVendors(fsys fs.FS, name string) error {
	var f struct {
		About   header `yaml:",inline"`
		Vendors []struct {
			Name    string   `yaml:"name"`
			Aliases []string `yaml:"aliases"`
		} `yaml:"vendors"`
	}
	if err := decode(fsys, name, &f); err != nil {
		return err
	}
	if err := f.About.check("mingshi.vendors/v1"); err != nil {
		return fmt.Errorf("fingerprint: %s: %w", name, err)
	}
	for _, v := range f.Vendors {
		for _, a := range append([]string{v.Name}, v.Aliases...) {
			k := fold(a)
			if k == "" {
				return fmt.Errorf("fingerprint: %s: %w", name, errors.New("an empty name"))
			}
			if old, ok := db.vendors[k]; ok && old != v.Name {
				return fmt.Errorf("fingerprint: %s: %q of both %q and %q", name, a, old, v.Name)
			}
			db.vendors[k] = v.Name
		}
	}
	return nil
}

// Canonical returns the one spelling under which makers are compared: "HIKVISION" and "Hangzhou Hikvision Digital Technology
// Co., Ltd." are both "Hikvision". A maker that is not in the data keeps its own spelling, trimmed. It is for comparing:
// what a device states is reported as it states it.
func (db *DB) Canonical(vendor string) string {
	if n, ok := db.vendors[fold(vendor)]; ok {
		return n
	}
	return strings.TrimSpace(vendor)
}

// companyForms are words at the end of a company's name that do not tell companies apart.
var companyForms = map[string]bool{"co": true, "ltd": true, "limited": true, "inc": true, "incorporated": true, "corp": true,
	"corporation": true, "company": true, "gmbh": true, "ag": true, "ab": true, "llc": true, "bv": true, "plc": true, "sa": true,
	"kk": true, "oy": true, "srl": true, "kg": true, "pte": true}

// fold lowers case, drops punctuation and company forms.
func fold(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '+'
	})
	for len(words) > 1 && companyForms[words[len(words)-1]] {
		words = words[:len(words)-1]
	}
	return strings.Join(words, " ")
}
