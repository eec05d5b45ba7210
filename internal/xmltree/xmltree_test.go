package xmltree

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"
)

var documents = []struct {
	name, in  string
	root      string
	text      string // text of the first child
	malformed bool
	err       error
}{
	{name: "plain", in: `<a><b>x</b></a>`, root: "a", text: "x"},
	{name: "byte order mark and CRLF", in: "\xef\xbb\xbf<?xml version=\"1.0\"?>\r\n<a>\r\n<b> x </b></a>", root: "a", text: "x"},
	{name: "latin-1", in: "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a><b>K\xfcche</b></a>", root: "a", text: "Küche"},
	{name: "gb2312", in: "<?xml version=\"1.0\" encoding=\"gb2312\"?><a><b>\xc8\xcb\xc1\xb3</b></a>", root: "a", text: "人脸"},
	{name: "declares gb2312, is utf-8", in: `<?xml version="1.0" encoding="gb2312"?><a><b>人脸</b></a>`, root: "a", text: "人脸"},
	{name: "declares a charset nobody knows", in: "<?xml version=\"1.0\" encoding=\"klingon\"?><a><b>x</b></a>", root: "a", text: "x"},
	{name: "umlaut undeclared", in: "<a><b>K\xfcche</b></a>", root: "a", text: "K\uFFFDche", malformed: true},
	{name: "NUL bytes", in: "<a><b>x\x00y</b></a>\x00", root: "a", text: "xy", malformed: true},
	{name: "truncated", in: `<a><b>x</b><c><d`, root: "a", text: "x", malformed: true},
	{name: "unescaped ampersand", in: `<a><b>x & y</b></a>`, root: "a", text: "x & y", malformed: true},
	{name: "html", in: `<html><head>x</head><body><br></body></html>`, root: "html", text: "x", malformed: true},
	{name: "empty", in: ``, err: ErrMalformed},
	{name: "not xml", in: `hello`, err: ErrMalformed},
	{name: "entity", in: `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a><b>&e;</b></a>`, err: ErrDoctype},
	{name: "deep", in: strings.Repeat("<a>", 100_000), err: ErrLimit},
	{name: "many", in: "<a>" + strings.Repeat("<b/>", 200_001) + "</a>", err: ErrLimit},
	{name: "attributes", in: "<a><b " + strings.Repeat(`c="" `, 257) + "/></a>", err: ErrLimit},
	{name: "big", in: "<a>" + strings.Repeat(" ", 2<<20) + "</a>", err: ErrLimit},
}

func TestParse(t *testing.T) {
	for _, tt := range documents {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(tt.in), Options{})
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			r := d.Root()
			if r.Name.Local != tt.root || r.Kids[0].Text != tt.text || d.Malformed != tt.malformed {
				t.Errorf("got %s %q malformed=%v", r.Name.Local, r.Kids[0].Text, d.Malformed)
			}
		})
	}
}

func TestSeveralRoots(t *testing.T) {
	d, err := Parse([]byte(`<?xml version="1.0"?><a/><?xml version="1.0"?><b/>`), Options{})
	if err != nil || len(d.Roots) != 2 {
		t.Fatalf("%d roots, %v", len(d.Roots), err)
	}
}

func TestDropKeepsPresenceOnly(t *testing.T) {
	d, err := Parse([]byte(`<a><Image>AAAA</Image><b>x</b></a>`), Options{Drop: func(l string) bool { return l == "Image" }})
	if err != nil {
		t.Fatal(err)
	}
	if n := d.Root().Child("Image"); n == nil || n.Text != "" || n.Len != 4 {
		t.Errorf("got %+v", n)
	}
}

func TestResolve(t *testing.T) {
	d, err := Parse([]byte(`<a xmlns="urn:d" xmlns:x="urn:1"><b xmlns:x="urn:2" t="x:n"/><c t="x:n"/><e t="n"/><f t="y:n"/></a>`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []xml.Name{{Space: "urn:2", Local: "n"}, {Space: "urn:1", Local: "n"}, {Space: "urn:d", Local: "n"}, {Space: "y", Local: "n"}} {
		n := d.Root().Kids[i]
		if got := n.Resolve(n.Get("t")); got != want {
			t.Errorf("%s: got %v, want %v", n.Name.Local, got, want)
		}
	}
}

// TestTransportCharset: without a declaration of its own, a document is what the transport said; UTF-16 says it itself.
func TestTransportCharset(t *testing.T) {
	for name, c := range map[string]struct{ in, charset, want string }{
		"gb2312 by header":                 {"<m>\xc3\xf7\xca\xd3</m>", "gb2312", "明视"},
		"latin-1 by header":                {"<m>Gr\xf6\xdfe</m>", "ISO-8859-1", "Größe"},
		"the document's word comes first":  {`<?xml version="1.0" encoding="GBK"?>` + "<m>\xc3\xf7\xca\xd3</m>", "iso-8859-1", "明视"},
		"UTF-8 whatever the header claims": {"<m>明视</m>", "gb2312", "明视"},
		"UTF-16, small end first":          {"\xff\xfe<\x00m\x00>\x00\x0e\x66<\x00/\x00m\x00>\x00", "", "明"},
		"UTF-16, big end first":            {"\xfe\xff\x00<\x00m\x00>\x66\x0e\x00<\x00/\x00m\x00>", "", "明"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(c.in), Options{Charset: c.charset})
			if err != nil || d.Malformed || d.Root().Text != c.want {
				t.Errorf("%q, repaired %v, %v", d.Root().Text, d.Malformed, err)
			}
		})
	}
}

func TestNilNode(t *testing.T) {
	var n *Node
	if n.Child("x") != nil || n.Value("x", "y") != "" || n.Get("x") != "" || n.Is("", "x") || len(n.Children("x")) != 0 {
		t.Error("a missing node has something")
	}
	n.Walk(func(*Node) bool { t.Error("walked"); return true })
}

func FuzzParse(f *testing.F) {
	for _, tt := range documents {
		if len(tt.in) < 1000 {
			f.Add([]byte(tt.in))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b, Options{})
		if err == nil && d.Root() == nil {
			t.Error("no root and no error")
		}
	})
}
