package zk

import (
	"net/url"
	"slices"
	"strings"
)

// Upload is what a terminal tells its server over ADMS, the maker's "push" protocol over HTTP: names and whether something is there,
// nothing of a person.
type Upload struct {
	Serial    string // of the terminal
	Table     string // "ATTLOG", "OPERLOG", "BIODATA" …; empty for the request that begins
	Faces     int    // attendance records by face
	Other     int    // attendance records by anything else
	Templates int    // faces of enrolled persons, as templates or pictures
}

// faceVerified is the code by which an attendance record says that a face let somebody pass (own knowledge: the maker's list of
// verify modes; no device was seen).
const faceVerified = "15"

// biometric types of BIODATA and BIOPHOTO that are faces: by near infrared, and by visible light (own knowledge).
var faceTypes = []string{"2", "9"}

// ReadUpload reads a request of a terminal to its server. It reports false for every other request.
func ReadUpload(target string, body []byte) (u Upload, ok bool) {
	t, err := url.Parse(target)
	if err != nil || !strings.HasPrefix(t.Path, "/iclock/") {
		return u, false
	}
	switch strings.TrimPrefix(t.Path, "/iclock/") {
	case "cdata", "getrequest", "devicecmd", "registry", "ping", "cdata.aspx", "getrequest.aspx":
	default:
		return u, false
	}
	q := t.Query()
	if u.Serial = serial(q.Get("SN")); u.Serial == "" {
		return u, false
	}
	if table := strings.ToUpper(q.Get("table")); known(table) {
		u.Table = table
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasSuffix(line, "\n") || len(body) < maxBody { // the last line of a long body may be cut
			u.line(strings.TrimRight(line, "\r\n"))
		}
	}
	return u, true
}

const maxBody = 256 << 10

func known(table string) bool {
	return slices.Contains([]string{"ATTLOG", "OPERLOG", "ATTPHOTO", "BIODATA", "BIOPHOTO", "RTLOG", "RTSTATE", "TABLEDATA", "OPTIONS", "ERRORLOG", "USERINFO", "IDCARD"}, table)
}

func (u *Upload) line(s string) {
	head, rest, _ := strings.Cut(s, " ")
	switch {
	case u.Table == "ATTLOG":
		// person, time, state, how verified …, with tabs between
		if f := strings.Split(s, "\t"); len(f) >= 4 {
			if strings.TrimSpace(f[3]) == faceVerified {
				u.Faces++
			} else {
				u.Other++
			}
		}
	case strings.EqualFold(head, "FACE") && strings.HasPrefix(strings.ToUpper(rest), "PIN="):
		u.Templates++
	case strings.EqualFold(head, "BIODATA"), strings.EqualFold(head, "BIOPHOTO"):
		for _, f := range strings.Split(rest, "\t") {
			if k, v, _ := strings.Cut(f, "="); strings.EqualFold(strings.TrimSpace(k), "type") && slices.Contains(faceTypes, strings.TrimSpace(v)) {
				u.Templates++
			}
		}
	}
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
