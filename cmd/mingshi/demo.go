package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/lab"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/site"
)

// demoSample bounds what the demonstration watches: its devices speak within a second.
var demoSample = probe.Sample{Events: 6 * time.Second, Metadata: 6 * time.Second}

func (a *app) demoCommand() *cobra.Command {
	var out, dataFiles string
	c := &cobra.Command{Use: "demo", Short: a.t("cli.demo.short"), Long: a.t("cli.demo.long"), Args: a.between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.checkReportFlags(); err != nil {
				return err
			}
			data, err := a.knowledgeOf(dataFiles)
			if err != nil {
				return err
			}
			if out == "" {
				out = freshDir("mingshi-demo")
			}
			// The shop outlives an interrupt, so that what is held on its devices can be released in good order.
			shop, err := lab.Open(context.WithoutCancel(c.Context()), lab.Config{Multicast: true})
			if err != nil {
				return &exitError{code: exitIncomplete, text: msg.Text("cli.demo.failed", because(err))}
			}
			defer shop.Close()
			a.say("cli.demo.open", len(shop.Devices()))
			yaml := shop.SiteYAML()
			file, err := site.Parse(yaml, "demo.yaml")
			if err != nil {
				return fmt.Errorf("the demonstration's own site file: %w", err)
			}
			r, err := a.carryOut(c.Context(), plan{data: data, file: file, yaml: yaml, out: out, permit: audit.PermitSample, only: shop.Endpoints(),
				sample: demoSample, window: 3 * time.Second, simulated: true, clock: time.Now,
				login: func(ref string) (string, string, error) {
					user, password, ok := shop.Credential(ref)
					if !ok {
						return "", "", fmt.Errorf("the simulated shop knows no login %q", ref)
					}
					return user, password, nil
				}})
			if v := shop.Violations(); len(v) > 0 {
				// The simulated devices watch their visitor; what they object to is a defect of this program.
				for _, x := range v {
					fmt.Fprintln(a.err, a.t("cli.demo.violation", x))
				}
			}
			if err != nil {
				return err
			}
			return a.finish(r, out)
		}}
	c.Flags().StringVarP(&out, "output", "o", "", a.t("cli.flag.output.demo"))
	a.addDataFlag(c, &dataFiles)
	a.addReportFlags(c)
	return c
}

// finish shows the result, says where the bundle is, and turns the verdict into the exit code.
func (a *app) finish(r audit.Report, out string) error {
	if err := a.show(r, a.format); err != nil {
		return err
	}
	a.say("cli.bundle.written", out, filepath.Join(out, "report.html"))
	if !r.Run.Complete {
		a.say("cli.incomplete", r.Run.Why)
	}
	if code := verdict(r, audit.Severity(a.failOn), a.strict); code != exitDone {
		return &exitError{code: code}
	}
	return nil
}
