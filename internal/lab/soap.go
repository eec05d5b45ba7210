package lab

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Namespaces, by the prefix the lab writes and the ledger speaks in.
const (
	nsEnv12 = "http://www.w3.org/2003/05/soap-envelope"
	nsEnv11 = "http://schemas.xmlsoap.org/soap/envelope/"
	nsTT    = "http://www.onvif.org/ver10/schema"
)

var namespaces = []struct{ prefix, uri string }{
	{"tt", nsTT},
	{"tds", "http://www.onvif.org/ver10/device/wsdl"},
	{"trt", "http://www.onvif.org/ver10/media/wsdl"},
	{"tr2", "http://www.onvif.org/ver20/media/wsdl"},
	{"tan", "http://www.onvif.org/ver20/analytics/wsdl"},
	{"axt", "http://www.onvif.org/ver20/analytics"},
	{"tev", "http://www.onvif.org/ver10/events/wsdl"},
	{"tns1", "http://www.onvif.org/ver10/topics"},
	{"ter", "http://www.onvif.org/ver10/error"},
	{"ans", "http://www.onvif.org/ver10/appmgmt/wsdl"},
	{"tcr", "http://www.onvif.org/ver10/credential/wsdl"},
	{"tab", "http://www.onvif.org/ver10/authenticationbehavior/wsdl"},
	{"tac", "http://www.onvif.org/ver10/accesscontrol/wsdl"},
	{"tad", "http://www.onvif.org/ver10/analyticsdevice/wsdl"},
	{"pt", "http://www.onvif.org/ver10/pacs"},
	{"trc", "http://www.onvif.org/ver10/recording/wsdl"},
	{"tse", "http://www.onvif.org/ver10/search/wsdl"},
	{"trp", "http://www.onvif.org/ver10/replay/wsdl"},
	{"timg", "http://www.onvif.org/ver20/imaging/wsdl"},
	{"tptz", "http://www.onvif.org/ver20/ptz/wsdl"},
	{"wsnt", "http://docs.oasis-open.org/wsn/b-2"},
	{"wstop", "http://docs.oasis-open.org/wsn/t-1"},
	{"wsrf-rw", "http://docs.oasis-open.org/wsrf/rw-2"},
	{"wsa5", "http://www.w3.org/2005/08/addressing"},
}

// gsoapOnly are the further declarations of firmware built with gSOAP, which puts every schema it was compiled with on
// every answer: the human face schema too, whatever the camera can do.
const gsoapOnly = ` xmlns:SOAP-ENC="http://www.w3.org/2003/05/soap-encoding" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"` +
	` xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:c14n="http://www.w3.org/2001/10/xml-exc-c14n#"` +
	` xmlns:xop="http://www.w3.org/2004/08/xop/include" xmlns:ns1="http://www.onvif.org/ver20/analytics/humanface"` +
	` xmlns:ns2="http://www.onvif.org/ver20/analytics/humanbody"`

func prefixOf(uri string) string {
	for _, n := range namespaces {
		if n.uri == uri {
			return n.prefix
		}
	}
	return uri
}

// question is one SOAP request as a device reads it.
type question struct {
	op     string // "tds:GetServices"
	body   *node  // the request element
	header *node  // nil without one
	url    string // path and query it was sent to
	cancel <-chan struct{}
}

// fault is an answer that is none.
type fault struct {
	status int
	code   string // Sender, Receiver
	sub    string // "ter:NotAuthorized", possibly two levels "ter:InvalidArgVal/ter:NoConfig"
	text   string
}

func (d *device) serveSOAP(w http.ResponseWriter, r *http.Request, body []byte, release func()) {
	q, err := readQuestion(body)
	if err != nil {
		d.saw("POST "+clip(r.URL.Path, 80)+" without a SOAP envelope", LoginNone)
		d.misbehave(w, r)
		return
	}
	q.url, q.cancel = r.URL.RequestURI(), r.Context().Done()
	login, refusal := d.check(r, q)
	d.saw(q.op, login)
	if d.misbehave(w, r) {
		return
	}
	if !d.spec.ONVIF {
		release()
		http.NotFound(w, r)
		return
	}
	answer, flt := "", refusal.fault
	if flt == nil {
		answer, flt = d.answer(q)
	}
	release()
	for _, c := range refusal.challenges {
		w.Header().Add("WWW-Authenticate", c)
	}
	d.write(w, q, answer, flt)
}

// readQuestion reads an envelope of either SOAP version.
func readQuestion(b []byte) (*question, error) {
	root, err := parseXML(b)
	if err != nil {
		return nil, err
	}
	body := root.at("Body")
	if root.name.Local != "Envelope" || body == nil || len(body.kids) == 0 {
		return nil, fmt.Errorf("lab: not an envelope with a request")
	}
	first := body.kids[0]
	return &question{op: prefixOf(first.name.Space) + ":" + first.name.Local, body: first, header: root.at("Header")}, nil
}

