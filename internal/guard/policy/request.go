package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// MaxBody is the longest body of a request: what is longer is refused unread.
const MaxBody = 256 << 10

// Request returns nil for a request that may be sent. body is the whole of it. GET, HEAD and OPTIONS may be sent unless they
// are on the list of requests that write, or that hand out faces and persons; POST only where a protocol reads by it. Paths
// are compared as the device will see them: without case, doubled slashes, dots and percent signs. The error is a *Refusal.
func Request(method string, u *url.URL, contentType string, body []byte) error {
	at, hidden, _ := strings.Cut(u.Path, "?") // an escaped question mark, which some servers split at all the same
	r := request{method: method, at: flat(at), port: u.Port(), query: query(u.RawQuery + "&" + hidden)}
	if r.signs() {
		return r.signing(method, u.Scheme, contentType, body)
	}
	if err := r.refused(); err != nil {
		return err
	}
	if w := word(strings.ToLower(string(body[:min(len(body), MaxBody)]))); w != "" {
		return refuse("forbidden", w)
	}
	switch method {
	case "GET", "HEAD", "OPTIONS":
		if len(body) > 0 {
			return refuse("body", method)
		}
		return nil
	case "POST":
		if len(body) <= MaxBody && r.reads(contentType, body) {
			return nil
		}
		return refuse("post", clip(r.at))
	}
	return refuse("method", clip(method))
}

// request is a request as a device understands it.
type request struct {
	method string
	at     string // path, flattened
	port   string
	query  map[string][]string // keys in lower case, values flattened
}

