package capture

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// aPacket is what a file is to hand on.
type aPacket struct {
	at     time.Time
	length int
	link   layers.LinkType
	data   string
}

// aRecord is a packet of a pcap.
func aRecord(o binary.AppendByteOrder, b []byte, sec, frac, have, length uint32, data string) []byte {
	for _, n := range []uint32{sec, frac, have, length} {
		b = o.AppendUint32(b, n)
	}
	return append(b, data...)
}

// aPcap is a pcap of three packets, the second cut and the third without a byte.
func aPcap(o binary.AppendByteOrder, nano bool, link, snaplen uint32) []byte {
	magic, frac := uint32(0xa1b2c3d4), uint32(123456)
	if nano {
		magic, frac = 0xa1b23c4d, 123456789
	}
	b := o.AppendUint32(nil, magic)
	b = o.AppendUint16(o.AppendUint16(b, 2), 4)
	for _, n := range []uint32{0, 0, snaplen, link} {
		b = o.AppendUint32(b, n)
	}
	b = aRecord(o, b, 1793584800, frac, 5, 5, "first")
	b = aRecord(o, b, 1793584801, 0, 3, 1500, "sec")
	return aRecord(o, b, 1793584802, 0, 0, 60, "")
}

func wantPcap(nano bool, link layers.LinkType) []aPacket {
	frac := int64(123456000)
	if nano {
		frac = 123456789
	}
	return []aPacket{{time.Unix(1793584800, frac).UTC(), 5, link, "first"}, {time.Unix(1793584801, 0).UTC(), 1500, link, "sec"}, {time.Unix(1793584802, 0).UTC(), 60, link, ""}}
}

// block is a block of a pcapng.
func block(o binary.AppendByteOrder, kind uint32, body []byte) []byte {
	body = append(bytes.Clone(body), make([]byte, -len(body)&3)...)
	n := uint32(len(body) + 12)
	return o.AppendUint32(append(o.AppendUint32(o.AppendUint32(nil, kind), n), body...), n)
}

func option(o binary.AppendByteOrder, b []byte, code uint16, v ...byte) []byte {
	b = o.AppendUint16(o.AppendUint16(b, code), uint16(len(v)))
	return append(append(b, v...), make([]byte, -len(v)&3)...)
}

func aSection(o binary.AppendByteOrder) []byte {
	b := o.AppendUint32(nil, ngOrder)
	b = o.AppendUint16(o.AppendUint16(b, 1), 0)
	return block(o, ngSection, option(o, o.AppendUint64(b, ^uint64(0)), 4, []byte("a program")...))
}

func aFace(o binary.AppendByteOrder, link uint16, snaplen uint32, options []byte) []byte {
	b := o.AppendUint32(o.AppendUint16(o.AppendUint16(nil, link), 0), snaplen)
	return block(o, ngInterface, append(b, options...))
}

func anEnhanced(o binary.AppendByteOrder, id uint32, t uint64, length int, data string, options []byte) []byte {
	b := o.AppendUint32(o.AppendUint32(o.AppendUint32(nil, id), uint32(t>>32)), uint32(t))
	b = append(o.AppendUint32(o.AppendUint32(b, uint32(len(data))), uint32(length)), data...)
	return block(o, ngEnhanced, append(append(b, make([]byte, -len(data)&3)...), options...))
}

