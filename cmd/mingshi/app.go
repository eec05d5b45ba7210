package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
	"github.com/mingshi-audit/mingshi/report"
	"github.com/mingshi-audit/mingshi/site"
)

// The interface's rules: results go to stdout or to -o, everything else to stderr. A message to a person is a sentence in
// one language that says what to do next. Colour and live progress appear on a terminal only.

// streams is what the program is connected to; tests give their own.
type streams struct {
	in       io.Reader // nil: there is none
	out, err io.Writer
	env      func(string) (string, bool)
}

// app is one call of the program.
type app struct {
	streams
	result *output
	lang   string
	quiet  bool
	format string
	failOn string
	strict bool
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	a := &app{streams: s, lang: languageOf(language(args, s.env)), result: &output{w: s.out}}
	s.out, a.out = a.result, a.result
	root := a.root()
	root.SetArgs(args)
	root.SetOut(s.out)
	root.SetErr(s.err)
	code := a.exit(root.ExecuteContext(ctx))
	if a.result.err != nil && !readerGone(a.result.err) {
		// Whoever asked has not got the result, whatever it was.
		fmt.Fprintln(a.err, "mingshi: "+a.t("cli.output.failed", because(a.result.err)))
		return exitIncomplete
	}
	return code
}

// output is stdout. It remembers that something could not be written, so that no command has to.
type output struct {
	w   io.Writer
	err error
}

// Write writes on, or gives up where it has failed once.
func (r *output) Write(b []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.w.Write(b)
	r.err = err
	return n, err
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "mingshi",
		Short:         a.t("cli.short"),
		Long:          a.t("cli.long"),
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	a.group(root)
	f := root.PersistentFlags()
	f.StringVar(&a.lang, "lang", a.lang, a.t("cli.flag.lang"))
	f.BoolVarP(&a.quiet, "quiet", "q", false, a.t("cli.flag.quiet"))
	root.AddCommand(a.demoCommand(), a.siteCommand(), a.discoverCommand(), a.scanCommand(), a.listenCommand(), a.judgeCommand(), a.reportCommand(), a.verifyCommand(), a.explainCommand(), a.rulesCommand())
	a.localise(root)
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		asked := a.lang
		if a.lang = languageOf(asked); !known(asked) {
			a.lang = language(nil, a.env)
			return a.usage("cli.bad.lang", clean.Text(asked, 20))
		}
		return nil
	}
	return root
}

// exit prints what an error has to say and returns the code.
func (a *app) exit(err error) int {
	if err == nil {
		return exitDone
	}
	var e *exitError
	var s *site.Errors
	switch {
	case errors.As(err, &s):
		fmt.Fprintln(a.err, s.In(a.lang))
		fmt.Fprintln(a.err, a.t("cli.site.refused", len(s.Problems)))
		return exitNotAllowed
	case errors.As(err, &e):
		if !e.text.IsZero() {
			fmt.Fprintln(a.err, "mingshi: "+e.text.In(a.lang))
		}
		return e.code
	}
	fmt.Fprintln(a.err, "mingshi: "+a.t("cli.bad.command", clean.Text(err.Error(), 400)))
	return exitNotAllowed
}

func (a *app) t(id string, args ...any) string { return msg.In(a.lang, id, args...) }

// usage is an error of the command line: nothing was sent.
func (a *app) usage(id string, args ...any) error {
	return &exitError{code: exitNotAllowed, text: msg.Text(id, args...)}
}

// say writes a sentence to a person.
func (a *app) say(id string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.err, a.t(id, args...))
	}
}

// addReportFlags adds the flags of commands that end with a judged report.
func (a *app) addReportFlags(c *cobra.Command) {
	c.Flags().StringVar(&a.format, "format", "text", a.t("cli.flag.format", strings.Join(formatNames(), ", ")))
	c.Flags().StringVar(&a.failOn, "fail-on", "high", a.t("cli.flag.fail-on"))
	c.Flags().BoolVar(&a.strict, "strict", false, a.t("cli.flag.strict"))
}

func (a *app) checkReportFlags() error {
	if audit.Severity(a.failOn).Rank() < audit.Low.Rank() {
		return a.usage("cli.bad.fail-on", a.failOn)
	}
	if _, ok := formatNamed(a.format); !ok {
		return a.usage("cli.bad.format", a.format, strings.Join(formatNames(), ", "))
	}
	return nil
}

// show writes a report in the chosen format to stdout.
func (a *app) show(r audit.Report, format string) error {
	f, _ := formatNamed(format)
	if err := f.Write(a.out, report.Build(r), a.renderOptions(a.out)); err != nil && a.result.err == nil {
		return fmt.Errorf("rendering %s: %w", format, err)
	}
	return nil
}

func (a *app) renderOptions(w io.Writer) report.Options {
	o := report.Options{Lang: a.lang, Width: 80}
	if r, ok := w.(*output); ok {
		w = r.w
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		_, plain := a.env("NO_COLOR")
		o.Color = !plain
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 40 {
			o.Width = width
		}
	}
	return o
}

func formatNames() []string {
	var out []string
	for _, f := range report.Formats() {
		out = append(out, f.Name)
	}
	return out
}

func formatNamed(name string) (report.Format, bool) {
	for _, f := range report.Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return report.Format{}, false
}
