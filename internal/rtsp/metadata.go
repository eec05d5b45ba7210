package rtsp

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/headers"
	"github.com/pion/rtp"
)

const (
	maxWatch = 32 << 20 // bytes of metadata one watch reads
	// Some cameras end a session that is silent for more than this, whatever timeout they announced (gortsplib).
	reportEvery = 5 * time.Second
	defaultIdle = 60 * time.Second // RFC 2326, section 12.37
	minIdle     = 10 * time.Second
	// How long the TEARDOWN and its answer may take; it is sent even when the run was cancelled.
	teardownTimeout = 2 * time.Second
)

// Metadata watches the ONVIF metadata of a stream for the budget: it asks what the stream has, sets up its metadata track
// and no other, and hands each document to OnDocument. It ends when OnDocument has enough, when the budget is over, when
// the context ends or when the device ends it, and then tells the device so. Silence is StatusOK with no documents: it
// means that nothing was seen. An error means that the URL is no RTSP URL; whatever the device or the network did is in the
// Result.
func Metadata(ctx context.Context, rawURL string, o Options) (Result, error) {
	if err := o.fill(); err != nil {
		return Result{}, err
	}
	u, port, err := rebase(rawURL, o.Host)
	if err != nil {
		return Result{}, err
	}
	var r Result
	s, err := open(ctx, &o, port, u.Scheme == "rtsps")
	if err != nil {
		r.fail(ctx, err)
		return r, nil
	}
	defer s.conn.Close()
	if err := r.run(ctx, s, u); err != nil {
		r.fail(ctx, err)
	}
	r.Evidence = s.evidence
	return r, nil
}

func (r *Result) fail(ctx context.Context, err error) {
	r.Status, r.Detail, r.Cause = failure(ctx, err), err.Error(), err
	if errors.Is(ctx.Err(), context.Canceled) {
		r.Ended = EndedCancelled
	}
}

func (r *Result) run(ctx context.Context, s *session, u *base.URL) error {
	var d Description
	res, sdp, err := d.describe(ctx, s, u)
	r.Login = d.Login
	if err != nil {
		return err
	}
	r.Status, r.Code, r.Detail = d.Status, d.Code, d.Detail
	if r.Status != StatusOK {
		return nil
	}
	track := -1
	for i, t := range sdp.tracks {
		e := t.Metadata()
		if e != "" && !t.SendOnly && (track < 0 || isEXI(r.Encoding) && !isEXI(e)) {
			track, r.Encoding, r.Found = i, e, true
		}
	}
	switch {
	case !r.Found:
		r.Status = StatusNoTrack
		return nil
	case isEXI(r.Encoding):
		r.Status = StatusEXI
		return nil
	}
	b := baseURL(res, sdp, u)
	c, err := trackURL(b, sdp.tracks[track].Control)
	if err != nil {
		return err
	}
	return r.play(ctx, s, b, c)
}

// trackURL resolves a control attribute the way players and devices agreed on rather than as RFC 3986 would: what is
// relative is appended, behind the query if there is one.
func trackURL(b *base.URL, control string) (*base.URL, error) {
	whole := b.String()
	switch {
	case control == "" || control == "*":
		return b, nil
	case strings.HasPrefix(control, "rtsp://") || strings.HasPrefix(control, "rtsps://"):
		whole = control
	case control[0] == '?' || control[0] == '/' || strings.HasSuffix(whole, "/"):
		whole += control
	default:
		whole += "/" + control
	}
	u, err := base.ParseURL(whole)
	if err != nil {
		return nil, fmt.Errorf("%w: control attribute %q", errMalformed, control[:min(len(control), 80)])
	}
	u.Scheme, u.Host, u.User = b.Scheme, b.Host, nil
	return u, nil
}