// aPcapng is a pcapng of two sections in both byte orders and interfaces of several kinds, with blocks that are to be passed over.
func aPcapng() ([]byte, []aPacket) {
	le, be := binary.LittleEndian, binary.BigEndian
	var b []byte
	b = append(b, aSection(le)...)
	b = append(b, aFace(le, 1, 0, nil)...)
	b = append(b, aFace(le, 276, 96, option(le, option(le, nil, 2, []byte("any")...), 9, 9))...)
	b = append(b, anEnhanced(le, 0, 1793584800123456, 5, "first", option(le, nil, 1, []byte("a comment")...))...)
	b = append(b, block(le, 0x80000001, make([]byte, 400<<10))...) // longer than any packet
	b = append(b, anEnhanced(le, 1, 1793584801000000007, 1500, "sec", nil)...)
	b = append(b, block(le, ngSimple, append(le.AppendUint32(nil, 6), "simple"...))...)
	b = append(b, block(le, ngStatistics, append(le.AppendUint64(le.AppendUint32(nil, 0), 0), option(le, option(le, nil, 4, 100, 0, 0, 0, 0, 0, 0, 0), 5, 7, 0, 0, 0, 0, 0, 0, 0)...))...)
	b = append(b, block(le, ngStatistics, append(le.AppendUint64(le.AppendUint32(nil, 0), 0), option(le, option(le, nil, 4, 200, 0, 0, 0, 0, 0, 0, 0), 5, 9, 0, 0, 0, 0, 0, 0, 0)...))...)
	b = append(b, aSection(be)...)
	b = append(b, aFace(be, 101, 65535, option(be, option(be, nil, 9, 0x80|10), 14, 0, 0, 0, 0, 0x6a, 0xe8, 0x22, 0x20))...) // 2^-10 s from 2026-10-10 on
	b = append(b, anEnhanced(be, 0, 1536, 3, "raw", nil)...)
	old := be.AppendUint32(be.AppendUint32(be.AppendUint16(be.AppendUint16(nil, 0), 77), 0), 2048)
	b = append(b, block(be, ngPacket, append(be.AppendUint32(be.AppendUint32(old, 4), 9), "olde"...))...)
	b = append(b, block(be, ngStatistics, append(be.AppendUint64(be.AppendUint32(nil, 0), 0), option(be, option(be, nil, 4, 0, 0, 0, 0, 0, 0, 0, 5), 7, 0, 0, 0, 0, 0, 0, 0, 1)...))...)
	base := time.Unix(0x6ae82220, 0).UTC()
	return b, []aPacket{
		{time.Unix(1793584800, 123456000).UTC(), 5, layers.LinkTypeEthernet, "first"},
		{time.Unix(1793584801, 7).UTC(), 1500, linkSLL2, "sec"},
		{time.Unix(1793584801, 7).UTC(), 6, layers.LinkTypeEthernet, "simple"},
		{base.Add(1500 * time.Millisecond), 3, layers.LinkTypeRaw, "raw"},
		{base.Add(2 * time.Second), 9, layers.LinkTypeRaw, "olde"},
	}
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstded(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

// drain reads a file to its end.
func drain(t testing.TB, f *File) (out []aPacket, err error) {
	t.Helper()
	for {
		p, err := f.Next()
		if err != nil {
			if _, again := f.Next(); !errors.Is(again, err) {
				t.Errorf("%v, then %v", err, again)
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return out, err
		}
		out = append(out, aPacket{p.At, p.Length, p.Link, string(p.Data)})
		if p.Number != len(out) || len(p.Data) > p.Length {
			t.Errorf("packet %d is called %d and has %d of %d bytes", len(out), p.Number, len(p.Data), p.Length)
		}
	}
}

func digestOf(b []byte) string {
	d := sha256.Sum256(b)
	return hex.EncodeToString(d[:])
}

func TestFile(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	ng, wantNG := aPcapng()
	ether, any := layers.LinkTypeEthernet, "ethernet"
	tests := []struct {
		name string
		data []byte
		want []aPacket
		info Info
	}{
		{"µs, little-endian", aPcap(le, false, 1, 65535), wantPcap(false, ether), Info{Format: "pcap", Links: []string{any}, Snaplen: 65535}},
		{"µs, big-endian", aPcap(be, false, 1, 65535), wantPcap(false, ether), Info{Format: "pcap", Links: []string{any}, Snaplen: 65535}},
		{"ns, little-endian", aPcap(le, true, 1, 262144), wantPcap(true, ether), Info{Format: "pcap", Links: []string{any}, Snaplen: 262144}},
		{"ns, big-endian", aPcap(be, true, 101, 262144), wantPcap(true, layers.LinkTypeRaw), Info{Format: "pcap", Links: []string{"raw"}, Snaplen: 262144}},
		{"a snap length of nothing", aPcap(le, false, 1, 0), wantPcap(false, ether), Info{Format: "pcap", Links: []string{any}}},
		{"a snap length that was not kept", aPcap(le, false, 1, 2), wantPcap(false, ether), Info{Format: "pcap", Links: []string{any}, Snaplen: 2}},
		{"sll2", aPcap(le, false, 276, 0), wantPcap(false, linkSLL2), Info{Format: "pcap", Links: []string{"linux-sll2"}}},
		{"a link whose number is sll2's in eight bits", aPcap(le, false, 20, 0), wantPcap(false, linkUnknown), Info{Format: "pcap", Links: []string{"20, not decoded"}}},
		{"frames with checksums", aPcap(le, false, 1|1<<26|2<<28, 0), wantPcap(false, ether), Info{Format: "pcap", Links: []string{any}}},
		{"empty", aPcap(le, false, 1, 65535)[:24], nil, Info{Format: "pcap", Links: []string{any}, Snaplen: 65535}},
		{"pcapng", ng, wantNG, Info{Format: "pcapng", Links: []string{any, "linux-sll2", "raw"}, Snaplen: 96}},
		{"pcapng, empty", ng[:len(aSection(le))], nil, Info{Format: "pcapng"}},
	}
	for _, tt := range tests {
		for _, by := range []struct {
			name string
			data []byte
		}{{"", tt.data}, {"gzip", zipped(t, tt.data)}, {"gzip", append(zipped(t, tt.data[:10]), zipped(t, tt.data[10:])...)}, {"zstd", zstded(t, tt.data)},
			{"zstd", append([]byte("\x50\x2a\x4d\x18\x02\x00\x00\x00xx"), append(zstded(t, tt.data[:10]), zstded(t, tt.data[10:])...)...)}} {
			t.Run(tt.name+" "+by.name, func(t *testing.T) {
				name := filepath.Join(t.TempDir(), "a file") // its name says nothing
				if err := os.WriteFile(name, by.data, 0o600); err != nil {
					t.Fatal(err)
				}
				for _, stdin := range []io.Reader{nil, bytes.NewReader(by.data), iotest.OneByteReader(bytes.NewReader(by.data)), iotest.DataErrReader(bytes.NewReader(by.data))} {
					from := name
					if stdin != nil {
						from = "-"
					}
					f, err := OpenFile(from, stdin)
					if err != nil {
						t.Fatal(err)
					}
					got, err := drain(t, f)
					if err != nil || !slices.Equal(got, tt.want) {
						t.Errorf("%v\ngot  %v\nwant %v", err, got, tt.want)
					}
					want := tt.info
					want.Name, want.Compression = from, by.name
					if got := f.Info(); fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("info %+v, want %+v", got, want)
					}
					if sum, n := f.Sum(); sum != digestOf(by.data) || n != int64(len(by.data)) {
						t.Errorf("sum %s of %d bytes, want %s of %d", sum, n, digestOf(by.data), len(by.data))
					}
					if received, dropped := f.Losses(); tt.info.Format == "pcapng" && len(tt.want) > 0 && (received != 205 || dropped != 10) {
						t.Errorf("%d received, %d dropped; want 205 and 10", received, dropped)
					}
					if err := f.Close(); err != nil {
						t.Error(err)
					}
					if sum, _ := f.Sum(); sum != digestOf(by.data) {
						t.Error("the sum is forgotten after Close")
					}
				}
			})
		}
	}
}

// TestFileTruncated: wherever a file ends, what was whole is handed on and the error says which packet was not.
func TestFileTruncated(t *testing.T) {
	ng, wantNG := aPcapng()
	for _, tt := range []struct {
		name string
		data []byte
		want []aPacket
	}{{"pcap", aPcap(binary.LittleEndian, false, 1, 0), wantPcap(false, 1)}, {"pcapng", ng, wantNG}} {
		ends, truncated := 0, 0
		for n := range len(tt.data) {
			if n > 500 && n < len(tt.data)-600 && n%9973 != 0 {
				continue // within the long block
			}
			f, err := OpenFile("-", bytes.NewReader(tt.data[:n]))
			var file *FileError
			if err != nil {
				if !errors.As(err, &file) || file.Packet != 0 || !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrFormat) {
					t.Fatalf("%s of %d bytes: %v", tt.name, n, err)
				}
				continue
			}
			got, err := drain(t, f)
			if !slices.Equal(got, tt.want[:len(got)]) {
				t.Fatalf("%s of %d bytes: %v", tt.name, n, got)
			}
			switch {
			case err == nil:
				ends++
			case !errors.As(err, &file) || file.Packet != len(got)+1 || !errors.Is(err, ErrTruncated):
				t.Fatalf("%s of %d bytes: %v after %d packets", tt.name, n, err, len(got))
			default:
				truncated++
			}
			if sum, _ := f.Sum(); sum != digestOf(tt.data[:n]) {
				t.Fatalf("%s of %d bytes: sum %s", tt.name, n, sum)
			}
			f.Close()
		}
		if ends < len(tt.want) || truncated < 40 {
			t.Errorf("%s: %d ends, %d truncations", tt.name, ends, truncated)
		}
	}
}

// TestFileTruncatedCompressed: a compressed file that was cut gives what is in it and the same error.
func TestFileTruncatedCompressed(t *testing.T) {
	o := binary.LittleEndian
	b := aPcap(o, false, 1, 0)
	var all []byte
	for i := range 4000 { // does not compress
		d := sha256.Sum256(fmt.Append(nil, i))
		all = append(all, d[:]...)
	}
	for i := range 1000 {
		b = aRecord(o, b, 1793584803, 0, 128, 128, string(all[i*128:i*128+128]))
	}
	for name, z := range map[string][]byte{"gzip": zipped(t, b), "zstd": zstded(t, b)} {
		f, err := OpenFile("-", bytes.NewReader(z[:len(z)-1000]))
		if err != nil {
			t.Fatal(err)
		}
		got, err := drain(t, f)
		var file *FileError
		if !errors.As(err, &file) || file.Packet != len(got)+1 || !errors.Is(err, ErrTruncated) || len(got) < 1 {
			t.Errorf("%s: %d packets, %v", name, len(got), err)
		}
		if sum, n := f.Sum(); sum != digestOf(z[:len(z)-1000]) || n != int64(len(z)-1000) {
			t.Errorf("%s: sum of %d bytes", name, n)
		}
		f.Close()
		z = bytes.Clone(z)
		for i := range 64 {
			z[len(z)/2+i] ^= 0x55
		}
		if f, err = OpenFile("-", bytes.NewReader(z)); err != nil {
			t.Fatal(err)
		}
		if _, err := drain(t, f); err == nil {
			t.Errorf("%s: a damaged stream was read to its end", name)
		}
		if sum, _ := f.Sum(); sum != digestOf(z) {
			t.Errorf("%s: sum of a damaged file", name)
		}
		f.Close()
	}
}

// TestFileCorrupt: lengths that lie end the file there, with the packet's number, and cost no memory.
func TestFileCorrupt(t *testing.T) {
	le := binary.LittleEndian
	pcap := aPcap(le, false, 1, 0)
	section := slices.Concat(aSection(le), aFace(le, 1, 0, nil), anEnhanced(le, 0, 1, 5, "first", nil))
	with := func(more ...byte) []byte { return append(bytes.Clone(section), more...) }
	raw := func(n ...uint32) (b []byte) {
		for _, n := range n {
			b = le.AppendUint32(b, n)
		}
		return b
	}
	tests := []struct {
		name    string
		data    []byte
		packets int
		err     error
	}{
		{"a huge packet", aRecord(le, bytes.Clone(pcap), 1, 1, 0xffffffff, 0xffffffff, "x"), 3, ErrCorrupt},
		{"a packet of a gigabyte", aRecord(le, bytes.Clone(pcap), 1, 1, 1<<30, 1<<30, "x"), 3, ErrCorrupt},
		{"longer than it was", append(aRecord(le, bytes.Clone(pcap), 1, 1, 4, 2, "four"), aRecord(le, nil, 2, 2, 1, 1, "x")...), 5, nil},
		{"huge on the wire", aRecord(le, bytes.Clone(pcap), 1, 1, 1, 0xffffffff, "x"), 3, ErrCorrupt},
		{"a block of nothing", with(raw(6, 0, 0, 0, 0, 0, 0, 0)...), 1, ErrCorrupt},
		{"a block of eight", with(raw(6, 8, 0, 0, 0, 0, 0, 0)...), 1, ErrCorrupt},
		{"a block of four gigabytes", with(raw(6, 0xfffffffc, 0, 0, 0, 0xfffff000, 0xfffff000, 0)...), 1, ErrCorrupt},
		{"a block beyond all numbers", with(raw(99, 0xffffffff, 0, 0, 0, 0, 0, 0)...), 1, ErrTruncated},
		{"a packet longer than its block", with(raw(6, 36, 0, 0, 0, 8, 8, 0, 36)...), 1, ErrCorrupt},
		{"an enhanced block without room", with(raw(6, 16, 0, 16)...), 1, ErrCorrupt},
		{"an interface nobody described", with(anEnhanced(le, 7, 1, 1, "x", nil)...), 1, ErrCorrupt},
		{"a block that ends as another", with(raw(6, 32, 0, 0, 0, 0, 0, 36, 0, 0, 0)...), 2, ErrCorrupt},
		{"an unknown block that ends as another", with(raw(77, 16, 0, 12)...), 1, ErrCorrupt},
		{"a section without an order", with(raw(ngSection, 28, 5, 1, 0, 0, 28)...), 1, ErrCorrupt},
		{"a section of another version", with(raw(ngSection, 28, ngOrder, 2, 0, 0, 28)...), 1, ErrFormat},
		{"an interface of powers of ten beyond", with(aFace(le, 1, 0, option(le, nil, 9, 64))...), 1, ErrCorrupt},
		{"an interface of powers of two beyond", with(aFace(le, 1, 0, option(le, nil, 9, 0x80|64))...), 1, ErrCorrupt},
		{"a resolution that is just possible", with(slices.Concat(aFace(le, 1, 0, option(le, nil, 9, 19)), aFace(le, 1, 0, option(le, nil, 9, 0x80|63)),
			anEnhanced(le, 1, 1<<63, 1, "x", nil), anEnhanced(le, 2, 1<<63+1, 1, "x", nil))...), 3, nil},
		{"an option that lies", with(aFace(le, 1, 0, raw(0xffff0002))...), 1, nil},
		{"statistics of nobody", with(block(le, ngStatistics, raw(9, 0, 0))...), 1, nil},
		{"a simple packet that lies", with(block(le, ngSimple, raw(0xfffffff0, 0))...), 1, ErrCorrupt},
		{"a simple packet longer than its block", with(block(le, ngSimple, raw(1500, 0))...), 2, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f, err := OpenFile("-", bytes.NewReader(tt.data))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, err := drain(t, f)
			var file *FileError
			if len(got) != tt.packets || !errors.Is(err, tt.err) || err != nil && (!errors.As(err, &file) || file.Packet != len(got)+1) {
				t.Errorf("%d packets and %v; want %d and %v", len(got), err, tt.packets, tt.err)
			}
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
				t.Errorf("%d MiB were allocated", n>>20)
			}
			if sum, _ := f.Sum(); sum != digestOf(tt.data) {
				t.Error("the sum is not that of the whole file")
			}
		})
	}
}

