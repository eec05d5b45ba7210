package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mingshi-audit/mingshi/capture/capturetest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
)

// somebody stands in every name, password, token and picture of a capture: whatever of it reaches a bundle is a leak.
const somebody = "Zzqperson"

func marked(format string) string { return strings.ReplaceAll(format, "@@", somebody) }

// dhcpRequest is what a host asks for its address with.
func dhcpRequest(mac [6]byte, at netip.Addr, host, class string) []byte {
	b := make([]byte, 240)
	b[0], b[1], b[2] = 1, 1, 6
	copy(b[12:], at.AsSlice())
	copy(b[28:], mac[:])
	copy(b[236:], []byte{99, 130, 83, 99})
	b = append(b, 53, 1, 3)
	for code, v := range map[byte]string{12: host, 60: class} {
		b = append(append(b, code, byte(len(v))), v...)
	}
	return append(b, 255)
}

// announced is an answer of multicast DNS: a service, its host and where it is.
func announced(t *testing.T, service, instance, host string, at netip.Addr) []byte {
	t.Helper()
	full := instance + "." + service + ".local."
	head := func(name string, kind uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: 120}
	}
	m := dns.Msg{MsgHdr: dns.MsgHdr{Response: true}, Answer: []dns.RR{
		&dns.PTR{Hdr: head(service+".local.", dns.TypePTR), Ptr: full},
		&dns.SRV{Hdr: head(full, dns.TypeSRV), Target: host + ".local.", Port: 8123},
		&dns.TXT{Hdr: head(full, dns.TypeTXT), Txt: []string{"location_name=" + somebody, "base_url=http://" + somebody}},
		&dns.A{Hdr: head(host+".local.", dns.TypeA), A: net.IP(at.AsSlice())},
	}}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func message(head, body string) []byte {
	return []byte(marked(head) + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(marked(body))) + marked(body))
}

