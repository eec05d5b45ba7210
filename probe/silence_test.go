package probe

import (
	"errors"
	"testing"

	"github.com/mingshi-audit/mingshi/audit"
)

// TestSilent: two services of a port that let themselves be asked in vain make it silent; one byte, before or after, does not.
func TestSilent(t *testing.T) {
	type end struct {
		port uint16
		uri  string
		e    Ending
	}
	const onvif, front, other = "http://192.0.2.1/onvif/device_service", "http://192.0.2.1/", "http://192.0.2.1/ISAPI/System"
	for _, c := range []struct {
		name string
		ends []end
		want bool
	}{
		{"nothing asked", nil, false},
		{"one service", []end{{80, onvif, Silence}, {80, onvif, Silence}, {80, "http://192.0.2.1/onvif/media", Silence}}, false},
		{"two services", []end{{80, onvif, Silence}, {80, front, Silence}}, true},
		{"of two ports", []end{{80, onvif, Silence}, {81, front, Silence}}, false},
		{"an answer before", []end{{80, other, Answered}, {80, onvif, Silence}, {80, front, Silence}}, false},
		{"an answer late", []end{{80, onvif, Silence}, {80, front, Silence}, {80, other, Answered}}, false},
		{"closed", []end{{80, onvif, SaysNothing}, {80, front, SaysNothing}}, false},
	} {
		var d Done
		for _, e := range c.ends {
			d.exchanged(e.port, e.uri, e.e)
		}
		if got := d.Silent(80); got != c.want {
			t.Errorf("%s: silent is %v", c.name, got)
		}
	}
	var none *Done
	none.exchanged(80, front, Silence)
	if none.Silent(80) {
		t.Error("nothing is remembered where there is no memory")
	}
}

// TestBriefSilence: a brief run waits too little to call anything silent.
func TestBriefSilence(t *testing.T) {
	for _, brief := range []bool{false, true} {
		env := Env{Brief: brief, Done: &Done{}}
		env.Exchanged(80, "/onvif/device_service", Silence)
		env.Exchanged(80, "/", Silence)
		if env.Done.Silent(80) == brief {
			t.Errorf("brief %v: silent %v", brief, !brief)
		}
	}
}

// TestEnd: what began to come and did not end in time is an answer.
func TestEnd(t *testing.T) {
	var quiet, slow Trace
	slow.answered.Store(true)
	failed := errors.New("too late")
	for _, c := range []struct {
		trace  *Trace
		err    error
		status audit.Status
		want   Ending
	}{
		{&quiet, nil, audit.OK, Answered}, {&quiet, failed, audit.Timeout, Silence}, {&quiet, failed, audit.Unreachable, Silence},
		{&quiet, failed, audit.Malformed, SaysNothing}, {&quiet, failed, audit.Interrupted, SaysNothing}, {&quiet, failed, audit.Denied, SaysNothing},
		{&slow, failed, audit.Timeout, Answered},
	} {
		if got := c.trace.End(c.err, c.status); got != c.want {
			t.Errorf("%v, %s: %d, want %d", c.err, c.status, got, c.want)
		}
	}
}
