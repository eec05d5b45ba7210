package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// dataDir is where a bundle keeps the data files that were used.
const dataDir = "data/knowledge"

// addDataFlag adds --data to a command.
func (a *app) addDataFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "data", "", a.t("cli.flag.data"))
}

// knowledgeOf returns what is built in, with the files of the folder in place of those of the same name; "" replaces nothing.
func (a *app) knowledgeOf(dir string) (*knowledge.Set, error) {
	if dir == "" {
		return knowledge.Builtin()
	}
	set, err := knowledge.Load(os.DirFS(dir))
	var unknown *knowledge.UnknownError
	switch {
	case errors.As(err, &unknown):
		return nil, a.usage("cli.bad.data", clean.Text(dir, 200), msg.Text("cli.data.unknown", clean.Text(unknown.Name, 100), strings.Join(unknown.Known, ", ")))
	case err != nil:
		return nil, a.usage("cli.bad.data", clean.Text(dir, 200), because(err))
	}
	return set, nil
}

// knowledgeIn returns the data files a bundle was made with, so that judging it again uses the same. A bundle of an earlier
// version names none, and what is built in stands for them.
func knowledgeIn(s *stored, dir string) error {
	var err error
	if len(s.report.Data) == 0 {
		s.record.Data, err = knowledge.Builtin()
		return err
	}
	root, err := os.OpenRoot(filepath.Join(dir, filepath.FromSlash(dataDir)))
	if err != nil {
		return err
	}
	defer root.Close()
	if s.record.Data, err = knowledge.Load(root.FS()); err != nil {
		return err
	}
	for _, was := range s.report.Data {
		if !slices.ContainsFunc(s.record.Data.Refs(), func(r audit.DataRef) bool { return r.Name == was.Name && r.SHA256 == was.SHA256 }) {
			return fmt.Errorf("%s is not the file the report was made with: %w", was.Name, fs.ErrInvalid)
		}
	}
	return nil
}
