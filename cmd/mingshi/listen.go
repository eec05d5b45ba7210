package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/scan"
)

// listenLong is how long an interface is listened on where nobody says it.
const listenLong = 10 * time.Minute

// ears is what a run listens to.
type ears struct {
	files  []string      // capture files; "-" is standard input
	ifaces []string      // listened on; nil: none
	span   time.Duration // how long
	early  bool          // nobody said how long: Ctrl-C is an orderly end
	table  bool          // show what is heard while it is
}

func (e ears) any() bool { return len(e.files)+len(e.ifaces) > 0 }

func (a *app) listenCommand() *cobra.Command {
	var siteFile, out, dataFiles string
	var ifaces []string
	var span time.Duration
	c := &cobra.Command{Use: "listen --site " + a.t("cli.arg.file"), Short: a.t("cli.listen.short"), Long: a.t("cli.listen.long"), Args: a.between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.checkReportFlags(); err != nil {
				return err
			}
			if span < 0 || span > longest || span == 0 && c.Flags().Changed("for") {
				return a.usage("cli.bad.duration", "for", span.String(), "24h")
			}
			file, yaml, err := a.authorised(siteFile, c.CommandPath())
			if err != nil {
				return err
			}
			run := plan{file: file, yaml: yaml, dir: filepath.Dir(siteFile), permit: audit.PermitListen, ifaces: ifaces, clock: time.Now}
			if run.data, err = a.knowledgeOf(dataFiles); err != nil {
				return err
			}
			if run.ears, err = a.earsOf(run, nil, span, true); err != nil {
				return err
			}
			run.ears.table = true
			return a.audit(c.Context(), run, out)
		}}
	f := c.Flags()
	f.StringVar(&siteFile, "site", "", a.t("cli.flag.site"))
	f.StringSliceVar(&ifaces, "iface", nil, a.t("cli.listen.flag.iface"))
	f.DurationVar(&span, "for", 0, a.t("cli.listen.flag.for"))
	f.StringVarP(&out, "output", "o", "", a.t("cli.flag.output"))
	a.addDataFlag(c, &dataFiles)
	a.addReportFlags(c)
	return c
}

// earsOf works out what a run listens to. Interfaces are listened on only where the permit is to listen and one is named, or where
// listen says so: otherwise they limit where devices are looked for. Where none is named then, all that the authority covers are.
func (a *app) earsOf(p plan, files []string, span time.Duration, listen bool) (ears, error) {
	e := ears{files: files, span: span, early: span == 0}
	if e.early {
		e.span = listenLong
	}
	if n := len(files) - len(slices.DeleteFunc(slices.Clone(files), func(s string) bool { return s == "-" })); n > 1 {
		return e, a.usage("cli.listen.twice")
	}
	listen = listen || span > 0 || p.permit == audit.PermitListen && len(p.ifaces) > 0
	if !listen {
		return e, nil
	}
	if e.ifaces = slices.Compact(slices.Sorted(slices.Values(p.ifaces))); len(e.ifaces) > 0 {
		return e, a.narrow(p.file, p.ifaces)
	}
	if e.ifaces = slices.Clone(p.file.Authority.Interfaces); len(e.ifaces) > 0 {
		return e, nil
	}
	g, err := guard.New(guard.Config{Authority: p.file.Authority, Permit: p.permit, Clock: p.clock})
	if err != nil {
		return e, refusal(err)
	}
	there, err := g.Interfaces()
	if err != nil {
		return e, refusal(err)
	}
	for _, i := range there {
		e.ifaces = append(e.ifaces, i.Name)
	}
	if len(e.ifaces) == 0 {
		return e, a.usage("cli.listen.none")
	}
	return e, nil
}

