package isapi

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// kept are the members whose values stay in the record: they say what kind of document it is and what is switched on.
var kept = regexp.MustCompile(`^(?i)(eventtype|eventstate|channelid|dynchannelid|datetime|activepostcount|majoreventtype|subeventtype|currentverifymode|currentevent|isdataretransmission|` +
	`errormsg|errorcode|statuscode|statusstring|substatuscode|statusvalue|lockstatus|unlocktime|retrylogintime|enabled?|facelibtype|facecontrasttype|mode|usernumber|cardreaderverifymode)$`)

// plainName is a name of a member as firmware writes it: anything else may be a person's.
var plainName = regexp.MustCompile(`^[A-Za-z_@][A-Za-z0-9_.@-]{0,63}$`)

// plainValue is what a value that is kept looks like: a word, a number, a time. Anything else may be a person's.
var plainValue = regexp.MustCompile(`^[A-Za-z0-9_.:+ -]{0,64}$`)

// Skeleton writes an XML or JSON document again with its names, and with nothing of the values but those that say what kind
// of document it is. Of what it cannot read it says only that.
func Skeleton(b []byte) []byte {
	t := bytes.TrimSpace(b)
	var out bytes.Buffer
	switch {
	case len(t) == 0:
		return nil
	case t[0] == '{' || t[0] == '[':
		d := json.NewDecoder(bytes.NewReader(t))
		d.UseNumber()
		if bone(&out, d, "", 0) != nil {
			return []byte("(unreadable, dropped)")
		}
		return out.Bytes()
	}
	doc, err := xmltree.Parse(t, limits)
	if err != nil || doc.Malformed {
		return []byte("(unreadable, dropped)")
	}
	for _, r := range doc.Roots {
		ribs(&out, r)
	}
	return out.Bytes()
}

// keys are the queries and logins of addresses: what a receiver wants to see before it takes anything.
var keys = regexp.MustCompile(`(?i)(<(?:[a-z0-9_]+:)?url>(?:[a-z]+://)?)(?:[^<>@/]*@)?([^<>?]*\??)[^<]*`)

// WithoutKeys returns a document with the queries and logins blanked of the addresses it holds.
func WithoutKeys(b []byte) []byte { return keys.ReplaceAll(b, []byte("${1}${2}")) }

func ribs(out *bytes.Buffer, n *xmltree.Node) {
	name := n.Name.Local
	if !plainName.MatchString(name) {
		name = "_"
	}
	out.WriteString("<" + name + ">")
	if len(n.Kids) == 0 {
		out.WriteString(value(name, n.Text))
	}
	for _, k := range n.Kids {
		ribs(out, k)
	}
	out.WriteString("</" + name + ">")
}

// value is what stays of a value.
func value(name, v string) string {
	if kept.MatchString(name) && plainValue.MatchString(v) {
		return clean.Text(v, 64)
	}
	if strings.TrimSpace(v) == "" {
		return ""
	}
	return "*"
}

// bone copies one JSON value.
func bone(out *bytes.Buffer, d *json.Decoder, name string, depth int) error {
	tok, err := d.Token()
	if err != nil {
		return err
	}
	if depth > maxDeep {
		return errNoJSON
	}
	switch t := tok.(type) {
	case json.Delim:
		out.WriteString(t.String())
		closing := map[json.Delim]string{'{': "}", '[': "]"}[t]
		for first := true; d.More(); first = false {
			if !first {
				out.WriteString(",")
			}
			member := name
			if t == '{' {
				k, err := d.Token()
				if err != nil {
					return err
				}
				if member, _ = k.(string); !plainName.MatchString(member) {
					member = "_"
				}
				out.WriteString(`"` + member + `":`)
			}
			if err := bone(out, d, member, depth+1); err != nil {
				return err
			}
		}
		out.WriteString(closing)
		_, err := d.Token()
		return err
	case json.Number:
		v := value(name, t.String())
		if v == "*" {
			v = `"*"`
		}
		out.WriteString(v)
	case string:
		out.WriteString(`"` + value(name, t) + `"`)
	case bool:
		if !kept.MatchString(name) {
			out.WriteString(`"*"`)
			break
		}
		b, _ := json.Marshal(t)
		out.Write(b)
	default:
		out.WriteString("null")
	}
	return nil
}
