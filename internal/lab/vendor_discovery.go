package lab

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"strings"

	"golang.org/x/net/ipv4"
)

// Vendor is which makers' search protocols a device answers beside WS-Discovery and mDNS. The protocols go to a group, or on a
// real network to broadcast, which loopback does not have; there a device answers what is sent to its own address.
type Vendor struct {
	SADP     bool // Hikvision, to the group 239.255.255.250
	DHIP     bool // Dahua, to the group 239.255.255.251
	SSDP     bool // UPnP, to the group 239.255.255.250
	DVRIP    bool // Dahua's older protocol
	Hanwha   bool
	Sony     bool
	Xiongmai bool

	ToGroup bool   // answers SADP and DHIP to the group instead of to the questioner
	Address string // the address it claims to have; default its own
}

// answerVendors answers the makers' protocols on the loopback interface.
func (s *Shop) answerVendors(lo *net.Interface) {
	for _, v := range s.vendorProtocols() {
		if !s.speaks(v) {
			continue
		}
		on := func(p *ipv4.PacketConn, b []byte, from *net.UDPAddr) { s.onVendor(v, p, b, from) }
		if v.group != "" {
			if err := s.answer(lo, v.group, v.port, on); err != nil {
				s.note("lab.no_discovery", v.name, err.Error())
			}
			continue
		}
		s.answerOwn(v)
	}
}

// vendorProtocol is one maker's protocol as a device knows it.
type vendorProtocol struct {
	name   string
	group  string
	port   int
	back   int // the port answers go to; 0: the questioner's
	has    func(Vendor) bool
	asked  func(b []byte) (question, answer bool) // an answer is another device's, which everybody in the group hears
	answer func(d *device, address string, question []byte) []byte
}

func (s *Shop) vendorProtocols() []vendorProtocol {
	return []vendorProtocol{
		{"SADP", wsdGroup, 37020, 0, func(v Vendor) bool { return v.SADP }, sadpAsked, (*device).sadp},
		{"DHIP", "239.255.255.251", 37810, 0, func(v Vendor) bool { return v.DHIP }, dhipAsked, (*device).dhip},
		{"SSDP", wsdGroup, 1900, 0, func(v Vendor) bool { return v.SSDP }, ssdpAsked, (*device).ssdp},
		{"DVRIP", "", 5050, 0, func(v Vendor) bool { return v.DVRIP }, func(b []byte) (bool, bool) {
			return len(b) == 32 && b[0] == 0xa3 && b[1] == 1, len(b) > 0 && b[0] == 0xb3
		}, (*device).dvrip},
		{"Hanwha", "", 7701, 7711, func(v Vendor) bool { return v.Hanwha }, func(b []byte) (bool, bool) {
			return len(b) == 262 && b[0] == 1 && len(bytes.Trim(b[1:], "\x00")) == 0, len(b) > 0 && b[0] == 0x0b
		}, (*device).hanwha},
		{"Sony", "", 2380, 0, func(v Vendor) bool { return v.Sony }, func(b []byte) (bool, bool) { return string(b) == "\x02ENQ:allinfo\xff\x03", false }, (*device).sony},
		{"Xiongmai", "", 34569, 0, func(v Vendor) bool { return v.Xiongmai }, func(b []byte) (bool, bool) {
			if len(b) < 20 || b[0] != 0xff {
				return false, false
			}
			id := binary.LittleEndian.Uint16(b[14:])
			return len(b) == 20 && id == 0x5fa, id == 0x5fb
		}, (*device).xiongmai},
	}
}

func (s *Shop) speaks(v vendorProtocol) bool {
	for _, d := range s.devices {
		if v.has(d.spec.Vendor) {
			return true
		}
	}
	return false
}

// onVendor hands a datagram to every device that speaks the protocol. What is neither question nor answer is held against
// the sender.
func (s *Shop) onVendor(v vendorProtocol, p *ipv4.PacketConn, b []byte, from *net.UDPAddr) {
	question, answer := v.asked(b)
	if answer || !s.cfg.Provoked && from.IP.Equal(net.IPv4(127, 99, 0, 1)) {
		return
	}
	for _, d := range s.devices {
		if !v.has(d.spec.Vendor) {
			continue
		}
		d.receive(v, question, p, b, from)
	}
}

