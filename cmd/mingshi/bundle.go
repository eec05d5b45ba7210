package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/probe/all"
	"github.com/mingshi-audit/mingshi/report"
	"github.com/mingshi-audit/mingshi/rules"
	"github.com/mingshi-audit/mingshi/scan"
	"github.com/mingshi-audit/mingshi/site"
)

// stored is a bundle read back.
type stored struct {
	reader *evidence.Reader
	report audit.Report
	record scan.Record
	packs  []*rules.Pack
}

// open reads a bundle: its report, the site file it was made for and the packs it was judged by.
func (a *app) open(dir string) (stored, error) {
	var s stored
	fail := func(err error) (stored, error) {
		return s, &exitError{exitNotAllowed, msg.Text("cli.bundle.unreadable", dir, err.Error())}
	}
	var err error
	if s.reader, err = evidence.Open(dir); err != nil {
		return fail(err)
	}
	if s.report, err = s.reader.Report(); err != nil {
		return fail(err)
	}
	yaml, err := s.reader.SiteYAML()
	if err != nil {
		return fail(err)
	}
	file, err := site.Parse(yaml, filepath.Join(dir, "data", "site.yaml"))
	if err != nil {
		return fail(err)
	}
	packs, err := os.OpenRoot(filepath.Join(dir, "data", "packs"))
	if err != nil {
		return fail(err)
	}
	defer packs.Close()
	for _, p := range s.report.Packs {
		pack, err := rules.Load(packs.FS(), p.ID)
		if err != nil {
			return fail(err)
		}
		s.packs = append(s.packs, pack)
	}
	s.record = scan.Record{Site: *file, Observations: s.report.Observations, Coverage: s.report.Coverage, Tool: s.report.Tool, Run: s.report.Run}
	return s, nil
}

func (a *app) judgeCommand() *cobra.Command {
	var asOf, out string
	var packDirs []string
	c := &cobra.Command{Use: "judge BUNDLE", Short: a.t("cli.judge.short"), Long: a.t("cli.judge.long"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.checkReportFlags(); err != nil {
				return err
			}
			s, err := a.open(args[0])
			if err != nil {
				return err
			}
			if asOf != "" {
				m, err := audit.ParseMoment(asOf)
				if err != nil {
					return a.usage("cli.bad.as-of", asOf)
				}
				s.record.AsOf = m.T
			}
			if len(packDirs) > 0 {
				s.packs = nil
				for _, d := range packDirs {
					p, err := rules.Load(os.DirFS(filepath.Dir(filepath.Clean(d))), filepath.Base(filepath.Clean(d)))
					if err != nil {
						return a.usage("cli.bad.pack", d, err.Error())
					}
					s.packs = append(s.packs, p)
				}
			}
			r, err := scan.Assemble(s.record, all.Modules(), s.packs)
			if err != nil {
				return &exitError{exitIncomplete, msg.Text("cli.judge.failed", err.Error(), args[0])}
			}
			if out != "" {
				data, err := report.JSON(r)
				if err == nil {
					err = os.WriteFile(out, data, 0o600)
				}
				if err != nil {
					return &exitError{exitIncomplete, msg.Text("cli.write.failed", out, err.Error())}
				}
			} else if err := a.show(r, a.format); err != nil {
				return err
			}
			if code := verdict(r, audit.Severity(a.failOn), a.strict); code != exitDone {
				return &exitError{code: code}
			}
			return nil
		}}
	c.Flags().StringVar(&asOf, "as-of", "", a.t("cli.flag.as-of"))
	c.Flags().StringVarP(&out, "output", "o", "", a.t("cli.flag.output.judge"))
	c.Flags().StringSliceVar(&packDirs, "packs", nil, a.t("cli.flag.packs"))
	a.addReportFlags(c)
	return c
}

func (a *app) reportCommand() *cobra.Command {
	var formats []string
	var out string
	c := &cobra.Command{Use: "report BUNDLE", Short: a.t("cli.report.short"), Long: a.t("cli.report.long"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.open(args[0])
			if err != nil {
				return err
			}
			for _, name := range formats {
				f, ok := formatNamed(name)
				if !ok {
					return a.usage("cli.bad.format", name, formatNames())
				}
				if out == "" && len(formats) == 1 {
					if err := a.show(s.report, name); err != nil {
						return err
					}
					continue
				}
				var buf bytes.Buffer
				o := a.renderOptions(&buf)
				if err := f.Write(&buf, report.Build(s.report), o); err != nil {
					return fmt.Errorf("rendering %s: %w", name, err)
				}
				dir := out
				if dir == "" {
					dir = "."
				}
				path := filepath.Join(dir, "report."+f.Ext)
				if err := os.MkdirAll(dir, 0o755); err == nil {
					err = os.WriteFile(path, buf.Bytes(), 0o600)
				}
				if err != nil {
					return &exitError{exitIncomplete, msg.Text("cli.write.failed", path, err.Error())}
				}
				a.say("cli.written", path)
			}
			return nil
		}}
	c.Flags().StringSliceVar(&formats, "format", []string{"text"}, a.t("cli.flag.format", formatNames()))
	c.Flags().StringVarP(&out, "output", "o", "", a.t("cli.flag.output.report"))
	return c
}

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{Use: "verify BUNDLE", Short: a.t("cli.verify.short"), Long: a.t("cli.verify.long"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			problems, err := evidence.Verify(args[0])
			if err != nil {
				return &exitError{exitNotAllowed, msg.Text("cli.bundle.unreadable", args[0], err.Error())}
			}
			for _, p := range problems {
				fmt.Fprintf(a.out, "%s: %s\n", p.Path, p.Text.In(a.lang))
			}
			if len(problems) > 0 {
				return &exitError{exitChanged, msg.Text("cli.verify.changed", len(problems))}
			}
			same, err := a.judgesTheSame(args[0])
			if err != nil {
				return err
			}
			if !same {
				return &exitError{exitChanged, msg.Text("cli.verify.findings")}
			}
			fmt.Fprintln(a.out, a.t("cli.verify.ok"))
			return nil
		}}
}

// judgesTheSame judges a bundle again from its own inputs and compares the findings byte for byte.
func (a *app) judgesTheSame(dir string) (bool, error) {
	s, err := a.open(dir)
	if err != nil {
		return false, err
	}
	again, err := scan.Assemble(s.record, all.Modules(), s.packs)
	if err != nil {
		return false, &exitError{exitIncomplete, msg.Text("cli.judge.failed", err.Error(), dir)}
	}
	was, err := json.Marshal(s.report.Findings)
	if err != nil {
		return false, err
	}
	is, err := json.Marshal(again.Findings)
	return bytes.Equal(was, is), err
}
