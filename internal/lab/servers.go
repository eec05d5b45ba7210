package lab

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/mingshi-audit/mingshi/audit"
)

// Server is a program that works on other devices' pictures, as its interface answers. None of them wants a login in a form
// that is used, so what comes with one is refused.
type Server struct {
	Port    uint16            // where it listens if the device has an address of its own; default 8080
	Answers map[string]Served // by path; the front page is Spec.Page unless it is listed here
	Else    *Served           // what every other path answers; default 404
}

// Served is one answer. {{now}} in its body is the device's time.
type Served struct {
	Code  int    // default 200
	Type  string // default application/json
	Body  string
	Realm string // of a digest challenge, for 401
}

// serverReading lists what may be asked of these programs.
const serverReading = `
/api/version
/api/config
/api/stats
/v1/status/analysis/list
/v1/module/list/status
/v1/server/status/ping
/core/status
/status
/info
/analyze
/verify
/search
/api/v1/auth/enabled
/api/v1/config
/VIID/System/Time
`

// served answers a request to such a program and reports whether the device is one and has something at the path.
func (d *device) served(w http.ResponseWriter, r *http.Request) bool {
	s := d.spec.Server
	if s == nil {
		return false
	}
	a, ok := s.Answers[r.URL.Path]
	switch {
	case !ok && s.Else != nil:
		a = *s.Else
	case !ok:
		return false
	}
	d.saw(r.Method+" "+clip(r.URL.RequestURI(), 80), httpLogin(r))
	if a.Realm != "" {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Digest realm="%s", qop="auth", nonce="%s", opaque="%s"`, a.Realm, hex.EncodeToString(d.random(16)), hex.EncodeToString(d.random(8))))
	}
	w.Header().Set("Content-Type", cmp.Or(a.Type, "application/json"))
	w.WriteHeader(cmp.Or(a.Code, http.StatusOK))
	io.WriteString(w, strings.ReplaceAll(a.Body, "{{now}}", d.now().Format("20060102150405")))
	return true
}

// port is where the web server listens.
func (d *device) port() uint16 {
	if d.spec.Server != nil && d.spec.Server.Port != 0 {
		return d.spec.Server.Port
	}
	return 8080
}

func server(name, maker, model, title string, port uint16, answers map[string]Served) Spec {
	return Spec{Name: name, Kind: audit.KindServer, Maker: maker, Model: model, Page: Page{Title: title}, Server: &Server{Port: port, Answers: answers}}
}

type object = map[string]any

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("lab: " + err.Error()) // a fixture that cannot be written
	}
	return string(b)
}

// LabPerson is a name no answer of a server may bring into a record: the person a library of these servers holds.
const LabPerson = "LAB-PERSON-0042"

// frigate is a Frigate server with three cameras. faces is what its configuration has of face recognition, nil for a version
// that has nothing of it.
func frigate(name, version string, faces object, on func(camera string) any, running bool) Spec {
	cameras, streams := object{}, object{}
	for i, c := range []string{"entrance", "checkout", "storeroom"} {
		address := fmt.Sprintf("rtsp://viewer:%s@192.0.2.%d:554/live/%d", camerasPassword, 101+i, i+1)
		streams[c] = []string{address}
		x := object{"enabled": true, "name": c, "ffmpeg": object{"inputs": []object{{"path": address, "roles": []string{"detect", "record"}}}},
			"detect": object{"enabled": true}, "objects": object{"track": []string{"person", "face"}}}
		if faces != nil {
			x["face_recognition"] = object{"enabled": on(c), "min_area": 750}
		}
		cameras[c] = x
	}
	config := object{"version": "0.16-0", "cameras": cameras, "go2rtc": object{"streams": streams, "rtsp": object{"username": "viewer", "password": camerasPassword}},
		"mqtt":      object{"enabled": true, "host": "192.0.2.9", "port": 1883, "user": "frigate", "password": camerasPassword, "topic_prefix": "frigate"},
		"detectors": object{"cpu": object{"type": "cpu", "model": object{"labelmap": object{"0": "person", "1": "bicycle", "2": "car"}}}}, "record": object{"enabled": true}, "environment_vars": object{"FRIGATE_RTSP_PASSWORD": camerasPassword},
		"auth": object{"enabled": true}, "semantic_search": object{"enabled": false, "triggers": object{LabPerson: object{"data": LabPerson}}}}
	embeddings := object{}
	if faces != nil {
		config["face_recognition"] = faces
	}
	if running {
		embeddings = object{"face_recognition_speed": 41.27, "face_recognition": 0.4}
	}
	stats := object{"cameras": object{"entrance": object{"camera_fps": 5.1}}, "detection_fps": 3.2, "embeddings": embeddings,
		"cpu_usages": object{"412": object{"cmdline": "ffmpeg -i rtsp://viewer:" + camerasPassword + "@192.0.2.101/live"}},
		"service":    object{"version": version, "uptime": 86400}}
	return server(name, "Frigate", "Frigate", "Frigate", 5000, map[string]Served{
		"/api/version": {Type: "text/plain", Body: version},
		"/api/config":  {Body: jsonText(config)},
		"/api/stats":   {Body: jsonText(stats)},
	})
}

// FrigateRecognising recognises faces at the entrance and the checkout, and has just done so.
func FrigateRecognising(name string) Spec {
	return frigate(name, "0.16.2-4d58206", object{"enabled": true, "model_size": "small", "save_attempts": 200}, func(c string) any { return c != "storeroom" }, true)
}

// FrigateOff could recognise faces and does not.
func FrigateOff(name string) Spec {
	return frigate(name, "0.16.2-4d58206", object{"enabled": false, "model_size": "small", "save_attempts": 200}, func(string) any { return false }, false)
}

// FrigateOld is of a version that knows nothing of faces.
func FrigateOld(name string) Spec { return frigate(name, "0.14.1-f4f3cfa", nil, nil, false) }

// FrigateClosed wants a login for everything but its version.
func FrigateClosed(name string) Spec {
	s := FrigateRecognising(name)
	s.Server.Port = 8971
	no := Served{Code: http.StatusUnauthorized, Type: "text/html", Body: "<html><head><title>401 Authorization Required</title></head></html>"}
	s.Server.Answers["/api/config"], s.Server.Answers["/api/stats"] = no, no
	return s
}

// CodeProject is a CodeProject.AI server whose module for faces is in the state ("Started", "Stopped").
func CodeProject(name, state string) Spec {
	module := func(id, state string) object {
		return object{"moduleId": id, "name": id, "version": "1.9.6", "status": state, "processed": 12, "statusData": object{"histogram": object{LabPerson: 4}}}
	}
	return server(name, "CodeProject", "CodeProject.AI", "CodeProject.AI Server Dashboard", 32168, map[string]Served{
		"/v1/status/analysis/list": {Body: jsonText(object{"success": true, "statuses": []object{module("ObjectDetectionYOLOv5-6.2", "Started"), module("FaceProcessing", state)}})},
		"/v1/server/status/ping":   {Body: jsonText(object{"success": true, "message": "2.6.5", "hostname": name})},
	})
}

// CompreFace has models for age, gender and masks loaded beside the one that compares.
func CompreFace(name string) Spec {
	return server(name, "Exadel", "CompreFace", "CompreFace", 8000, map[string]Served{
		"/core/status": {Body: jsonText(object{"status": "OK", "build_version": "1.2.0", "calculator_version": "facenet.Calculator",
			"similarity_coefficients": []float64{1.1817961, 5.291995557},
			"available_plugins": object{"detector": "facenet.FaceDetector", "calculator": "facenet.Calculator", "age": "agegender.AgeDetector",
				"gender": "agegender.GenderDetector", "mask": "facemask.MaskDetector", "landmarks": "facenet.LandmarksDetector"}})},
	})
}

// DeepFace answers with its welcome, and GET on what takes pictures with 405.
func DeepFace(name string) Spec {
	no := Served{Code: http.StatusMethodNotAllowed, Type: "text/html", Body: "<!doctype html><title>405 Method Not Allowed</title>"}
	return server(name, "deepface", "deepface", "", 5005, map[string]Served{
		"/":        {Type: "text/html", Body: "<h1>Welcome to DeepFace API v0.0.93!</h1>"},
		"/analyze": no, //nolint:misspell // as the program spells it
		"/verify":  no, "/represent": no,
	})
}

// VIIDServer is a GA/T 1400 server that tells the time to everybody.
func VIIDServer(name string) Spec {
	s := viid(name)
	s.Server.Answers["/VIID/System/Time"] = Served{Type: "application/VIID+JSON; charset=UTF-8",
		Body: `{"SystemTimeObject":{"VIIDServerID":"31000000005030000001","TimeMode":"1","LocalTime":"{{now}}","TimeZone":"Asia/Shanghai"}}`}
	return s
}

// VIIDServerClosed wants a login for everything below /VIID/.
func VIIDServerClosed(name string) Spec {
	s := viid(name)
	s.Server.Answers["/VIID/System/Time"] = Served{Code: http.StatusUnauthorized, Realm: "com.gat1400.lab"}
	return s
}

func viid(name string) Spec {
	no := Served{Code: http.StatusNotFound, Body: `{"status":404,"error":"Not Found"}`}
	s := server(name, "Lanting", "LT-VIID", "", 14000, map[string]Served{"/": no})
	s.Server.Else = &no
	return s
}

// Anything is somebody's web application that answers every path with its one page.
func Anything(name string) Spec {
	s := server(name, "Songyan", "SY-Portal", "", 3000, nil)
	s.Kind = audit.KindOther
	s.Server.Else = &Served{Type: "text/html", Body: "<!DOCTYPE html><html><head></head><body><div id=app></div><script src=/app.js></script></body></html>"}
	return s
}
