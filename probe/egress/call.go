package egress

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/capture"
	"github.com/mingshi-audit/mingshi/internal/knowledge"
	"github.com/mingshi-audit/mingshi/probe"
)

// http reads a request to a listed host or service, or its answer.
func (d *dissection) http() {
	r := d.f.Request
	if r == nil || r.Method == "" {
		return
	}
	if r.Method == "CONNECT" {
		if d.f.Answer == nil {
			d.host(hostOnly(r.Target), attempted, "http")
		}
		return
	}
	host, path, raw := target(r)
	if d.f.Answer == nil {
		d.host(host, readable, "http")
	}
	if !d.data.MayCall(host, path) {
		return
	}
	query, _ := url.ParseQuery(raw) // what can be read of it
	c, ok := d.data.Call(host, path, action(r, query))
	if !ok || !handsOver(r, query, c) {
		return
	}
	if d.f.Answer != nil {
		d.answer(c, host)
		return
	}
	asked := parameter(r, query, c.Attributes)
	d.call(c, host, false, does(c, slices.Contains(asked, yes)), attributes(asked))
}

// target returns the host a request names, its path and its query as it was written.
func target(r *capture.Message) (host, path, query string) {
	path, query, _ = strings.Cut(r.Target, "?")
	host = hostOnly(r.Header.Get("Host"))
	if rest, ok := strings.CutPrefix(path, "http://"); ok { // through a proxy
		authority, p, _ := strings.Cut(rest, "/")
		host, path = hostOnly(authority), "/"+p
	}
	return host, path, query
}

// action returns what a request names as its action: in a header, as Tencent Cloud and AWS do, or as the parameter Action.
func action(r *capture.Message, query url.Values) string {
	if a := r.Header.Get("X-TC-Action"); a != "" {
		return a
	}
	if a := r.Header.Get("X-Amz-Target"); a != "" {
		return a[strings.LastIndexByte(a, '.')+1:]
	}
	if a := query.Get("Action"); a != "" {
		return a
	}
	return form(r).Get("Action")
}

// form returns the fields of a body that is one and came whole.
func form(r *capture.Message) url.Values {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" || r.Cut != 0 {
		return nil
	}
	v, _ := url.ParseQuery(string(r.Body))
	return v
}

// handsOver reports whether a request carries anything to work on: a body, or the parameters of an action. What only lists a
// library, or asks whether the service is there, does not.
func handsOver(r *capture.Message, query url.Values, c knowledge.Call) bool {
	switch r.Method {
	case "POST", "PUT":
		long := r.Header.Get("Content-Length")
		return r.Size > 0 || len(r.Body) > 0 || len(r.Parts) > 0 || long != "" && strings.Trim(long, "0") != "" || r.Header.Has("Transfer-Encoding") || c.Action != "" && len(query) > 1
	case "GET":
		return c.Action != "" && len(c.Does) > 0 && len(query) > 1
	}
	return false
}

// yes stands for a parameter that switches attributes on without naming them.
const yes = "1"

// parameter returns the words of a parameter, wherever the request has it.
func parameter(r *capture.Message, query url.Values, key string) []string {
	if key == "" {
		return nil
	}
	v := query.Get(key)
	if v == "" {
		v = form(r).Get(key)
	}
	for _, p := range r.Parts {
		if v == "" && p.Name == key && p.Cut == 0 {
			v = string(p.Body)
		}
	}
	if v == "" && r.Cut == 0 {
		var body map[string]json.RawMessage
		if json.Unmarshal(r.Body, &body) == nil {
			v = strings.Trim(string(body[key]), `"`)
		}
	}
	return strings.FieldsFunc(strings.ToLower(v[:min(len(v), 1024)]), func(c rune) bool { return c == ',' || c == ' ' || c == '|' })
}

// attributeWords maps the words face services use for attributes of a face to the audit's. Pose, quality and landmarks are left
// out: they are a matter of the picture.
func attributeWord(w string) string {
	switch strings.ToLower(w) {
	case "age":
		return audit.AttrAge
	case "gender", "sex":
		return audit.AttrGender
	case "emotion", "emotions", "smile", "smiling":
		return audit.AttrEmotion
	case "expression":
		return audit.AttrExpression
	case "glasses", "glass", "eyeglasses", "sunglasses", "mask", "hat", "accessories", "dress":
		return audit.AttrAccessory
	case "ethnicity", "race", "skinstatus", "complexion":
		return audit.AttrComplexion
	case "beard", "facialhair", "hair", "face_shape", "beauty":
		return audit.AttrFeatures
	}
	return ""
}

