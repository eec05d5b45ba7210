package vapix

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	device = `{"apiVersion":"1.3","data":{"propertyList":{"Brand":"AXIS","ProdFullName":"AXIS LAB-1 Camera","ProdNbr":"LAB-1","ProdType":"Network Camera","SerialNumber":"ACCC8E000001","Version":"11.0.1","WebURL":"http://www.axis.com","HardwareID":7}}}`
	apps   = `<reply result="ok"><application Name="vmd" NiceName="AXIS Video Motion Detection" Vendor="Axis Communications" Version="4.4" ApplicationID="143440" License="None" Status="Running" VendorHomePage="http://www.axis.com"/>` +
		`<application Name="faceRecognition" NiceName="Face" Vendor="Lab" Status="Stopped" License="Missing"></application></reply>`
)

func TestReadDevice(t *testing.T) {
	got, err := ReadDevice([]byte(device))
	if d := cmp.Diff(Device{Brand: "AXIS", Name: "AXIS LAB-1 Camera", Model: "LAB-1", Type: "Network Camera", Serial: "ACCC8E000001", MAC: "ac:cc:8e:00:00:01", Firmware: "11.0.1"}, got); err != nil || d != "" {
		t.Error(err, d)
	}
	var no *Refusal
	if _, err := ReadDevice([]byte(`{"apiVersion":"1.0","error":{"code":2004,"message":"Method not supported"}}`)); !errors.As(err, &no) || no.Code != 2004 {
		t.Error(err)
	}
	for _, s := range []string{"", "null", "[]", "{}", `{"data":{}}`, `{"data":{"propertyList":{}}}`, `{"data":{"propertyList":{"ProdNbr":7}}}`, "<html>"} {
		if d, err := ReadDevice([]byte(s)); !errors.Is(err, ErrOther) {
			t.Errorf("%q: %+v %v", s, d, err)
		}
	}
	if !json.Valid(Properties()) {
		t.Error("the question is no JSON")
	}
}

func TestReadApplications(t *testing.T) {
	want := []Application{{"vmd", "AXIS Video Motion Detection", "Axis Communications", "4.4", "Running", "None"}, {"faceRecognition", "Face", "Lab", "", "Stopped", "Missing"}}
	got, whole, err := ReadApplications([]byte(apps))
	if d := cmp.Diff(want, got); err != nil || !whole || d != "" {
		t.Error(err, whole, d)
	}
	for _, c := range []struct {
		body  string
		n     int
		whole bool
		ok    bool
	}{
		{`<reply result="ok"></reply>`, 0, true, true},
		{`<reply result="ok"><application Name=""/></reply>`, 0, false, true},
		{`<reply result="ok"><application Name="a"/><bundle/></reply>`, 1, false, true},
		{`<reply result="ok"><application Name="a"/>`, 1, false, true},
		{`<reply result="error"><error type="10" message="x"/></reply>`, 0, false, false},
		{`<html><application Name="a"/></html>`, 0, false, false},
		{`<!DOCTYPE a><reply result="ok"/>`, 0, false, false},
		{"", 0, false, false},
		{`<reply result="ok">` + strings.Repeat(`<application Name="a"/>`, maxApps+1) + `</reply>`, maxApps, false, true},
	} {
		got, whole, err := ReadApplications([]byte(c.body))
		if len(got) != c.n || whole != c.whole || (err == nil) != c.ok {
			t.Errorf("%.60s: %d %v %v", c.body, len(got), whole, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{device, apps, "", "{", "<reply", `<reply result="ok"/>`, `{"error":{"code":"x"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ReadDevice(b) //nolint:errcheck // must not panic
		if as, _, err := ReadApplications(b); err == nil && len(as) > maxApps {
			t.Error("more applications than the bound")
		}
	})
}
