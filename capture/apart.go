package capture

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	parcelFlows = 256
	parcelBytes = 128 << 10
	parcelAge   = time.Second // of the capture's clock
	parcelCount = 4
)

// parcel is flows on their way to another goroutine, with everything they refer to.
type parcel struct {
	flows    []Flow
	messages []Message
	fields   []Field
	parts    []Part
	totals   []Totals
	hellos   []Hello
	bytes    []byte
	done     chan struct{} // closed when the sink had them; nil: nobody waits
}

// apart calls a sink in a goroutine of its own, for one flow after the other in their order.
type apart struct {
	sink  func(*Flow)
	free  chan *parcel
	ended chan struct{}
	broke chan any // what the sink broke with

	mu   sync.Mutex
	p    *parcel // that is being filled; nil: there will be no more
	full chan *parcel
}

func newApart(sink func(*Flow)) *apart {
	a := &apart{sink: sink, p: &parcel{}, full: make(chan *parcel, parcelCount), free: make(chan *parcel, parcelCount), ended: make(chan struct{}), broke: make(chan any, 1)}
	for range parcelCount - 1 {
		a.free <- &parcel{}
	}
	go a.run()
	return a
}

func (a *apart) run() {
	defer close(a.ended)
	for p := range a.full {
		if v := a.give(p); v != nil {
			select {
			case a.broke <- v:
			default: // the first is enough
			}
		}
		if p.done != nil {
			close(p.done)
		}
		p.clear()
		a.free <- p // has room for all parcels there are
	}
}

// give gives the sink what is in a parcel. It returns what the sink broke with: the rest of the parcel is lost then.
func (a *apart) give(p *parcel) (broke any) {
	defer func() {
		if v := recover(); v != nil {
			broke = fmt.Sprintf("%v\n%s", v, debug.Stack())
		}
	}()
	for i := range p.flows {
		a.sink(&p.flows[i])
	}
	return nil
}

// take copies a flow, and hands on what was gathered when it is enough. It panics with what the sink broke with.
func (a *apart) take(f *Flow) {
	if a.gather(f) {
		a.check()
	}
}

// gather reports whether it handed something on.
func (a *apart) gather(f *Flow) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.p
	p.add(f)
	if len(p.flows) < parcelFlows && len(p.bytes) < parcelBytes && f.Until.Sub(p.flows[0].Until) <= parcelAge {
		return false
	}
	a.hand()
	return true
}

func (a *apart) hand() {
	a.full <- a.p // has room for all parcels there are
	a.p = <-a.free
}

func (a *apart) check() {
	select {
	case v := <-a.broke:
		panic(v)
	default:
	}
}

// flush hands on what was gathered, and returns when the sink has had it.
func (a *apart) flush() {
	a.mu.Lock()
	if a.p == nil {
		a.mu.Unlock()
		<-a.ended
		return
	}
	done := make(chan struct{})
	a.p.done = done
	a.hand()
	a.mu.Unlock()
	<-done
}

// end hands on what is left, and returns when the sink has had it.
func (a *apart) end() {
	a.mu.Lock()
	if a.p != nil {
		a.full <- a.p
		a.p = nil
		close(a.full)
	}
	a.mu.Unlock()
	<-a.ended
}

// add copies a flow with everything it refers to.
func (p *parcel) add(f *Flow) {
	p.flows = append(p.flows, *f)
	c := &p.flows[len(p.flows)-1]
	c.Request, c.Answer = p.message(f.Request), p.message(f.Answer)
	if f.Part != nil {
		c.Part = &p.partsOf([]Part{*f.Part})[0]
	}
	c.Payload = p.copy(f.Payload)
	if f.Hello != nil {
		p.hellos = append(p.hellos, *f.Hello)
		c.Hello = &p.hellos[len(p.hellos)-1]
	}
	if f.Totals != nil {
		p.totals = append(p.totals, *f.Totals)
		c.Totals = &p.totals[len(p.totals)-1]
	}
}

func (p *parcel) message(m *Message) *Message {
	if m == nil {
		return nil
	}
	p.messages = append(p.messages, *m)
	c := &p.messages[len(p.messages)-1]
	c.Header, c.Body, c.Parts = p.header(m.Header), p.copy(m.Body), p.partsOf(m.Parts)
	return c
}

func (p *parcel) header(h Header) Header {
	if h == nil {
		return nil
	}
	n := len(p.fields)
	p.fields = append(p.fields, h...)
	return Header(p.fields[n:len(p.fields):len(p.fields)])
}

func (p *parcel) partsOf(list []Part) []Part {
	if list == nil {
		return nil
	}
	n := len(p.parts)
	p.parts = append(p.parts, list...)
	out := p.parts[n:len(p.parts):len(p.parts)]
	for i := range out {
		out[i].Header, out[i].Body = p.header(out[i].Header), p.copy(out[i].Body)
	}
	return out
}

func (p *parcel) copy(b []byte) []byte {
	if b == nil {
		return nil
	}
	n := len(p.bytes)
	p.bytes = append(p.bytes, b...)
	return p.bytes[n:len(p.bytes):len(p.bytes)]
}

// clear empties a parcel for its next use. What grew large is given up.
func (p *parcel) clear() {
	clear(p.flows)
	clear(p.messages)
	clear(p.fields)
	clear(p.parts)
	clear(p.hellos)
	p.flows, p.messages, p.fields, p.parts, p.totals, p.hellos = p.flows[:0], p.messages[:0], p.fields[:0], p.parts[:0], p.totals[:0], p.hellos[:0]
	p.done = nil
	if p.bytes = p.bytes[:0]; cap(p.bytes) > 4*parcelBytes {
		p.bytes = nil
	}
}
