package labtest

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Request is what a recording's server was asked, as it logged it.
type Request struct {
	What string // namespace#operation of a SOAP request, or method and path
	Auth string // "none", "ok" or "refused"
}

// Recording is a recorded device and who may log in to it.
type Recording struct {
	Dir            string // the folder of the recorded exchanges
	Tool           string // the program that serves them
	Auth           string // "none", "wsse" or "digest"
	User, Password string
}

// Serve plays a recording on a loopback socket for the length of a test. It returns where, and what ends the device and says what
// it was asked: once ended, nothing is half written. The test is skipped where there is no python3 for it.
func (r Recording) Serve(t testing.TB) (at netip.AddrPort, asked func() []Request) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3, which serves recorded devices, is not here")
	}
	log := filepath.Join(t.TempDir(), "log.jsonl")
	cmd := exec.Command(python, r.Tool, r.Dir, "--listen", "127.0.0.1:0", "--auth", r.Auth, "--user", r.User, "--password", r.Password, "--log", log)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		_ = cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		_ = cmd.Wait() // it was told to end
	}
	t.Cleanup(end)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the recording's server did not start: %v", err)
	}
	at, err = netip.ParseAddrPort(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return at, func() (all []Request) {
		end()
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(string(b)) {
			if !strings.HasSuffix(l, "\n") {
				break // a request of nobody's: who asked had gone, and the server with him
			}
			var q Request
			if err := json.Unmarshal([]byte(l), &q); err != nil {
				t.Fatalf("the recording's log: %q: %v", l, err)
			}
			all = append(all, q)
		}
		return all
	}
}
