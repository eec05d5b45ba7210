package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Cobra's own sentences are English only. Here every one of them is replaced: usage, help, and what is wrong with a command
// line.

// localise puts root and everything below it into the language of the user.
func (a *app) localise(root *cobra.Command) {
	root.SetHelpCommand(a.helpCommand(root))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetVersionTemplate(versionLine() + "\n")
	root.SetUsageFunc(func(c *cobra.Command) error {
		_, err := io.WriteString(c.OutOrStderr(), a.usageOf(c))
		return err
	})
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		about := c.Long
		if about == "" {
			about = c.Short
		}
		fmt.Fprintf(c.OutOrStdout(), "%s\n\n%s", about, a.usageOf(c))
	})
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &exitError{code: exitNotAllowed, text: msg.Text("cli.bad.flag", flagProblem(err), c.CommandPath())}
	})
	var each func(*cobra.Command)
	each = func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.InitDefaultVersionFlag()
		for _, name := range []string{"help", "version"} {
			if f := c.Flags().Lookup(name); f != nil {
				f.Usage = a.t("cli.flag." + name)
			}
		}
		for _, s := range c.Commands() {
			each(s)
		}
	}
	each(root)
}

func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{Use: "help", Short: a.t("cli.help.help"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return a.usage("cli.bad.help", clean.Text(strings.Join(args, " "), 60))
			}
			return c.Help()
		}}
}

// group makes c a command that only holds others: alone it shows its help, and a word it does not know is an error.
func (a *app) group(c *cobra.Command) *cobra.Command {
	c.Args = a.noCommand
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return c
}

// noCommand refuses the first argument as a command that does not exist, and names the one that may have been meant.
func (a *app) noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	word := clean.Text(args[0], 60)
	if c.SuggestionsMinimumDistance <= 0 {
		c.SuggestionsMinimumDistance = 2
	}
	if near := c.SuggestionsFor(args[0]); len(near) > 0 && word != "" {
		return a.usage("cli.bad.subcommand.near", word, c.CommandPath(), c.CommandPath()+" "+near[0])
	}
	return a.usage("cli.bad.subcommand", word, c.CommandPath())
}

// exactly wants that many arguments, and says so in the user's language.
func (a *app) exactly(n int) cobra.PositionalArgs { return a.between(n, n) }

func (a *app) between(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return a.usage("cli.bad.args.few", a.line(c))
		case len(args) > most:
			return a.usage("cli.bad.args.many", clean.Text(args[most], 60), a.line(c))
		}
		return nil
	}
}

// flagProblem says what is wrong with a flag.
func flagProblem(err error) audit.Text {
	var missing *pflag.NotExistError
	var needs *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &missing):
		name := "--" + missing.GetSpecifiedName()
		if missing.GetSpecifiedShortnames() != "" {
			name = "-" + missing.GetSpecifiedName()
		}
		return msg.Text("cli.bad.flag.unknown", clean.Text(name, 60))
	case errors.As(err, &needs):
		return msg.Text("cli.bad.flag.value", "--"+needs.GetFlag().Name)
	case errors.As(err, &bad):
		return msg.Text("cli.bad.flag.kind", "--"+bad.GetFlag().Name, clean.Text(bad.GetValue(), 60), kindOf(bad.GetFlag()))
	}
	return audit.Text{ZH: clean.Text(err.Error(), 200), EN: clean.Text(err.Error(), 200)}
}

func kindOf(f *pflag.Flag) audit.Text {
	switch f.Value.Type() {
	case "duration":
		return msg.Text("cli.kind.duration")
	case "bool":
		return msg.Text("cli.kind.bool")
	}
	return msg.Text("cli.kind.text")
}

// line is the command with its arguments.
func (a *app) line(c *cobra.Command) string {
	parts := []string{c.CommandPath()}
	if _, args, ok := strings.Cut(c.Use, " "); ok {
		parts = append(parts, args)
	}
	switch {
	case c.HasAvailableSubCommands():
		parts = append(parts, a.t("cli.arg.command"))
	default:
		parts = append(parts, a.t("cli.arg.flags"))
	}
	return strings.Join(parts, " ")
}

// usageOf is what stands below the description of a command in its help.
func (a *app) usageOf(c *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  %s\n", a.t("cli.help.usage"), a.line(c))
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s\n", a.t("cli.help.commands"))
		for _, s := range c.Commands() {
			if s.IsAvailableCommand() || s.Name() == "help" {
				fmt.Fprintf(&b, "  %-8s  %s\n", s.Name(), s.Short)
			}
		}
	}
	if c.HasAvailableLocalFlags() {
		fmt.Fprintf(&b, "\n%s\n%s", a.t("cli.help.flags"), a.flags(c.LocalFlags()))
	}
	if c.HasAvailableInheritedFlags() {
		fmt.Fprintf(&b, "\n%s\n%s", a.t("cli.help.global"), a.flags(c.InheritedFlags()))
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s\n", a.t("cli.help.more", c.CommandPath()))
	}
	return b.String()
}

// flags lists flags: their names on a line with what is to be written after them, and what they mean below where that does
// not fit beside them.
func (a *app) flags(set *pflag.FlagSet) string {
	var b strings.Builder
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		if v := valueName(f); v != "" {
			name += " " + v
		}
		text := f.Usage
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0s" && f.Name != "lang" {
			text += a.t("cli.help.default", strings.Trim(f.DefValue, "[]"))
		}
		fmt.Fprintf(&b, "  %-27s %s\n", name, text)
	})
	return b.String()
}

// valueName says what is to be written after a flag, in capitals as the manual does; "" for a switch.
func valueName(f *pflag.Flag) string {
	switch f.Name {
	case "lang":
		return "zh|en"
	case "format":
		return "FORMAT"
	case "fail-on":
		return "LEVEL"
	case "as-of":
		return "DATE"
	case "output":
		return "PATH"
	case "site":
		return "FILE"
	case "packs":
		return "DIR"
	}
	switch f.Value.Type() {
	case "bool":
		return ""
	case "duration":
		return "TIME"
	}
	return strings.ToUpper(f.Name)
}
