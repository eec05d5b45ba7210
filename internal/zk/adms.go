package zk

import (
	"net/url"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Upload is what a terminal tells its server over ADMS, the maker's "push" protocol over HTTP: names and whether something is there,
// nothing of a person.
type Upload struct {
	Serial    string           // of the terminal
	Table     string           // "ATTLOG", "OPERLOG", "BIODATA" …; empty for the request that begins
	Functions []audit.Function // that records of passing show
	Person    bool             // one of these records names somebody
	Templates bool             // faces of enrolled persons, as templates or pictures
	Faces     bool             // the terminal says that it has the function
}

// How somebody was verified, as records of attendance and of doors write it: by face alone, which looks him up among everybody; by
// face beside a card, which says who he must be; by face beside something else, of which nobody says which names the person.
// Source: appendices of the maker's Attendance PUSH protocol (2.4.2) and Security PUSH protocol (3.1.2).
var ways = map[string][]audit.Function{
	"15": {audit.Detect, audit.Identify},
	"16": {audit.Detect}, "17": {audit.Detect}, "20": {audit.Detect}, "27": {audit.Detect}, "29": {audit.Detect},
	"18": {audit.Detect, audit.Verify}, "19": {audit.Detect, audit.Verify},
}

// doorWay is how somebody was verified at a door. Newer terminals write bits: the second from the right is the face, the first says
// that it stood beside something else.
func doorWay(s string) []audit.Function {
	const bits = 9 // fewer are a number of the older list
	if len(s) < bits || strings.Trim(s, "01") != "" {
		return ways[s]
	}
	switch alone := strings.Trim(s[:len(s)-2], "0") == ""; {
	case s[len(s)-2] != '1':
		return nil
	case alone && s[len(s)-1] == '0':
		return []audit.Function{audit.Detect, audit.Identify}
	}
	return []audit.Function{audit.Detect}
}

// documentWays are those of a record in which a face was compared with an identity document: its own numbers.
var documentWays = []string{"1", "2", "3"}

// faceTypes are the types of BIODATA and BIOPHOTO that are faces: by near infrared, and by visible light. Source: as above.
var faceTypes = []string{"2", "9"}

// ReadUpload reads a request of a terminal to its server. Of a body that is cut the last line is left out. It reports false for
// every other request.
func ReadUpload(target string, body []byte, cut bool) (u Upload, ok bool) {
	if !strings.Contains(target, "/iclock/") {
		return u, false // most of what passes
	}
	t, err := url.Parse(target)
	if err != nil || !strings.HasPrefix(t.Path, "/iclock/") {
		return u, false
	}
	switch strings.TrimSuffix(strings.TrimPrefix(t.Path, "/iclock/"), ".aspx") {
	case "cdata", "getrequest", "devicecmd", "registry", "push", "ping", "querydata", "fdata":
	default:
		return u, false
	}
	q := t.Query()
	if u.Serial = serial(q.Get("SN")); u.Serial == "" {
		return u, false
	}
	if table := strings.ToUpper(q.Get("table")); slices.Contains(tables, table) {
		u.Table = table
	}
	if strings.HasPrefix(t.Path, "/iclock/registry") && u.Table == "" {
		u.Table = options // a terminal makes itself known by the same list
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasSuffix(line, "\n") || !cut {
			u.line(strings.TrimRight(line, "\r\n"))
		}
	}
	slices.Sort(u.Functions)
	return u, true
}

const options = "OPTIONS" // what a terminal is and has: names and values, with commas between

var tables = []string{"ATTLOG", "OPERLOG", "ATTPHOTO", "BIODATA", "BIOPHOTO", "RTLOG", "RTSTATE", "TABLEDATA", options, "ERRORLOG", "USERINFO", "IDCARD"}

func (u *Upload) line(s string) {
	head, rest, _ := strings.Cut(s, " ")
	switch {
	case u.Table == "ATTLOG":
		u.attendance(strings.Split(s, "\t"))
	case u.Table == "RTLOG":
		p := pairs(s)
		u.passed(doorWay(p["verifytype"]), p["pin"])
	case u.Table == options:
		u.Faces = u.Faces || slices.Contains(strings.Split(s, ","), "FaceFunOn=1")
	case strings.EqualFold(head, "FACE"):
		p := pairs(rest)
		u.Templates = u.Templates || p["pin"] != "" && p["tmp"] != "" && p["valid"] != "0"
	case strings.EqualFold(head, "BIODATA"), strings.EqualFold(head, "BIOPHOTO"):
		p := pairs(rest)
		u.Templates = u.Templates || slices.Contains(faceTypes, p["type"]) && p["tmp"]+p["content"] != "" && p["valid"] != "0"
	}
}

// attendance reads one record: person, time, state, how verified, with tabs between. Terminals that read identity documents add
// the document's number and whether it was compared with.
func (u *Upload) attendance(f []string) {
	switch {
	case len(f) < 4 || len(f[1]) < len("2026-11-02 09:00"):
	case len(f) == 9 && len(f[7]) == 18 && f[8] == "1":
		if slices.Contains(documentWays, f[3]) {
			u.passed([]audit.Function{audit.Detect, audit.Verify}, f[0])
		}
	default:
		u.passed(ways[strings.TrimSpace(f[3])], f[0])
	}
}

func (u *Upload) passed(shows []audit.Function, person string) {
	if len(shows) == 0 {
		return
	}
	for _, fn := range shows {
		if !slices.Contains(u.Functions, fn) {
			u.Functions = append(u.Functions, fn)
		}
	}
	person = strings.TrimSpace(person)
	u.Person = u.Person || person != "" && person != "0"
}

// pairs reads "name=value" with tabs between, names in lower case.
func pairs(s string) map[string]string {
	m := map[string]string{}
	for i, f := range strings.Split(s, "\t") {
		if k, v, ok := strings.Cut(f, "="); ok && i < 64 {
			m[strings.ToLower(strings.TrimSpace(k))] = strings.TrimSpace(v)
		}
	}
	return m
}

// serial is a serial number as the maker writes them, or nothing.
func serial(s string) string {
	if len(s) < 6 || len(s) > 32 {
		return ""
	}
	for _, c := range s {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
			return ""
		}
	}
	return s
}
