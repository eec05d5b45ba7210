// Package all is the list of protocol modules. Adding a protocol is one directory below probe and one line here.
package all

import (
	"github.com/mingshi-audit/mingshi/probe"
	"github.com/mingshi-audit/mingshi/probe/announce"
	"github.com/mingshi-audit/mingshi/probe/axis"
	"github.com/mingshi-audit/mingshi/probe/dahua"
	"github.com/mingshi-audit/mingshi/probe/egress"
	"github.com/mingshi-audit/mingshi/probe/faceserver"
	"github.com/mingshi-audit/mingshi/probe/frigate"
	"github.com/mingshi-audit/mingshi/probe/gb28181"
	"github.com/mingshi-audit/mingshi/probe/hanwha"
	"github.com/mingshi-audit/mingshi/probe/holosens"
	"github.com/mingshi-audit/mingshi/probe/isapi"
	"github.com/mingshi-audit/mingshi/probe/onvif"
	"github.com/mingshi-audit/mingshi/probe/protect"
	"github.com/mingshi-audit/mingshi/probe/reolink"
	"github.com/mingshi-audit/mingshi/probe/rtsp"
	"github.com/mingshi-audit/mingshi/probe/tplink"
	"github.com/mingshi-audit/mingshi/probe/uniview"
	"github.com/mingshi-audit/mingshi/probe/upnp"
	"github.com/mingshi-audit/mingshi/probe/viid"
	"github.com/mingshi-audit/mingshi/probe/web"
	"github.com/mingshi-audit/mingshi/probe/zk"
)

// Modules lists every module, in the order a device is asked: the protocol that says most comes first, so that its login is
// the one the device sees. Makers' own protocols come last: they are asked only of devices that showed whose they are.
func Modules() []probe.Module {
	return []probe.Module{onvif.Module(), rtsp.Module(), web.Module(), upnp.Module(), isapi.Module(), dahua.Module(), uniview.Module(), hanwha.Module(), axis.Module(), viid.Module(), frigate.Module(), faceserver.Module(),
		holosens.Module(), reolink.Module(), tplink.Module(), protect.Module(), zk.Module(),
		gb28181.Module(), announce.Module(), egress.Module()}
}
