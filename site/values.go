package site

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
)

var (
	idShape       = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$`)
	shaShape      = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	durationShape = regexp.MustCompile(`^P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?$`)
	hoursShape    = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$|^24:00$`)
	regionShape   = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,6})*$`)
	envShape      = regexp.MustCompile(`^env:[A-Za-z_][A-Za-z0-9_]*$`)
	loginName     = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$`)
)

// prefix reads a network or a single address. A prefix with host bits is refused: whether one address or the whole network
// was meant is not for the program to guess.
func (d *decoder) prefix(s, path string) netip.Prefix {
	s = strings.TrimSpace(s)
	p, err := netip.ParsePrefix(s)
	if a, bare := netip.ParseAddr(s); bare == nil && a.Zone() == "" {
		a = a.Unmap()
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	switch {
	case strings.Contains(s, "{{"):
		d.problem(path, "site.placeholder", clean.Text(s, 60))
	case err != nil && looksLikeEndpoint(s):
		d.problem(path, "site.prefix_port", clean.Text(s, 60))
	case err != nil:
		d.problem(path, "site.prefix", clean.Text(s, 60))
	case p.Addr().Is4In6():
		d.problem(path, "site.prefix", clean.Text(s, 60))
	case p.Bits() == 0:
		d.problem(path, "site.prefix_all", p.String())
	case p.Masked() != p:
		d.problem(path, "site.prefix_bits", clean.Text(s, 60), p.Masked().String(), netip.PrefixFrom(p.Addr(), p.Addr().BitLen()).String())
	case p.Addr().IsUnspecified():
		d.problem(path, "site.prefix", clean.Text(s, 60))
	case p.Addr().IsMulticast():
		d.problem(path, "site.prefix_multicast", p.String())
	default:
		return p
	}
	return netip.Prefix{}
}

func looksLikeEndpoint(s string) bool {
	_, err := netip.ParseAddrPort(s)
	return err == nil
}

// address reads the address of an inventory entry, with or without a port, and returns it in canonical form.
func (d *decoder) address(s, path string) string {
	s = strings.TrimSpace(s)
	a, err := netip.ParseAddr(s)
	var ap netip.AddrPort
	if err != nil {
		ap, err = netip.ParseAddrPort(s)
		a = ap.Addr()
	}
	switch {
	case strings.Contains(s, "{{"):
		d.problem(path, "site.placeholder", clean.Text(s, 60))
	case err != nil && strings.Contains(s, "://"):
		d.problem(path, "site.address_url")
	case err != nil && strings.Contains(s, "/"):
		d.problem(path, "site.address_prefix", clean.Text(s, 60))
	case err != nil:
		d.problem(path, "site.address", clean.Text(s, 60))
	case a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		d.problem(path, "site.address_none", clean.Text(s, 60))
	case ap.IsValid() && ap.Port() == 0:
		d.problem(path, "site.address_port0")
	case ap.IsValid():
		return netip.AddrPortFrom(a.Unmap(), ap.Port()).String()
	default:
		return a.Unmap().String()
	}
	return ""
}

// mac reads a hardware address and returns it in lower case with colons.
func (d *decoder) mac(s, path string) string {
	m, err := net.ParseMAC(strings.TrimSpace(s))
	if err != nil || len(m) != 6 {
		d.problem(path, "site.mac", clean.Text(s, 60))
		return ""
	}
	return m.String()
}

// id checks what other places, file names and findings refer to.
func (d *decoder) id(s, path string) {
	switch {
	case s == "":
		d.problem(path, "site.missing")
	case !idShape.MatchString(s) || strings.HasSuffix(s, ".") || reserved(s):
		d.problem(path, "site.id", clean.Text(s, 60))
	}
}

// reserved reports names that Windows keeps for devices, with or without an extension.
func reserved(s string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(s), ".")
	if slices.Contains([]string{"CON", "PRN", "AUX", "NUL"}, base) {
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && base[3] >= '0' && base[3] <= '9'
}

func (d *decoder) sha256(s *string, path string) {
	if *s == "" {
		return
	}
	if t := strings.TrimPrefix(strings.TrimSpace(*s), "sha256:"); shaShape.MatchString(t) {
		*s = strings.ToLower(t)
		return
	}
	d.problem(path, "site.sha256", len([]rune(*s)))
}

func (d *decoder) duration(s, path string) {
	if s != "" && (!durationShape.MatchString(s) || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T")) {
		d.problem(path, "site.duration", clean.Text(s, 60))
	}
}

// document checks a reference to a file beside the site file.
func (d *decoder) document(f *audit.File, path string) {
	if f == nil {
		return
	}
	d.filename(f.File, join(path, "file"))
	d.sha256(&f.SHA256, join(path, "sha256"))
}

func (d *decoder) filename(s, path string) {
	switch {
	case s == "":
		d.problem(path, "site.missing")
	case !filepath.IsLocal(filepath.FromSlash(s)) || strings.ContainsAny(s, "\\:\x00"):
		d.problem(path, "site.file", clean.Text(s, 120))
	}
}

func (d *decoder) closed(s, path string, words []string) {
	if s != "" && !known(words, s) {
		d.unknownWord(path, s, words)
	}
}

func (d *decoder) required(s, path string, words []string) {
	switch {
	case s != "":
		d.closed(s, path, words)
	case words != nil:
		d.problem(path, "site.missing_word", strings.Join(words, ", "))
	default:
		d.problem(path, "site.missing")
	}
}

// period checks that a period has the ends it needs, in order.
func (d *decoder) period(p audit.Period, path string, needed bool) {
	if needed && p.From.IsZero() && !d.wrote(join(path, "from")) {
		d.problem(join(path, "from"), "site.missing")
	}
	if needed && p.To.IsZero() && !d.wrote(join(path, "to")) {
		d.problem(join(path, "to"), "site.missing")
	}
	if !p.From.IsZero() && !p.To.IsZero() && p.To.End().Before(p.From.T) {
		d.problem(join(path, "to"), "site.order", p.From.String(), p.To.String())
	}
}

// wrote reports whether something stands at a path, or whether nobody can tell because what is around it could not be read.
func (d *decoder) wrote(path string) bool {
	if d.unread(path) {
		return true
	}
	switch n := d.at[path].(type) {
	case nil, *ast.NullNode:
		return false
	case *ast.StringNode:
		return n.Value != ""
	}
	return true
}

// unread reports whether the value at a path, or something around it, could not be read.
func (d *decoder) unread(path string) bool {
	for p := path; p != ""; p = parent(p) {
		if d.bad[p] {
			return true
		}
	}
	return d.bad[""]
}

// textDigest is the digest text_sha256 must have: of the text as parsed.
func textDigest(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}
