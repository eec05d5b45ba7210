package report

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/msg"
)

// Progress tells a person what a run is doing. Its methods may be called from many goroutines and never wait for whoever
// reads: what cannot be written in time is left out. Nothing of it goes into a bundle.
type Progress interface {
	// Step says what the run as a whole is doing now.
	Step(audit.Text)
	// Device says what is being done with one device; a zero text says that it has been looked at. The first call for an id
	// counts the device as found.
	Device(id string, state audit.Text)
	// Done ends the display. Calls after it do nothing.
	Done()
}

const (
	maxQueued   = 4096        // events waiting for a slow reader, then they are dropped
	maxShown    = 5           // devices shown at work at once
	lastWait    = time.Second // how long Done waits for a reader that has stopped reading
	maxProgress = 100         // columns of a name or a state
)

// NewProgress returns a live display where w is a terminal; where it is not, one line for each stage and one for each device,
// when it has been looked at; and nothing at all where quiet is set. A w that fails is given up on silently.
func NewProgress(w io.Writer, tty, quiet bool, lang string) Progress {
	if quiet {
		return silence{}
	}
	if lang != "zh" {
		lang = "en"
	}
	p := &display{events: make(chan event, maxQueued), stop: make(chan struct{}), done: make(chan struct{})}
	s := &seen{lang: lang, state: map[string]string{}}
	if tty {
		go p.live(w, s)
	} else {
		go p.lines(w, s)
	}
	return p
}

type silence struct{}

func (silence) Step(audit.Text)           {}
func (silence) Device(string, audit.Text) {}
func (silence) Done()                     {}

type event struct {
	id    string // empty for a step
	state audit.Text
}

// display hands events to the one goroutine that writes.
type display struct {
	events chan event
	stop   chan struct{}
	done   chan struct{}
	once   sync.Once
}

func (p *display) Step(t audit.Text)                  { p.send(event{state: t}) }
func (p *display) Device(id string, state audit.Text) { p.send(event{id: cleaned(id), state: state}) }

func (p *display) Done() {
	p.once.Do(func() { close(p.stop) })
	select {
	case <-p.done:
	case <-time.After(lastWait):
	}
}

func (p *display) send(e event) {
	select {
	case <-p.stop:
	case p.events <- e:
	default:
	}
}

// next returns the next event; false when the run is done and every event was taken.
func (p *display) next() (event, bool) {
	select {
	case e := <-p.events:
		return e, true
	case <-p.stop:
	}
	select {
	case e := <-p.events:
		return e, true
	default:
		return event{}, false
	}
}

func (p *display) lines(w io.Writer, s *seen) {
	defer close(p.done)
	broken := false
	told := map[string]bool{} // a device with several endpoints is done more than once
	for e, ok := p.next(); ok; e, ok = p.next() {
		l := s.take(e)
		if e.id != "" && (!e.state.IsZero() || told[l]) {
			continue // a log of everything that is asked of everybody hides what is going on
		}
		told[l] = true
		if !broken && l != "" {
			_, err := io.WriteString(w, l+"\n")
			broken = err != nil
		}
	}
}

func (p *display) live(w io.Writer, s *seen) {
	defer close(p.done)
	narrow()
	out := &quitter{w: w}
	pw := progress.NewWriter()
	pw.SetOutputWriter(out)
	pw.SetUpdateFrequency(150 * time.Millisecond)
	pw.SetTrackerLength(24)
	pw.SetTrackerPosition(progress.PositionRight)
	st := pw.Style()
	st.Visibility = progress.StyleVisibility{Pinned: true, Tracker: true}
	st.Chars = progress.StyleCharsDefault                  // box and block characters are two columns wide on Chinese Windows consoles
	st.Options.Separator, st.Options.DoneString = "  ", "" // the numbers say how far it came
	tracker := &progress.Tracker{Message: s.tally()}
	pw.AppendTracker(tracker)
	rendered := make(chan struct{})
	go func() { pw.Render(); close(rendered) }()
	for e, ok := p.next(); ok; e, ok = p.next() {
		s.take(e)
		pw.SetPinnedMessages(s.pinned()...)
		tracker.UpdateMessage(s.tally())
		tracker.UpdateTotal(int64(max(len(s.state), 1)))
		tracker.SetValue(int64(s.finished))
	}
	pw.SetPinnedMessages()
	tracker.MarkAsDone()
	for !pw.IsRenderInProgress() { // stopping before it has begun is not noticed
		select {
		case <-rendered:
			return
		case <-time.After(time.Millisecond):
		}
	}
	pw.Stop()
	<-rendered
}

// seen is what the display knows of the run.
type seen struct {
	lang     string
	step     string
	state    map[string]string // by device; "" when it has been looked at
	active   []string          // devices at work, in the order they began
	finished int
}

// take notes an event and returns the line that tells it.
func (s *seen) take(e event) string {
	what := cleaned(in(s.lang, e.state))
	if e.id == "" {
		s.step = what
		return what
	}
	before, known := s.state[e.id]
	s.state[e.id] = what
	at := slices.Index(s.active, e.id)
	switch {
	case what == "":
		if known && before == "" {
			return ""
		}
		s.finished++
		if at >= 0 {
			s.active = slices.Delete(s.active, at, at+1)
		}
		what = msg.In(s.lang, "report.progress.done")
	case at < 0:
		if known && before == "" {
			s.finished--
		}
		s.active = append(s.active, e.id)
	}
	return msg.In(s.lang, "report.progress.device", e.id, what)
}

func (s *seen) tally() string {
	return msg.In(s.lang, "report.progress.found", len(s.state), s.finished)
}

func (s *seen) pinned() []string {
	out := []string{s.step}
	for _, id := range s.active[max(0, len(s.active)-maxShown):] {
		out = append(out, snip(fmt.Sprintf("  %s  %s", id, s.state[id]), defaultWidth-1))
	}
	return out
}

func cleaned(s string) string { return clean.Text(s, maxProgress) }

// quitter stops writing after the first failure, so that a closed terminal costs nothing more.
type quitter struct {
	w      io.Writer
	broken bool
}

func (q *quitter) Write(b []byte) (int, error) {
	if !q.broken {
		if _, err := q.w.Write(b); err != nil {
			q.broken = true
		}
	}
	return len(b), nil
}
