package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/evidence"
	"github.com/mingshi-audit/mingshi/internal/clean"
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

// unreadable says why a bundle cannot be used, and what to do.
func unreadable(dir string, err error) error {
	return &exitError{code: exitNotAllowed, text: msg.Text("cli.bundle.unreadable", clean.Text(dir, 200), becauseOf(err, dir)), cause: err}
}

// open reads a bundle: its report, the site file it was made for and the packs it was judged by. The caller closes the reader.
func (a *app) open(dir string) (stored, error) {
	var s stored
	fail := func(err error) (stored, error) {
		if s.reader != nil {
			s.reader.Close()
		}
		return s, unreadable(dir, err)
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
	s.record = scan.Record{Site: *file, Observations: s.report.Observations, Coverage: s.report.Coverage, Captures: s.report.Captures, Tool: s.report.Tool, Run: s.report.Run}
	if err := knowledgeIn(&s, dir); err != nil {
		return fail(err)
	}
	return s, nil
}

// openWarily is open for commands that do not verify: where the bundle was changed they say so, for what they show is then
// not what was gathered.
func (a *app) openWarily(dir string) (stored, error) {
	s, err := a.open(dir)
	if err != nil {
		return s, err
	}
	if problems, err := evidence.Verify(dir); err == nil && len(problems) > 0 {
		fmt.Fprintln(a.err, a.t("cli.bundle.changed", len(problems)))
	}
	return s, nil
}

func (a *app) judgeCommand() *cobra.Command {
	var asOf, out string
	var packDirs []string
	c := &cobra.Command{Use: "judge " + a.t("cli.arg.bundle"), Short: a.t("cli.judge.short"), Long: a.t("cli.judge.long"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.checkReportFlags(); err != nil {
				return err
			}
			if err := outside(out); err != nil {
				return err
			}
			s, err := a.openWarily(args[0])
			if err != nil {
				return err
			}
			defer s.reader.Close()
			if asOf != "" {
				m, err := audit.ParseMoment(asOf)
				if err != nil {
					return a.usage("cli.bad.as-of", clean.Text(asOf, 60))
				}
				s.record.AsOf = m.T
			}
			if len(packDirs) > 0 {
				s.packs = nil
				for _, d := range packDirs {
					p, err := loadPack(d)
					if err != nil {
						return a.usage("cli.bad.pack", clean.Text(d, 200), because(err))
					}
					s.packs = append(s.packs, p)
				}
			}
			r, err := scan.Assemble(s.record, all.Modules(), s.packs)
			if err != nil {
				return &exitError{code: exitIncomplete, text: msg.Text("cli.judge.failed", because(err), args[0])}
			}
			if out != "" {
				data, err := report.JSON(r)
				if err == nil {
					err = os.WriteFile(out, data, 0o600)
				}
				if err != nil {
					return &exitError{code: exitIncomplete, text: msg.Text("cli.write.failed", clean.Text(out, 200), because(err))}
				}
				a.say("cli.written", out)
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
	c := &cobra.Command{Use: "report " + a.t("cli.arg.bundle"), Short: a.t("cli.report.short"), Long: a.t("cli.report.long"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, name := range formats {
				if _, ok := formatNamed(name); !ok {
					return a.usage("cli.bad.format", clean.Text(name, 40), strings.Join(formatNames(), ", "))
				}
			}
			toFiles := out != "" || len(formats) > 1
			dir := cmp.Or(out, ".")
			if toFiles {
				if err := outside(dir); err != nil {
					return err
				}
			}
			s, err := a.openWarily(args[0])
			if err != nil {
				return err
			}
			defer s.reader.Close()
			if !toFiles {
				return a.show(s.report, formats[0])
			}
			for _, name := range formats {
				f, _ := formatNamed(name)
				var buf bytes.Buffer
				if err := f.Write(&buf, report.Build(s.report), a.renderOptions(&buf)); err != nil {
					return fmt.Errorf("rendering %s: %w", name, err)
				}
				path := filepath.Join(dir, "report."+f.Ext)
				err := os.MkdirAll(dir, 0o755)
				if err == nil {
					err = os.WriteFile(path, buf.Bytes(), 0o600)
				}
				if err != nil {
					return &exitError{code: exitIncomplete, text: msg.Text("cli.write.failed", clean.Text(path, 200), because(err))}
				}
				a.say("cli.written", path)
			}
			return nil
		}}
	c.Flags().StringSliceVar(&formats, "format", []string{"text"}, a.t("cli.flag.format", strings.Join(formatNames(), ", ")))
	c.Flags().StringVarP(&out, "output", "o", "", a.t("cli.flag.output.report"))
	return c
}

// outside refuses to write into a bundle: it would no longer be the evidence that was gathered.
func outside(path string) error {
	if path == "" {
		return nil
	}
	if err := evidence.Outside(path); err != nil {
		return &exitError{code: exitNotAllowed, text: because(err)}
	}
	return nil
}

func loadPack(dir string) (*rules.Pack, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return rules.Load(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
}

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{Use: "verify " + a.t("cli.arg.bundle"), Short: a.t("cli.verify.short"), Long: a.t("cli.verify.long"), Args: a.exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			problems, err := evidence.Verify(args[0])
			if err != nil {
				return unreadable(args[0], err)
			}
			for _, p := range problems {
				fmt.Fprintf(a.out, "%s: %s\n", p.Path, p.Text.In(a.lang))
			}
			switch n := evidence.Unfinished(problems); {
			case n > 0:
				return &exitError{code: exitChanged, text: msg.Text("cli.verify.unfinished", n)}
			case len(problems) > 0:
				return &exitError{code: exitChanged, text: msg.Text("cli.verify.changed", len(problems))}
			}
			same, err := a.judgesTheSame(args[0])
			var gone *fs.PathError
			switch {
			case errors.As(err, &gone) && errors.Is(err, fs.ErrNotExist):
				// What was written is unchanged, but it is no audit: the disk was full, or the program was killed.
				fmt.Fprintf(a.out, "%s: %s\n", filepath.ToSlash(gone.Path), a.t("evidence.verify.required"))
				return &exitError{code: exitChanged, text: msg.Text("cli.verify.incomplete")}
			case err != nil:
				return err
			}
			if !same {
				return &exitError{code: exitChanged, text: msg.Text("cli.verify.findings")}
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
	defer s.reader.Close()
	again, err := scan.Assemble(s.record, all.Modules(), s.packs)
	if err != nil {
		return false, &exitError{code: exitIncomplete, text: msg.Text("cli.judge.failed", because(err), dir)}
	}
	was, err := json.Marshal(s.report.Findings)
	if err != nil {
		return false, err
	}
	is, err := json.Marshal(again.Findings)
	return bytes.Equal(was, is), err
}
