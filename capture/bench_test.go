package capture_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
)

// BenchmarkEngine reads mixed traffic from memory, with nobody listening; the bare loop beside it only decodes.
func BenchmarkEngine(b *testing.B) {
	var file bytes.Buffer
	if _, err := (capturetest.Mix{Bytes: 200 << 20, Conversations: 20000, Seed: 1}).Write(&file); err != nil {
		b.Fatal(err)
	}
	read := func(b *testing.B, packet func(*capture.Packet)) {
		r, err := pcapgo.NewReader(bytes.NewReader(file.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		var p capture.Packet
		for n := 1; ; n++ {
			data, ci, err := r.ZeroCopyReadPacketData()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				b.Fatal(err)
			}
			p = capture.Packet{Data: data, At: ci.Timestamp, Length: ci.Length, Link: layers.LinkTypeEthernet, Number: n}
			packet(&p)
		}
	}
	b.Run("engine", func(b *testing.B) {
		b.SetBytes(int64(file.Len()))
		for b.Loop() {
			e := capture.New(capture.Options{})
			read(b, e.Packet)
			e.Close()
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(file.Len()))
		for b.Loop() {
			read(b, func(*capture.Packet) {})
		}
	})
}
