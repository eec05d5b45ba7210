package capture

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const keepalive = "<?xml version=\"1.0\"?>\n<Notify><CmdType>Keepalive</CmdType><SN>1</SN></Notify>"

func sip(first, more, body string) string {
	return fmt.Sprintf("%s\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK1\r\nFrom: <sip:34020000001320000001@3402000000>;tag=1\r\nCSeq: 20 MESSAGE\r\n%sContent-Length: %d\r\n\r\n%s", first, more, len(body), body)
}

const (
	sipMessage  = "MESSAGE sip:34020000002000000001@3402000000 SIP/2.0"
	sipRegister = "REGISTER sip:34020000002000000001@3402000000 SIP/2.0"
	manscdp     = "Content-Type: Application/MANSCDP+xml\r\n"
)

var sipShown = fmt.Sprintf("> MESSAGE sip:34020000002000000001@3402000000 %d %q", len(keepalive), keepalive)

var sipConversations = []conversation{
	{"messages", false, []said{c2s(sip(sipMessage, manscdp, keepalive) + "\r\n\r\n" + sip(sipRegister, "Authorization: Digest username=\"x\"\r\n", "")), s2c(sip("SIP/2.0 200 OK", "", "")), c2s(sip(sipMessage, manscdp, keepalive))},
		[]string{sipShown, "> REGISTER sip:34020000002000000001@3402000000 0", "< 200 0", sipShown}},
	{"short names", false, []said{c2s(sipMessage + "\r\nc: Application/MANSCDP+xml\r\nl: 4\r\n\r\n<a/>" + sip(sipRegister, "", ""))},
		[]string{`> MESSAGE sip:34020000002000000001@3402000000 4 "<a/>"`, "> REGISTER sip:34020000002000000001@3402000000 0"}},
	{"cut", false, []said{c2s(sip(sipMessage, manscdp, keepalive)[:300])}, nil},
	{"astray: a gigabyte that does not come", false, []said{c2s(sipMessage + "\r\nContent-Length: 1073741824\r\n\r\n<a/>")}, nil},
}

func TestSIP(t *testing.T) {
	for _, v := range sipConversations {
		if v.want != nil {
			v.check(t, newSIP)
		}
		v.checkHoles(t, newSIP)
	}
}

func TestSIPDatagram(t *testing.T) {
	whole := sip(sipMessage, manscdp, keepalive)
	for _, v := range []struct {
		name, in string
		want     []string
	}{
		{"message", whole, []string{sipShown}},
		{"padded", whole + "\x00\x00", []string{sipShown}},
		{"answer", sip("SIP/2.0 401 Unauthorized", "WWW-Authenticate: Digest realm=\"3402000000\",nonce=\"n\"\r\n", ""), []string{"> 401 0"}},
		{"cut in the body", whole[:len(whole)-9], []string{fmt.Sprintf("> MESSAGE sip:34020000002000000001@3402000000 %d %q cut hole", len(keepalive)-9, keepalive[:len(keepalive)-9])}},
		{"cut in the head", whole[:100], []string{"> MESSAGE sip:34020000002000000001@3402000000 0 cut hole"}},
		{"no length", strings.Replace(whole, "Content-Length", "X", 1), []string{sipShown}},
		{"keep alive", "\r\n\r\n", nil},
		{"something else", "MESSAGE of the day", nil},
	} {
		t.Run(v.name, func(t *testing.T) {
			f := newFeeder(newSIP, false)
			if udpSIP(f.c, true, []byte(v.in)) != (v.want != nil) {
				t.Error("taken:", v.want == nil)
			}
			if diff := cmp.Diff(v.want, f.end(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzSIP(f *testing.F) {
	for _, v := range sipConversations {
		var in []byte
		for _, s := range v.in {
			in = append(in, script(s)...)
		}
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		play(t, newSIP, in)
		f := newFeeder(newSIP, false)
		udpSIP(f.c, true, in)
		f.end(t)
	})
}
