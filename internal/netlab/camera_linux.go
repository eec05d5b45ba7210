package netlab

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What every camera of a farm says it is.
const (
	CameraVendor = "Lanting"
	CameraModel  = "LT-2064"
)

// Cameras returns n cameras spread evenly over a prefix, which keep away from the auditing machine, the router, and the
// addresses that belong to nobody. n may be as many as there are: then only the auditing machine's is left out.
func Cameras(within netip.Prefix, n int) []*Host {
	var free []netip.Addr
	for a := within.Addr().Next(); within.Contains(a.Next()); a = a.Next() {
		if s := a.String(); s != Scanner && s != farRouter {
			free = append(free, a)
		}
	}
	hosts := make([]*Host, n)
	for i := range hosts {
		a := free[i*len(free)/n]
		hosts[i] = &Host{Name: "camera-" + a.String(), Addrs: []string{netip.PrefixFrom(a, within.Bits()).String()}, NoIPv6: true,
			Far: within == Far(), Serve: []Service{Camera()}}
	}
	return hosts
}

// Camera is a camera as the market has them: a web page and an ONVIF device service on port 80, RTSP on 554, a private
// protocol that says nothing on 8000, WS-Discovery. It says who it is without a login and refuses everything else. It holds
// against its visitors whatever is no question about who it is.
func Camera() Service {
	return func(h *Host) (func() []string, error) {
		c := &camera{host: h}
		var open []io.Closer
		stop := func() []string {
			closeAll(open)
			return c.complaints()
		}
		for port, serve := range map[uint16]func(net.Conn){554: c.rtsp, 8000: c.silent} {
			ln, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", h.Addr(), port))
			if err != nil {
				return stop, err
			}
			open = append(open, ln)
			go Accept(ln, serve)
		}
		ln, err := net.Listen("tcp4", h.Addr().String()+":80")
		if err != nil {
			return stop, err
		}
		web := &http.Server{Handler: http.HandlerFunc(c.web), ReadTimeout: time.Minute}
		open = append(open, web)
		go func() { _ = web.Serve(ln) }() // it ends when it is closed
		stopWSD, err := serveWSD(h, Discoverable{XAddrs: "http://" + h.Addr().String() + "/onvif/device_service",
			Scopes: "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/" + CameraVendor + " onvif://www.onvif.org/hardware/" + CameraModel}, c.datagram)
		return func() []string { stopWSD(); return stop() }, err
	}
}

// camera is one running camera.
type camera struct {
	host *Host

	mu  sync.Mutex
	bad map[string]int
}

func (c *camera) complain(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bad == nil {
		c.bad = map[string]int{}
	}
	if len(c.bad) < 20 {
		c.bad[fmt.Sprintf(format, args...)]++
	}
}

func (c *camera) complaints() (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s, n := range c.bad {
		out = append(out, fmt.Sprintf("%s (%d times)", s, n))
	}
	slices.Sort(out)
	return out
}

// inquiries are the paths that ask a device of some maker who it is, or a server whether it is one. Everything else that is
// fetched from a device that never mentioned it needs a reason.
func inquiries() []string {
	return []string{"/", "/favicon.ico", "/ISAPI/System/deviceInfo", "/SDK/deviceInfo", "/VIID/System/Time", "/rootDesc.xml", "/description.xml", "/upnpdevicedesc.xml",
		"/cgi-bin/magicBox.cgi?action=getSystemInfo", "/cgi-bin/magicBox.cgi?action=getDeviceType", "/cgi-bin/magicBox.cgi?action=getDeviceClass"}
}

// openCalls are the ONVIF calls that are answered without a login.
func openCalls() map[string]string {
	return map[string]string{
		"GetDeviceInformation": `<tds:Manufacturer>` + CameraVendor + `</tds:Manufacturer><tds:Model>` + CameraModel + `</tds:Model><tds:FirmwareVersion>1.4.2</tds:FirmwareVersion><tds:SerialNumber>{serial}</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>`,
		"GetSystemDateAndTime": `<tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime><tt:Time><tt:Hour>{hour}</tt:Hour><tt:Minute>{minute}</tt:Minute><tt:Second>{second}</tt:Second></tt:Time><tt:Date><tt:Year>{year}</tt:Year><tt:Month>{month}</tt:Month><tt:Day>{day}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>`,
		"GetServices":          `<tds:Service><tds:Namespace>http://www.onvif.org/ver10/device/wsdl</tds:Namespace><tds:XAddr>http://{addr}/onvif/device_service</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service><tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace><tds:XAddr>http://{addr}/onvif/media_service</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>`,
		"GetCapabilities":      `<tds:Capabilities><tt:Device><tt:XAddr>http://{addr}/onvif/device_service</tt:XAddr></tt:Device><tt:Media><tt:XAddr>http://{addr}/onvif/media_service</tt:XAddr></tt:Media></tds:Capabilities>`,
		"GetScopes":            `<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>onvif://www.onvif.org/hardware/` + CameraModel + `</tt:ScopeItem></tds:Scopes>`,
	}
}