// people is a capture of a network with people on it: their phones and computers, and cameras that take their faces.
func people(t *testing.T) *capturetest.Capture {
	t.Helper()
	c := capturetest.New()
	n := 40000
	say := func(client, server string, texts ...[]byte) {
		n++
		probetest.Exchanges(c, fmt.Sprintf("%s:%d", client, n), server, texts...)
	}
	ok := []byte("HTTP/1.1 200 OK\r\nSet-Cookie: id=" + somebody + "\r\nContent-Length: 0\r\n\r\n")
	post := func(client, server, path, kind, body string) {
		say(client, server, message("POST "+path+" HTTP/1.1\r\nHost: @@.example\r\nAuthorization: Basic @@\r\nCookie: @@\r\nUser-Agent: @@\r\nContent-Type: "+kind+"\r\n", body), ok)
	}
	const camera, terminal, platform, phone, laptop = "192.0.2.21", "192.0.2.22", "192.0.2.9:8090", "192.0.2.60", "192.0.2.61"

	// phones and computers
	for host, at := range map[string]string{phone: somebody + "s-iPhone", laptop: "DESKTOP-" + somebody} {
		a := capturetest.Addr(host)
		c.UDP(host+":68", "192.0.2.1:67", dhcpRequest([6]byte{0x3c, 0x06, 0x30, 0, 0, a.As4()[3]}, a, at, "android-dhcp-14"))
	}
	for _, service := range []string{"_airplay._tcp", "_companion-link._tcp", "_http._tcp", "_rtsp._tcp", "_mqtt._tcp", "_home-assistant._tcp", "_scrypted._tcp", "_smb._tcp", "_hap._tcp"} {
		c.UDP(laptop+":5353", "224.0.0.251:5353", announced(t, service, somebody+"s-MacBook", somebody+"s-MacBook", capturetest.Addr(laptop)))
	}
	c.UDP(phone+":1900", "239.255.255.250:1900", []byte(marked("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\nUSN: uuid:@@::upnp:rootdevice\r\nLOCATION: http://192.0.2.60/@@.xml\r\nSERVER: @@ UPnP/1.0\r\n\r\n")))
	for _, name := range []string{somebody + ".example", "clinic." + somebody + ".example", somebody + ".ezvizlife.com"} {
		c.UDP(phone+":50000", "192.0.2.1:53", capturetest.Question(7, name))
		say(phone, "198.51.100.9:443", capturetest.ClientHello(name), []byte("\x16\x03\x03\x00\x04\x02\x00\x00\x00"))
	}
	post(phone, "198.51.100.9:80", "/@@?user=@@", "application/json", `{"name":"@@"}`)
	sip := "%s sip:@@@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.60:5060;branch=z9hG4bK1\r\nFrom: \"@@\" <sip:%s@192.0.2.9>;tag=1\r\nTo: <sip:%s@192.0.2.9>\r\nCall-ID: @@\r\nCSeq: 1 %s\r\nAuthorization: Digest username=\"@@\", response=\"@@\"\r\nContent-Length: 0\r\n\r\n"
	for _, from := range []string{somebody, "13800000000"} {
		c.UDP(phone+":5060", "192.0.2.9:5060", []byte(marked(fmt.Sprintf(sip, "REGISTER", from, from, "REGISTER"))))
	}

	// somebody looks at a camera
	say(laptop, camera+":80", message("GET /ISAPI/System/deviceInfo?token=@@ HTTP/1.1\r\nHost: 192.0.2.21\r\nAuthorization: Digest username=\"@@\", nonce=\"@@\", response=\"@@\"\r\n", ""),
		message("HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n", `<DeviceInfo><deviceName>Door</deviceName><model>DS-2CD</model><serialNumber>DS-2CD0001</serialNumber><macAddress>02:00:c0:00:02:15</macAddress><deviceType>IPCamera</deviceType><telecontrolID>@@</telecontrolID></DeviceInfo>`))
	say(laptop, camera+":80", message("GET /ISAPI/Security/users HTTP/1.1\r\nHost: 192.0.2.21\r\n", ""), message("HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n", `<UserList><User><userName>@@</userName><password>@@</password></User></UserList>`))
	say(laptop, camera+":80", message("GET /doc/page/login.asp?user=@@ HTTP/1.1\r\nHost: 192.0.2.21\r\n", ""), message("HTTP/1.1 200 OK\r\nServer: @@\r\nContent-Type: text/html\r\n", `<html><title>@@</title></html>`))
	say(laptop, camera+":554", message("DESCRIBE rtsp://@@:@@@192.0.2.21/Streaming RTSP/1.0\r\nCSeq: 1\r\n", ""),
		message("RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm=\"IP Camera\", nonce=\"@@\"\r\n", ""),
		message("DESCRIBE rtsp://192.0.2.21/Streaming RTSP/1.0\r\nCSeq: 2\r\nAuthorization: Digest username=\"@@\", response=\"@@\"\r\n", ""),
		message("RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\n", "v=0\r\no=@@ 1 1 IN IP4 192.0.2.21\r\ns=@@\r\ni=@@\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:rtsp://@@:@@@192.0.2.21/track1\r\n"))
	soap := `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2">`
	for q, a := range map[string]string{
		"<tds:GetUsers/>":             `<tds:GetUsersResponse><tds:User><tt:Username>@@</tt:Username><tt:Password>@@</tt:Password></tds:User></tds:GetUsersResponse>`,
		"<tds:GetDeviceInformation/>": `<tds:GetDeviceInformationResponse><tds:Manufacturer>Example</tds:Manufacturer><tds:Model>M</tds:Model></tds:GetDeviceInformationResponse>`,
		"<trt:GetStreamUri/>":         `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://@@:@@@192.0.2.21/</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`,
		"<tev:PullMessages/>":         `<tev:PullMessagesResponse><wsnt:NotificationMessage><wsnt:Topic>tns1:RuleEngine/Recognition/Face</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2026-11-02T02:00:00Z" PropertyOperation="Initialized"><tt:Source><tt:SimpleItem Name="Rule" Value="@@"/></tt:Source><tt:Data><tt:SimpleItem Name="Likelihood" Value="0.9"/><tt:SimpleItem Name="Name" Value="@@"/><tt:SimpleItem Name="Image" Value="@@"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage></tev:PullMessagesResponse>`,
	} {
		say(laptop, camera+":80", message("POST /onvif/device_service HTTP/1.1\r\nHost: 192.0.2.21\r\nContent-Type: application/soap+xml\r\n", soap+`<s:Header><Security><UsernameToken><Username>@@</Username><Password>@@</Password><Nonce>@@</Nonce></UsernameToken></Security></s:Header><s:Body>`+q+`</s:Body></s:Envelope>`),
			message("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n", soap+`<s:Body>`+a+`</s:Body></s:Envelope>`))
	}

	// faces on their way
	const match = `{"ipAddress":"192.0.2.21","portNo":80,"channelID":1,"dateTime":"2026-11-02T10:00:00+08:00","eventType":"alarmResult","eventState":"active","channelName":"@@","alarmResult":[{"modelData":"@@","faces":[{"faceRect":{"x":0.3},"identify":[{"maxsimilarity":0.91,"candidate":[{"FDLibName":"@@","human_id":"@@","reserve_field":{"name":"@@","certificateNumber":"@@"}}]}]}]}]}`
	post(camera, platform, "/@@", "application/json", match)
	post(camera, platform, "/@@", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"alarmResult\"\r\nContent-Type: application/json\r\n\r\n"+match+
		"\r\n--b\r\nContent-Disposition: form-data; name=\"@@\"; filename=\"@@.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff@@"+strings.Repeat("@@", 2000)+"\r\n--b--\r\n")
	post(camera, platform, "/@@", "application/json", `{"Action":"Pulse","Code":"FaceRecognition","Index":0,"Data":{"Name":"@@","Face":{"Age":30,"Sex":"Man","ObjectType":"HumanFace"},"Candidates":[{"Similarity":91,"Person":{"UID":"@@","Name":"@@","ID":"@@","GroupName":"@@"}}]}}`)
	post(camera, platform, "/LAPI/V1.0/System/Event/Notification/PersonVerification", "application/json", `{"Reference":"@@","Seq":1,"DeviceCode":"@@","Timestamp":1,"FaceInfoNum":1,"FaceInfoList":[{"ID":1,"PanoImage":{"Name":"@@","Data":"@@"},"FaceImage":{"Data":"@@"}}],"LibMatInfoNum":1,"LibMatInfoList":[{"ID":1,"LibID":3,"MatchStatus":1,"MatchPersonInfo":{"PersonName":"@@","IdentityNo":"@@"}}]}`)
	post(camera, platform, "/VIID/Faces", "application/json", `{"FaceListObject":{"FaceObject":[{"FaceID":"@@","DeviceID":"34020000001320000001","Name":"@@","IDNumber":"@@","GenderCode":"1","SubImageList":{"SubImageInfoObject":[{"Data":"@@"}]}}]}}`)
	post(terminal, platform, "/iclock/cdata?SN=ABC1234567&table=ATTLOG&Stamp=@@", "text/plain", "@@\t2026-11-02 10:00:00\t0\t15\t@@\r\n")
	post(terminal, platform, "/iclock/cdata?SN=ABC1234567&table=OPERLOG&Stamp=1", "text/plain", "USER PIN=7\tName=@@\tPri=0\tPasswd=@@\tCard=@@\r\nFACE PIN=7\tFID=0\tSIZE=9\tVALID=1\tTMP=@@\r\n")
	say("192.0.2.23", "198.51.100.7:80", message("POST /rest/2.0/face/v3/search?access_token=@@ HTTP/1.1\r\nHost: aip.baidubce.com\r\nContent-Type: application/json\r\n", `{"image":"@@","group_id_list":"@@","user_id":"@@"}`),
		message("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", `{"error_code":0,"error_msg":"SUCCESS","result":{"face_token":"@@","user_list":[{"group_id":"@@","user_id":"@@","user_info":"@@","score":91}]}}`))
	say("192.0.2.24", "192.0.2.9:1883", mqttConnect(marked("@@")), []byte{0x20, 2, 0, 0}, mqttPublish(marked("@@/tracked_object_update"), marked(`{"type":"face","id":"@@","name":"@@","score":0.9,"camera":"door","timestamp":1}`)))
	say("192.0.2.24", "192.0.2.9:1883", mqttConnect(marked("@@")), []byte{0x20, 2, 0, 0}, mqttPublish(marked("double-take/matches/@@"), marked(`{"id":"1","match":{"name":"@@","confidence":91,"match":true,"box":{"top":1},"type":"latest","duration":1,"detector":"compreface","filename":"@@.jpg"},"camera":"door","type":"latest","zones":["@@"]}`)))
	return c
}

