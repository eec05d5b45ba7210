package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/term"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/discover"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/guard"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/report"
	"github.com/mingshi-audit/mingshi/rules"
	"github.com/mingshi-audit/mingshi/scan"
)

// plan is one audit to be run, whoever asked for it.
type plan struct {
	file      *audit.SiteFile
	yaml      []byte
	dir       string // folder of the site file, where the files it names are
	out       string // folder of the bundle
	permit    audit.Permit
	ifaces    []string // narrows the authority's
	login     func(ref string) (user, password string, err error)
	only      []netip.AddrPort
	sample    probe.Sample
	window    time.Duration
	ears      ears
	simulated bool
	clock     func() time.Time
	data      *knowledge.Set // what is known of makers, models and hosts; nil: what is built in
}

// carryOut runs an audit from the authority to the bundle and returns its report. Before the guard agrees nothing is sent and
// nothing is written; after that, whatever happens, what was gathered is on disk.
func (a *app) carryOut(ctx context.Context, p plan) (audit.Report, error) {
	packs, err := rules.Builtin()
	if err != nil {
		return audit.Report{}, fmt.Errorf("loading the rule packs: %w", err)
	}
	if p.data == nil {
		if p.data, err = knowledge.Builtin(); err != nil {
			return audit.Report{}, err
		}
	}
	g, err := a.guardOf(p)
	if err != nil {
		return audit.Report{}, err
	}
	captures, err := a.openEars(p.ears, g)
	if err != nil {
		return audit.Report{}, err
	}
	run := audit.Run{ID: uuid.NewString(), Permit: p.permit, Simulated: p.simulated}
	bundle, err := evidence.Create(p.out, evidence.Options{Clock: p.clock, Tool: tool(), RunID: run.ID})
	if err != nil {
		shut(captures)
		return audit.Report{}, &exitError{code: exitNotAllowed, text: msg.Text("cli.bundle.not-begun", clean.Text(p.out, 200), becauseOf(err, p.out))}
	}

	kept := exhibits(bundle, p.dir, p.file)
	heard := a.newHeardTable(p)
	progress := report.NewProgress(a.err, isTerminal(a.err), a.quiet || heard != nil, a.lang)
	began := p.clock()
	if len(captures) > 0 {
		// What is held is bounded. What is left behind is collected when there is much of it, and in any case in time.
		defer debug.SetGCPercent(debug.SetGCPercent(400))
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(listeningMemory))
	}
	o := scan.Options{Site: p.file, Guard: g, Modules: all.Modules(), Methods: discover.Methods(), Evidence: bundle, Captures: captures,
		Login: func(ref string) (string, string, error) {
			user, password, err := p.login(ref)
			if err == nil {
				bundle.Login(user, password)
			}
			return user, password, err
		},
		Data: p.data, Sample: p.sample, Window: p.window, Clock: p.clock, Scrub: bundle.Scrub, Journal: bundle.Journal, Progress: progress}
	if heard != nil {
		o.Watch = heard.watch
	}
	gathered := scan.Run(ctx, o)
	heard.end()
	if len(captures) > 0 {
		debug.FreeOSMemory()
	}
	progress.Step(msg.Text("scan.step.judge"))
	gathered.Coverage = append(gathered.Coverage, kept...)
	run.Complete, run.Why, run.Interfaces = gathered.Complete, gathered.Why, gathered.Interfaces
	if len(captures) > 0 {
		run.Began, run.Ended = instant(began), instant(p.clock())
	}
	r, judgeErr := scan.Assemble(scan.Record{Site: *p.file, Observations: gathered.Observations, Coverage: gathered.Coverage, Captures: gathered.Captures, Tool: tool(), Run: run, Data: p.data}, all.Modules(), packs)
	progress.Done()
	if judgeErr != nil {
		// The evidence is worth keeping even when the judgement of it failed; "judge" can be run on it again.
		r = audit.Report{Schema: audit.ReportSchema, Site: p.file.Site, Authority: p.file.Authority, Tool: tool(), Run: run,
			Data: p.data.Refs(), Observations: gathered.Observations, Coverage: gathered.Coverage, Captures: gathered.Captures}
	}
	if err := seal(bundle, p, &r, packs, a.lang); err != nil {
		return r, a.rescue(p, r, err)
	}
	if judgeErr != nil {
		return r, &exitError{code: exitIncomplete, text: msg.Text("cli.judge.failed", because(judgeErr), p.out)}
	}
	return r, nil
}

// guardOf returns the guard of a run. It fails where the authority does not allow the run now, or an interface is not there;
// nothing is sent.
func (a *app) guardOf(p plan) (*guard.Guard, error) {
	if err := a.narrow(p.file, p.ifaces); err != nil {
		return nil, err
	}
	g, err := guard.New(guard.Config{Authority: p.file.Authority, Named: p.ifaces, Permit: p.permit, Only: p.only, Clock: p.clock})
	if err != nil {
		return nil, refusal(err)
	}
	granted := p.file.Authority.Interfaces
	if len(p.ifaces) > 0 {
		granted = p.ifaces
	}
	return g, a.haveInterfaces(g, p, granted)
}

