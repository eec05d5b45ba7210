package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/gopacket/layers"
)

// What may be wrong with a capture file. A *FileError wraps one of them, or what reading said.
var (
	ErrFormat    = errors.New("neither pcap nor pcapng")
	ErrTruncated = errors.New("the file ends inside it")
	ErrCorrupt   = errors.New("it is damaged")
)

// FileError says at which packet a capture file could not be read on. What came before it stands.
type FileError struct {
	Name   string
	Packet int // the packet that was to come, counted from 1; 0: the file's own header
	Err    error
}

// Error names the file and the packet.
func (e *FileError) Error() string {
	if e.Packet == 0 {
		return fmt.Sprintf("capture: reading %s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("capture: reading %s at packet %d: %v", e.Name, e.Packet, e.Err)
}

// Unwrap returns what was wrong.
func (e *FileError) Unwrap() error { return e.Err }

// Info is what a capture file says of itself.
type Info struct {
	Name        string
	Format      string   // "pcap", "pcapng"
	Compression string   // "gzip", "zstd" or empty
	Links       []string // link types in the order they appeared; of a pcapng, those read so far
	Snaplen     int      // at how many bytes packets were cut; 0: not said. Of several interfaces the least that was said
}

// File is a capture file: pcap in both byte orders with micro- or nanoseconds, or pcapng, plain or compressed by gzip or zstd. What it is is
// recognised by its content. pcapgo's readers are not used: that of pcapng allocates whatever a length field says and divides by a
// resolution of nothing, that of pcap refuses files whose snap length is not set or not kept, and neither copies less than twice.
type File struct {
	info   Info // but for what the packets' format says
	ahead  *ahead
	number int
	err    error // what Next goes on to return

	sum    string
	length int64

	file    *os.File // nil: standard input
	regular bool
	raw     *pump   // what lies on the disk
	rest    *window // of raw, for what nobody parsed
	text    *pump   // what it was decompressed to; nil
}

// format reads the packets of one format. next returns io.EOF only between two packets; other errors are ErrTruncated, ErrCorrupt or what reading said.
type format interface {
	next() (Packet, error)
	describe(*Info)
	losses() (received, dropped int64)
}

// OpenFile opens a capture file, or standard input if the name is "-", and reads as far as it takes to know what it is: of standard
// input it waits for the first bytes. Its errors are *FileError, or what opening said.
func OpenFile(name string, stdin io.Reader) (*File, error) {
	f := &File{info: Info{Name: name}}
	if name != "-" {
		var err error
		if f.file, err = os.Open(name); err != nil {
			return nil, fmt.Errorf("capture: %w", err)
		}
		if s, err := f.file.Stat(); err == nil {
			f.regular = s.Mode().IsRegular()
		}
		stdin = f.file
	} else if stdin == nil {
		return nil, fmt.Errorf("capture: no standard input")
	}
	return f.begin(stdin, true)
}

// OpenStream reads a capture from r, which is not closed, and takes no digest: Sum returns nothing.
func OpenStream(name string, r io.Reader) (*File, error) {
	f := &File{info: Info{Name: name}}
	return f.begin(r, false)
}

func (f *File) begin(r io.Reader, digest bool) (*File, error) {
	f.raw = startPump(r, digest)
	f.rest = &window{in: f.raw}
	if err := f.recognise(); err != nil {
		_ = f.Close()
		return nil, &FileError{Name: f.info.Name, Err: err}
	}
	return f, nil
}

// recognise finds out what the file is.
func (f *File) recognise() error {
	w := f.rest
	if f.info.Compression = compression(w.need(4)); f.info.Compression != "" {
		f.text = startPump(decompress(f.info.Compression, w), false)
		w = &window{in: f.text}
	}
	b := w.need(4)
	if len(b) < 4 {
		if err := w.ended(); !errors.Is(err, io.EOF) {
			return err
		}
		return fmt.Errorf("%w: it has only %d bytes", ErrFormat, len(b))
	}
	from, name, err := newFormat(w, b)
	if err != nil {
		return err
	}
	f.info.Format = name
	f.ahead = newAhead(from, w, f.info)
	return nil
}

func newFormat(w *window, b []byte) (format, string, error) {
	if binary.BigEndian.Uint32(b) == ngSection {
		r, err := newPcapng(w)
		return r, "pcapng", err
	}
	if order, nano, ok := pcapMagic(b); ok {
		r, err := newPcap(w, order, nano)
		return r, "pcap", err
	}
	if what := foreign(b); what != "" {
		return nil, "", fmt.Errorf("%w: it looks like %s", ErrFormat, what)
	}
	return nil, "", ErrFormat
}

// foreign names what somebody might take for a capture.
func foreign(b []byte) string {
	for _, k := range [...]struct{ magic, name string }{
		{"\x1f\x8b", "gzip within gzip or zstd"}, {"\x28\xb5\x2f\xfd", "zstd within gzip or zstd"}, {"BZh", "bzip2"}, {"\xfd7zX", "xz"}, {"\x04\x22\x4d\x18", "lz4"},
		{"PK\x03\x04", "zip"}, {"7z\xbc\xaf", "7z"}, {"snoo", "snoop"}, {"\xa1\xb2\xcd\x34", "a pcap of a modified libpcap"}, {"\x34\xcd\xb2\xa1", "a pcap of a modified libpcap"},
	} {
		if string(b[:min(len(b), len(k.magic))]) == k.magic {
			return k.name
		}
	}
	return ""
}

// Next returns the next packet. After an error that is not io.EOF it returns that error again.
func (f *File) Next() (Packet, error) {
	if f.err != nil {
		return Packet{}, f.err
	}
	p, err := f.ahead.next()
	if err != nil {
		f.err = err
		if !errors.Is(err, io.EOF) {
			f.err = &FileError{Name: f.info.Name, Packet: f.number + 1, Err: err}
		}
		return Packet{}, f.err
	}
	f.number = p.Number
	return *p, nil
}

// Losses returns what a pcapng says its own capture received and dropped, as far as it was read; nothing of a pcap, which does not say it.
func (f *File) Losses() (received, dropped int64) {
	_, received, dropped = f.ahead.stand()
	return received, dropped
}

// Info returns what the file says of itself, as far as it was read.
func (f *File) Info() Info {
	i, _, _ := f.ahead.stand()
	return i
}

// Sum returns the SHA-256 of the file as it lies on the disk, and its length. It is to be called when Next returned an error, or was
// never called: where that was not the file's end, it reads what is left. It returns nothing if the file cannot be read to its end, or was
// closed.
func (f *File) Sum() (sha256 string, bytes int64) {
	if f.sum != "" || f.raw.hash == nil || !f.ahead.over() {
		return f.sum, f.length
	}
	if f.text != nil {
		f.text.close() // it reads from the same window
		<-f.text.ended
	}
	for len(f.rest.need(1)) > 0 {
		f.rest.skip(len(f.rest.b))
	}
	if errors.Is(f.rest.ended(), io.EOF) {
		f.sum, f.length = f.raw.sum()
	}
	return f.sum, f.length
}

// Close stops reading; Next and Sum that are under way return. A read of standard input that is under way is left to itself.
func (f *File) Close() error {
	for _, p := range []*pump{f.text, f.raw} {
		if p != nil {
			p.close()
		}
	}
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	if f.regular { // others may keep their reader waiting
		<-f.raw.ended
	}
	return err
}

// linkOf returns what the decoder calls a link type of a file, and its name.
func linkOf(n uint32) (layers.LinkType, string) {
	switch n {
	case 0:
		return layers.LinkTypeNull, "null"
	case 1:
		return layers.LinkTypeEthernet, "ethernet"
	case 12, 14, 101:
		return layers.LinkTypeRaw, "raw"
	case 108:
		return layers.LinkTypeLoop, "loop"
	case 113:
		return layers.LinkTypeLinuxSLL, "linux-sll"
	case 228:
		return layers.LinkTypeIPv4, "ipv4"
	case 229:
		return layers.LinkTypeIPv6, "ipv6"
	case 276:
		return linkSLL2, "linux-sll2"
	case 105, 119, 127, 163, 192:
		return linkUnknown, fmt.Sprintf("wireless (%d), not decoded", n)
	}
	return linkUnknown, fmt.Sprintf("%d, not decoded", n)
}

// addLink puts a link type to the others.
func (i *Info) addLink(n uint32) {
	if _, name := linkOf(n); !slices.Contains(i.Links, name) && len(i.Links) < 64 {
		i.Links = append(i.Links, name)
	}
}

// addSnaplen takes the least length that packets were cut to.
func (i *Info) addSnaplen(n uint32) {
	if n > 0 && n <= 1<<30 && (i.Snaplen == 0 || int(n) < i.Snaplen) {
		i.Snaplen = int(n)
	}
}
