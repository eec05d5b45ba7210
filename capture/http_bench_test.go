package capture

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// segmented cuts what one side sends into segments of an Ethernet.
func segmented(s string) [][]byte {
	var out [][]byte
	for s != "" {
		n := min(len(s), 1448)
		out, s = append(out, []byte(s[:n])), s[n:]
	}
	return out
}

func benchmark(b *testing.B, mk func(*conn) framer, before []said, stream string) {
	f := newFeeder(mk, false)
	for _, s := range before {
		f.segment(s.up, s.b)
	}
	f.e.o.Sink = func(*Flow) {}
	segments := segmented(stream)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range segments {
			f.c.framer.data(f.c, false, s)
		}
	}
}

// A hundred megabytes of each.
const megabytes = 100 << 20

func BenchmarkInterleaved(b *testing.B) {
	one := interleaved(0, rtp(1, 1, 77, false, strings.Repeat("v", 1400)))
	for name, before := range map[string][]said{"described": session(sdp), "unseen": {answer(1, "", "")}} {
		b.Run(name, func(b *testing.B) { benchmark(b, newRTSP, before, strings.Repeat(one, megabytes/len(one))) })
	}
}

func BenchmarkPictures(b *testing.B) {
	picture := "\xff\xd8\xff\xe0" + strings.Repeat("j\rp\neg\x00--", 20000)
	one := withLength("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg", picture)
	b.Run("length", func(b *testing.B) { benchmark(b, newHTTP, nil, strings.Repeat(one, megabytes/len(one))) })
	random := make([]byte, 200<<10) // as a picture's bytes are
	rand.NewChaCha8([32]byte{}).Read(random)
	one = "--b\r\nContent-Type: image/jpeg\r\n\r\n" + string(random) + "\r\n"
	b.Run("parts", func(b *testing.B) {
		benchmark(b, newHTTP, []said{s2c("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n")}, strings.Repeat(one, megabytes/len(one)))
	})
	one = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("4000\r\n"+strings.Repeat("j", 0x4000)+"\r\n", 10) + "0\r\n\r\n"
	b.Run("chunks", func(b *testing.B) { benchmark(b, newHTTP, nil, strings.Repeat(one, megabytes/len(one))) })
}

func BenchmarkPush(b *testing.B) {
	one := withLength("POST /event HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=boundary", push)
	f := newFeeder(newHTTP, false)
	f.e.o.Sink = func(*Flow) {}
	b.SetBytes(int64(len(one)))
	b.ReportAllocs()
	in, out := []byte(one), []byte(okEmpty)
	for b.Loop() {
		f.c.framer.data(f.c, true, in)
		f.c.framer.data(f.c, false, out)
	}
}
