package faceserver

import (
	"context"
	"net/http"
	"slices"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/faceserver"
)

// codeProject asks which modules a server has and whether the one for faces runs.
func codeProject(ctx context.Context, s *session) {
	read := func(b []byte, d *Data) bool {
		ms, err := wire.ReadModules(b)
		if err != nil {
			return false
		}
		d.Product = s.product.name
		for _, m := range ms {
			if m.ID == wire.FaceModule {
				d.Module, d.State, d.Calls = m.ID, m.Status, m.Calls
			}
		}
		return true
	}
	own, r := s.put(ctx, wire.CodeProjectModules, audit.ClassConfig, wire.KeepModules, read)
	if r.Code == http.StatusNotFound {
		own, _ = s.put(ctx, wire.CodeProjectStatus, audit.ClassConfig, wire.KeepModules, read)
	}
	if !own {
		return
	}
	s.put(ctx, wire.CodeProjectPing, audit.ClassInventory, wire.KeepPing, func(b []byte, d *Data) bool {
		d.Product, d.Version = s.product.name, wire.ReadPing(b)
		return d.Version != ""
	})
}

// compreFace asks what the calculator has loaded, through the user interface or at the calculator itself.
func compreFace(ctx context.Context, s *session) {
	p := wire.ComprefaceStatus
	if slices.Contains(s.product.ports, s.at.Port()) {
		p = wire.ComprefaceCore
	}
	s.put(ctx, p, audit.ClassCapability, wire.KeepStatus, func(b []byte, d *Data) bool {
		st, err := wire.ReadStatus(b)
		d.Product, d.Version, d.Loaded = s.product.name, st.Build, st.Plugins
		return err == nil
	})
}

func insightFace(ctx context.Context, s *session) {
	s.put(ctx, wire.InsightInfo, audit.ClassCapability, wire.KeepInfo, func(b []byte, d *Data) bool {
		m, err := wire.ReadInfo(b)
		d.Product, d.Version = s.product.name, m.Version
		for _, x := range []struct {
			name string
			on   bool
		}{{"detector", m.Detect}, {"calculator", m.Embed}, {"gender", m.GenderAge}, {"age", m.GenderAge}, {"mask", m.Mask}} {
			if x.on {
				d.Loaded = append(d.Loaded, x.name)
			}
		}
		return err == nil
	})
}

// deepFace asks whether the routes that take pictures are there. They answer GET with 405 and look at nothing.
func deepFace(ctx context.Context, s *session) {
	for _, p := range []wire.Path{wire.DeepfaceAnalyze, wire.DeepfaceVerify, wire.DeepfaceSearch} {
		s.asker.Withhold = wire.Nothing
		r := s.asker.Ask(ctx, string(p))
		o := r.Observation(moduleName, get(p), audit.ClassCapability, s.at)
		var d Data
		switch r.Code {
		case http.StatusMethodNotAllowed:
			o.Status = audit.OK // what it says is that the route is there
			d = Data{Product: s.product.name, Offers: []string{string(p)}}
		case http.StatusOK:
			o.Status = audit.Malformed
		}
		s.keep(o, d)
		if d.Product == "" {
			return // an older version has no route for the last one; another program has none of them
		}
	}
}

// viseron asks whether the server wants logins and, where it does not, for its configuration.
func viseron(ctx context.Context, s *session) {
	wantsLogin := true
	own, _ := s.put(ctx, wire.ViseronAuth, audit.ClassInventory, wire.KeepAuth, func(b []byte, d *Data) bool {
		enabled, ok := wire.ReadAuth(b)
		wantsLogin, d.Auth, d.Product = enabled, &enabled, s.product.name
		return ok
	})
	if !own || wantsLogin {
		return
	}
	s.put(ctx, wire.ViseronConfig, audit.ClassConfig, wire.KeepViseronConfig, func(b []byte, d *Data) bool {
		v, err := wire.ReadViseron(b)
		d.Product, d.Uses, d.Cameras = s.product.name, v.Recognisers, v.Cameras
		d.Wired = slices.ContainsFunc(v.Cameras, func(c wire.Camera) bool { return c.Faces != nil && *c.Faces })
		return err == nil
	})
}

// doubleTake asks for the configuration, which a server with logins refuses.
func doubleTake(ctx context.Context, s *session) {
	s.put(ctx, wire.DoubleTakeConfig, audit.ClassConfig, wire.KeepDoubleTake, func(b []byte, d *Data) bool {
		c, err := wire.ReadDoubleTake(b)
		d.Product, d.Version, d.Detectors, d.Cameras, d.Wired = s.product.name, c.Version, c.Detectors, c.Cameras, c.Wired()
		return err == nil
	})
}
