package lab

import (
	"fmt"
	"net/http"
	"strings"
)

// CGI is Dahua's interface of a device, as its firmware answers it. Everything wants a login, by digest.
type CGI struct {
	Class  string    // "NVR", "XVR", "IPC"
	Remote []Proxied // cameras fetched over the network, by channel; one that is switched off keeps its place
	Titles []string  // of every channel, with or without a camera
	Lost   []int     // channels without a picture, from zero
}

func (d *device) serveCGI(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var b strings.Builder
	line := func(key string, value any) { fmt.Fprintf(&b, "%s=%v\r\n", key, value) }
	switch _, program, _ := strings.Cut(r.URL.Path, "/cgi-bin/"); program + " " + q.Get("action") + " " + q.Get("name") + q.Get("code") {
	case "magicBox.cgi getSystemInfo ":
		line("appAutoStart", true)
		line("deviceType", 31)
		line("serialNumber", d.spec.Serial)
		line("updateSerial", d.spec.Model)
	case "magicBox.cgi getDeviceType ":
		line("type", d.spec.Model)
	case "magicBox.cgi getDeviceClass ":
		line("class", d.spec.CGI.Class)
	case "magicBox.cgi getSoftwareVersion ":
		line("version", d.spec.Firmware)
	case "magicBox.cgi getVendor ":
		line("vendor", "General")
	case "magicBox.cgi getMachineName ":
		line("name", d.spec.Label)
	case "magicBox.cgi getSerialNo ":
		line("sn", d.spec.Serial)
	case "configManager.cgi getConfig RemoteDevice":
		for i, c := range d.spec.CGI.Remote {
			for _, x := range [][2]string{{"Address", c.Address}, {"DeviceType", c.Model}, {"Enable", fmt.Sprint(!c.Disabled)}, {"HttpPort", fmt.Sprint(c.Port)}, {"Mac", c.MAC},
				{"Name", c.Name}, {"Password", camerasPassword}, {"Port", "37777"}, {"ProtocolType", c.Protocol}, {"SerialNo", c.Serial}, {"UserName", "admin"}, {"Vendor", "Private"}} {
				line(fmt.Sprintf("table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_%d.%s", i, x[0]), x[1])
			}
		}
	case "configManager.cgi getConfig ChannelTitle":
		for i, t := range d.spec.CGI.Titles {
			line(fmt.Sprintf("table.ChannelTitle[%d].Name", i), t)
		}
	case "eventManager.cgi getEventIndexes VideoLoss":
		for i, c := range d.spec.CGI.Lost {
			line(fmt.Sprintf("channels[%d]", i), c)
		}
	}
	w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	if b.Len() == 0 {
		w.WriteHeader(http.StatusBadRequest)
		b.WriteString("Error\r\nBad Request!\r\n")
	}
	fmt.Fprint(w, b.String())
}
