package lab

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
)

// rtspServer is a device's RTSP server: a video track that is described and never fed, and a metadata track.
type rtspServer struct {
	d        *device
	server   *gortsplib.Server
	video    *gortsplib.ServerStream // without metadata, for channels that have none
	stream   *gortsplib.ServerStream // nil without a metadata track
	metadata *description.Media
	watching atomic.Int64
}

func startRTSP(d *device, ln net.Listener) (*rtspServer, error) {
	r := &rtspServer{d: d}
	r.server = &gortsplib.Server{
		Handler:        r,
		WriteQueueSize: 1024,
		RTSPAddress:    ln.Addr().String(),
		Listen:         func(string, string) (net.Listener, error) { return ln, nil },
	}
	switch d.spec.Login.Auth {
	case AuthDigestSHA256:
		r.server.AuthMethods = []auth.VerifyMethod{auth.VerifyMethodDigestSHA256}
	case AuthDigestBoth:
		r.server.AuthMethods = []auth.VerifyMethod{auth.VerifyMethodDigestSHA256, auth.VerifyMethodDigestMD5}
	default:
		r.server.AuthMethods = []auth.VerifyMethod{auth.VerifyMethodDigestMD5}
	}
	if err := r.server.Start(); err != nil {
		return nil, fmt.Errorf("rtsp: %w", err)
	}
	r.video = &gortsplib.ServerStream{Server: r.server, Desc: &description.Session{Title: d.spec.Model, Medias: []*description.Media{r.videoTrack()}}}
	if err := r.video.Initialize(); err != nil {
		return nil, fmt.Errorf("rtsp: %w", err)
	}
	m := d.spec.Metadata
	if !m.Track {
		return r, nil
	}
	f := &format.Generic{PayloadTyp: m.PayloadType, RTPMa: string(m.Encoding) + "/90000"}
	if err := f.Init(); err != nil {
		return nil, fmt.Errorf("rtsp: metadata track: %w", err)
	}
	r.metadata = &description.Media{Type: description.MediaTypeApplication, Formats: []format.Format{f}}
	r.stream = &gortsplib.ServerStream{Server: r.server, Desc: &description.Session{Title: d.spec.Model, Medias: []*description.Media{r.videoTrack(), r.metadata}}}
	if err := r.stream.Initialize(); err != nil {
		return nil, fmt.Errorf("rtsp: %w", err)
	}
	if len(m.Frames) > 0 && !d.spec.Quirks.NoStreamTrack {
		d.wg.Go(r.emit)
	}
	return r, nil
}

// videoTrack is a H.264 track with the parameter sets of a 16×16 picture; nothing is ever sent on it.
func (r *rtspServer) videoTrack() *description.Media {
	f := &format.H264{PayloadTyp: 96, PacketizationMode: 1,
		SPS: []byte{0x67, 0x42, 0xc0, 0x0a, 0xd9, 0x1e, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x48, 0x99, 0x20},
		PPS: []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}}
	formats := []format.Format{f}
	if r.d.spec.Quirks.BigSDP {
		g := &format.Generic{PayloadTyp: 97, RTPMa: "X-LAB/90000", FMT: map[string]string{"padding": strings.Repeat("A", 512<<10)}}
		if g.Init() == nil {
			formats = append(formats, g)
		}
	}
	return &description.Media{Type: description.MediaTypeVideo, Formats: formats}
}

func (r *rtspServer) close() {
	if r.stream != nil {
		r.stream.Close()
	}
	if r.video != nil {
		r.video.Close()
	}
	r.server.Close()
}

func (r *rtspServer) packet(payload []byte, seq uint16, stamp uint32, marker bool) {
	// An error means the stream is closed, or a reader too slow: both its own affair.
	_ = r.stream.WritePacketRTP(r.metadata, &rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: r.d.spec.Metadata.PayloadType, SequenceNumber: seq, Timestamp: stamp, Marker: marker},
		Payload: payload,
	})
}

// OnRequest records everything but DESCRIBE and SETUP, which are recorded once it is known how their login went.
func (r *rtspServer) OnRequest(_ *gortsplib.ServerConn, req *base.Request) {
	if h := req.Header["Authorization"]; len(h) > 0 && strings.HasPrefix(strings.ToLower(h[0]), "basic") {
		r.d.violated("was shown a password in the clear (RTSP Basic)")
	}
	if len(req.Header["Require"]) > 0 {
		r.d.violated("was asked for an RTSP extension: " + clip(strings.Join(req.Header["Require"], ","), 60))
	}
	if req.Method != base.Describe && req.Method != base.Setup {
		r.d.saw("RTSP "+string(req.Method), LoginNone)
	}
}

func (r *rtspServer) login(c *gortsplib.ServerConn, req *base.Request, what string) bool {
	l := r.d.spec.Login
	switch {
	case l.Auth == AuthNone:
		r.d.saw(what, LoginNone)
		return true
	case !r.d.guards.locked() && !l.Refuse && c.VerifyCredentials(req, l.User, l.Password):
		r.d.saw(what, LoginOK)
		return true
	case len(req.Header["Authorization"]) == 0:
		r.d.saw(what, LoginNone)
	default:
		r.d.guards.refused()
		r.d.saw(what, LoginRefused)
	}
	return false
}

// of returns the stream behind a path; nil where there is none.
func (r *rtspServer) of(path string) *gortsplib.ServerStream {
	if !slices.ContainsFunc(r.d.profiles(), func(p profile) bool { return p.path == path }) {
		return nil
	}
	if r.stream != nil {
		return r.stream
	}
	return r.video
}

// OnDescribe answers DESCRIBE.
func (r *rtspServer) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if !r.login(ctx.Conn, ctx.Request, "RTSP DESCRIBE "+clip(ctx.Path, 80)) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	if to := r.d.spec.Quirks.Elsewhere; to != "" {
		if a, err := netip.ParseAddrPort(to); err == nil {
			return &base.Response{StatusCode: base.StatusFound, Header: base.Header{"Location": base.HeaderValue{"rtsp://" + a.String() + ctx.Path}}}, nil, nil
		}
	}
	s := r.of(ctx.Path)
	if s == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, s, nil
}

// OnSetup answers SETUP. Setting up anything but the metadata track would make the camera send pictures.
func (r *rtspServer) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	track := ctx.Request.URL.Path
	what := "RTSP SETUP " + clip(track, 80)
	if r.stream == nil || !strings.HasSuffix(track, "/trackID=1") {
		what = "RTSP SETUP-of-a-picture-track " + clip(track, 80)
	}
	if !r.login(ctx.Conn, ctx.Request, what) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	s := r.of(ctx.Path)
	if s == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, s, nil
}

// OnPlay answers PLAY.
func (r *rtspServer) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	r.watching.Add(1)
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSessionClose notes that one watches less.
func (r *rtspServer) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	if ctx.Session.State() == gortsplib.ServerSessionStatePlay {
		r.watching.Add(-1)
	}
}

// OnStreamWriteError drops what a slow reader does not take, without a word.
func (r *rtspServer) OnStreamWriteError(*gortsplib.ServerHandlerOnStreamWriteErrorCtx) {}

// OnGetParameter answers GET_PARAMETER, the keep-alive.
func (r *rtspServer) OnGetParameter(*gortsplib.ServerHandlerOnGetParameterCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnResponse names the server as the device does.
func (r *rtspServer) OnResponse(_ *gortsplib.ServerConn, res *base.Response) {
	if s := r.d.spec.Page.Server; s != "" {
		res.Header["Server"] = base.HeaderValue{s}
	}
}
