package zk

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture/capturetest"
	"github.com/mingshi-audit/mingshi/internal/lab/probetest"
)

const (
	heardTerminal = "192.0.2.24:40000"
	heardServer   = "192.0.2.5:8081"
)

func row(verify int) string {
	return fmt.Sprintf("secret9001\t2026-11-02 09:00:00\t0\t%d\t0\t0\t0\t0\t36.2\t\n", verify)
}

func TestHeard(t *testing.T) {
	hosts := []string{"192.0.2.24 outbound.hosts = [adms http://192.0.2.5:8081]"}
	sent := append(slices.Clone(hosts), "192.0.2.24 outbound.face [http://192.0.2.5:8081] = true")
	act := func(table string, fns ...audit.Function) []string {
		out := append(slices.Clone(sent), "192.0.2.24 face.live.messages = 1", "192.0.2.24 face.identity [upload "+table+"] = true")
		for _, fn := range fns {
			out = append(out, "192.0.2.24 face."+string(fn)+".active [upload "+table+"] = true", "192.0.2.24 face."+string(fn)+".capable [upload "+table+"] = true")
		}
		return out
	}
	could := func(table string) string { return "192.0.2.24 face.identify.capable [upload " + table + "] = true" }
	const template = "secretTmp"
	for _, x := range []struct {
		name, target, body string
		facts              []string // nil: nothing is heard
	}{
		{"by face", "/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=9999", row(15), act("ATTLOG", audit.Detect, audit.Identify)},
		{"by fingerprint", "/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=9999", row(1) + row(4), hosts},
		{"by both", "/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=9999", row(1) + row(15), act("ATTLOG", audit.Detect, audit.Identify)},
		{"by face and card", "/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=9999", row(18), act("ATTLOG", audit.Detect, audit.Verify)},
		{"by face and fingerprint: nobody says which names the person", "/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=9999", row(16), act("ATTLOG", audit.Detect)},
		{"by palm", "/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=9999", row(25), hosts},
		{"by what the terminal chose", "/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=9999", row(0), hosts},
		{"by an identity document", "/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=9999", "secret9001\t2026-11-02 09:00:00\t0\t1\t0\t0\t0\tsecretsecretsecret\t1\n", act("ATTLOG", audit.Detect, audit.Verify)},
		{"a state that looks like a face", "/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=9999", "secret9001\t2026-11-02 09:00:00\t15\t1\t0\n", hosts},
		{"a card at a door", "/iclock/cdata?SN=CEXA000000001&table=rtlog", "time=2026-11-02 09:00:00\tpin=secret9001\tcardno=secret\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=4\tindex=21\n", hosts},
		{"a face at a door", "/iclock/cdata?SN=CEXA000000001&table=rtlog", "time=2026-11-02 09:00:00\tpin=secret9001\tcardno=0\teventaddr=1\tevent=3\tinoutstatus=0\tverifytype=15\tindex=21\n", act("RTLOG", audit.Detect, audit.Identify)},
		{"a button at a door", "/iclock/cdata?SN=CEXA000000001&table=rtlog", "time=2026-11-02 09:00:00\tpin=0\tcardno=0\teventaddr=1\tevent=202\tinoutstatus=2\tverifytype=200\tindex=21\n", hosts},
		{"a fingerprint is enrolled", "/iclock/cdata?SN=CEXA000000001&table=BIODATA&Stamp=9999", "BIODATA Pin=secret\tNo=6\tIndex=0\tValid=1\tDuress=0\tType=1\tMajorVer=13\tMinorVer=0\tFormat=0\tTmp=" + template + "\n", hosts},
		{"a face is enrolled", "/iclock/cdata?SN=CEXA000000001&table=BIODATA&Stamp=9999", "BIODATA Pin=secret\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=39\tMinorVer=3\tFormat=0\tTmp=" + template + "\n", append(sent, could("BIODATA"))},
		{"a face is enrolled, on a newer terminal", "/iclock/cdata?SN=CEXA000000001&table=tabledata&tablename=biodata&count=1", "biodata pin=secret\tno=0\tindex=0\tvalid=1\tduress=0\ttype=9\tmajorver=58\tminorver=12\tformat=0\ttmp=" + template + "\r\n", append(sent, could("TABLEDATA"))},
		{"a face is enrolled, on an older terminal", "/iclock/cdata?SN=CEXA000000001&table=OPERLOG&Stamp=9999", "USER PIN=secret\tName=张三\tPri=0\tPasswd=secret\tCard=secret\nFACE PIN=secret\tFID=0\tSIZE=1648\tVALID=1\tTMP=" + template + "\n", append(sent, could("OPERLOG"))},
		{"a picture is enrolled", "/iclock/cdata?SN=CEXA000000001&table=OPERLOG&Stamp=9999", "BIOPHOTO PIN=secret\tFileName=secret.jpg\tType=9\tSize=44\tContent=" + template + "\n", append(sent, could("OPERLOG"))},
		{"a user is entered", "/iclock/cdata?SN=CEXA000000001&table=OPERLOG&Stamp=9999", "USER PIN=secret\tName=FACE PIN=1\tPri=0\tPasswd=secret\tCard=secret\n", hosts},
		{"the terminal has the function", "/iclock/cdata?SN=CEXA000000001&table=options", "FingerFunOn=1,FaceFunOn=1,UserPicURLFunOn=1", append(slices.Clone(hosts), could("OPTIONS"))},
		{"the terminal makes itself known, with the function", "/iclock/registry?SN=CEXA000000001", "DeviceType=acc,~DeviceName=secret,FirmVer=Ver 8.0,FaceFunOn=1,FingerFunOn=1,MultiBioDataSupport=0:0:0:0:0:0:0:0:1:1", append(slices.Clone(hosts), could("OPTIONS"))},
		{"the terminal makes itself known, without it", "/iclock/registry?SN=CEXA000000001", "DeviceType=acc,~DeviceName=secret,FaceFunOn=0,FaceFunOn=10", hosts},
		{"the picture of a user", "/iclock/cdata?SN=CEXA000000001&table=USERPIC", "USERPIC PIN=secret\tFileName=secret.jpg\tSize=44\tContent=" + template, hosts},
		{"the terminal has it not", "/iclock/cdata?SN=CEXA000000001&table=options", "FingerFunOn=1,FaceFunOn=0,UserPicURLFunOn=1", hosts},
		{"somebody else's path", "/iclock/else?SN=CEXA000000001&table=ATTLOG", row(15), nil},
		{"no serial number", "/iclock/cdata?SN=../../x&table=ATTLOG", row(15), nil},
		{"an unknown table", "/iclock/cdata?SN=CEXA000000001&table=secret", row(15), hosts},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := capturetest.New()
			probetest.Exchanges(c, heardTerminal, heardServer, probetest.Post(x.target, "application/push;charset=UTF-8", x.body), probetest.Answer(200, "text/plain", "OK: 1"))
			h := probetest.Hear(t, Module(), c)
			h.Shows(t, x.facts, []string{"secret", "张三", "36.2"})
		})
	}
}