func attributes(words []string) []string {
	var out []string
	for _, w := range words {
		if a := attributeWord(w); a != "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return out
}

// does returns what a call does with a face; analyses also where attributes are asked for or stated.
func does(c knowledge.Call, analyses bool) []audit.Function {
	out := slices.Clone(c.Does)
	if analyses && len(out) > 0 && !slices.Contains(out, audit.Analyse) {
		out = append(out, audit.Analyse)
	}
	if out == nil {
		out = []audit.Function{}
	}
	return out
}

// answer reads what came back: a result about at least one face, and nothing less. An answer that was not captured whole, says
// that something went wrong, or found no face shows nothing.
func (d *dissection) answer(c knowledge.Call, host string) {
	a := d.f.Answer
	if a.Status < 200 || a.Status > 299 || a.Cut != 0 || len(c.Does) == 0 {
		return
	}
	r, ok := readResult(a.Body)
	if !ok || r.failed || r.lists && !r.filled {
		return
	}
	found := attributes(r.keys)
	d.call(c, host, true, does(c, len(found) > 0), found)
}

// call writes the observation of who asked and, where the service stands inside the perimeter, of who was asked.
func (d *dissection) call(c knowledge.Call, host string, answered bool, does []audit.Function, attrs []string) {
	where := d.f.Server.Addr
	at := where.String()
	if h, ok := d.data.Host(host); ok {
		at = h.Suffix
	}
	if len(attrs) > 0 && !slices.Contains(does, audit.Analyse) && len(does) > 0 {
		does = append(does, audit.Analyse)
	}
	slices.SortFunc(does, func(a, b audit.Function) int {
		return slices.Index(audit.Functions(), a) - slices.Index(audit.Functions(), b)
	})
	x := Call{Service: c.Whose, Call: c.Name(), Host: at, Answered: answered, Does: does, Attributes: attrs}
	class := audit.ClassOutbound
	if answered {
		class = audit.ClassLive
	}
	if asked := x; len(d.f.Request.Header) == 0 || probe.Proxied(d.f.Request.Header) { // perhaps somebody else's call, which a proxy passes on
		asked.Answered, asked.Does, asked.Attributes = false, []audit.Function{}, nil
		d.note(kindCall, audit.ClassOutbound, netip.AddrPortFrom(d.f.Client.Addr.Addr(), 0), asked)
	} else {
		d.note(kindCall, class, netip.AddrPortFrom(d.f.Client.Addr.Addr(), 0), x)
	}
	if answered && d.in(where.Addr()) && at == where.String() {
		x.Served = true
		d.note(kindCall, class, where, x)
	}
}

// result is what the keys of an answer say. No value of it is kept.
type result struct {
	failed bool     // it says that something went wrong
	lists  bool     // it has lists of faces
	filled bool     // and one of them is not empty
	keys   []string // that have a value and may name an attribute
}

const maxDepth = 24

// readResult reads a JSON document that came whole; false for anything else.
func readResult(b []byte) (r result, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	t, err := dec.Token()
	if err != nil {
		return r, false
	}
	switch t {
	case json.Delim('{'):
		err = r.object(dec, 1)
	case json.Delim('['): // Azure: the faces themselves
		err = r.list(dec, "faces", 1)
	default:
		return r, false
	}
	if err != nil {
		return r, false
	}
	_, err = dec.Token()
	return r, errors.Is(err, io.EOF)
}

func (r *result) object(dec *json.Decoder, depth int) error {
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err //nolint:wrapcheck // the caller only asks whether
		}
		k, _ := key.(string)
		if err := r.value(dec, k, depth); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err //nolint:wrapcheck // the caller only asks whether
}

func (r *result) value(dec *json.Decoder, key string, depth int) error {
	t, err := dec.Token()
	if err != nil {
		return err //nolint:wrapcheck // the caller only asks whether
	}
	if depth >= maxDepth {
		return errMalformed
	}
	if t != nil && attributeWord(key) != "" && len(r.keys) < 64 && !slices.Contains(r.keys, strings.ToLower(key)) {
		r.keys = append(r.keys, strings.ToLower(key))
	}
	switch x := t.(type) {
	case json.Delim:
		r.fault(key, "{")
		if x == '[' {
			return r.list(dec, key, depth+1)
		}
		return r.object(dec, depth+1)
	case json.Number:
		r.fault(key, x.String())
		switch key {
		case "face_num", "face_number", "face_count", "FaceCount":
			r.lists, r.filled = true, r.filled || x.String() != "0"
		}
	case string:
		r.fault(key, x)
	}
	return nil
}

// fault notes the words by which services say that something went wrong.
func (r *result) fault(key, v string) {
	switch key {
	case "error_code", "errorCode":
		r.failed = r.failed || v != "0" && v != ""
	case "error_message", "Error", "error":
		r.failed = r.failed || v != ""
	case "error_msg":
		r.failed = r.failed || v != "" && !strings.EqualFold(v, "SUCCESS")
	}
}

func (r *result) list(dec *json.Decoder, key string, depth int) error {
	if depth >= maxDepth {
		return errMalformed
	}
	n := 0
	for ; dec.More(); n++ {
		if err := r.value(dec, "", depth); err != nil {
			return err
		}
	}
	switch key {
	case "faces", "face_list", "FaceInfos", "FaceDetails", "FaceDetailInfos", "FaceRecords", "RectList", "Elements", "Results", "results", "user_list", "candidates", "FaceMatches":
		r.lists, r.filled = true, r.filled || n > 0
	}
	_, err := dec.Token()
	return err //nolint:wrapcheck // the caller only asks whether
}
