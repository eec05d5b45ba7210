package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/site"
)

func (a *app) scanCommand() *cobra.Command {
	var siteFile, out, permit, dataFiles string
	var ifaces []string
	var pcaps []string
	var window, events, metadata, listenFor time.Duration
	var planOnly, asJSON bool
	c := &cobra.Command{Use: "scan --site " + a.t("cli.arg.file"), Short: a.t("cli.scan.short"), Long: a.t("cli.scan.long"), Args: a.filesAfter("pcap"),
		RunE: func(c *cobra.Command, more []string) error {
			pcaps = append(pcaps, more...)
			if err := a.checkReportFlags(); err != nil {
				return err
			}
			for name, d := range map[string]time.Duration{"discover-for": window, "events-for": events, "metadata-for": metadata, "listen-for": listenFor} {
				if d < 0 || d > longest || d == 0 && c.Flags().Changed(name) {
					return a.usage("cli.bad.duration", name, d.String(), "24h")
				}
			}
			if asJSON && !planOnly {
				return a.usage("cli.plan.json")
			}
			file, yaml, err := a.authorised(siteFile, c.CommandPath())
			if err != nil {
				return err
			}
			p := file.Authority.Permit
			if len(pcaps) > 0 {
				p = min(p, audit.PermitListen) // files alone are read, unless more is asked for
			}
			if permit != "" {
				if p, err = a.permitNamed(permit); err != nil {
					return err
				}
			}
			login := func(ref string) (string, string, error) {
				return site.Resolve(ref, file, a.env, func(name string) ([]byte, error) { return os.ReadFile(besides(name, siteFile)) })
			}
			data, err := a.knowledgeOf(dataFiles)
			if err != nil {
				return err
			}
			run := plan{data: data, file: file, yaml: yaml, dir: filepath.Dir(siteFile), permit: p, ifaces: ifaces, login: login,
				sample: probe.Sample{Events: events, Metadata: metadata}, window: window, clock: time.Now}
			if run.ears, err = a.earsOf(run, pcaps, listenFor, false); err != nil {
				return err
			}
			if planOnly {
				return a.showPlan(run, asJSON)
			}
			if err := a.narrow(file, ifaces); err != nil {
				return err
			}
			if p >= audit.PermitLogin {
				a.warnOfLogins(file, siteFile, login)
			}
			return a.audit(c.Context(), run, out)
		}}
	f := c.Flags()
	f.StringVar(&siteFile, "site", "", a.t("cli.flag.site"))
	f.StringVarP(&out, "output", "o", "", a.t("cli.flag.output"))
	f.StringVar(&permit, "permit", "", a.t("cli.flag.permit"))
	f.StringSliceVar(&ifaces, "iface", nil, a.t("cli.flag.iface"))
	f.StringArrayVar(&pcaps, "pcap", nil, a.t("cli.flag.pcap"))
	f.DurationVar(&listenFor, "listen-for", 0, a.t("cli.flag.listen-for"))
	f.DurationVar(&window, "discover-for", 0, a.t("cli.flag.discover-for"))
	f.DurationVar(&events, "events-for", 0, a.t("cli.flag.events-for"))
	f.DurationVar(&metadata, "metadata-for", 0, a.t("cli.flag.metadata-for"))
	f.BoolVar(&planOnly, "plan", false, a.t("cli.plan.flag"))
	f.BoolVar(&asJSON, "json", false, a.t("cli.plan.flag.json"))
	a.addDataFlag(c, &dataFiles)
	a.addReportFlags(c)
	return c
}

// filesAfter allows arguments where a flag that takes a file was given: a shell writes the names a pattern stands for one after
// the other.
func (a *app) filesAfter(flag string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if c.Flags().Changed(flag) {
			return nil
		}
		return a.between(0, 0)(c, args)
	}
}

// audit carries out an audit into a folder, a fresh one where none is named, and shows its result.
func (a *app) audit(ctx context.Context, run plan, out string) error {
	if run.out = out; out == "" {
		run.out = freshDir(fmt.Sprintf("mingshi-%s-%s", run.file.Site.ID, time.Now().Format("20060102-1504")))
	}
	r, err := a.carryOut(ctx, run)
	if err != nil {
		return err
	}
	return a.finish(r, run.out)
}

// authorised reads a site file for a command that sends something. It fails where there is none, or where its authority is not
// filled in.
func (a *app) authorised(siteFile, command string) (*audit.SiteFile, []byte, error) {
	if siteFile == "" {
		return nil, nil, a.usage("cli.scan.no-site", command)
	}
	file, yaml, err := readSite(siteFile)
	if err != nil {
		return nil, nil, err
	}
	if open := site.Unfilled(file, "authority"); len(open) > 0 {
		return nil, nil, a.usage("cli.scan.unfilled", strings.Join(open, ", "))
	}
	return file, yaml, nil
}

func (a *app) permitNamed(name string) (audit.Permit, error) {
	p, err := audit.ParsePermit(name)
	if err != nil {
		return p, a.usage("cli.bad.permit", clean.Text(name, 40))
	}
	return p, nil
}

// longest bounds how long one device is watched: a mistyped unit should not hold an inspector for days.
const longest = 24 * time.Hour

// besides returns where a file is that the site file names: a relative name belongs to the site file's folder.
func besides(name, siteFile string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(siteFile), name)
}

// sharedFile reports a file that other users of this machine can read or change. On Windows the mode does not say.
func sharedFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// warnOfLogins says before the first packet which logins cannot be had and which other users of this machine can read, while
// there is time to put it right. The run goes on without a login it cannot have, and the coverage says so.
func (a *app) warnOfLogins(file *audit.SiteFile, siteFile string, login func(ref string) (string, string, error)) {
	var seen []string
	entries := []audit.InventoryEntry{{}}
	for _, e := range append(entries, file.Inventory...) {
		ref := site.LoginRef(file, e.ID)
		if ref == "" || slices.Contains(seen, ref) {
			continue
		}
		seen = append(seen, ref)
		_, _, err := login(ref)
		var l *site.LoginError
		if errors.As(err, &l) {
			a.say("cli.scan.no-login", clean.Text(ref, 100), l.Text)
		}
		if name, ok := strings.CutPrefix(ref, "file:"); ok && sharedFile(besides(name, siteFile)) {
			a.say("cli.scan.shared-login", clean.Text(ref, 100), msg.Text("site.login.shared"))
		}
	}
}

// narrow limits the authority's interfaces to the ones named on the command line; it can never add one, and what
// the report says of the authority stays as it was granted.
func (a *app) narrow(file *audit.SiteFile, ifaces []string) error {
	allowed := file.Authority.Interfaces
	for _, i := range ifaces {
		if len(allowed) > 0 && !slices.Contains(allowed, i) {
			return a.usage("cli.bad.iface", clean.Text(i, 40), strings.Join(allowed, ", "))
		}
	}
	return nil
}

// readSite reads and checks a site file.
func readSite(name string) (*audit.SiteFile, []byte, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, &exitError{code: exitNotAllowed, text: msg.Text("cli.site.unreadable", clean.Text(name, 200), because(err))}
	}
	file, err := site.Parse(data, name)
	return file, data, err
}
