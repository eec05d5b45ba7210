package repo

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe/all"
)

const (
	root   = "../.."
	module = "github.com/mingshi-audit/mingshi/"
)

// floors says on which floor a package stands; the longest prefix decides. A package imports lower floors, or its own tree.
var floors = map[string]int{
	"audit":                0,
	"bench":                6,
	"internal/clean":       1,
	"internal/fingerprint": 1,
	"internal/httpdigest":  1,
	"internal/jsonkeep":    1,
	"internal/mac":         1,
	"internal/msg":         1,
	"internal/xmltree":     1,
	"internal":             2, // guard and the wire packages
	"capture":              2,
	"evidence":             2,
	"site":                 2,
	"rules":                2,
	"report":               2,
	"discover":             3,
	"probe":                3,
	"scan":                 4,
	"fleet":                5,
	"cmd":                  6,
	"internal/netlab":      5, // a network of its own; see TestTheNamespaceLabIsNotShipped
	"internal/lab":         5, // a shop of its own: may use what it simulates devices for, nothing may use it but cmd and tests
	"internal/repo":        7,
	"internal/scenario":    7,
}

// TestFloors holds the layout: what is below knows nothing of what is above.
func TestFloors(t *testing.T) {
	eachFile(t, func(path string, f *ast.File) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		from := filepath.ToSlash(filepath.Dir(path))
		for _, imp := range f.Imports {
			to, ours := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), module)
			if !ours || tree(from) == tree(to) {
				continue
			}
			if floor(t, to) >= floor(t, from) {
				t.Errorf("%s (floor %d) imports %s (floor %d)", path, floor(t, from), to, floor(t, to))
			}
			if strings.HasPrefix(to, "internal/lab") && !strings.HasPrefix(from, "cmd") && !strings.HasPrefix(from, "internal/lab") {
				t.Errorf("%s imports the simulated shop", path)
			}
		}
	})
}

// TestAuditIsPure: the nouns need the standard library only, and do nothing to the world.
func TestAuditIsPure(t *testing.T) {
	eachFile(t, func(path string, f *ast.File) {
		if !strings.HasPrefix(filepath.ToSlash(path), "audit/") || strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, imp := range f.Imports {
			p := strings.Trim(imp.Path.Value, `"`)
			if strings.Contains(p, ".") || slices.Contains([]string{"os", "net", "net/http", "io"}, p) {
				t.Errorf("%s imports %s", path, p)
			}
		}
	})
}

// TestOnlyTheGuardTouchesTheNetwork: nothing but the guard opens a socket, beside what is no part of the program: the simulated
// shop, which listens on loopback, the network of namespaces, and what is measured on it.
func TestOnlyTheGuardTouchesTheNetwork(t *testing.T) {
	forbidden := regexp.MustCompile(`^(net\.(Dial|Listen)\w*|http\.(Get|Post|PostForm|Head|DefaultClient|DefaultTransport|ListenAndServe\w*)|tls\.(Dial|Listen)\w*|zeroconf\.(NewResolver|Register\w*)|wsdiscovery\.SendProbe)$`)
	types := regexp.MustCompile(`^(net\.(Dialer|ListenConfig|Resolver))$`)
	eachFile(t, func(path string, f *ast.File) {
		p := filepath.ToSlash(path)
		if strings.HasSuffix(p, "_test.go") || strings.HasPrefix(p, "internal/guard/") || strings.HasPrefix(p, "internal/lab/") ||
			strings.HasPrefix(p, "internal/netlab/") || strings.HasPrefix(p, "bench/") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := s.X.(*ast.Ident)
			if !ok {
				return true
			}
			if name := x.Name + "." + s.Sel.Name; forbidden.MatchString(name) || types.MatchString(name) {
				t.Errorf("%s uses %s: only internal/guard may", path, name)
			}
			return true
		})
	})
}

// TestTheNamespaceLabIsNotShipped: what builds networks of namespaces, and the libraries it needs, serve tests and measurements
// only.
func TestTheNamespaceLabIsNotShipped(t *testing.T) {
	eachFile(t, func(path string, f *ast.File) {
		p := filepath.ToSlash(path)
		for _, imp := range f.Imports {
			to := strings.Trim(imp.Path.Value, `"`)
			lab := strings.HasPrefix(p, "internal/netlab/")
			if strings.HasPrefix(to, "github.com/vishvananda/") && !lab || to == module+"internal/netlab" && !lab && !strings.HasPrefix(p, "bench/") {
				t.Errorf("%s imports %s", path, to)
			}
		}
	})
}

// TestNoInit: nothing happens before main.
func TestNoInit(t *testing.T) {
	eachFile(t, func(path string, f *ast.File) {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", path)
			}
		}
	})
}