func (d *device) receive(v vendorProtocol, question bool, p *ipv4.PacketConn, b []byte, from *net.UDPAddr) {
	if !question {
		d.violated(fmt.Sprintf("a datagram to the %s port that is no inquiry: %q", v.name, clip(string(b), 60)))
		return
	}
	d.saw("Inquiry "+v.name, LoginNone)
	address := d.spec.Vendor.Address
	if address == "" {
		address = d.http.Addr().String()
	}
	to := *from
	if v.back != 0 {
		to.Port = v.back
	}
	a := v.answer(d, address, b)
	if d.spec.Vendor.ToGroup && v.group != "" && p != nil {
		p.WriteTo(a, nil, &net.UDPAddr{IP: net.ParseIP(v.group), Port: v.port})
		return
	}
	d.send(a, &to)
}

// answerOwn listens on each device's own address, for the protocols that only go by broadcast elsewhere.
func (s *Shop) answerOwn(v vendorProtocol) {
	for _, d := range s.devices {
		if !v.has(d.spec.Vendor) {
			continue
		}
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: d.http.Addr().AsSlice(), Port: v.port})
		if err != nil {
			s.note("lab.no_discovery", v.name, err.Error())
			continue
		}
		s.closer = append(s.closer, c)
		s.wg.Go(func() {
			b := make([]byte, 64<<10)
			for {
				n, from, err := c.ReadFromUDP(b)
				if err != nil {
					return // closed
				}
				question, answer := v.asked(b[:n])
				if !answer {
					d.receive(v, question, nil, append([]byte(nil), b[:n]...), from)
				}
			}
		})
	}
}

// sadpAsked tells an inquiry from everything else the port takes: the same envelope activates devices and sets passwords.
func sadpAsked(b []byte) (question, answer bool) {
	root, err := parseXML(b)
	if err != nil {
		return false, false
	}
	if root.name.Local == "ProbeMatch" {
		return false, true
	}
	if root.name.Local != "Probe" {
		return false, false
	}
	for _, k := range root.kids {
		if k.name.Local != "Uuid" && k.name.Local != "Types" {
			return false, false
		}
	}
	return root.value("Types") == "inquiry" || root.value("Types") == "inquiry_v32", false
}

func (d *device) sadp(address string, question []byte) []byte {
	uuid := ""
	if root, err := parseXML(question); err == nil {
		uuid = root.value("Uuid")
	}
	digital := 0
	if d.spec.Kind == "recorder" {
		digital = d.spec.Channels
	}
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<ProbeMatch><Uuid>" + esc(uuid) + "</Uuid><Types>inquiry</Types><DeviceType>1</DeviceType>" +
		"<DeviceDescription>" + esc(d.spec.Model) + "</DeviceDescription><DeviceSN>" + esc(d.spec.Serial) + "</DeviceSN><CommandPort>8000</CommandPort>" +
		fmt.Sprintf("<HttpPort>%d</HttpPort>", d.http.Port()) + "<MAC>" + strings.ReplaceAll(d.spec.MAC, ":", "-") + "</MAC><IPv4Address>" + esc(address) + "</IPv4Address>" +
		"<IPv4SubnetMask>255.0.0.0</IPv4SubnetMask><DHCP>false</DHCP>" + fmt.Sprintf("<DigitalChannelNum>%d</DigitalChannelNum>", digital) +
		"<SoftwareVersion>" + esc(d.spec.Firmware) + "</SoftwareVersion><Activated>true</Activated></ProbeMatch>")
}

func dhipAsked(b []byte) (question, answer bool) {
	if len(b) < 32 || string(b[4:8]) != "DHIP" || int(binary.LittleEndian.Uint32(b[16:])) != len(b)-32 {
		return false, false
	}
	var m struct {
		Method string         `json:"method"`
		Params map[string]any `json:"params"`
	}
	if json.Unmarshal(b[32:], &m) != nil {
		return false, false
	}
	return m.Method == "DHDiscover.search", m.Method == "client.notifyDevInfo"
}

