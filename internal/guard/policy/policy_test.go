package policy

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

const (
	zeros16  = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	uuid     = "0A1B2C3D-0000-4000-8000-0A1B2C3D4E5F"
	sadpHead = `<?xml version="1.0" encoding="utf-8"?>`
	soapHead = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">`
)

func dhipPacket(body string) string {
	n := string([]byte{byte(len(body)), byte(len(body) >> 8), 0, 0})
	return " \x00\x00\x00DHIP" + zeros16[:8] + n + zeros16[:4] + n + zeros16[:4] + body
}

func dns(flags byte, answers, authorities byte, names ...string) string {
	var b strings.Builder
	b.WriteString("\x00\x01" + string([]byte{flags}) + "\x00\x00" + string([]byte{byte(len(names)), 0, answers, 0, authorities, 0, 0}))
	for _, n := range names {
		for _, l := range strings.Split(n, ".") {
			b.WriteString(string([]byte{byte(len(l))}) + l)
		}
		b.WriteString("\x00\x00\x0c\x00\x01")
	}
	return b.String()
}

func TestDatagram(t *testing.T) {
	ipro := string(unhex("00010000 000d0000 00000000 020000000001 c0000201 00012011 1e11231f 1e191300 00020000 00000000 00000000 0000ffff 1234"))
	for _, tt := range []struct {
		name string
		port uint16
		data string
		ok   bool
	}{
		{"probe", 3702, soapHead + `<e:Header/><e:Body><d:Probe/></e:Body></e:Envelope>`, true},
		{"resolve", 3702, soapHead + `<e:Body><d:Resolve/></e:Body></e:Envelope>`, true},
		{"hello", 3702, soapHead + `<e:Body><d:Hello/></e:Body></e:Envelope>`, false},
		{"bye", 3702, soapHead + `<e:Body><d:Bye/></e:Body></e:Envelope>`, false},
		{"probe and bye", 3702, soapHead + `<e:Body><d:Probe/><d:Bye/></e:Body></e:Envelope>`, false},
		{"two bodies", 3702, soapHead + `<e:Body><d:Probe/></e:Body><e:Body><d:Bye/></e:Body></e:Envelope>`, false},
		{"a probe of something else", 3702, soapHead + `<e:Body><Probe/></e:Body></e:Envelope>`, false},
		{"document type", 3702, `<!DOCTYPE x>` + soapHead + `<e:Body><d:Probe/></e:Body></e:Envelope>`, false},
		{"two envelopes", 3702, soapHead + `<e:Body><d:Probe/></e:Body></e:Envelope>` + soapHead + `<e:Body><d:Bye/></e:Body></e:Envelope>`, false},
		{"an ONVIF request over UDP", 3702, soapHead + `<e:Body><SystemReboot/></e:Body></e:Envelope>`, false},
		{"nothing", 3702, "", false},

		{"question", 5353, dns(0, 0, 0, "_axis-video._tcp.local"), true},
		{"several questions", 5353, dns(0, 0, 0, "_axis-video._tcp.local", "_rtsp._tcp.local"), true},
		{"response", 5353, dns(0x84, 0, 0, "_axis-video._tcp.local"), false},
		{"with an answer", 5353, dns(0, 1, 0, "_axis-video._tcp.local"), false},
		{"claiming a name", 5353, dns(0, 0, 1, "_axis-video._tcp.local"), false},
		{"dynamic update", 5353, dns(0x28, 0, 0, "local"), false},
		{"no question", 5353, dns(0, 0, 0), false},
		{"bytes after the question", 5353, dns(0, 0, 0, "local") + "x", false},

		{"search", 1900, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n", true},
		{"notify", 1900, "NOTIFY * HTTP/1.1\r\nNTS: ssdp:byebye\r\n\r\n", false},
		{"search with a body", 1900, "M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\n\r\nx", false},
		{"no search", 1900, "M-SEARCH * HTTP/1.1\r\nST: x\r\n\r\n", false},

		{"sadp inquiry", 37020, sadpHead + `<Probe><Uuid>` + uuid + `</Uuid><Types>inquiry</Types></Probe>`, true},
		{"sadp inquiry_v32", 37020, sadpHead + `<Probe><Uuid>` + uuid + `</Uuid><Types>inquiry_v32</Types></Probe>`, true},
		{"sadp activate", 37020, sadpHead + `<Probe><Uuid>` + uuid + `</Uuid><Types>activate</Types></Probe>`, false},
		{"sadp update", 37020, sadpHead + `<Probe><Uuid>` + uuid + `</Uuid><Types>update</Types><IPv4Address>192.0.2.1</IPv4Address></Probe>`, false},
		{"sadp reset", 37020, sadpHead + `<Probe><Uuid>` + uuid + `</Uuid><Types>resetPassword</Types></Probe>`, false},
		{"sadp getcode", 37020, sadpHead + `<Probe><Uuid>` + uuid + `</Uuid><Types>getcode</Types></Probe>`, false},
		{"sadp two types", 37020, sadpHead + `<Probe><Uuid>` + uuid + `</Uuid><Types>inquiry</Types><Types>activate</Types></Probe>`, false},
		{"sadp two packets", 37020, sadpHead + `<Probe><Uuid>` + uuid + `</Uuid><Types>inquiry</Types></Probe>` + "\n" + `<Probe><Types>activate</Types></Probe>`, false},

		{"dhip search", 37810, dhipPacket(`{"method":"DHDiscover.search","params":{"mac":"","uni":1}}` + "\n"), true},
		{"dhip search, answer to the group", 37810, dhipPacket(`{"method":"DHDiscover.search","params":{"mac":"","uni":0}}`), true},
		{"dhip setConfig", 37810, dhipPacket(`{"method":"DHDiscover.setConfig","params":{"mac":""}}`), false},
		{"dhip DevInit", 37810, dhipPacket(`{"method":"DevInit.account","params":{}}`), false},
		{"dhip PasswdFind", 37810, dhipPacket(`{"method":"PasswdFind.getDescript","params":{}}`), false},
		{"dhip two methods", 37810, dhipPacket(`{"method":"DHDiscover.search","params":{"mac":"","uni":1},"method":"DHDiscover.setConfig"}`), false},
		{"dhip wrong length", 37810, dhipPacket(`{"method":"DHDiscover.search","params":{"mac":"","uni":1}}`) + "x", false},
		{"dhip without its header", 37810, `{"method":"DHDiscover.search","params":{"mac":"","uni":1}}`, false},

		{"dvrip", 5050, "\xa3\x01\x00\x01" + zeros16[:12] + "\x02" + zeros16[:15], true},
		{"dvrip with something set", 5050, "\xa3\x01\x00\x01" + zeros16[:12] + "\x02" + zeros16[:14] + "\x01", false},
		{"dvrip, another command", 5050, "\xa0\x01\x00\x01" + zeros16[:12] + "\x02" + zeros16[:15], false},
		{"hanwha", 7701, "\x01" + strings.Repeat("\x00", 261), true},
		{"hanwha set address", 7701, "\x06" + strings.Repeat("\x00", 261), false},
		{"hanwha with an address", 7701, "\x01" + strings.Repeat("\x00", 260) + "1", false},
		{"bosch", 1757, "\x99\x39\xa4\x27abcd\xff\x00\x06\xde", true},
		{"bosch, something else", 1757, "\x99\x39\xa4\x27abcd\xff\x00\x06\xdf", false},
		{"sony", 2380, "\x02ENQ:allinfo\xff\x03", true},
		{"sony set", 2380, "\x02SETIP:192.0.2.1\xff\x03", false},
		{"i-pro", 10670, ipro, true},
		{"i-pro, another command", 10670, ipro[:5] + "\x0e" + ipro[6:], false},
		{"vivotek", 10000, "\x07\x4a\x5d\x8f\x1c", true},
		{"foscam", 10000, "MO_I", false},
		{"vivotek with more", 10000, "\x07\x4a\x5d\x8f\x1cx", false},
		{"tdp", 20002, "\x02\x00\x00\x01" + zeros16[:8] + "\x46\x3c\xb5\xd3", true},
		{"tdp, the other port", 20004, "\x02\x00\x00\x01" + zeros16[:8] + "\x46\x3c\xb5\xd3", true},
		{"tdp, another operation", 20002, "\x02\x00\x00\x02" + zeros16[:8] + "\x46\x3c\xb5\xd3", false},
		{"xiongmai", 34569, "\xff" + zeros16[:13] + "\xfa\x05" + zeros16[:4], true},
		{"xiongmai set address", 34569, "\xff" + zeros16[:13] + "\xfc\x05" + zeros16[:4], false},

		{"uniview maintenance", 7788, "x", false},
		{"sip", 5060, "REGISTER sip:x SIP/2.0\r\n\r\n", false},
		{"reolink", 2015, "\x3a\xcf\x87\x2a", false},
		{"any port", 9, "x", false},
	} {
		err := Datagram(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), tt.port), []byte(tt.data))
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && (Reason(err).ZH == "" || !strings.HasPrefix(err.Error(), "policy: ")) {
			t.Errorf("%s: %v lacks a reason", tt.name, err)
		}
	}
}

