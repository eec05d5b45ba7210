// Package report turns an audit.Report into something a person or a pipeline reads. Build makes one View of it, which
// decides what is said; each format has one file, which decides how it looks.
//
// A thing belongs here when it only rearranges or words what the report already holds. What does not belong here: reading
// or writing bundles, judging (package rules), and any statement the evidence in the report does not carry.
package report

import (
	"io"

	"github.com/mingshi-audit/mingshi/audit"
)

// Format is one way to write a report down.
type Format struct {
	Name  string     // as given to --format
	Ext   string     // file name extension without the dot
	Doc   audit.Text // what it is for
	Write func(io.Writer, *View, Options) error
}

// Options are what a rendering depends on beside the report. The zero value gives English at 80 columns without colour.
type Options struct {
	Lang   string // "zh" or "en"; an HTML page holds both and shows this one first
	Width  int    // columns of a terminal; below 40 means 80
	Color  bool   // only where a person looks at a terminal that shows colour
	Bundle string // where the bundle is, for the reader's next step; may be empty
	Digest string // hexadecimal digest of what is signed, printed on every page; may be empty
}

// Formats lists every format.
func Formats() []Format {
	return []Format{
		{Name: "html", Ext: "html", Write: writeHTML,
			Doc: audit.Text{ZH: "单个网页文件，中英双语，可打印，不含脚本", EN: "one page in Chinese and English, printable, without scripts"}},
		{Name: "json", Ext: "json", Write: writeJSON,
			Doc: audit.Text{ZH: "完整数据，附已公布的 JSON Schema", EN: "all data, with a published JSON Schema"}},
		{Name: "text", Ext: "txt", Write: writeText,
			Doc: audit.Text{ZH: "终端摘要", EN: "a summary for the terminal"}},
	}
}
