package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/report"
)

func story(p report.Progress) {
	p.Step(tx("正在发现设备", "looking for devices"))
	p.Device("192.0.2.21", tx("登录查询", "asking"))
	p.Device("192.0.2.22\x1b[31m", tx("登录查询", "asking"))
	p.Device("192.0.2.21", audit.Text{})
	p.Device("192.0.2.21", audit.Text{})
	p.Step(tx("正在判断", "judging"))
	p.Done()
}

func TestProgressInAPipe(t *testing.T) {
	var b bytes.Buffer
	story(report.NewProgress(&b, false, false, "zh"))
	want := "正在发现设备\n设备 192.0.2.21：已查看\n正在判断\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

func TestProgressQuiet(t *testing.T) {
	var b bytes.Buffer
	story(report.NewProgress(&b, true, true, "zh"))
	if b.Len() > 0 {
		t.Errorf("wrote %q", b.String())
	}
}

func TestProgressOnATerminal(t *testing.T) {
	var b bytes.Buffer
	story(report.NewProgress(&b, true, false, "en"))
	if s := b.String(); !strings.Contains(s, "2 devices found, 1 looked at") {
		t.Errorf("%q", s)
	}
}

// closed is a pipe whose reader has gone.
type closed struct{ n int }

func (c *closed) Write([]byte) (int, error) { c.n++; return 0, errors.New("broken pipe") }

// stuck is a terminal nobody reads.
type stuck struct{ release chan struct{} }

func (s stuck) Write(b []byte) (int, error) { <-s.release; return len(b), nil }

// TestProgressNeverHoldsUpTheScan: neither a closed pipe nor a reader that has stopped reading costs a run anything.
func TestProgressNeverHoldsUpTheScan(t *testing.T) {
	st := stuck{make(chan struct{})}
	t.Cleanup(func() { close(st.release) }) // after the parallel subtests, which a defer would not wait for
	for name, w := range map[string]io.Writer{"closed": &closed{}, "stuck": st} {
		for _, tty := range []bool{false, true} {
			t.Run(fmt.Sprint(name, tty), func(t *testing.T) {
				t.Parallel()
				p := report.NewProgress(w, tty, false, "en")
				start := time.Now()
				var wg sync.WaitGroup
				for g := range 4 {
					wg.Go(func() {
						for i := range 5000 {
							p.Device(fmt.Sprint(g, i), tx("查询", "asking"))
						}
					})
				}
				wg.Wait()
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("took %s", d)
				}
			})
		}
	}
}

func TestDoneGivesUpOnAStuckReader(t *testing.T) {
	st := stuck{make(chan struct{})}
	defer close(st.release)
	p := report.NewProgress(st, false, false, "en")
	story(p)
	p.Done()
	p.Step(tx("之后", "after"))
}