// TestHeardAgain: any number of records that show the same are one observation, and so are the questions in between.
func TestHeardAgain(t *testing.T) {
	const n = 10_000
	c := capturetest.New()
	conn := c.Connect(heardTerminal, heardServer).Acks(false)
	for i := range n {
		conn.Up(probetest.Post(fmt.Sprintf("/iclock/cdata?SN=CEXA000000001&table=ATTLOG&Stamp=%d", i), "text/plain", fmt.Sprintf("%d\t2026-11-02 09:00:00\t0\t15\t0\n", i+1)))
		conn.Up([]byte("GET /iclock/getrequest?SN=CEXA000000001 HTTP/1.1\r\nHost: x\r\n\r\n"))
	}
	conn.Close()
	h := probetest.Hear(t, Module(), c)
	if len(h.Observations) != 2 || h.Observations[0].Seen.Count != n || !slices.Contains(h.Facts, "192.0.2.24 face.live.messages = "+fmt.Sprint(n)) {
		t.Errorf("%d observations: %v", len(h.Observations), h.Facts)
	}
}

// TestHeardCut: what is missing of a capture never makes it show more; a record that is cut is none.
func TestHeardCut(t *testing.T) {
	probetest.Cuts(t, Module(), func() *capturetest.Capture {
		c := capturetest.New()
		ok := probetest.Answer(200, "text/plain", "OK: 1")
		probetest.Exchanges(c, heardTerminal, heardServer, probetest.Post("/iclock/cdata?SN=CEXA000000001&table=ATTLOG", "text/plain", strings.Repeat(row(1), 60)+row(18)+strings.Repeat("secret9001\t2026-11-02 09:00:00\t0\t155\t0\n", 60)), ok,
			probetest.Post("/iclock/cdata?SN=CEXA000000001&table=BIODATA", "text/plain", strings.Repeat("BIODATA Pin=1\tNo=0\tValid=1\tTmp="+strings.Repeat("a", 400)+"\tType=10\n", 4)), ok)
		return c
	})
}

func FuzzDissect(f *testing.F) {
	post := func(table, body string) probetest.Conversation {
		return probetest.Conversation{Up: probetest.Post("/iclock/cdata?SN=CEXA000000001&table="+table, "text/plain", body), Down: probetest.Answer(200, "text/plain", "OK")}
	}
	probetest.FuzzHear(f, Module(), post("ATTLOG", row(15)+row(18)), post("rtlog", "pin=1\tverifytype=15\n"), post("BIODATA", "BIODATA Pin=1\tType=9\tValid=1\tTmp=x\n"), post("OPERLOG", "FACE PIN=1\tVALID=1\tTMP=x\n"), post("options", "FaceFunOn=1"))
}

// TestHeardAnswer: a terminal that answers in its binary protocol is there, and more is not known of it.
func TestHeardAnswer(t *testing.T) {
	hello := "PP\x82}\x08\x00\x00\x00\xe8\x03\x17\xfc\x00\x00\x00\x00"
	answer := "PP\x82}\x08\x00\x00\x00\xd0\x07\x17\xfc\x00\x00\x00\x00"
	for _, x := range []struct {
		name, server, asked, said string
		kinds                     []string
	}{
		{"it answers", "192.0.2.24:4370", hello, answer, []string{"192.0.2.24 heard answer"}},
		{"it says nothing", "192.0.2.24:4370", hello, "", nil},
		{"something else listens there", "192.0.2.24:4370", hello, "SSH-2.0-secret\r\n", nil},
		{"another port", "192.0.2.24:5000", hello, answer, nil},
		{"outside", "198.51.100.24:4370", hello, answer, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := capturetest.New()
			conn := c.Connect("192.0.2.40:50000", x.server)
			conn.Up([]byte(x.asked))
			if x.said != "" {
				conn.Down([]byte(x.said))
			}
			conn.Close()
			h := probetest.Hear(t, Module(), c)
			var kinds []string
			for _, o := range h.Observations {
				if o.Endpoint.Addr().String() == "192.0.2.24" {
					kinds = append(kinds, "192.0.2.24 "+o.Kind)
				}
				if o.Identity == nil || !o.Identity.Weak || o.Identity.Kind != audit.KindTerminal {
					t.Errorf("%+v", o.Identity)
				}
			}
			if !slices.Equal(kinds, x.kinds) || len(h.Facts) > 0 {
				t.Errorf("%v %v", kinds, h.Facts)
			}
		})
	}
}
