package lab

import (
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// ISAPI is Hikvision's interface of a device, as its firmware answers it. Everything wants a login, by digest.
type ISAPI struct {
	Type    string    // deviceType: "NVR", "DVR", "hybirdNVR", "IPCamera"
	Proxied []Proxied // cameras fetched over the network
	Inputs  []Socket  // analog sockets; listed only by devices that have any
	NoList  bool      // answers 403 notSupport where the cameras are listed
	Faces   HikFaces  // what it has and does with faces
}

// Proxied is a camera a recorder fetches over the network.
type Proxied struct {
	Name, Protocol, Address string
	Port                    int
	MAC, Model, Serial      string
	Offline                 bool
	Disabled                bool // configured and switched off
}

// Socket is an analog input.
type Socket struct {
	Name   string
	Signal bool
}

// vendorReading lists what may be asked of a maker's own interface.
const vendorReading = `
/ISAPI/System/deviceInfo
/ISAPI/ContentMgmt/InputProxy/channels
/ISAPI/ContentMgmt/InputProxy/channels/status
/ISAPI/System/Video/inputs/channels
/ISAPI/System/Video/inputs/channels/{channel}/VCAResource
/ISAPI/System/capabilities
/ISAPI/Smart/capabilities
/ISAPI/Smart/FaceDetect/{channel}
/ISAPI/Intelligent/capabilities
/ISAPI/Intelligent/channels/{channel}/faceRule
/ISAPI/Intelligent/channels/{channel}/faceContrast
/ISAPI/Intelligent/FDLib
/ISAPI/Intelligent/FDLib/capabilities
/ISAPI/Event/channels/capabilities
/ISAPI/Event/notification/httpHosts
/ISAPI/Event/notification/alertStream
/ISAPI/System/Network/Ehome
/ISAPI/System/Network/EZVIZ
/ISAPI/System/Network/SIP
/ISAPI/AccessControl/capabilities
/ISAPI/AccessControl/FaceRecognizeMode?format=json
/ISAPI/AccessControl/AcsWorkStatus?format=json
/ISAPI/AccessControl/UserInfo/Count?format=json
/cgi-bin/magicBox.cgi?action=getSystemInfo
/cgi-bin/magicBox.cgi?action=getDeviceType
/cgi-bin/magicBox.cgi?action=getDeviceClass
/cgi-bin/magicBox.cgi?action=getSoftwareVersion
/cgi-bin/magicBox.cgi?action=getVendor
/cgi-bin/magicBox.cgi?action=getMachineName
/cgi-bin/magicBox.cgi?action=getSerialNo
/cgi-bin/configManager.cgi?action=getConfig&name=RemoteDevice
/cgi-bin/configManager.cgi?action=getConfig&name=ChannelTitle
/cgi-bin/eventManager.cgi?action=getEventIndexes&code=VideoLoss
`

// camerasPassword is the recorder's own password at its cameras, which its lists quote and nobody may keep.
const camerasPassword = "Lab-behind-the-recorder"

// nsISAPI is one of the two namespaces firmware writes; devices of the shop take turns.
func (d *device) nsISAPI() string {
	if d.n%2 == 0 {
		return "http://www.isapi.org/ver20/XMLSchema"
	}
	return "http://www.hikvision.com/ver20/XMLSchema"
}

// vendor answers a request to a maker's own interface and reports whether there is one at the path.
func (d *device) vendor(w http.ResponseWriter, r *http.Request) bool {
	isapi := d.spec.ISAPI != nil && strings.HasPrefix(r.URL.Path, "/ISAPI/")
	cgi := d.spec.CGI != nil && strings.HasPrefix(r.URL.Path, "/cgi-bin/")
	if !isapi && !cgi {
		return false
	}
	if d.spec.Page.Server != "" {
		w.Header().Set("Server", d.spec.Page.Server)
	}
	login, locked := d.vendorLogin(r)
	d.saw(r.Method+" "+clip(hikChannel.ReplaceAllString(r.URL.RequestURI(), "${1}{channel}${2}"), 300), login)
	switch {
	case login != LoginOK:
		d.turnAway(w, login == LoginStale, locked, isapi)
	case isapi:
		d.serveISAPI(w, r)
	default:
		d.serveCGI(w, r)
	}
	return true
}

// vendorLogin verifies the digest login of a request.
func (d *device) vendorLogin(r *http.Request) (login string, locked bool) {
	header := r.Header.Get("Authorization")
	switch {
	case header == "" && d.spec.Login.Auth == AuthNone:
		return LoginOK, false
	case header == "":
		return LoginNone, d.guards.locked()
	case d.guards.locked():
		return LoginRefused, true
	case d.spec.Login.Refuse:
		login = LoginRefused
	default:
		login = d.checkDigest(r, header)
	}
	if login == LoginRefused {
		d.guards.refused()
	}
	return login, d.guards.locked()
}

// turnAway answers 401 in the maker's words.
func (d *device) turnAway(w http.ResponseWriter, stale, locked, isapi bool) {
	challenge := fmt.Sprintf(`Digest realm="%s", qop="auth", nonce="%s", opaque="%s"`, d.realm(), d.nonces.fresh(hex.EncodeToString(d.random(16))), hex.EncodeToString(d.random(8)))
	if stale {
		challenge += `, stale="TRUE"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	if !isapi {
		text := "Invalid Authority!"
		if locked {
			text = "Error: Account locked"
		}
		http.Error(w, text, http.StatusUnauthorized)
		return
	}
	state, wait := "unlock", 0
	if locked {
		state, wait = "lock", 1800
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><userCheck version="2.0" xmlns=%q><statusValue>401</statusValue><statusString>Unauthorized</statusString>`+
		`<lockStatus>%s</lockStatus><unlockTime>%d</unlockTime></userCheck>`, d.nsISAPI(), state, wait)
}

func (d *device) serveISAPI(w http.ResponseWriter, r *http.Request) {
	i := d.spec.ISAPI
	w.Header().Set("Content-Type", `application/xml; charset="UTF-8"`)
	var body strings.Builder
	switch path := r.URL.Path; {
	case path == "/ISAPI/System/deviceInfo":
		d.element(&body, "DeviceInfo", func() {
			for _, x := range [][2]string{{"deviceName", d.spec.Label}, {"model", d.spec.Model}, {"serialNumber", d.spec.Serial}, {"macAddress", d.spec.MAC},
				{"firmwareVersion", d.spec.Firmware}, {"firmwareReleasedDate", "build 260101"}, {"deviceType", i.Type}} {
				text(&body, x[0], x[1])
			}
		})
	case d.serveHikFaces(w, r, &body):
		return
	case body.Len() > 0:
	case i.NoList:
	case path == "/ISAPI/ContentMgmt/InputProxy/channels" && i.Proxied != nil:
		d.element(&body, "InputProxyChannelList", func() {
			for k, c := range i.Proxied {
				body.WriteString("<InputProxyChannel>")
				text(&body, "id", fmt.Sprint(k+1))
				text(&body, "name", c.Name)
				body.WriteString("<sourceInputPortDescriptor>")
				for _, x := range [][2]string{{"proxyProtocol", c.Protocol}, {"addressingFormatType", "ipaddress"}, {"ipAddress", c.Address}, {"managePortNo", fmt.Sprint(c.Port)},
					{"srcInputPort", "1"}, {"userName", "admin"}, {"password", camerasPassword}, {"model", c.Model}, {"serialNumber", c.Serial}} {
					text(&body, x[0], x[1])
				}
				body.WriteString("</sourceInputPortDescriptor><enableAnr>false</enableAnr></InputProxyChannel>")
			}
		})
	case path == "/ISAPI/ContentMgmt/InputProxy/channels/status" && i.Proxied != nil:
		d.element(&body, "InputProxyChannelStatusList", func() {
			for k, c := range i.Proxied {
				result := "connect"
				if c.Offline {
					result = "netUnreachable"
				}
				fmt.Fprintf(&body, "<InputProxyChannelStatus><id>%d</id><online>%v</online><chanDetectResult>%s</chanDetectResult></InputProxyChannelStatus>", k+1, !c.Offline, result)
			}
		})
	case path == "/ISAPI/System/Video/inputs/channels" && i.Inputs != nil:
		d.element(&body, "VideoInputChannelList", func() {
			for k, c := range i.Inputs {
				res := "NO VIDEO"
				if c.Signal {
					res = " 1280*720(HD720P)P25"
				}
				fmt.Fprintf(&body, "<VideoInputChannel><id>%d</id><inputPort>%d</inputPort><videoInputEnabled>true</videoInputEnabled>", k+1, k+1)
				text(&body, "name", c.Name)
				text(&body, "resDesc", res)
				body.WriteString("</VideoInputChannel>")
			}
		})
	}
	if body.Len() == 0 {
		w.WriteHeader(http.StatusForbidden)
		d.element(&body, "ResponseStatus", func() {
			body.WriteString("<statusCode>4</statusCode><statusString>Invalid Operation</statusString><subStatusCode>notSupport</subStatusCode>")
		})
	}
	fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+body.String())
}

// element writes one root with what is in it.
func (d *device) element(b *strings.Builder, name string, inside func()) {
	fmt.Fprintf(b, "<%s version=\"2.0\" xmlns=%q>\n", name, d.nsISAPI())
	inside()
	fmt.Fprintf(b, "</%s>\n", name)
}

func text(b *strings.Builder, name, value string) {
	b.WriteString("<" + name + ">")
	xml.EscapeText(b, []byte(value)) //nolint:errcheck // a builder takes everything
	b.WriteString("</" + name + ">\n")
}