func (d *device) dhip(address string, _ []byte) []byte {
	class := "IPC"
	switch d.spec.Kind {
	case "recorder":
		class = "NVR"
	case "terminal":
		class = "ASI"
	}
	body, err := json.Marshal(map[string]any{"mac": d.spec.MAC, "method": "client.notifyDevInfo", "params": map[string]any{"deviceInfo": map[string]any{
		"DeviceClass": class, "DeviceType": d.spec.Model, "HttpPort": d.http.Port(), "IPv4Address": map[string]any{"IPAddress": address}, "MachineName": d.spec.Name,
		"SerialNo": d.spec.Serial, "Vendor": "General", "Version": d.spec.Firmware, "RemoteVideoInputChannels": d.spec.Channels}}})
	if err != nil {
		return nil
	}
	b := make([]byte, 32)
	b[0] = 32
	copy(b[4:], "DHIP")
	binary.LittleEndian.PutUint32(b[16:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[24:], uint32(len(body)))
	return append(b, body...)
}

// ssdpAsked takes announcements of others for what they are: the group is everybody's.
func ssdpAsked(b []byte) (question, answer bool) {
	first, _, _ := strings.Cut(string(b), "\r\n")
	if strings.HasPrefix(first, "NOTIFY ") || strings.HasPrefix(first, "HTTP/1.1 200") {
		return false, true
	}
	return first == "M-SEARCH * HTTP/1.1" && bytes.Contains(b, []byte("ssdp:discover")), false
}

func (d *device) ssdp(address string, _ []byte) []byte {
	return []byte("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\nLOCATION: " + fmt.Sprintf("http://%s:%d/desc.xml", address, d.http.Port()) +
		"\r\nSERVER: Lab/1.0 UPnP/1.0 " + d.spec.Model + "\r\nST: upnp:rootdevice\r\nUSN: uuid:" + d.uuid + "::upnp:rootdevice\r\n\r\n")
}

func (d *device) dvrip(address string, _ []byte) []byte {
	third := "Name:" + d.spec.Name + "\r\nDevice:" + d.spec.Model + "\r\n\r\nSerialNo:" + d.spec.Serial
	b := make([]byte, 0x78)
	b[0], b[2], b[4], b[16] = 0xb3, byte(len(d.spec.MAC)), 0x58, 2
	binary.LittleEndian.PutUint16(b[0x14:], uint16(len(third)))
	copy(b[0x28:0x38], d.spec.Model)
	copy(b[0x38:], net.ParseIP(address).To4())
	return append(append(b, d.spec.MAC...), third...)
}

func (d *device) hanwha(address string, _ []byte) []byte {
	b := make([]byte, 262)
	b[0] = 0x0b
	copy(b[0x13:], d.spec.MAC)
	copy(b[0x25:], address)
	copy(b[0x6d:0x77], d.spec.Model)
	return b
}

func (d *device) sony(address string, _ []byte) []byte {
	return []byte(fmt.Sprintf("\x02MAC:%s\xffMODEL:%s\xffSERIAL:%s\xffIPADR:%s\xffWEBPORT:%d\xffSOFTVERSION:%s\xff\x03", strings.ReplaceAll(d.spec.MAC, ":", "-"),
		d.spec.Model, d.spec.Serial, address, d.http.Port(), d.spec.Firmware))
}

func (d *device) xiongmai(address string, _ []byte) []byte {
	ip := net.ParseIP(address).To4()
	if ip == nil {
		ip = make(net.IP, 4)
	}
	body := fmt.Sprintf(`{"NetWork.NetCommon":{"HostName":%q,"HostIP":"0x%08X","MAC":%q,"SN":%q,"HttpPort":%d,"ChannelNum":%d,"Version":%q},"Ret":100}`+"\n\x00",
		d.spec.Name, binary.LittleEndian.Uint32(ip), d.spec.MAC, d.spec.Serial, d.http.Port(), max(1, d.spec.Channels), d.spec.Firmware)
	b := make([]byte, 20)
	b[0], b[1] = 0xff, 1
	binary.LittleEndian.PutUint16(b[14:], 0x5fb)
	binary.LittleEndian.PutUint32(b[16:], uint32(len(body)))
	return append(b, body...)
}