const (
	reolinkIn = `[{"cmd":"Login","action":0,"param":{"User":{"Version":"0","userName":"viewer","password":"a\"b\\\u003cdevinit"}}}]`
	unifiIn   = `{"username":"viewer","password":"p","rememberMe":false}`
)

// Every row of what is never sent, and beside it what is close and must stay possible.
func TestRequest(t *testing.T) {
	const soapXML = "application/soap+xml; charset=utf-8"
	soap := func(op string) string { return soapHead + `<e:Body><` + op + `/></e:Body></e:Envelope>` }
	for _, tt := range []struct {
		method, url, kind, body string
		ok                      bool
	}{
		{"GET", "/", "", "", true},
		{"HEAD", "/", "", "", true},
		{"OPTIONS", "/", "", "", true},
		{"GET", "/", "", "x", false},
		{"PUT", "/", "", "", false},
		{"DELETE", "/", "", "", false},
		{"PATCH", "/", "", "", false},
		{"POST", "/", "", "", false},
		{"CONNECT", "/", "", "", false},
		{"get", "/", "", "", false},

		// Hikvision
		{"GET", "/ISAPI/System/deviceInfo", "", "", true},
		{"PUT", "/ISAPI/System/deviceInfo", "application/xml", "<DeviceInfo/>", false},
		{"POST", "/ISAPI/System/deviceInfo", "application/xml", "<DeviceInfo/>", false},
		{"PUT", "/ISAPI/AccessControl/FaceRecognizeMode?format=json", "", "", false},
		{"GET", "/ISAPI/AccessControl/FaceRecognizeMode?format=json", "", "", true},
		{"GET", "/ISAPI/AccessControl/FaceRecognizeMode", "", "", false},
		{"GET", "/ISAPI/AccessControl/FaceRecognizeMode?format=json&mode=deepMode", "", "", false},
		{"GET", "/ISAPI/AccessControl/FaceRecognizeMode?format=json&format=xml", "", "", false},
		{"GET", "/ISAPI/AccessControl/FaceRecognizeMode/capabilities?format=json", "", "", false},
		{"HEAD", "/ISAPI/AccessControl/FaceRecognizeMode?format=json", "", "", false},
		{"POST", "/ISAPI/AccessControl/FaceRecognizeMode?format=json", "application/json", "{}", false},
		{"PUT", "/ISAPI/System/Video/inputs/channels/1/VCAResource", "", "", false},
		{"GET", "/ISAPI/System/Video/inputs/channels/1/VCAResource", "", "", true},
		{"GET", "/ISAPI/Smart/FaceDetect/1", "", "", true},
		{"GET", "/ISAPI/Intelligent/FDLib", "", "", true},
		{"GET", "/ISAPI/Intelligent/FDLib/capabilities", "", "", true},
		{"GET", "/ISAPI/Intelligent/FDLib/AB12/picture/surplusCapacity", "", "", true},
		{"GET", "/ISAPI/Intelligent/FDLib/AB12/picture", "", "", false},
		{"GET", "/ISAPI/Intelligent/FDLib/FDSearch?format=json", "", "", false},
		{"POST", "/ISAPI/Intelligent/FDLib/FDSearch", "application/xml", "<FDSearchDescription/>", false},
		{"GET", "/isapi//Intelligent/./FDLib/%46DSearch", "", "", false},
		{"GET", "/ISAPI/Intelligent/channels/1/faceContrast", "", "", true},
		{"GET", "/ISAPI/Intelligent/channels/1/faceContrast/faceScore", "", "", false},
		{"GET", "/ISAPI/AccessControl/UserInfo/Count?format=json", "", "", true},
		{"POST", "/ISAPI/AccessControl/UserInfo/Search?format=json", "application/json", "{}", false},
		{"GET", "/ISAPI/Event/notification/alertStream", "", "", true},
		{"GET", "/onvif-http/snapshot?auth=YWRtaW46MTEK", "", "", false},
		{"GET", "/System/configurationFile?auth=YWRtaW46MTEK", "", "", false},
		{"GET", "/Security/users?AUTH=x", "", "", false},
		{"GET", "/Security/users%3Fauth=YWRtaW46MTEK", "", "", false},
		{"GET", "/Security/users?a=b;auth=YWRtaW46MTEK", "", "", false},

		// Dahua
		{"GET", "/cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule", "", "", true},
		{"GET", "/cgi-bin/configManager.cgi?action=setConfig&Snap[0].x=1", "", "", false},
		{"GET", "/cgi-bin/configManager.cgi?Action=%73etConfig", "", "", false},
		{"GET", "/cgi-bin/configManager.cgi?action=getConfig&action=setConfig", "", "", false},
		{"GET", "/cgi-bin/magicBox.cgi?action=getDeviceType", "", "", true},
		{"GET", "/cgi-bin/magicBox.cgi?action=reboot", "", "", false},
		{"GET", "/cgi-bin/eventManager.cgi?action=attach&codes=[FaceDetection]", "", "", true},
		{"GET", "/cgi-bin/devVideoAnalyse.cgi?action=getcaps&channel=1", "", "", true},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=startFind", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=getGroup", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=getGroup&channel=1", "", "", true},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=findGroup", "", "", true},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=findGroup&groupID=1", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=findGroup&action=createGroup", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=findGroup%26action=createGroup", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=findGroups", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=getGroup&channel=1&groupName=x", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=getGroup&channel=x", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=getGroup&channel=1;action=deleteGroup", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi%3Faction=deleteGroup&action=findGroup", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi/x?action=findGroup", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=doFind&token=1", "", "", false},
		{"GET", "/cgi-bin/faceRecognitionServer.cgi?action=putDisposition&groupID=1", "", "", false},
		{"GET", "/cgi-bin/../cgi-bin/faceRecognitionServer.cgi?action=putGroup&channel=1", "", "", false},
		{"POST", "/cgi-bin/faceRecognitionServer.cgi?action=findGroup", "", "", false},
		{"PUT", "/cgi-bin/faceRecognitionServer.cgi?action=findGroup", "", "", false},
		{"GET", "/cgi-bin/recordFinder.cgi?action=find&name=AccessControlCard", "", "", false},
		{"POST", "/RPC2", "application/json", `{"method":"magicBox.getDeviceType","params":null,"id":1}`, true},
		{"POST", "/RPC2", "application/json", `{"method":"configManager.setConfig","params":{},"id":1}`, false},
		{"POST", "/RPC2", "application/json", `{"method":"magicBox.getX","METHOD":"magicBox.reboot"}`, false},
		{"POST", "/RPC2", "application/json", `{"method":"PasswdFind.getDescript"}`, false},
		{"POST", "/RPC2", "application/json", `{"method":"faceRecognitionServer.getGroup"}`, false},
		{"POST", "/RPC2_Login", "application/json", `{"method":"global.login"}`, false},
		{"POST", "/RPC2", "application/json", `{"method":"magicBox.getDeviceType"}{}`, false},

		// Uniview
		{"GET", "/LAPI/V1.0/Smart/FaceEnable", "", "", true},
		{"GET", "/LAPI/V1.0/Smart/Face/Recognition/Monitor", "", "", true},
		{"GET", "/LAPI/V1.0/PeopleLibraries/BasicInfo", "", "", true},
		{"GET", "/LAPI/V1.0/PeopleLibraries/3/People", "", "", false},
		{"GET", "/lapi/v1.0/PeopleLibraries/3/People/Info", "", "", false},
		{"GET", "/LAPI/V1.0/Smart/LibraryFile", "", "", false},
		{"GET", "/LAPI/V1.0/Smart/FaceRecognition/Database/1/BasicInfos", "", "", false},
		{"PUT", "/LAPI/V1.0/Smart/FaceEnable", "application/json", `{"Enable":0}`, false},
		{"POST", "/LAPI/V1.0/System/Event/Subscription", "application/json", `{}`, false},

		// Hanwha
		{"GET", "/init-cgi/pw_init.cgi?msubmenu=statuscheck&action=view", "", "", true},
		{"GET", "/init-cgi/pw_init.cgi?msubmenu=setinitpassword&action=set&Password=x", "", "", false},
		{"GET", "/stw-cgi/attributes.cgi/attributes", "", "", true},
		{"GET", "/stw-cgi/eventsources.cgi?msubmenu=facedetection&action=view", "", "", true},
		{"GET", "/stw-cgi/eventsources.cgi?msubmenu=facedetection&action=set&Enable=False", "", "", false},
		{"GET", "/stw-cgi/eventstatus.cgi?msubmenu=eventstatus&action=check", "", "", true},

		// Axis
		{"GET", "/axis-cgi/applications/list.cgi", "", "", true},
		{"POST", "/axis-cgi/basicdeviceinfo.cgi", "application/json", `{"apiVersion":"1.0","method":"getAllUnrestrictedProperties"}`, true},
		{"GET", "/axis-cgi/applications/control.cgi?action=start&package=vmd", "", "", false},

		// Others
		{"GET", "/VIID/System/Time", "", "", true},
		{"GET", "/VIID/System/Time/", "", "", true},
		{"GET", "/VIID/Faces", "", "", false},
		{"GET", "/viid/Persons?a=b", "", "", false},
		{"GET", "/VIID/System/../Faces", "", "", false},
		{"GET", "/VIID/APEs", "", "", false},
		{"POST", "/VIID/System/Register", "application/VIID+JSON", "{}", false},
		{"POST", "/VIID/System/Time", "application/VIID+JSON", "{}", false},
		{"GET", "/api/faces", "", "", false},
		{"GET", "/api/faces/somebody", "", "", false},
		{"GET", "/api/config", "", "", true},
		{"GET", "/api/match", "", "", false},
		{"GET", "/api/storage/matches/x.jpg", "", "", false},
		{"GET", "/api/v1/recognition/subjects", "", "", false},
		{"GET", "/api/v1/recognition/status", "", "", true},
		{"GET", "/face_list", "", "", false},
		{"GET", "/server?method=getFaceList", "", "", false},
		{"GET", "/getFaceList", "", "", false},
		{"GET", "/face-set/face/getlist", "", "", false},
		{"GET", "http://x:18081/health", "", "", false},
		{"GET", "http://x:18081/info", "", "", true},
		{"GET", "http://x:5000/health", "", "", true},
		{"GET", "/iclock/cdata?SN=1", "", "", false},
		{"GET", "/LAPI/V1.0/System/DeviceInfo", "", "", true},
		{"PUT", "/LAPI/V1.0/Channels/0/Smart/FaceDetection", "application/json", "{}", false},
		{"POST", "/LAPI/V1.0/System/Event/Subscription", "application/json", "{}", false},
		{"GET", "/stw-cgi/system.cgi?msubmenu=deviceinfo&action=view", "", "", true},
		{"GET", "/stw-cgi/eventsources.cgi?msubmenu=facedetection&action=set", "", "", false},
		{"GET", "/axis-cgi/param.cgi?action=list&group=Brand", "", "", true},
		{"GET", "/axis-cgi/param.cgi?action=update&x=1", "", "", false},
		{"GET", "/cgi-bin/setparam.cgi?x=1", "", "", false},
		{"GET", "/cgi-bin/CGIProxy.fcgi?cmd=setIpInfo", "", "", false},
		{"GET", "/cgi-bin/CGIProxy.fcgi?cmd=getDevInfo", "", "", true},
		{"POST", "/axis-cgi/basicdeviceinfo.cgi", "application/json", `{"apiVersion":"1.0","method":"getAllProperties"}`, true},
		{"POST", "/axis-cgi/apidiscovery.cgi", "application/json", `{"method":"getApiList"}`, true},
		{"POST", "/axis-cgi/basicdeviceinfo.cgi", "application/json", `{"method":"setProperties"}`, false},
		{"POST", "/axis-cgi/applications/list.cgi", "", "", true},
		{"POST", "/axis-cgi/applications/control.cgi?action=start&package=x", "", "", false},
		{"POST", "/cgi-bin/api.cgi?cmd=GetDevInfo", "application/json", `[{"cmd":"GetDevInfo","action":0}]`, true},
		{"POST", "/api.cgi?cmd=GetDevInfo", "application/json", `[{"cmd":"Reboot"}]`, false},
		{"POST", "/api.cgi?cmd=Reboot", "application/json", `[]`, false},
		{"POST", "/api.cgi?cmd=Login", "application/json", `[{"cmd":"Login"}]`, false},
		{"POST", "https://x:20443/", "application/json", `{"method":"doAuth","params":null}`, true},
		{"POST", "https://x:20443/", "application/json", `{"method":"doAuth","params":{"username":"a"}}`, false},
		{"POST", "https://x:443/", "application/json", `{"method":"doAuth","params":null}`, false},

		// Sessions that begin with a password: within TLS, in the one wording.
		{"POST", "https://x/cgi-bin/api.cgi?cmd=Login", "application/json", reolinkIn, true},
		{"POST", "http://x/cgi-bin/api.cgi?cmd=Login", "application/json", reolinkIn, false},
		{"GET", "https://x/cgi-bin/api.cgi?cmd=Login", "", "", false},
		{"PUT", "https://x/cgi-bin/api.cgi?cmd=Login", "application/json", reolinkIn, false},
		{"POST", "https://x/cgi-bin/api.cgi?cmd=Login&cmd=Reboot", "application/json", reolinkIn, false},
		{"POST", "https://x/cgi-bin/api.cgi?cmd=Login&user=a&password=b", "application/json", reolinkIn, false},
		{"POST", "https://x/cgi-bin/api.cgi?cmd=Login", "text/plain", reolinkIn, false},
		{"POST", "https://x/cgi-bin/api.cgi?cmd=Login", "application/json", strings.TrimSuffix(reolinkIn, "]") + `,{"cmd":"Reboot"}]`, false},
		{"POST", "https://x/cgi-bin/api.cgi?cmd=Login", "application/json", `[{"cmd":"AddUser","action":0}]`, false},
		{"POST", "https://x/cgi-bin/api.cgi?cmd=Logout&token=abc", "application/json", `[{"cmd":"Logout","action":0,"param":{}}]`, true},
		{"POST", "http://x/cgi-bin/api.cgi?cmd=Logout&token=abc", "application/json", `[{"cmd":"Logout","action":0,"param":{}}]`, false},
		{"POST", "https://x/cgi-bin/api.cgi?cmd=Logout", "application/json", `[{"cmd":"Logout","action":0,"param":{}}]`, false},
		{"POST", "https://x/api.cgi?cmd=Login", "application/json", reolinkIn, false},
		{"POST", "https://x/cgi-bin/api.cgi?cmd=GetAiState&token=abc", "application/json", `[{"cmd":"GetAiState","action":0,"param":{"channel":0}},{"cmd":"GetAiState","action":0,"param":{"channel":1}}]`, true},
		{"POST", "https://x/api/auth/login", "application/json", unifiIn, true},
		{"POST", "https://x/api/auth/login?x=1", "application/json", unifiIn, false},
		{"POST", "http://x/api/auth/login", "application/json", unifiIn, false},
		{"GET", "https://x/api/auth/login", "", "", false},
		{"POST", "https://x/api/auth/login", "application/json", strings.Replace(unifiIn, "false", "true", 1), false},
		{"POST", "https://x/api/auth/login", "application/json", `{"username":"a","password":"b","rememberMe":false,"token":"1"}`, false},
		{"POST", "https://x/api/auth/logout", "application/json", "", true},
		{"POST", "https://x/api/auth/logout", "application/json", "{}", false},
		{"GET", "https://x/proxy/protect/api/bootstrap", "", "", true},
		{"POST", "https://x/proxy/protect/api/cameras/1/reboot", "application/json", "{}", false},
		{"PATCH", "https://x/proxy/protect/api/nvr", "application/json", `{"smartDetection":{"faceRecognition":false}}`, false},
		{"GET", "https://x/proxy/protect/api/recognition/face/groups", "", "", false},

		// Huawei
		{"GET", "/SDCAPI/V1.0/FaceApp/FaceRecog/FaceLibs/Libs", "", "", true},
		{"GET", "/SDCAPI/V1.0/FaceApp/FaceRecog/FaceLibs/FaceRecord?TaskType=1", "", "", false},
		{"GET", "/SDCAPI/V2.0/Metadata/Subscription", "", "", true},
		{"POST", "/SDCAPI/V2.0/Metadata/Subscription", "application/json", `{}`, false},
		{"POST", "/SDCAPI/V1.0/FaceApp/FaceRecog/FaceLibs/Libs", "application/json", `{}`, false},

		// ONVIF
		{"POST", "/onvif/device_service", soapXML, soap("GetDeviceInformation"), true},
		{"POST", "/onvif/device_service", soapXML, soap("SystemReboot"), false},
		{"POST", "/onvif/device_service", soapXML, soap("GetUsers"), false},
		{"POST", "/onvif/device_service", soapXML, soap("GetCredentialList"), false},
		{"POST", "/onvif/device_service", soapXML, soap("PullMessages"), true},
		{"POST", "/onvif/device_service", soapXML, soap("Unsubscribe"), true},
		{"POST", "/onvif/device_service", soapXML, soap("Subscribe"), false},
		{"POST", "/onvif/device_service", "text/plain", soap("GetDeviceInformation"), false},
		{"POST", "/onvif/device_service", soapXML, strings.Repeat(" ", MaxBody) + soap("GetDeviceInformation"), false},
	} {
		target := tt.url
		if !strings.Contains(target, "://") {
			target = "http://192.0.2.1" + target
		}
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		err = Request(tt.method, u, tt.kind, []byte(tt.body))
		if (err == nil) != tt.ok {
			t.Errorf("%s %s %.80s: %v", tt.method, tt.url, tt.body, err)
		}
	}
}

