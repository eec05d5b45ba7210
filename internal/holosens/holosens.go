// Package holosens reads the answers of the northbound interface of Huawei's HoloSens cameras (SDCAPI): JSON to structs. It
// knows the questions that may be asked (Paths) and nothing of sockets or audits. Of face libraries it reads how many there
// are and whether each is armed, and neither their names nor what is in them.
package holosens

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/clean"
	"github.com/mingshi-audit/mingshi/internal/jsonkeep"
	"github.com/mingshi-audit/mingshi/internal/mac"
)

const (
	maxText      = 128
	maxList      = 512
	maxReceivers = 64
	maxDepth     = 16
)

// Path is a question: the path of a GET request.
type Path string

// The questions. The same paths by POST, PUT and DELETE write, and FaceLibs/FaceRecord has the persons.
const (
	System        Path = "/SDCAPI/V1.0/MiscIaas/System"
	DeviceID      Path = "/SDCAPI/V1.0/Rest/DeviceID"
	Libraries     Path = "/SDCAPI/V1.0/FaceApp/FaceRecog/FaceLibs/Libs"
	Subscriptions Path = "/SDCAPI/V2.0/Metadata/Subscription"
)

// Paths lists every question this program may ask.
func Paths() []Path { return []Path{System, DeviceID, Libraries, Subscriptions} }

// ErrOther says that a body is not the document asked for.
var ErrOther = errors.New("holosens: not the document that was asked for")

// Device is who a camera says it is.
type Device struct {
	Vendor, Model, Serial, Firmware, Hardware string
	MACs                                      []string
}

// ReadSystem reads System. It fails where neither a model nor a version is in it.
func ReadSystem(b []byte) (Device, error) {
	var v struct {
		Type   string `json:"devType"`
		Full   string `json:"fullDeviceType"` // outer model @ inner model
		Vendor string `json:"manufacturer"`
		Soft   string `json:"softVersion"`
		Hard   string `json:"hardVersion"`
		ESN    string `json:"ESN"`
		Bar    string `json:"barCode"`
		MAC0   string `json:"eth0Mac"`
		MAC1   string `json:"eth1Mac"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Device{}, fmt.Errorf("%w: %w", ErrOther, err)
	}
	t := func(s string) string { return clean.Text(s, maxText) }
	outer, _, _ := strings.Cut(v.Full, "@")
	d := Device{Vendor: t(v.Vendor), Model: t(v.Type), Serial: t(v.ESN), Firmware: t(v.Soft), Hardware: t(v.Hard)}
	if d.Model == "" {
		d.Model = t(outer)
	}
	if d.Serial == "" {
		d.Serial = t(v.Bar)
	}
	for _, s := range []string{v.MAC0, v.MAC1} {
		if m := mac.Parse(s); m != "" && !slices.Contains(d.MACs, m) {
			d.MACs = append(d.MACs, m)
		}
	}
	if d.Model == "" || d.Firmware == "" {
		return Device{}, ErrOther
	}
	return d, nil
}

// ReadChannels reads DeviceID: how many channels have an identifier.
func ReadChannels(b []byte) (int, error) {
	var v struct {
		IDs *[]struct {
			UUID string `json:"UUID"`
		} `json:"IDs"`
	}
	if err := json.Unmarshal(b, &v); err != nil || v.IDs == nil {
		return 0, ErrOther
	}
	return min(len(*v.IDs), maxList), nil
}

// Library is one face library.
type Library struct {
	ID    int   // the camera's number for it, -1 where it has none
	Armed *bool // OnControl; nil where it was not said
}

// Lists is what a camera says of its face libraries.
type Lists struct {
	Libraries []Library
	Counted   bool // the number the camera gives is that of the entries
}

// ReadLibraries reads Libraries. It fails where the list is missing or the camera says that it could not give it.
func ReadLibraries(b []byte) (Lists, error) {
	type status struct {
		Code int `json:"StatusCode"`
	}
	var v struct {
		status
		Response *status `json:"ResponseStatus"`
		Number   *int    `json:"FaceLibNum"`
		List     *[]struct {
			ID      *int `json:"ID"`
			Control *int `json:"OnControl"`
		} `json:"FaceListsArry"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Lists{}, fmt.Errorf("%w: %w", ErrOther, err)
	}
	if v.Code != 0 || v.Response != nil && v.Response.Code != 0 || v.List == nil && (v.Number == nil || *v.Number != 0) {
		return Lists{}, ErrOther
	}
	var out Lists
	if v.List != nil {
		for _, l := range (*v.List)[:min(len(*v.List), maxList)] {
			x := Library{ID: -1}
			if l.ID != nil {
				x.ID = *l.ID
			}
			if l.Control != nil && (*l.Control == 0 || *l.Control == 1) {
				armed := *l.Control == 1
				x.Armed = &armed
			}
			out.Libraries = append(out.Libraries, x)
		}
	}
	out.Counted = v.Number != nil && *v.Number == len(out.Libraries)
	return out, nil
}

// ReadReceivers reads Subscriptions: where metadata goes, as "scheme://host:port" or "host:port", sorted. It fails where the
// body is no JSON object; one without any address gives none.
func ReadReceivers(b []byte) ([]string, error) {
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil || v == nil {
		return nil, ErrOther
	}
	var out []string
	receivers(v, 0, &out)
	slices.Sort(out)
	return slices.Compact(out), nil
}

// receivers looks for addresses: metadataURL, as the camera lists them, and address beside port, as subscribers send them.
func receivers(v any, depth int, out *[]string) {
	if depth > maxDepth || len(*out) >= maxReceivers {
		return
	}
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			receivers(e, depth+1, out)
		}
	case map[string]any:
		host, _ := x["address"].(string)
		if host = strings.TrimSpace(host); host != "" && !strings.ContainsAny(host, "/@ ") {
			if port, ok := x["port"].(float64); ok && port > 0 && port < 65536 {
				host = net.JoinHostPort(host, fmt.Sprint(int(port)))
			}
			*out = append(*out, clean.Text(host, maxText))
		}
		for name, e := range x {
			if s, ok := e.(string); ok && strings.HasSuffix(strings.ToLower(name), "url") {
				if u, err := url.Parse(s); err == nil && u.Host != "" {
					*out = append(*out, clean.Text(u.Scheme+"://"+u.Host, maxText))
				}
				continue
			}
			receivers(e, depth+1, out)
		}
	}
}

// Withhold is what may be recorded of an answer, and enough to read it: every name, and the values that decide. Names of
// libraries, and accounts and passwords at receivers, are not among them.
func Withhold(b []byte) []byte {
	return jsonkeep.Only(b, "StatusCode", "devType", "fullDeviceType", "manufacturer", "softVersion", "hardVersion", "ESN", "barCode", "eth0Mac", "eth1Mac", "UUID",
		"FaceLibNum", "ID", "FaceListType", "OnControl", "AlgVersion", "metadataURL", "address", "port", "timeOut", "StatusString", "statusString")
}