// operation finds the name of the first element of a SOAP body.
var operation = regexp.MustCompile(`<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)`)

func (c *camera) web(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10)) // what did not arrive names no operation
	w.Header().Set("Server", CameraVendor+"-Webs")
	switch {
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/onvif/"):
		c.soap(w, body)
	case r.Method != http.MethodGet && r.Method != http.MethodHead || !slices.Contains(inquiries(), r.URL.RequestURI()):
		c.complain("%s %s is no inquiry", r.Method, r.URL.RequestURI())
		http.NotFound(w, r)
	case r.URL.Path == "/":
		fmt.Fprintf(w, "<html><head><title>Camera %s</title></head><body>login</body></html>", c.host.Addr())
	default:
		http.NotFound(w, r)
	}
}

func (c *camera) soap(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	var call string
	if m := operation.FindSubmatch(body); m != nil {
		call = string(m[1])
	}
	const open = `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>`
	const end = `</s:Body></s:Envelope>`
	if answer, ok := openCalls()[call]; ok {
		now := time.Now().UTC()
		text := strings.NewReplacer("{addr}", c.host.Addr().String(), "{serial}", "NL"+strings.ReplaceAll(c.host.MAC, ":", ""),
			"{hour}", strconv.Itoa(now.Hour()), "{minute}", strconv.Itoa(now.Minute()), "{second}", strconv.Itoa(now.Second()),
			"{year}", strconv.Itoa(now.Year()), "{month}", strconv.Itoa(int(now.Month())), "{day}", strconv.Itoa(now.Day())).Replace(answer)
		fmt.Fprintf(w, "%s<tds:%sResponse>%s</tds:%sResponse>%s", open, call, text, call, end)
		return
	}
	if !strings.HasPrefix(call, "Get") {
		c.complain("the ONVIF call %q is no inquiry", call)
	}
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprint(w, open+`<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">Sender not authorized</s:Text></s:Reason></s:Fault>`+end)
}

func (c *camera) rtsp(conn net.Conn) {
	r := bufio.NewReaderSize(conn, 1024)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		request, err := r.ReadString('\n')
		if err != nil {
			return
		}
		seq := "0"
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if name, v, _ := strings.Cut(line, ":"); strings.EqualFold(name, "cseq") {
				seq = strings.TrimSpace(v)
			}
			if strings.TrimSpace(line) == "" {
				break
			}
		}
		switch method, _, _ := strings.Cut(request, " "); method {
		case "OPTIONS":
			fmt.Fprintf(conn, "RTSP/1.0 200 OK\r\nCSeq: %s\r\nServer: Rtsp Server 3.0\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n", seq)
		case "DESCRIBE":
			fmt.Fprintf(conn, "RTSP/1.0 401 Unauthorized\r\nCSeq: %s\r\nWWW-Authenticate: Digest realm=\"%s\", nonce=\"5f1d\"\r\n\r\n", seq, CameraModel)
		default:
			c.complain("RTSP %.20q is no inquiry", method)
			return
		}
	}
}

// silent is a private protocol: it waits for something it understands. Whoever looks for a web or a stream server there, or
// for TLS, may.
func (c *camera) silent(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 512)
	n, _ := conn.Read(b)
	b = b[:n]
	asks := func(p string) bool { return bytes.HasPrefix(b, []byte(p)) }
	if n > 0 && !asks("GET / ") && !asks("HEAD / ") && !asks("POST /onvif/") && !asks("OPTIONS ") && !asks("\x16\x03") {
		c.complain("%.40q sent to a port that had not said what it speaks", b)
	}
	_, _ = io.Copy(io.Discard, conn)
}

func (c *camera) datagram(b []byte, from net.Addr) {
	if host, _, _ := net.SplitHostPort(from.String()); host != Scanner {
		return // the others of the LAN may say what they like
	}
	if !bytes.Contains(b, []byte(":Probe")) && !bytes.Contains(b, []byte("<Probe")) && !bytes.Contains(b, []byte(":Resolve")) {
		c.complain("%.60q sent to WS-Discovery", b)
	}
}