func FuzzDatagram(f *testing.F) {
	f.Add(uint16(3702), []byte(soapHead+`<e:Body><d:Probe/></e:Body></e:Envelope>`))
	f.Add(uint16(5353), []byte(dns(0, 0, 0, "local")))
	f.Add(uint16(37810), []byte(dhipPacket(`{}`)))
	f.Add(uint16(10670), []byte("\x00\x01"))
	f.Fuzz(func(t *testing.T, port uint16, b []byte) {
		err := Datagram(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), b)
		if err == nil && (port == 7788 || port == 5060 || len(b) == 0) {
			t.Errorf("port %d took %q", port, b)
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add("GET", "http://192.0.2.1/ISAPI/Intelligent/FDLib/FDSearch?auth=x", "", []byte(nil))
	f.Add("POST", "http://192.0.2.1/RPC2", "application/json", []byte(`{"method":"magicBox.getDeviceType"}`))
	f.Add("POST", "http://192.0.2.1/x", "text/xml", []byte(soapHead+`<e:Body><GetUsers/></e:Body></e:Envelope>`))
	f.Fuzz(func(t *testing.T, method, target, kind string, body []byte) {
		u, err := url.Parse(target)
		if err != nil {
			return
		}
		err = Request(method, u, kind, body)
		lower := strings.ToLower(u.Path)
		if err == nil && (method == "PUT" || method == "DELETE" || strings.Contains(lower, "/fdlib/fdsearch") || strings.Contains(lower, "facerecognizemode")) {
			t.Errorf("%s %s was let through", method, target)
		}
	})
}