// haveInterfaces refuses a run when an interface the command line names is not on this machine, or none of those the authority
// names is: it would hear nothing there, and what it reached would be reached another way. What is only listened on needs no
// address, and is looked for when it is opened.
func (a *app) haveInterfaces(g *guard.Guard, p plan, granted []string) error {
	listens := func(n string) bool { return slices.Contains(p.ears.ifaces, n) }
	if len(p.ifaces)+len(granted) == 0 || p.permit < audit.PermitDiscover && p.ears.any() {
		return nil
	}
	for _, n := range granted {
		if listens(n) {
			_ = g.Listen(n) // it counts as there from now on; openEars tells what is wrong
		}
	}
	there, err := g.Interfaces()
	if err != nil {
		return refusal(err)
	}
	for _, n := range p.ifaces {
		if !listens(n) && !slices.ContainsFunc(there, func(i guard.Interface) bool { return i.Name == n }) {
			return a.usage("cli.bad.no-iface", clean.Text(n, 40))
		}
	}
	if len(there) == 0 && !slices.ContainsFunc(granted, listens) {
		return a.usage("cli.bad.no-iface", clean.Text(strings.Join(granted, ", "), 200))
	}
	return nil
}

// seal writes everything but the transcript into the bundle and closes it. Where something cannot be written, the run is not
// complete, and the report and the manifest say so.
func seal(b *evidence.Bundle, p plan, r *audit.Report, packs []*rules.Pack, lang string) error {
	var errs []error
	add := func(name string, data []byte, err error) {
		if err == nil {
			err = b.AddFile(name, data)
		}
		if err != nil {
			errs = append(errs, err)
			r.Run.Complete, r.Run.Why = false, msg.Text("cli.why.unwritten")
		}
	}
	add("data/site.yaml", p.yaml, nil)
	for _, pack := range packs {
		for name, data := range pack.Files() {
			add("data/packs/"+pack.ID()+"/"+name, data, nil)
		}
	}
	if p.data != nil {
		for _, f := range p.data.Refs() {
			add(dataDir+"/"+f.Name, p.data.File(f.Name), nil)
		}
	}
	data, err := report.JSON(*r)
	add("data/report.json", data, err)
	page, err := pageOf(*r, lang, digestOf(data))
	add("report.html", page, err)
	if err := b.Close(evidence.Manifest{Site: r.Site.ID, Authority: evidence.Summarise(r.Authority), Run: r.Run, Packs: r.Packs, Window: r.Window}); err != nil {
		errs = append(errs, err)
		r.Run.Complete, r.Run.Why = false, msg.Text("cli.why.unwritten")
	}
	return errors.Join(errs...)
}

// rescue keeps the report of an audit whose bundle could not be written: it goes to the system's temporary folder, which often
// is on another disk, and is shown. The message says what to do.
func (a *app) rescue(p plan, r audit.Report, cause error) error {
	why := because(cause)
	data, err := report.JSON(r)
	var dir string
	if err == nil {
		dir, err = os.MkdirTemp("", "mingshi-rescued-")
	}
	name := filepath.Join(dir, "report.json")
	if err == nil {
		err = os.WriteFile(name, data, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "site.yaml"), p.yaml, 0o600)
	}
	shown := a.show(r, a.format)
	switch {
	case err == nil:
		return &exitError{code: exitIncomplete, text: msg.Text("cli.bundle.rescued", p.out, why, name)}
	case shown == nil && a.result.err == nil:
		return &exitError{code: exitIncomplete, text: msg.Text("cli.bundle.shown", p.out, why)}
	}
	return &exitError{code: exitIncomplete, text: msg.Text("cli.bundle.failed", p.out, why)}
}

// pageOf renders the page that goes into the bundle. It names the report it was made from by its digest.
func pageOf(r audit.Report, lang, digest string) ([]byte, error) {
	var page bytes.Buffer
	f, _ := formatNamed("html")
	err := f.Write(&page, report.Build(r), report.Options{Lang: lang, Digest: digest})
	return page.Bytes(), err
}

// digestOf names the bundle on the page: the digest of its report.
func digestOf(reportJSON []byte) string {
	h := sha256.Sum256(reportJSON)
	return hex.EncodeToString(h[:])
}

func refusal(err error) error {
	var t *guard.AuthorityError
	if errors.As(err, &t) {
		return &exitError{code: exitNotAllowed, text: msg.Text("cli.refused", t.Reason)}
	}
	return &exitError{code: exitNotAllowed, text: msg.Text("cli.bad.command", clean.Text(err.Error(), 400))}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// freshDir returns base, or base with the first number that names no existing folder.
func freshDir(base string) string {
	for i := 0; ; i++ {
		dir := base
		if i > 0 {
			dir = fmt.Sprintf("%s-%d", base, i+1)
		}
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return filepath.Clean(dir)
		}
	}
}

// listeningMemory is what a run that reads captures is to get by with, however large they are: a laptop on site has other work.
const listeningMemory = 200 << 20
