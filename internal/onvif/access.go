package onvif

import (
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// App is an application on the camera.
type App struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"`
	Version  string   `json:"version,omitempty"`
	Licences []string `json:"licences,omitempty"`
	State    string   `json:"state,omitempty"` // Active, Inactive …
}

// Functions returns what the application's name and licences suggest.
func (a App) Functions() []audit.Function {
	return AppFunctions(append([]string{a.ID, a.Name}, a.Licences...)...)
}

// ReadApps reads GetInstalledAppsResponse or GetAppsInfoResponse.
func ReadApps(n *xmltree.Node) []App {
	var out []App
	for _, a := range append(n.Children("App"), n.Children("Info")...) {
		if len(out) >= maxList {
			break
		}
		x := App{ID: name(a.Value("AppID")), Name: name(a.Value("Name")), Version: name(a.Value("Version")), State: name(a.Value("State"))}
		for _, l := range a.Children("Licenses") {
			if v := name(l.Value("Name")); v != "" && len(x.Licences) < 32 {
				x.Licences = append(x.Licences, v)
			}
		}
		out = append(out, x)
	}
	return out
}

// FaceReaders counts, in an answer of the access control services, where pt:Face stands as an identifier or recognition
// type: what a reader supports, or what a security level demands.
func FaceReaders(n *xmltree.Node) int {
	count := 0
	isFace := func(s string) bool {
		for _, w := range splitList(s) {
			if localName(w) == "Face" {
				return true
			}
		}
		return false
	}
	n.Walk(func(c *xmltree.Node) bool {
		for _, a := range c.Attrs {
			switch a.Name.Local {
			case "RecognitionType", "SupportedRecognitionTypes":
				if isFace(a.Value) {
					count++
				}
			}
		}
		switch c.Name.Local {
		case "SupportedIdentifierType", "RecognitionType", "SupportedRecognitionTypes":
			if isFace(c.Text) {
				count++
			}
		}
		return true
	})
	return count
}

// ReadEngines counts the analytics engines of GetAnalyticsEnginesResponse.
func ReadEngines(n *xmltree.Node) int { return len(n.Children("Configuration")) }

// ImageSending reports whether the analytics service says it can ship pictures of objects.
func ImageSending(s Services) bool {
	a, _ := s.Find(NSAnalytics)
	return strings.TrimSpace(a.Capabilities["ImageSendingType"]) != ""
}

// hostOf keeps scheme, host and port of an address.
func hostOf(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" {
		h, p, err := net.SplitHostPort(strings.TrimSpace(raw))
		if err != nil || h == "" {
			return ""
		}
		return name("mqtt://" + net.JoinHostPort(h, p))
	}
	return name(strings.ToLower(u.Scheme) + "://" + u.Host)
}

var xmlName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`)

func validName(s string) bool { return xmlName.MatchString(s) }

func instant(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	return t, err == nil
}