// flat is a path, or a value, as the most forgiving device reads it: decoded until nothing changes, with one kind of slash, no
// doubled ones, no dots, no path parameters, in lower case.
func flat(s string) string {
	for range 4 {
		d, err := url.PathUnescape(s)
		if err != nil || d == s {
			break
		}
		s = d
	}
	s = strings.ToLower(strings.ReplaceAll(s, `\`, "/"))
	parts := strings.Split(s, "/")
	for i, p := range parts {
		parts[i], _, _ = strings.Cut(p, ";")
		parts[i] = strings.Trim(parts[i], " \t\r\n\x00")
	}
	return path.Clean("/" + strings.Join(parts, "/"))
}

// query reads the query by itself: the standard reader drops what it does not like, and a device may not.
func query(raw string) map[string][]string {
	out := map[string][]string{}
	for _, pair := range strings.FieldsFunc(raw, func(c rune) bool { return c == '&' || c == ';' || c == '?' }) {
		k, v, _ := strings.Cut(pair, "=")
		k = strings.TrimPrefix(flat(strings.ReplaceAll(k, "+", " ")), "/")
		out[k] = append(out[k], strings.TrimPrefix(flat(strings.ReplaceAll(v, "+", " ")), "/"))
	}
	return out
}

// personal lists paths that hand out faces, persons or their pictures. A path is on it when one of these occurs in it. None
// of them is needed to prove that faces are recognised.
var personal = []string{
	"/fdlib/fdsearch", "/fdlib/facesearch", "/fdlib/facedatarecord", // Hikvision: entries of a library
	"/facecontrast/facescore", "/facescore",
	"/userinfo/search", "/capturefacedata", "/acsevent", // Hikvision terminals: persons and their passages
	"/smart/libraryfile", "/smart/facelibraryfile", "/smart/featuregalleyfile", "/facerecognition/database/", // Uniview: libraries whole
	"/face_list",                                 // LILIN
	"getfacelist",                                // Sunmi
	"/face-set/face",                             // Baidu: getlist and the rest
	"/facelibs/facerecord", "/recognition/face/", // Huawei and UniFi: entries of a library
}

// personalPrefixes are the same for servers, where the path begins with it.
var personalPrefixes = []string{
	"/api/faces",                 // Frigate
	"/api/match", "/api/storage", // Double Take
	"/iclock", // ZKTeco's push protocol, in which whoever asks is a terminal
}

// forbidden lists words that no request may contain, in the path, the query or the body.
var forbidden = []string{
	"facerecognizemode",                             // Hikvision terminals erase their library when it is set; but see faceMode
	"passwdfind", "devinit", "dhdiscover.setconfig", // Dahua: lost passwords, first configuration
	"facerecognitionserver", // Dahua: the face library, reading and writing alike; but see deployed
	"ywrtaw46mtek",          // CVE-2017-7921
	"configurationfile",     // … and the file it is used for
}

// reading are the beginnings of what an action= of a CGI may be: Dahua, Axis, Hanwha and those who copy them write settings by
// GET.
var reading = []string{"get", "list", "view", "attach", "check", "monitor", "status"}

// writing are beginnings of names of scripts, and of values of cmd= and the like, that change something.
var writing = regexp.MustCompile(`^(set|add|del|remove|update|modify|edit|save|write|apply|reboot|restart|reset|restore|default|factory|format|upgrade|shutdown|poweroff|upload|import|create|insert|enroll|register|activate|login|logout|change|ptz|move|goto|start|stop|clear|snap)`)

// refused holds what no method may ask for.
func (r request) refused() error {
	whole := r.at
	for k, vs := range r.query {
		whole += " " + k + "=" + strings.Join(vs, " ")
	}
	if r.deployed() || r.faceMode() {
		return nil
	}
	if w := word(whole); w != "" {
		return refuse("forbidden", w)
	}
	if _, ok := r.query["auth"]; ok {
		return refuse("bypass")
	}
	if r.under("/viid") && r.at != "/viid/system/time" {
		return refuse("personal", clip(r.at))
	}
	if r.person() {
		return refuse("personal", clip(r.at))
	}
	// InsightFace-REST checks its own health with a picture: one inference. Other servers have a /health that costs nothing, so
	// only the ports it is published on are closed; on another port it cannot be told apart before it is asked.
	if (r.port == "18080" || r.port == "18081") && (r.at == "/health" || strings.HasPrefix(r.at, "/health/")) {
		return refuse("inference")
	}
	return r.writes()
}

// faceMode reports whether a terminal is asked, in the one exact wording, how it recognises faces: only setting it erases the
// library, and that is done by PUT.
func (r request) faceMode() bool {
	format := r.query["format"]
	return r.method == "GET" && r.at == "/isapi/accesscontrol/facerecognizemode" && len(r.query) == 1 && len(format) == 1 && format[0] == "json"
}

var numeral = regexp.MustCompile(`^\d{1,4}$`)

// deployed reports whether Dahua's library program is asked, in the one exact wording of each, which libraries are armed at a
// channel, or how many there are and of what size: what proves that a recorder compares faces. No person is in either answer,
// and nothing else of the program may be asked, nor anything beside it.
func (r request) deployed() bool {
	if r.at != "/cgi-bin/facerecognitionserver.cgi" {
		return false
	}
	action, channel := r.query["action"], r.query["channel"]
	switch {
	case len(action) != 1:
		return false
	case action[0] == "getgroup":
		return len(r.query) == 2 && len(channel) == 1 && numeral.MatchString(channel[0])
	default:
		return len(r.query) == 1 && action[0] == "findgroup"
	}
}

// word returns the forbidden word in a text, or "".
func word(s string) string {
	for _, f := range forbidden {
		if strings.Contains(s, f) {
			return f
		}
	}
	return ""
}

func (r request) person() bool {
	if slices.ContainsFunc(personal, func(p string) bool { return strings.Contains(r.at, p) }) {
		return true
	}
	if slices.ContainsFunc(personalPrefixes, r.under) {
		return true
	}
	// CompreFace: /api/v1/recognition/subjects and …/faces.
	segments := strings.Split(r.at, "/")
	if slices.Contains(segments, "subjects") {
		return true
	}
	// Uniview: the persons of a library; how many there are is no person.
	if slices.Contains(segments, "peoplelibraries") && slices.Contains(segments, "people") {
		return true
	}
	// A library's pictures; how many there are is no person.
	if i := slices.Index(segments, "fdlib"); i >= 0 && slices.Contains(segments[i:], "picture") {
		return path.Base(r.at) != "surpluscapacity"
	}
	return slices.ContainsFunc(slices.Concat(r.query["method"], r.query["cmd"], r.query["action"], r.query["url"]), func(v string) bool {
		return strings.Contains(v, "getfacelist") || strings.Contains(v, "getlist") && strings.Contains(r.at, "face")
	})
}

// under reports whether the path is the prefix or lies below it.
func (r request) under(prefix string) bool {
	return r.at == prefix || strings.HasPrefix(r.at, prefix+"/")
}

func (r request) writes() error {
	base := path.Base(r.at)
	if writing.MatchString(base) && strings.HasSuffix(base, ".cgi") {
		return refuse("writes", clip(base))
	}
	for _, v := range r.query["action"] {
		if !slices.ContainsFunc(reading, func(p string) bool { return strings.HasPrefix(v, p) }) {
			return refuse("writes", "action="+clip(v))
		}
	}
	for _, k := range []string{"cmd", "command", "method", "func", "function", "op", "operation"} {
		for _, v := range r.query[k] {
			if writing.MatchString(v) {
				return refuse("writes", k+"="+clip(v))
			}
		}
	}
	return nil
}

// reads reports whether a POST is one of the readings that a protocol words as POST.
func (r request) reads(contentType string, body []byte) bool {
	kind, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(contentType)), ";")
	kind = strings.TrimSpace(kind)
	switch {
	case kind == "application/soap+xml" || kind == "text/xml" || kind == "application/xml":
		op, ok := soapOperation(body)
		return ok && soapReads(op.Local)
	case r.at == "/axis-cgi/basicdeviceinfo.cgi", r.at == "/axis-cgi/apidiscovery.cgi":
		m, ok := member(body, "method")
		return ok && strings.HasPrefix(m, "get")
	case r.at == "/axis-cgi/applications/list.cgi":
		return len(body) == 0
	case r.at == "/api.cgi", r.at == "/cgi-bin/api.cgi":
		return r.reolink(body)
	case r.at == "/rpc2":
		m, ok := member(body, "method")
		return ok && dahuaGet.MatchString(m)
	case r.at == "/" && r.port == "20443":
		return vigi.Match(bytes.TrimSpace(body))
	}
	return false
}

// soapReads reports whether an ONVIF operation only reads, or belongs to an event subscription, which changes no setting, is
// bounded in time and is released. Accounts and credentials of persons are not read.
func soapReads(op string) bool {
	if slices.Contains([]string{"CreatePullPointSubscription", "PullMessages", "SetSynchronizationPoint", "Renew", "Unsubscribe"}, op) {
		return true
	}
	for _, p := range []string{"GetCredential", "GetUser", "GetRemoteUser", "GetWhitelist", "GetBlacklist"} {
		if strings.HasPrefix(op, p) {
			return false
		}
	}
	return strings.HasPrefix(op, "Get")
}

// dahuaGet is a reading method of RPC2: "magicBox.getDeviceType", "configManager.getConfig".
var dahuaGet = regexp.MustCompile(`^[A-Za-z]+(\.[A-Za-z]+)*\.get[A-Z][A-Za-z]*$`)

// vigi is the first doAuth, which asks for the challenge and answers none.
var vigi = regexp.MustCompile(`^\{\s*"method"\s*:\s*"doAuth"\s*,\s*"params"\s*:\s*null\s*\}$`)

// reolink is a command list of which every one begins with Get, in the address and in the body.
func (r request) reolink(body []byte) bool {
	cmds := r.query["cmd"]
	if len(cmds) == 0 || slices.ContainsFunc(cmds, func(c string) bool { return !strings.HasPrefix(c, "get") }) {
		return false
	}
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return false
	}
	return !slices.ContainsFunc(list, func(one json.RawMessage) bool {
		c, ok := member(one, "cmd")
		return !ok || !strings.HasPrefix(c, "Get")
	})
}

// member returns the text of a member of a JSON object. It refuses an object that has it twice, in whatever case, since
// nobody knows which one a device takes, and anything around the object.
func member(b []byte, name string) (value string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", false
	}
	seen := 0
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return "", false
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return "", false
		}
		if key, isText := k.(string); isText && strings.EqualFold(key, name) {
			seen++
			if json.Unmarshal(v, &value) != nil {
				return "", false
			}
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') {
		return "", false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", false
	}
	return value, seen == 1
}

func clip(s string) string {
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
