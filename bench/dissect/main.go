// Command dissect gives a capture to everything that mingshi reads captures with: the reader, the engine, and every module's dissector.
// What mingshi does besides, it leaves out: the file's digest, the adding up, the judgement, the report. It prints how many flows
// showed a face function at work.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
)

func main() {
	faces, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "dissect:", err)
		os.Exit(1)
	}
	fmt.Println(faces)
}

func read(name string) (faces int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := capture.OpenStream(name, f)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	modules := map[capture.Proto][]probe.Module{}
	for _, m := range all.Modules() {
		for _, p := range m.Hears {
			modules[p] = append(modules[p], m)
		}
	}
	h := probe.Hearing{Inside: netip.MustParsePrefix("10.77.0.0/16").Contains}
	e := capture.New(capture.Options{Apart: true, Sink: func(f *capture.Flow) {
		for _, m := range modules[f.Proto] {
			observations, _ := m.Dissect(h, f) // what is malformed is none of our business here
			for _, o := range observations {
				if m.Name == "isapi" && o.Class == audit.ClassLive {
					faces++
				}
			}
		}
	}})
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return faces, err
		}
		e.Packet(&p)
	}
	e.Close()
	return faces, nil
}
