package netlab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	childEnv = "MINGSHI_NETLAB_CHILD" // the test runs inside its namespaces
	roleEnv  = "MINGSHI_NETLAB_ROLE"  // this process is a part of the LAN
)

// TestMain is also the entry of the LAN's hosts and of its bridge: they are this program again, in namespaces of their own.
func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) != "" {
		runtime.LockOSThread() // a child's death signal follows the thread that started it
		if err := play(os.Stdin, os.Stdout); err != nil {
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
	for _, p := range []string{"ip", "bridge"} {
		if _, err := exec.LookPath(p); err != nil {
			missing(t, "netns", err.Error())
		}
	}
	if testing.Short() {
		t.Skip("a whole LAN is no short test")
	}
	t.Parallel() // every LAN is apart from the others
	c := self(t)
	c.Args = append(c.Args, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=3m")
	c.Env = append(os.Environ(), childEnv+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
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

func self(t *testing.T) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(exe)
}

// part is what one process of the LAN is told to do.
type part struct {
	IP     []string // lines for "ip -batch"
	Bridge []string // lines for "bridge -batch", after those
	Host   *host    // what it serves then; nil for the bridge
}

// agent is a running part.
type agent struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// start runs a part in a namespace that has nothing but a loopback interface yet.
func start(t *testing.T) *agent {
	t.Helper()
	c := self(t)
	c.Env = append(os.Environ(), roleEnv+"=1")
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	a := &agent{cmd: c, in: in, out: bufio.NewScanner(out)}
	t.Cleanup(func() { a.stop(t) })
	return a
}

// tell sends the part its instructions and waits until they are carried out.
func (a *agent) tell(t *testing.T, p part) {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(a.in, "%s\n", b); err != nil {
		t.Fatal(err)
	}
	if !a.out.Scan() || a.out.Text() != "ready" {
		t.Fatalf("a part of the LAN did not start: %q", a.out.Text())
	}
}

// stop ends the part: it leaves when its instructions end, and says what it holds against its visitor.
func (a *agent) stop(t *testing.T) {
	a.in.Close()
	kill := time.AfterFunc(10*time.Second, func() { a.cmd.Process.Kill() })
	defer kill.Stop()
	for a.out.Scan() {
		t.Errorf("a host of the LAN: %s", a.out.Text())
	}
	if err := a.cmd.Wait(); err != nil {
		t.Errorf("a part of the LAN ended with: %v", err)
	}
}

// play is the life of a part: instructions from in, one "ready" for each, and an end when there are no more.
func play(in io.Reader, out io.Writer) error {
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("a mount namespace of its own: %w", err)
	}
	var leave []func() []string
	defer func() {
		for _, f := range leave {
			for _, s := range f() {
				fmt.Fprintln(out, s)
			}
		}
	}()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p part
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return err
		}
		if err := batch("ip", p.IP); err != nil {
			return err
		}
		if err := batch("bridge", p.Bridge); err != nil {
			return err
		}
		if p.Host != nil {
			end, err := p.Host.serve()
			if err != nil {
				return fmt.Errorf("%s: %w", p.Host.Name, err)
			}
			leave = append(leave, end)
		}
		fmt.Fprintln(out, "ready")
	}
	return lines.Err()
}

func batch(program string, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	c := exec.Command(program, "-batch", "-")
	c.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	if b, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s\n%s", program, err, b, strings.Join(lines, "\n"))
	}
	return nil
}

// build makes the LAN: this process's own namespace is the auditing machine, with eth0 at 10.77.0.2/8 and fd77::2/8, wide
// enough that packets to addresses outside the perimeter would really leave. port, if not empty, is said to "bridge" for the
// ports of the hosts it names, as "link set dev pN …".
func build(t *testing.T, hosts []host) {
	t.Helper()
	instantIPv6()
	bridge := start(t)
	links := []string{"link add br0 type bridge mcast_snooping 0", "link set br0 up",
		fmt.Sprintf("link add p0 type veth peer name eth0 address 02:77:00:00:00:02 netns %d", os.Getpid()), "link set p0 master br0 up"}
	var ports []string
	agents := make([]*agent, len(hosts))
	for i, h := range hosts {
		agents[i] = start(t)
		links = append(links, fmt.Sprintf("link add p%d type veth peer name eth0 address %s netns %d", i+1, h.MAC, agents[i].cmd.Process.Pid),
			fmt.Sprintf("link set p%d master br0 up", i+1))
		if h.Deaf {
			ports = append(ports, fmt.Sprintf("link set dev p%d mcast_flood off", i+1))
		}
	}
	bridge.tell(t, part{IP: links, Bridge: ports})
	if err := batch("ip", up([]string{"10.77.0.2/8", "fd77::2/8"})); err != nil {
		t.Fatal(err)
	}
	for i, h := range hosts {
		agents[i].tell(t, part{IP: up(h.Addrs), Host: &hosts[i]})
	}
	time.Sleep(500 * time.Millisecond) // link-local addresses
}

func up(addrs []string) []string {
	out := []string{"link set lo up"}
	for _, a := range addrs {
		l := "addr add " + a + " dev eth0"
		if strings.Contains(a, ":") {
			l += " nodad"
		}
		out = append(out, l)
	}
	return append(out, "link set eth0 up")
}

// instantIPv6 lets interfaces of this namespace use their link-local address at once.
func instantIPv6() {
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0)
}