func mqttString(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) //nolint:gosec // short
}

func mqttPacket(head byte, body []byte) []byte {
	out := []byte{head}
	for n := len(body); ; {
		b := byte(n & 127) //nolint:gosec // seven bits
		if n >>= 7; n > 0 {
			out = append(out, b|128)
			continue
		}
		return append(append(out, b), body...)
	}
}

func mqttConnect(who string) []byte {
	return mqttPacket(0x10, bytes.Join([][]byte{mqttString("MQTT"), {4, 0xc2, 0, 60}, mqttString(who), mqttString(who), mqttString(who)}, nil))
}

func mqttPublish(topic, text string) []byte {
	return mqttPacket(0x30, append(mqttString(topic), text...))
}

// TestOverheardNobody: nothing of a person whose phone, computer, login or face was overheard is anywhere in the bundle, and phones and
// computers are no devices.
func TestOverheardNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site, out := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "bundle")
	writeFile(t, site, siteYAML("192.0.2.0/24", "sample", "", []string{"192.0.2.21:80"}))
	pcap := people(t).PCAP()
	file := fileIn(t, dir, "a.pcap", pcap)
	r := mingshi(t.Context(), nil, "scan", "--site", site, "--pcap", file, "-o", out)
	if r.code != exitDone {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.out, r.err)
	}
	noSecret(t, out, somebody, pcap)
	noSecret(t, out, strings.ToLower(somebody), pcap)
	noSecret(t, out, "13800000000", pcap)
	heard := map[string]string{}
	for _, o := range readReport(t, out).Observations {
		heard[o.Endpoint.Addr().String()] += " " + o.Module
	}
	for _, at := range []string{"192.0.2.21", "192.0.2.22", "192.0.2.23", "192.0.2.24"} {
		t.Log(at, heard[at])
	}
	t.Log(heard)
	os.RemoveAll("/tmp/lawyer/out")
	os.CopyFS("/tmp/lawyer/out", os.DirFS(out))
	os.WriteFile("/tmp/lawyer/out.txt", []byte(r.out+r.err), 0o600)
	for _, s := range []string{r.out, r.err} {
		if strings.Contains(strings.ToLower(s), strings.ToLower(somebody)) {
			t.Errorf("a person is named: %s", s)
		}
	}
}
