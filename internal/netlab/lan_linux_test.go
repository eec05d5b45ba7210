package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const (
	childEnv = "MINGSHI_NETLAB_CHILD" // the test runs inside its namespaces
	huntEnv  = "MINGSHI_NETLAB_HUNT"  // this process only looks for devices in the perimeter it names, as another user
)

func TestMain(m *testing.M) {
	if perimeter := os.Getenv(huntEnv); perimeter != "" {
		if err := huntAlone(strings.Fields(perimeter)); err != nil {
			fmt.Fprintln(os.Stderr, "netlab:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// missing skips the test, or fails it where MINGSHI_REQUIRE names what is missing.
func missing(t *testing.T, what, why string) {
	t.Helper()
	if slices.Contains(strings.FieldsFunc(os.Getenv("MINGSHI_REQUIRE"), func(r rune) bool { return r == ' ' || r == ',' }), what) {
		t.Fatalf("%s is required and cannot be used: %s", what, why)
	}
	t.Skipf("%s cannot be used here: %s", what, why)
}

// programs skips the test where one of the programs is not there.
func programs(t *testing.T, what string, names ...string) {
	t.Helper()
	for _, p := range names {
		if _, err := exec.LookPath(p); err != nil {
			missing(t, what, err.Error())
		}
	}
}

// apart runs the calling test again in a network namespace of its own and reports whether this process is that one. The
// outer one returns false after the inner one has ended and its verdict was taken over.
func apart(t *testing.T) bool {
	t.Helper()
	if os.Getenv(childEnv) != "" {
		return true
	}
	if os.Getuid() != 0 {
		missing(t, "netns", "only root may make network namespaces")
	}
	if testing.Short() {
		t.Skip("a whole LAN is no short test")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=3m")
	c.Env = append(os.Environ(), childEnv+"=1")
	c.SysProcAttr = Apart()
	out, err := c.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		missing(t, "netns", err.Error())
	}
	t.Logf("in a namespace of its own:\n%s", out)
	switch {
	case err != nil:
		t.Fatalf("it failed there: %v", err)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skip("it was skipped there, see above")
	case !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Fatal("it did not run there")
	}
	return false
}

// open builds a LAN that lasts as long as the test, which fails if one of its hosts complains.
func open(t *testing.T, cfg Config) *LAN {
	t.Helper()
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		complaints := l.Close()
		for i, s := range complaints {
			if i == 20 {
				t.Errorf("and %d more", len(complaints)-i)
				break
			}
			t.Errorf("a host of the LAN: %s", s)
		}
	})
	return l
}

func record(t *testing.T) *Recording {
	t.Helper()
	r, err := Record()
	if err != nil {
		missing(t, "netns", err.Error())
	}
	return r
}