// TestEveryModuleIsListed fails when a protocol has a directory and no line in probe/all.
func TestEveryModuleIsListed(t *testing.T) {
	var listed []string
	for _, m := range all.Modules() {
		listed = append(listed, m.Name)
		if m.Doc.ZH == "" || m.Doc.EN == "" {
			t.Errorf("module %s lacks a line for a person in both languages", m.Name)
		}
		if m.Wants == nil || m.Probe == nil && m.Dissect == nil || m.Needs == audit.PermitNone {
			t.Errorf("module %s lacks Wants, Probe and Dissect, or the permit it needs", m.Name)
		}
		if (m.Dissect == nil) != (len(m.Hears) == 0) {
			t.Errorf("module %s does not say what it hears, or hears and says nothing", m.Name)
		}
		for _, f := range m.Facts {
			if f.Doc.ZH == "" || f.Doc.EN == "" || f.Ask.ZH == "" || f.Ask.EN == "" {
				t.Errorf("module %s: fact %s is not explained in both languages", m.Name, f.Name)
			}
		}
	}
	dirs, err := os.ReadDir(filepath.Join(root, "probe"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if d.IsDir() && d.Name() != "all" && d.Name() != "testdata" && !slices.Contains(listed, d.Name()) {
			t.Errorf("probe/%s is not listed in probe/all (or its module has another name)", d.Name())
		}
	}
}

// TestMessages: every sentence exists in both languages and uses the same arguments in both, named by index.
func TestMessages(t *testing.T) {
	index := regexp.MustCompile(`%\[(\d+)\]`)
	bare := regexp.MustCompile(`%[a-zA-Z+#]`)
	seen := map[string]bool{}
	for _, id := range msg.IDs() {
		if seen[id] {
			t.Errorf("message %s is defined twice", id)
		}
		seen[id] = true
		x := msg.Text(id)
		if x.ZH == "" || x.EN == "" {
			t.Errorf("message %s lacks a language", id)
		}
		var args [2][]string
		for i, s := range []string{x.ZH, x.EN} {
			for _, m := range index.FindAllStringSubmatch(s, -1) {
				args[i] = append(args[i], m[1])
			}
			slices.Sort(args[i])
			args[i] = slices.Compact(args[i])
			if bare.MatchString(strings.ReplaceAll(s, "%%", "")) {
				t.Errorf("message %s: %q has an argument without index", id, s)
			}
		}
		if !slices.Equal(args[0], args[1]) {
			t.Errorf("message %s: the languages use different arguments: %v and %v", id, args[0], args[1])
		}
	}
}

// TestEveryMessageIsUsed: a sentence nobody says is dead. Ids built at run time are recognised by their constant beginning.
func TestEveryMessageIsUsed(t *testing.T) {
	var code bytes.Buffer
	eachSource(t, func(path string, data []byte) {
		if !strings.HasPrefix(filepath.ToSlash(path), "internal/msg/") {
			code.Write(data)
		}
	})
	built := regexp.MustCompile(`"([a-z][a-z0-9.-]*\.)"\s*\+|"([a-z][a-z0-9.-]*\.)%s"`)
	var prefixes []string
	for _, m := range built.FindAllStringSubmatch(code.String(), -1) {
		prefixes = append(prefixes, m[1]+m[2])
	}
	for _, id := range msg.IDs() {
		if strings.HasPrefix(id, "word.") || bytes.Contains(code.Bytes(), []byte(`"`+id+`"`)) {
			continue
		}
		if !slices.ContainsFunc(prefixes, func(p string) bool { return p != "" && strings.HasPrefix(id, p) }) {
			t.Errorf("message %s is never used", id)
		}
	}
}

// TestFixturesAreSynthetic: no test data holds a public address, a picture or a hardware address of a real maker.
func TestFixturesAreSynthetic(t *testing.T) {
	mac := regexp.MustCompile(`(?i)\b([0-9a-f]{2})([:-][0-9a-f]{2}){5}\b`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.Contains(filepath.ToSlash(path), "/testdata/") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(data, []byte("\xff\xd8\xff")) || bytes.Contains(data, []byte("/9j/4AAQ")) {
			t.Errorf("%s holds a picture", path)
		}
		for _, m := range mac.FindAllStringSubmatch(string(data), -1) {
			var first byte
			if _, err := fmt.Sscanf(m[1], "%02x", &first); err == nil && first&2 == 0 && !strings.Contains(path, "fingerprint") &&
				!strings.HasPrefix(strings.ToLower(strings.ReplaceAll(m[0], "-", ":")), "00:00:5e:00:53:") { // RFC 7042, for documentation
				t.Errorf("%s holds %s, which is neither locally administered nor for documentation", path, m[0])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func tree(pkg string) string {
	parts := strings.Split(pkg, "/")
	if parts[0] == "internal" && len(parts) > 1 {
		return strings.Join(parts[:2], "/")
	}
	return parts[0]
}

func floor(t *testing.T, pkg string) int {
	t.Helper()
	for p := pkg; p != "."; p = filepath.ToSlash(filepath.Dir(p)) {
		if n, ok := floors[p]; ok {
			return n
		}
	}
	t.Fatalf("no floor is set for %s", pkg)
	return 0
}

func eachSource(t *testing.T, do func(path string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		do(rel, data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func eachFile(t *testing.T, do func(path string, f *ast.File)) {
	t.Helper()
	set := token.NewFileSet()
	eachSource(t, func(path string, data []byte) {
		f, err := parser.ParseFile(set, path, data, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		do(path, f)
	})
}
