// Package faceserver reads the answers of programs that look for faces in other devices' pictures: Frigate, CodeProject.AI,
// CompreFace, InsightFace-REST, Double Take, Viseron. It knows the questions that may be asked of them (Paths), what of an
// answer may be kept (Path.Reduce), and what the kept part says. It knows nothing of sockets or audits. Configurations hold
// the passwords of cameras and brokers: nothing is read but what Reduce leaves.
package faceserver

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Path is a question: the path of a GET request. Only those below are ever sent; the others of these programs write, hand out
// persons and their pictures, or have the server look at one.
type Path string

// The questions. Sources: the projects' own source code.
const (
	FrigateVersion Path = "/api/version" // plain text; answered without a login everywhere
	FrigateConfig  Path = "/api/config"  // the configuration in force, with every default filled in
	FrigateStats   Path = "/api/stats"   // speeds and rates of what runs

	// CodeProjectModules answers from what the server knows. Its successor below may ask the maker's site for lists of models
	// first, so it is asked only where this one is missing.
	CodeProjectModules Path = "/v1/status/analysis/list"
	CodeProjectStatus  Path = "/v1/module/list/status"
	CodeProjectPing    Path = "/v1/server/status/ping" // the version

	ComprefaceStatus Path = "/core/status" // at the user interface, which passes it on
	ComprefaceCore   Path = "/status"      // at the calculator itself

	InsightInfo Path = "/info"

	// These take pictures by POST and answer GET with 405, without looking at anything.
	DeepfaceAnalyze Path = "/analyze" //nolint:misspell // as the program spells it
	DeepfaceVerify  Path = "/verify"
	DeepfaceSearch  Path = "/search"

	ViseronAuth   Path = "/api/v1/auth/enabled"
	ViseronConfig Path = "/api/v1/config"

	DoubleTakeConfig Path = "/api/config"
)

// Paths lists every question this program may ask of these servers, sorted.
func Paths() []Path {
	ps := []Path{FrigateVersion, FrigateConfig, FrigateStats, CodeProjectModules, CodeProjectStatus, CodeProjectPing, ComprefaceStatus, ComprefaceCore,
		InsightInfo, DeepfaceAnalyze, DeepfaceVerify, DeepfaceSearch, ViseronAuth, ViseronConfig}
	slices.Sort(ps)
	return ps
}

// Keep says what of a product's answers may be kept.
type Keep func(body []byte) []byte

// Nothing keeps no body.
func Nothing([]byte) []byte { return nil }

// version is what these programs call their versions: "0.16.2-4d58206", "2.6.5", "1.2.0-beta2".
var version = regexp.MustCompile(`^v?[0-9]{1,4}\.[0-9]{1,4}(?:\.[0-9]{1,6}){0,2}(?:[-+][0-9A-Za-z][0-9A-Za-z.-]{0,24})?$`)

// Version returns a version written as plain text, or "".
func Version(b []byte) string {
	if len(b) > 64 {
		return ""
	}
	s := strings.Trim(string(b), " \t\r\n\"")
	if !version.MatchString(s) {
		return ""
	}
	return s
}

// KeepVersion keeps a body that is a version.
func KeepVersion(b []byte) []byte {
	if v := Version(b); v != "" {
		return []byte(v)
	}
	return nil
}

var errOther = fmt.Errorf("faceserver: another document")
