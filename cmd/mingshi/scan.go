package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/site"
)

func textOf(id string, args ...any) audit.Text { return msg.Text(id, args...) }

func (a *app) scanCommand() *cobra.Command {
	var siteFile, out, permit string
	var ifaces []string
	var window, events, metadata time.Duration
	c := &cobra.Command{Use: "scan --site FILE", Short: a.t("cli.scan.short"), Long: a.t("cli.scan.long"), Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.checkReportFlags(); err != nil {
				return err
			}
			if siteFile == "" {
				return a.usage("cli.scan.no-site")
			}
			file, yaml, err := readSite(siteFile)
			if err != nil {
				return err
			}
			if open := site.Unfilled(file, "authority"); len(open) > 0 {
				return a.usage("cli.scan.unfilled", strings.Join(open, ", "))
			}
			p := file.Authority.Permit
			if permit != "" {
				if p, err = audit.ParsePermit(permit); err != nil {
					return a.usage("cli.bad.permit", permit)
				}
			}
			if len(ifaces) > 0 {
				if err := a.narrow(file, ifaces); err != nil {
					return err
				}
			}
			if out == "" {
				out = freshDir(fmt.Sprintf("mingshi-%s-%s", file.Site.ID, time.Now().Format("20060102-1504")))
			}
			login := func(ref string) (string, string, error) {
				return site.Resolve(ref, file, a.env, func(name string) ([]byte, error) {
					if !filepath.IsAbs(name) {
						name = filepath.Join(filepath.Dir(siteFile), name)
					}
					return os.ReadFile(name)
				})
			}
			r, err := a.carryOut(c.Context(), plan{file: file, yaml: yaml, out: out, permit: p, login: login,
				sample: probe.Sample{Events: events, Metadata: metadata}, window: window, clock: time.Now})
			if err != nil {
				return err
			}
			return a.finish(r, out)
		}}
	f := c.Flags()
	f.StringVar(&siteFile, "site", "", a.t("cli.flag.site"))
	f.StringVarP(&out, "output", "o", "", a.t("cli.flag.output"))
	f.StringVar(&permit, "permit", "", a.t("cli.flag.permit"))
	f.StringSliceVar(&ifaces, "iface", nil, a.t("cli.flag.iface"))
	f.DurationVar(&window, "discover-for", 0, a.t("cli.flag.discover-for"))
	f.DurationVar(&events, "events-for", 0, a.t("cli.flag.events-for"))
	f.DurationVar(&metadata, "metadata-for", 0, a.t("cli.flag.metadata-for"))
	a.addReportFlags(c)
	return c
}

// narrow limits the authority's interfaces to the ones named on the command line; it can never add one.
func (a *app) narrow(file *audit.SiteFile, ifaces []string) error {
	allowed := file.Authority.Interfaces
	for _, i := range ifaces {
		if len(allowed) > 0 && !contains(allowed, i) {
			return a.usage("cli.bad.iface", i, strings.Join(allowed, ", "))
		}
	}
	file.Authority.Interfaces = ifaces
	return nil
}

func contains(l []string, s string) bool {
	for _, x := range l {
		if x == s {
			return true
		}
	}
	return false
}

// readSite reads and checks a site file.
func readSite(name string) (*audit.SiteFile, []byte, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, &exitError{exitNotAllowed, msg.Text("cli.site.unreadable", name, err.Error())}
	}
	file, err := site.Parse(data, name)
	return file, data, err
}
