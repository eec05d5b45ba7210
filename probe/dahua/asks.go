package dahua

import (
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	wire "github.com/mingshi-audit/mingshi/internal/dahua"
	"github.com/mingshi-audit/mingshi/probe"
)

// asks lists every question, in the order of the conversation. A rule holds its own switch, so that the table of rules can show
// any function to be on; lists of what the device could do decide nothing.
func asks() []probe.Question {
	var out []probe.Question
	add := func(needs audit.Permit, decides []audit.Function, qs ...wire.Request) {
		for _, q := range qs {
			out = append(out, probe.Question{Request: "GET " + string(q), Kind: kindOf(q), Needs: needs, Login: true, Decides: decides})
		}
	}
	perChannel := func(decides []audit.Function, q wire.Request) {
		add(audit.PermitQuery, decides, q)
		last := &out[len(out)-1]
		last.Request = strings.TrimSuffix(last.Request, "1") + "{channel}"
	}
	add(audit.PermitQuery, nil, wire.DeviceType, wire.DeviceClass, wire.SystemInfo, wire.SerialNo, wire.SoftwareVersion, wire.Vendor, wire.MachineName,
		wire.RemoteDevices, wire.ChannelTitles, wire.VideoLoss)
	perChannel(nil, wire.Caps(1))
	add(audit.PermitQuery, nil, wire.EventCaps, wire.Scenes)
	add(audit.PermitQuery, audit.Functions(), wire.Rules)
	add(audit.PermitQuery, []audit.Function{audit.Identify}, wire.Armed)
	add(audit.PermitQuery, nil, wire.Libraries)
	perChannel([]audit.Function{audit.Identify}, wire.Deployed(1))
	add(audit.PermitQuery, []audit.Function{audit.Verify}, wire.CardCompare)
	add(audit.PermitQuery, nil, wire.PictureUpload, wire.EventUpload, wire.GAT1400, wire.GAVI, wire.GB28181, wire.Cloud)
	add(audit.PermitSample, []audit.Function{audit.Detect, audit.Capture}, wire.DetectingNow)
	add(audit.PermitSample, []audit.Function{audit.Identify}, wire.RecognisingNow)
	add(audit.PermitSample, audit.Functions(), wire.Attach, wire.AttachDoor)
	return out
}

// kindOf names a question: "getSystemInfo", "getConfig RemoteDevice", "devVideoAnalyse getcaps".
func kindOf(q wire.Request) string {
	path, query, _ := strings.Cut(string(q), "?action=")
	action, rest, _ := strings.Cut(query, "&")
	_, name, _ := strings.Cut(rest, "=")
	program := strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".cgi")
	switch {
	case q == wire.AttachDoor:
		return program + " " + action + " door"
	case program == "magicBox", program == "configManager", action == "getEventIndexes":
		return strings.TrimSpace(action + " " + name)
	}
	return program + " " + action
}