// TestFileForeign: what is no capture is refused, and named where somebody might have thought it was.
func TestFileForeign(t *testing.T) {
	pcap := aPcap(binary.LittleEndian, false, 1, 0)
	for name, tt := range map[string]struct{ data, say string }{
		"empty":          {"", "0 bytes"},
		"three bytes":    {"\xd4\xc3\xb2", "3 bytes"},
		"text":           {"no capture at all", "neither"},
		"xz":             {"\xfd7zXZ\x00 and so on", "xz"},
		"zip":            {"PK\x03\x04 and so on", "zip"},
		"gzip in gzip":   {string(zipped(t, zipped(t, pcap))), "gzip within"},
		"empty gzip":     {string(zipped(t, nil)), "0 bytes"},
		"cut in gzip":    {string(zipped(t, pcap)[:6]), "ends"},
		"pcap version 9": {"\xd4\xc3\xb2\xa1\x09\x00\x04\x00................", "version 9"},
	} {
		f, err := OpenFile("-", strings.NewReader(tt.data))
		var file *FileError
		if f != nil || !errors.As(err, &file) || !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTruncated) || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := OpenFile(t.TempDir(), nil); err == nil {
		t.Error("a directory was opened")
	}
	if _, err := OpenFile("-", nil); err == nil {
		t.Error("no standard input was read from")
	}
}

