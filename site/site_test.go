package site

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mingshi-audit/mingshi/audit"
)

// secret is the password every invalid-login-*.yaml holds in some wrong place.
const secret = "Tr0ub4dor"

// TestInvalid holds every mistake to its message in both languages. Each file has one mistake, "many" has several.
func TestInvalid(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid-*.yaml")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := Parse(data, filepath.Base(name))
			var e *Errors
			if !errors.As(err, &e) || f != nil {
				t.Fatalf("got %v, %v", f, err)
			}
			got := e.In("zh") + "\n" + e.In("en")
			if strings.Contains(got+e.Error()+fmt.Sprintf("%#v", e), secret) {
				t.Fatalf("the message shows the password:\n%s", got)
			}
			for _, p := range e.Problems {
				if p.Line < 1 || p.Col < 1 || p.Text.ZH == "" || p.Text.EN == "" || strings.Contains(p.Text.ZH+p.Text.EN, "%!") {
					t.Errorf("not a proper problem: %+v", p)
				}
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".golden", got)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), -update rewrites it:\n%s", name, diff)
	}
}

func parseFile(t *testing.T, name string) *audit.SiteFile {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(name, "scenarios") {
		for i := range 9 {
			data = []byte(strings.ReplaceAll(string(data), fmt.Sprintf("{{cam-0%d}}", i), fmt.Sprintf("127.0.0.1:1810%d", i)))
		}
	}
	f, err := Parse(data, name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func validFiles(t *testing.T) []string {
	t.Helper()
	a, err := filepath.Glob("testdata/valid-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b, err := filepath.Glob("../testdata/scenarios/*/site.yaml")
	if err != nil || len(a) < 5 || len(b) < 7 {
		t.Fatalf("%d and %d files, %v", len(a), len(b), err)
	}
	return slices.Concat(a, b)
}

func TestValid(t *testing.T) {
	for _, name := range validFiles(t) {
		if f := parseFile(t, name); f.Schema != SchemaName {
			t.Errorf("%s: schema %q", name, f.Schema)
		}
	}
}

func TestNormalised(t *testing.T) {
	f := parseFile(t, "testdata/valid-numbers.yaml")
	type row struct{ what, got, want string }
	for _, r := range []row{
		{"site id keeps its zero", f.Site.ID, "0421"},
		{"venue by its older key", f.Site.Venue, "mall"},
		{"registration number", f.Site.Processor.USCC, "91310000132260"},
		{"certificate keeps its zero", f.Authority.Inspectors[0].Cert, "012345"},
		{"mac", f.Inventory[0].MAC, "00:00:5e:00:53:01"},
		{"serial keeps its zeros", f.Inventory[0].Serial, "0012345"},
		{"hours without quotes", f.Authority.Hours[0].From, "09:00"},
		{"a known kind of zone says whether it is public", fmt.Sprint(f.Zones[0].Public), "true"},
	} {
		if r.got != r.want {
			t.Errorf("%s: %q, want %q", r.what, r.got, r.want)
		}
	}
	var items []string
	for _, e := range f.Exemptions {
		items = append(items, e.Item)
	}
	if diff := cmp.Diff([]string{"5(2)", "5(1)", "5(3)", "5(4)", "5(5)"}, items); diff != "" {
		t.Error(diff)
	}
	full := parseFile(t, "testdata/valid-full.yaml")
	if diff := cmp.Diff([]string{"video_recording", "attribute_analysis{age,gender}"}, full.Notices[0].Methods); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"attribute_analysis{age,expression}", "attribute_analysis{age,gender}"}, full.Notices[1].Methods); diff != "" {
		t.Error(diff)
	}
	var perimeter []string
	for _, p := range parseFile(t, "testdata/valid-bare.yaml").Authority.Perimeter {
		perimeter = append(perimeter, p.String())
	}
	if diff := cmp.Diff([]string{"192.0.2.21/32", "2001:db8::/64", "2001:db8:1::5/128"}, perimeter); diff != "" {
		t.Error(diff)
	}
}

// TestSameWithMarks: byte order marks and line ends of other systems change nothing.
func TestSameWithMarks(t *testing.T) {
	a, b := parseFile(t, "testdata/valid-frame.yaml"), parseFile(t, "testdata/valid-bom-crlf.yaml")
	if diff := cmp.Diff(a, b, cmpopts.EquateComparable(a.Authority.Perimeter[0])); diff != "" {
		t.Error(diff)
	}
}

func TestTooBig(t *testing.T) {
	_, err := Parse([]byte(strings.Repeat("#", MaxBytes+1)), "big.yaml")
	if err == nil || !strings.Contains(err.Error(), "big.yaml:1:1: the file has 1048577 bytes") {
		t.Error(err)
	}
}

func TestItem(t *testing.T) {
	for in, want := range map[string]string{
		"5(2)": "5(2)", "2": "5(2)", "(2)": "5(2)", "（二）": "5(2)", "第（二）项": "5(2)", "第五条第（二）项": "5(2)", "第5条第(2)项": "5(2)",
		"第二项": "5(2)", "5.2": "5(2)", " 5 ( 2 ) ": "5(2)", "五": "5(5)", "6": "", "5(6)": "", "52": "", "": "", "2(2)": "", "第四条第（二）项": "", "5": "5(5)",
	} {
		if got := item(in); got != want {
			t.Errorf("item(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"permit", "perimeter", "public", "present"}
	for in, want := range map[string]string{"permt": "permit", "premit": "permit", "Permit": "permit", "perimiter": "perimeter", "pubilc": "public", "x": "", "colour": ""} {
		if got := nearest(in, words); got != want {
			t.Errorf("nearest(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzParse: nothing makes the reader panic or hang; a problem has a place in the file; what parses can be observed.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "../testdata/scenarios/*/site.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data, "fuzz.yaml")
		var e *Errors
		switch {
		case errors.As(err, &e):
			lines := 1 + strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data)), "\n")
			if len(e.Problems) == 0 {
				t.Fatal("no problem")
			}
			for _, p := range e.Problems {
				if p.Line < 1 || p.Line > lines || p.Col < 1 || p.Text.EN == "" || p.Text.ZH == "" {
					t.Fatalf("%+v of %d lines", p, lines)
				}
			}
			_ = e.In("zh")
		case err != nil:
			t.Fatalf("%T: %v", err, err)
		default:
			for _, o := range Observations(s) {
				if _, err := Derive(o); err != nil {
					t.Fatal(err)
				}
			}
			Check(s, "")
		}
	})
}
