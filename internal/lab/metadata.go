package lab

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"time"
)

// document writes one metadata document as it goes over RTP.
func (d *device) document(f Frame) []byte {
	doc := f.Raw
	if doc == "" {
		doc = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
			`<tt:MetadataStream xmlns:tt="` + nsTT + `" xmlns:fc="http://www.onvif.org/ver20/analytics/humanface" xmlns:bd="http://www.onvif.org/ver20/analytics/humanbody">` +
			`<tt:VideoAnalytics><tt:Frame UtcTime="` + d.now().Format("2006-01-02T15:04:05.000Z") + `">` + frameContent(f) + `</tt:Frame></tt:VideoAnalytics></tt:MetadataStream>`
		doc = d.restyled(doc)
	}
	if d.spec.Metadata.Encoding != GzipMetadata {
		return []byte(doc)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(doc)) // into memory: neither fails
	z.Close()
	return b.Bytes()
}

// frameContent writes what stands below tt:Frame, as described in metadatastream.xsd.
func frameContent(f Frame) string {
	var b strings.Builder
	b.WriteString(`<tt:Transformation><tt:Translate x="-1.0" y="1.0"/><tt:Scale x="0.0002" y="-0.0002"/></tt:Transformation>`)
	for _, o := range f.Objects {
		fmt.Fprintf(&b, `<tt:Object ObjectId="%d"`, o.ID)
		if o.Parent != 0 {
			fmt.Fprintf(&b, ` Parent="%d"`, o.Parent)
		}
		b.WriteString(`><tt:Appearance><tt:Shape><tt:BoundingBox left="100" top="100" right="300" bottom="420"/><tt:CenterOfGravity x="200" y="260"/></tt:Shape>`)
		b.WriteString(classOf(o))
		if len(o.Attributes) > 0 {
			b.WriteString(humanFace(o))
		}
		if o.Image {
			b.WriteString(`<tt:ImageRef>http://crops.invalid/face/` + fmt.Sprint(o.ID) + `.jpg</tt:ImageRef>`)
		}
		b.WriteString(o.Extra + `</tt:Appearance></tt:Object>`)
	}
	return b.String()
}

func classOf(o Object) string {
	if o.Class == "" {
		return ""
	}
	c := esc(o.Class)
	switch o.Form {
	case ClassCandidate:
		return `<tt:Class><tt:ClassCandidate><tt:Type>` + c + `</tt:Type><tt:Likelihood>0.41</tt:Likelihood></tt:ClassCandidate></tt:Class>`
	case ClassOther:
		return `<tt:Class><tt:ClassCandidate><tt:Type>Other</tt:Type><tt:Likelihood>0.5</tt:Likelihood></tt:ClassCandidate>` +
			`<tt:Extension><tt:OtherTypes><tt:Type>` + c + `</tt:Type><tt:Likelihood>0.5</tt:Likelihood></tt:OtherTypes></tt:Extension></tt:Class>`
	default:
		return `<tt:Class><tt:Type Likelihood="0.88">` + c + `</tt:Type></tt:Class>`
	}
}

func humanFace(o Object) string {
	ns := "fc"
	if o.NS == InTT {
		ns = "tt"
	}
	var b strings.Builder
	b.WriteString("<tt:HumanFace>")
	for _, a := range o.Attributes {
		v := a.Value
		if !strings.HasPrefix(v, "<") {
			v = esc(v)
		}
		fmt.Fprintf(&b, "<%[1]s:%[2]s>%[3]s</%[1]s:%[2]s>", ns, a.Name, v)
	}
	b.WriteString("</tt:HumanFace>")
	return b.String()
}

// emit writes documents into the metadata track while somebody watches, cut into several packets each.
func (r *rtspServer) emit() {
	m := r.d.spec.Metadata
	t := time.NewTicker(m.Every)
	defer t.Stop()
	var seq uint16 = 65_500 // wraps soon
	var stamp uint32 = 1_000
	for i := 0; ; {
		select {
		case <-r.d.shop.ctx.Done():
			return
		case <-t.C:
		}
		stamp += uint32(m.Every.Seconds() * 90_000)
		if r.watching.Load() <= 0 {
			continue
		}
		doc := r.d.document(m.Frames[i%len(m.Frames)])
		i++
		size := 500 // small enough to cut an ordinary document in several pieces
		if len(doc) > 1<<16 {
			size = 1400
		}
		for n := 0; len(doc) > 0; seq++ {
			piece := doc[:min(size, len(doc))]
			doc = doc[len(piece):]
			r.packet(piece, seq, stamp, len(doc) == 0 && !m.NoMarker)
			if n++; n%64 == 0 {
				time.Sleep(2 * time.Millisecond) // or the queue of the reader overflows
			}
		}
	}
}