// TestFileBomb: a window zstd would not decompress without being told to is refused before it is allocated.
func TestFileBomb(t *testing.T) {
	f, err := OpenFile("-", strings.NewReader("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00")) // a window of 2 GiB
	if f != nil || !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "zstd") {
		t.Errorf("%v", err)
	}
}

// TestFileStops: Close ends a read that waits, and the goroutines end with it.
func TestFileStops(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, compress := range []bool{false, true} {
		r, w := io.Pipe()
		b := aPcap(binary.LittleEndian, false, 1, 0)
		if compress { // and a frame whose end does not come
			b = append(zstded(t, b), zstded(t, b)[:20]...)
		}
		go w.Write(b)
		f, err := OpenFile("-", r)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // what came is handed on before more comes
			if _, err := f.Next(); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error)
		go func() { _, err := f.Next(); ended <- err }()
		time.Sleep(20 * time.Millisecond)
		f.Close()
		select {
		case err := <-ended:
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("Next said %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("Next went on waiting")
		}
		if sum, _ := f.Sum(); sum != "" {
			t.Error("there is a sum of half a file")
		}
		w.Close() // the reader of standard input is left to itself until then
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestFileLong: packets of all sizes across the pieces a file is read in, in the order and the form pcapgo writes them.
func TestFileLong(t *testing.T) {
	var pcap, ng bytes.Buffer
	w := pcapgo.NewWriter(&pcap)
	if err := w.WriteFileHeader(packetMost, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	n, err := pcapgo.NewNgWriter(&ng, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, packetMost)
	for i := range body {
		body[i] = byte(i % 251)
	}
	size := func(i int) int {
		if i%50 == 0 {
			return packetMost - i
		}
		return i * 7919 % 3000
	}
	const packets = 3000
	for i := range packets {
		b := body[i : i+min(size(i), packetMost-i)]
		ci := gopacket.CaptureInfo{Timestamp: testAt.Add(time.Duration(i) * time.Millisecond), CaptureLength: len(b), Length: len(b)}
		if err := errors.Join(w.WritePacket(ci, b), n.WritePacket(ci, b)); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{pcap.Bytes(), ng.Bytes(), zstded(t, ng.Bytes())} {
		f, err := OpenFile("-", bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for i := range packets {
			p, err := f.Next()
			if want := body[i : i+min(size(i), packetMost-i)]; err != nil || !bytes.Equal(p.Data, want) || !p.At.Equal(testAt.Add(time.Duration(i)*time.Millisecond)) {
				t.Fatalf("packet %d: %v, %d bytes of %d", i+1, err, len(p.Data), len(want))
			}
		}
		if _, err := f.Next(); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		if sum, _ := f.Sum(); sum != digestOf(data) {
			t.Error("another sum")
		}
		f.Close()
	}
}

func FuzzFile(f *testing.F) {
	ng, _ := aPcapng()
	long := bytes.Index(ng, []byte("\x01\x00\x00\x80"))
	short := append(bytes.Clone(ng[:long]), ng[long+400<<10+12:]...)
	for _, b := range [][]byte{aPcap(binary.LittleEndian, false, 1, 0), aPcap(binary.BigEndian, true, 276, 96), short} {
		f.Add(b)
		f.Add(zipped(f, b))
		f.Add(zstded(f, b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := OpenFile("-", bytes.NewReader(b))
		if err != nil {
			return
		}
		defer file.Close()
		var d decoder
		for n := 0; ; n++ {
			p, err := file.Next()
			if err != nil {
				break
			}
			if len(p.Data) > p.Length || len(p.Data) > packetMost || p.Number != n+1 {
				t.Fatalf("packet %d is called %d and has %d of %d bytes", n+1, p.Number, len(p.Data), p.Length)
			}
			d.decode(&p)
			if n > 1<<20 {
				return // a small compressed file may hold many
			}
		}
		file.Info()
		if sum, n := file.Sum(); sum != digestOf(b) || n != int64(len(b)) {
			t.Fatalf("sum of %d bytes of %d", n, len(b))
		}
	})
}