// play sets up the one track, plays it, watches, and ends the session whatever happened after SETUP was sent.
func (r *Result) play(ctx context.Context, s *session, aggregate, track *base.URL) error {
	unicast := headers.TransportDeliveryUnicast
	transport := headers.Transport{Protocol: headers.TransportProtocolTCP, Delivery: &unicast, InterleavedIDs: &[2]int{0, 1}}
	res, err := s.do(ctx, base.Setup, track, base.Header{"Transport": transport.Marshal()})
	if err == nil && res.code == 401 && s.login != nil && s.login.renew(res) {
		res, err = s.do(ctx, base.Setup, track, base.Header{"Transport": transport.Marshal()})
	}
	if err != nil {
		return err
	}
	if r.answer(res, s); r.Status != StatusOK {
		return nil
	}
	s.begin(res)
	defer func() {
		tctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(teardownTimeout, s.o.Timeout))
		defer cancel()
		s.frame = func(int, []byte) {}
		s.do(tctx, base.Teardown, aggregate, nil) //nolint:errcheck // recorded; nothing follows
	}()
	channel, ok := interleaved(res.value("Transport"))
	if !ok {
		r.Status, r.Detail = StatusInconclusive, "does not interleave: "+res.value("Transport")
		return nil
	}

	w := &watch{r: r, channel: channel, asm: assembler{}}
	w.asm.emit = func(doc []byte) {
		if !w.stop {
			r.Documents++
			w.stop = s.o.OnDocument(doc)
		}
	}
	s.frame = w.frame
	start := s.o.Clock()
	res, err = s.do(ctx, base.Play, aggregate, base.Header{"Range": {"npt=0.000-"}})
	if err != nil {
		return err
	}
	if r.answer(res, s); r.Status != StatusOK {
		return nil
	}
	r.Detail = ""
	err = w.run(ctx, s, aggregate)
	if !w.stop {
		w.asm.finish()
	}
	r.Watched = s.o.Clock().Sub(start)
	r.Lost = w.asm.lost
	if w.asm.opaque && r.Documents == 0 {
		r.Status = StatusEXI
	}
	switch {
	case err == nil:
	case isMalformed(err):
		r.Ended, r.Cause, r.Detail = EndedMalformed, err, err.Error()
	default:
		r.Ended, r.Cause, r.Detail = EndedClosed, err, err.Error()
	}
	return nil
}

func (r *Result) answer(res *response, s *session) {
	r.Code, r.Detail, r.Status = res.code, res.reason, statusOf(res.code, s.login != nil)
}

// begin notes the session the device opened.
func (s *session) begin(res *response) {
	id, rest, _ := strings.Cut(res.value("Session"), ";")
	s.id, s.idle = strings.TrimSpace(id), defaultIdle
	if _, v, ok := strings.Cut(rest, "timeout="); ok {
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && n > 0 && n < 3600 {
			s.idle = max(time.Duration(n)*time.Second, minIdle)
		}
	}
}

// interleaved reads the channel from a Transport answer. One without channels has ours; one over UDP is none.
func interleaved(v string) (int, bool) {
	var t headers.Transport
	if err := t.Unmarshal(base.HeaderValue{v}); err != nil {
		return 0, v == ""
	}
	if t.InterleavedIDs != nil {
		return t.InterleavedIDs[0], true
	}
	return 0, t.Protocol == headers.TransportProtocolTCP
}

// watch is one metadata track being read.
type watch struct {
	r       *Result
	channel int
	asm     assembler
	stop    bool
}

func (w *watch) frame(channel int, payload []byte) {
	var p rtp.Packet
	if channel != w.channel || w.stop || p.Unmarshal(payload) != nil || p.Version != 2 {
		return
	}
	w.r.Bytes += len(p.Payload)
	w.asm.push(&p)
}

// run reads until something ends it, and says so in r.Ended; an error is the device's doing. Every reportEvery it tells the
// device that somebody listens.
func (w *watch) run(ctx context.Context, s *session, u *base.URL) error {
	wctx, cancel := context.WithTimeout(ctx, s.o.Budget)
	defer cancel()
	var say []byte
	for quiet := reportEvery; ; quiet += reportEvery {
		err := w.read(wctx, s, say)
		switch {
		case w.stop:
			w.r.Ended = EndedStop
		case w.r.Bytes > maxWatch:
			w.r.Ended = EndedLimit
		case ctx.Err() != nil:
			w.r.Ended = EndedCancelled
		case wctx.Err() != nil:
			w.r.Ended = EndedBudget
		case err != nil:
			return err
		default:
			say = report(w.channel + 1)
			if quiet+reportEvery > s.idle*8/10 {
				quiet = 0
				ask, _ := s.request(base.Options, u, nil) // the answer is read like everything else
				say = append(say, ask...)
			}
			continue
		}
		return nil
	}
}

// read sends what is to be said and reads for reportEvery. That the time is over is no error.
func (w *watch) read(ctx context.Context, s *session, say []byte) error {
	tctx, cancel := context.WithTimeout(ctx, reportEvery)
	defer cancel()
	release := s.interrupt(tctx)
	defer release()
	if len(say) > 0 {
		if _, err := s.conn.Write(say); err != nil {
			return err
		}
	}
	for !w.stop && w.r.Bytes <= maxWatch {
		if _, err := s.read(); err != nil {
			if tctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	return nil
}

// report returns an empty RTCP receiver report (RFC 3550, section 6.4.2), interleaved (RFC 2326, section 10.12).
func report(channel int) []byte {
	const version, receiverReport, words, ssrc = 2 << 6, 201, 1, 1
	return []byte{base.InterleavedFrameMagicByte, byte(channel), 0, 8, version, receiverReport, 0, words, 0, 0, 0, ssrc}
}
