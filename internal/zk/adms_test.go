package zk

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mingshi-audit/mingshi/audit"
)

const at = "/iclock/cdata?SN=CEXA000000001&table="

// uploads are requests, and what they show.
var uploads = []struct {
	target, body string
	cut, ok      bool
	want         Upload
}{
	{at + "ATTLOG", "1\t2026-11-02 09:00:00\t0\t15\t0\n", false, true, Upload{Table: "ATTLOG", Functions: []audit.Function{audit.Detect, audit.Identify}, Person: true}},
	{at + "ATTLOG", "1\t2026-11-02 09:00:00\t0\t15", true, true, Upload{Table: "ATTLOG"}},
	{at + "ATTLOG", "1\t2026-11-02 09:00:00\t0\t15\n1\t2026-11-02 09:00:00\t0\t18", true, true, Upload{Table: "ATTLOG", Functions: []audit.Function{audit.Detect, audit.Identify}, Person: true}},
	{at + "ATTLOG", "1\t2026-11-02 09:00:00\t0\t18", false, true, Upload{Table: "ATTLOG", Functions: []audit.Function{audit.Detect, audit.Verify}, Person: true}},
	{at + "ATTLOG", "x\ty\tz\t15\n", false, true, Upload{Table: "ATTLOG"}},
	{at + "ATTLOG", "1\t2026-11-02 09:00:00\t0\t1\t0\t0\t0\t210102199212182113\t1\n", false, true, Upload{Table: "ATTLOG", Functions: []audit.Function{audit.Detect, audit.Verify}, Person: true}},
	{at + "ATTLOG", "1\t2026-11-02 09:00:00\t0\t1\t0\t0\t0\t210102199212182113\t0\n", false, true, Upload{Table: "ATTLOG"}},
	{at + "rtlog", "time=2026-11-02 09:00:00\tpin=0\tverifytype=15\n", false, true, Upload{Table: "RTLOG", Functions: []audit.Function{audit.Detect, audit.Identify}}},
	{at + "rtlog", "pin=1\tverifytype=0000000000000010\n", false, true, Upload{Table: "RTLOG", Functions: []audit.Function{audit.Detect, audit.Identify}, Person: true}},
	{at + "rtlog", "pin=1\tverifytype=0000101000000011\n", false, true, Upload{Table: "RTLOG", Functions: []audit.Function{audit.Detect}, Person: true}},
	{at + "rtlog", "pin=1\tverifytype=0000001000000000\npin=1\tverifytype=1\npin=1\tverifytype=10\npin=1\tverifytype=11\n", false, true, Upload{Table: "RTLOG"}},
	{at + "BIODATA", "BIODATA Pin=1\tType=9\tValid=1\tTmp=x\n", false, true, Upload{Table: "BIODATA", Templates: true}},
	{at + "BIODATA", "BIODATA Pin=1\tType=9\tValid=0\tTmp=x\n", false, true, Upload{Table: "BIODATA"}},
	{at + "BIODATA", "BIODATA Pin=1\tType=9\tValid=1\tTmp=\n", false, true, Upload{Table: "BIODATA"}},
	{at + "BIODATA", "BIODATA Pin=1\tType=1\tValid=1\tTmp=x\n", false, true, Upload{Table: "BIODATA"}},
	{at + "OPERLOG", "FACE PIN=1\tFID=0\tSIZE=1\tVALID=1\tTMP=x\n", false, true, Upload{Table: "OPERLOG", Templates: true}},
	{at + "OPERLOG", "OPLOG 101\t0\t2026-11-02 09:00:00\t1\t0\t0\t0\n", false, true, Upload{Table: "OPERLOG"}},
	{at + "options", "FingerFunOn=1,FaceFunOn=1", false, true, Upload{Table: "OPTIONS", Faces: true}},
	{at + "ATTPHOTO", "PIN=20261102-1.jpg\nSN=x\nsize=1\nCMD=uploadphoto\x00\xff\xd8", false, true, Upload{Table: "ATTPHOTO"}},
	{"/iclock/getrequest?SN=CEXA000000001&INFO=x", "", false, true, Upload{}},
	{"/iclock/cdata.aspx?SN=CEXA000000001&options=all", "", false, true, Upload{}},
	{"/iclock/cdata?SN=a%20b%20c%20d", "", false, false, Upload{}},
	{"/iclock/cdata", "", false, false, Upload{}},
	{"/iclock/other?SN=CEXA000000001", "", false, false, Upload{}},
	{"/x/iclock/cdata?SN=CEXA000000001", "", false, false, Upload{}},
	{"%", "", false, false, Upload{}},
}

func TestReadUpload(t *testing.T) {
	for _, x := range uploads {
		got, ok := ReadUpload(x.target, []byte(x.body), x.cut)
		if x.ok {
			x.want.Serial = "CEXA000000001"
		}
		if d := cmp.Diff(x.want, got); ok != x.ok || d != "" {
			t.Errorf("%s %q: %v %s", x.target, x.body, ok, d)
		}
	}
}

func FuzzReadUpload(f *testing.F) {
	for _, x := range uploads {
		f.Add(x.target, []byte(x.body), x.cut)
	}
	f.Fuzz(func(t *testing.T, target string, body []byte, cut bool) {
		u, ok := ReadUpload(target, body, cut)
		again, _ := ReadUpload(target, body, cut)
		switch {
		case !reflect.DeepEqual(u, again):
			t.Errorf("%+v and %+v", u, again)
		case !ok && !reflect.DeepEqual(u, Upload{}), ok && serial(u.Serial) == "", u.Table != "" && !slices.Contains(tables, u.Table), u.Person && len(u.Functions) == 0:
			t.Errorf("%v %+v", ok, u)
		}
		if !ok || cut {
			return
		}
		// What is cut shows no more than the whole.
		part, _ := ReadUpload(target, body[:len(body)/2], true)
		for _, fn := range part.Functions {
			if !slices.Contains(u.Functions, fn) {
				t.Errorf("%s in a part of what shows %v", fn, u.Functions)
			}
		}
	})
}
