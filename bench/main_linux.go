package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mingshi-audit/mingshi/internal/netlab"
)

// caseEnv names the case of a child: every case is measured in a process and a network namespace of its own, so that nothing
// of one is left for the next.
const caseEnv = "MINGSHI_BENCH_CASE"

// options are the command line's.
type options struct {
	bin   string
	quick bool
	runs  int
	json  string
	cases []string
}

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return
	case err != nil:
	case os.Getenv(caseEnv) != "":
		err = measureCase(os.Getenv(caseEnv), o, os.NewFile(3, "results"))
	default:
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (o options, err error) {
	f := pflag.NewFlagSet("bench/run [CASE]…", pflag.ContinueOnError)
	f.StringVar(&o.bin, "bin", "", "folder of the programs mingshi and floor")
	f.BoolVar(&o.quick, "quick", false, "each tool once, and those that take minutes in one case only")
	f.IntVar(&o.runs, "runs", 0, "only mingshi, so many times: in how many runs did it find everybody")
	f.StringVar(&o.json, "json", "", "also write one JSON object a line to this file")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.cases = f.Args()
	switch {
	case len(o.cases) > 0:
	case o.runs > 0:
		o.cases = []string{"dense24", "loss"}
	default:
		for _, c := range cases() {
			if !c.named {
				o.cases = append(o.cases, c.name)
			}
		}
		o.cases = append(o.cases, pcapCase)
	}
	o.cases = slices.Compact(o.cases)
	for _, name := range o.cases {
		if name != pcapCase && !slices.ContainsFunc(cases(), func(c scene) bool { return c.name == name }) {
			return o, fmt.Errorf("there is no case %q", name)
		}
	}
	return o, nil
}

// run measures all cases and prints a table of each.
func run(o options) error {
	if os.Getuid() != 0 && !slices.Equal(o.cases, []string{pcapCase}) {
		return errors.New("only root may make network namespaces")
	}
	fmt.Printf("%s, %d processors, Linux %s, %s\n", processor(), runtime.NumCPU(), release(), runtime.Version())
	for _, t := range tools() {
		if t.program != "" && !installed(t.program) && o.runs == 0 {
			fmt.Printf("%s is not installed and left out\n", t.name)
		}
	}
	if o.runs == 0 && !installed("naabu") {
		fmt.Println("naabu is not installed and left out")
	}
	out := io.Discard
	if o.json != "" {
		f, err := os.Create(o.json)
		if err != nil {
			return err
		}
		defer f.Close()
		out = f
	}
	done := map[string]bool{}
	for _, c := range cases() {
		if !slices.Contains(o.cases, c.name) || done[c.key()] {
			continue
		}
		done[c.key()] = true
		results, err := inChild(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.key(), err)
		}
		lines := summarise(results)
		if o.runs > 0 {
			printRuns(os.Stdout, c, results)
		} else {
			printTable(os.Stdout, c, lines)
		}
		for _, l := range lines {
			if err := json.NewEncoder(out).Encode(l.measurement); err != nil {
				return err
			}
		}
	}
	if slices.Contains(o.cases, pcapCase) {
		results, err := measurePcap(o)
		if err != nil {
			return fmt.Errorf("%s: %w", pcapCase, err)
		}
		lines := summarise(results)
		printPcap(os.Stdout, lines)
		for _, l := range lines {
			if err := json.NewEncoder(out).Encode(l.measurement); err != nil {
				return err
			}
		}
	}
	return nil
}

// inChild measures a case in a namespace of its own and returns every run of every tool.
func inChild(c scene) (results []result, err error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Env = append(os.Environ(), caseEnv+"="+c.key())
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = netlab.Apart()
	runtime.LockOSThread() // the child ends with the thread that started it
	defer runtime.UnlockOSThread()
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(r)
	for {
		var x result
		if err := d.Decode(&x); err != nil {
			break
		}
		results = append(results, x)
	}
	return results, cmd.Wait()
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func release() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(b))
}