// openEars opens everything that is listened to, before anything else happens. What cannot be opened ends the run.
func (a *app) openEars(e ears, g *guard.Guard) (captures []scan.Capture, err error) {
	defer func() {
		if err != nil {
			shut(captures)
			captures = nil
		}
	}()
	for _, name := range e.files {
		src, err := a.openFile(name)
		if err != nil {
			return captures, &exitError{code: exitNotAllowed, text: msg.Text("cli.listen.file", clean.Text(name, 200), problem(err))}
		}
		captures = append(captures, scan.Capture{Name: shownName(name, captures), Source: src})
	}
	for _, name := range e.ifaces {
		if err := g.Listen(name); err != nil {
			var d *guard.DeniedError
			if errors.As(err, &d) {
				return captures, &exitError{code: exitNotAllowed, text: msg.Text("cli.listen.denied", clean.Text(name, 40), d.Denial.Reason, strings.Join(interfacesUp(), ", "))}
			}
			return captures, refusal(err)
		}
		src, err := capture.OpenInterface(name)
		if err != nil {
			return captures, &exitError{code: exitNotAllowed, text: msg.Text("cli.listen.iface", clean.Text(name, 40), problem(err))}
		}
		captures = append(captures, scan.Capture{Name: name, Source: src, Live: true, For: e.span, Early: e.early})
	}
	for i := range captures {
		captures[i].ID = fmt.Sprintf("c%d", i+1)
	}
	return captures, nil
}

// interfacesUp names the interfaces of this machine that are up.
func interfacesUp() (names []string) {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 {
			names = append(names, i.Name)
		}
	}
	return names
}

func shut(captures []scan.Capture) {
	for _, c := range captures {
		_ = c.Source.Close() // nothing was written
	}
}

// shownName is a file's name without its folder, told apart from those before it.
func shownName(name string, before []scan.Capture) string {
	base := filepath.Base(name)
	if name == "-" {
		base = "stdin"
	}
	for shown, n := base, 2; ; n++ {
		if !slices.ContainsFunc(before, func(c scan.Capture) bool { return c.Name == shown }) {
			return shown
		}
		shown = fmt.Sprintf("%s (%d)", base, n)
	}
}

// problem says why something cannot be listened to.
func problem(err error) audit.Text {
	if why := scan.CaptureProblem(err); why.ZH != why.EN { // one we know
		return why
	}
	return because(err)
}

// openFile opens a capture file and looks whether it is one. A file that has a name is read from its beginning when its turn
// comes, so that a hundred of them do not wait in memory.
func (a *app) openFile(name string) (capture.Source, error) {
	f, err := capture.OpenFile(name, a.in)
	if err != nil || name == "-" {
		return f, err
	}
	return &laterFile{name: name}, f.Close()
}

// laterFile is a capture file that is opened when its first packet is asked for.
type laterFile struct {
	name string

	mu     sync.Mutex
	file   *capture.File
	closed bool
}

// Next returns the next packet.
func (l *laterFile) Next() (capture.Packet, error) {
	f, err := l.opened()
	if err != nil {
		return capture.Packet{}, err
	}
	return f.Next()
}

func (l *laterFile) opened() (*capture.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, io.EOF
	}
	if l.file == nil {
		f, err := capture.OpenFile(l.name, nil)
		if err != nil {
			return nil, err
		}
		l.file = f
	}
	return l.file, nil
}

// at calls f with the file, where it was opened.
func (l *laterFile) at(f func(*capture.File)) {
	l.mu.Lock()
	file := l.file
	l.mu.Unlock()
	if file != nil {
		f(file)
	}
}

// Losses, Info and Sum say what the file says; nothing before its first packet was asked for.
func (l *laterFile) Losses() (received, dropped int64) {
	l.at(func(f *capture.File) { received, dropped = f.Losses() })
	return received, dropped
}

// Info returns what the file says of itself.
func (l *laterFile) Info() (i capture.Info) {
	l.at(func(f *capture.File) { i = f.Info() })
	return i
}

// Sum returns the file's digest and length.
func (l *laterFile) Sum() (sum string, n int64) {
	l.at(func(f *capture.File) { sum, n = f.Sum() })
	return sum, n
}

// Close ends the reading.
func (l *laterFile) Close() (err error) {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.at(func(f *capture.File) { err = f.Close() })
	return err
}

// sources names what a run listens to, for a person.
func (e ears) sources() string {
	var out []string
	for _, f := range e.files {
		out = append(out, clean.Text(f, 100))
	}
	for _, i := range e.ifaces {
		out = append(out, clean.Text(i, 40))
	}
	return strings.Join(out, ", ")
}