func (d *device) write(w http.ResponseWriter, q *question, answer string, f *fault) {
	st := d.spec.Style
	if s := d.spec.Page.Server; s != "" {
		w.Header().Set("Server", s)
	}
	env, ns, ctype := st.Envelope, nsEnv12, "application/soap+xml; charset=utf-8"
	if f != nil && st.Fault == FaultSOAP11 {
		ns, ctype = nsEnv11, "text/xml; charset=utf-8"
	}
	status := http.StatusOK
	if f != nil {
		status, answer = f.status, f.xml(env, ns)
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<" + env + `:Envelope xmlns:` + env + `="` + ns + `"`)
	for _, n := range namespaces {
		if st.GSOAP || strings.Contains(answer, n.prefix+":") {
			b.WriteString(` xmlns:` + n.prefix + `="` + n.uri + `"`)
		}
	}
	switch {
	case st.GSOAP:
		b.WriteString(gsoapOnly + ` xmlns:fc="http://www.onvif.org/ver20/analytics/humanface"`)
	case strings.Contains(answer, "fc:"):
		b.WriteString(` xmlns:fc="http://www.onvif.org/ver20/analytics/humanface"`)
	}
	b.WriteString(">")
	if h := d.responseHeader(q); h != "" {
		b.WriteString("<" + env + ":Header>" + h + "</" + env + ":Header>")
	}
	b.WriteString("<" + env + ":Body>" + answer + "</" + env + ":Body></" + env + ":Envelope>\n")
	doc := d.restyled(b.String())
	w.Header().Set("Content-Type", ctype)
	w.WriteHeader(status)
	io.WriteString(w, doc)
}

// responseHeader repeats the request's security header where the firmware does that, and answers addressing headers.
func (d *device) responseHeader(q *question) string {
	if q.header == nil {
		return ""
	}
	var b strings.Builder
	if t := q.header.at("Security", "UsernameToken"); t != nil && d.spec.Style.Echo {
		fmt.Fprintf(&b, `<wsse:Security xmlns:wsse="%s" xmlns:wsu="%s"><wsse:UsernameToken><wsse:Username>%s</wsse:Username><wsse:Password>%s</wsse:Password><wsse:Nonce>%s</wsse:Nonce><wsu:Created>%s</wsu:Created></wsse:UsernameToken></wsse:Security>`,
			nsWSSE, nsWSU, esc(t.value("Username")), esc(t.value("Password")), esc(t.value("Nonce")), esc(t.value("Created")))
	}
	if id := q.header.value("MessageID"); id != "" {
		fmt.Fprintf(&b, `<wsa5:RelatesTo>%s</wsa5:RelatesTo>`, esc(id))
	}
	return b.String()
}

// restyled writes the document in the firmware's own prefixes and lines.
func (d *device) restyled(doc string) string {
	var pairs []string
	for from, to := range d.spec.Style.Prefix {
		pairs = append(pairs, "<"+from+":", "<"+to+":", "</"+from+":", "</"+to+":", `"`+from+":", `"`+to+":",
			" xmlns:"+from+"=", " xmlns:"+to+"=", ">"+from+":", ">"+to+":")
	}
	doc = strings.NewReplacer(pairs...).Replace(doc)
	if d.spec.Style.Indent {
		doc = strings.ReplaceAll(doc, "><", ">\r\n<")
	}
	return doc
}

func (f *fault) xml(env, ns string) string {
	if ns == nsEnv11 {
		sub := f.sub[strings.LastIndex(f.sub, "/")+1:]
		return fmt.Sprintf(`<%[1]s:Fault><faultcode>%[1]s:Client</faultcode><faultstring>%[2]s %[3]s</faultstring></%[1]s:Fault>`, env, sub, esc(f.text))
	}
	sub := ""
	parts := strings.Split(f.sub, "/")
	for i := len(parts) - 1; i >= 0 && f.sub != ""; i-- {
		sub = fmt.Sprintf(`<%[1]s:Subcode><%[1]s:Value>%[2]s</%[1]s:Value>%[3]s</%[1]s:Subcode>`, env, parts[i], sub)
	}
	return fmt.Sprintf(`<%[1]s:Fault><%[1]s:Code><%[1]s:Value>%[1]s:%[2]s</%[1]s:Value>%[3]s</%[1]s:Code><%[1]s:Reason><%[1]s:Text xml:lang="en">%[4]s</%[1]s:Text></%[1]s:Reason></%[1]s:Fault>`,
		env, f.code, sub, esc(f.text))
}

// unknown is the firmware's way to say that it does not know an operation.
func (d *device) unknown(op string) *fault {
	switch d.spec.Style.Fault {
	case FaultBare:
		return &fault{status: http.StatusBadRequest, code: "Sender"}
	case FaultGSOAP:
		return &fault{status: http.StatusBadRequest, code: "Sender", text: "Method '" + op + "' not implemented: method name or namespace not recognized"}
	default:
		return &fault{status: http.StatusInternalServerError, code: "Receiver", sub: "ter:ActionNotSupported", text: "Optional Action Not Implemented"}
	}
}

func badArgument(sub, text string) *fault {
	return &fault{status: http.StatusBadRequest, code: "Sender", sub: "ter:InvalidArgVal/" + sub, text: text}
}

func unbase64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return nil
	}
	return b
}
