package audit

import "time"

// ReportSchema names the format of data/report.json.
const ReportSchema = "mingshi.report/v1"

// Report is the whole of an audit: everything a rendering shows and everything a later judgement needs.
type Report struct {
	Schema       string        `json:"schema"`
	Site         Site          `json:"site"`
	Authority    Authority     `json:"authority"`
	Tool         Tool          `json:"tool"`
	Run          Run           `json:"run"`
	Window       Window        `json:"window"`
	AsOf         time.Time     `json:"as_of"` // the date the rules were applied for
	Packs        []PackRef     `json:"packs"`
	Data         []DataRef     `json:"data"` // data files that were used
	Zones        []Zone        `json:"zones"`
	Devices      []Device      `json:"devices"`
	Findings     []Finding     `json:"findings"`
	Coverage     []Coverage    `json:"coverage"`
	Recall       *Recall       `json:"recall,omitempty"`   // nil where nothing was looked for
	Captures     []Recording   `json:"captures,omitempty"` // what was listened to
	Observations []Observation `json:"observations"`
	Facts        []Fact        `json:"facts"`
	FactSpecs    []FactSpec    `json:"fact_specs"`
	Rules        []RuleText    `json:"rules"`
}

// Tool is the program that made a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Commit  string `json:"commit,omitempty"`
}

// Run is what was asked of the program.
type Run struct {
	ID         string   `json:"id"`
	Permit     Permit   `json:"permit"`
	Complete   bool     `json:"complete"` // false: interrupted or a stage failed
	Why        Text     `json:"why,omitzero"`
	Interfaces []string `json:"interfaces"`
	Simulated  bool     `json:"simulated,omitempty"` // a demonstration on simulated devices

	// When the program ran, where something was listened to: files tell of another time, which Window has.
	Began time.Time `json:"began,omitzero"`
	Ended time.Time `json:"ended,omitzero"`
}

// Recording is packets that were listened to: a file somebody recorded, or what this program heard on an interface. The packets
// are not part of a report, since they hold pictures of people. Who has the file can check what rests on it: its digest says
// that it is the same, and the evidence of an observation names the packets by their number in it.
type Recording struct {
	ID     string `json:"id"`               // as evidence names it: "c1"
	Name   string `json:"name"`             // of the file, without its folder, or of the interface
	Live   bool   `json:"live,omitempty"`   // heard on an interface in this run; nothing of it was kept
	SHA256 string `json:"sha256,omitempty"` // of the bytes that were read, compressed as they were
	Bytes  int64  `json:"bytes,omitempty"`  // of the file
	Format string `json:"format,omitempty"` // pcap or pcapng, and how it is compressed

	Packets int64     `json:"packets"`
	From    time.Time `json:"from,omitzero"` // the first packet, by the capture's own clock
	To      time.Time `json:"to,omitzero"`
	Seconds float64   `json:"seconds,omitempty"` // how long an interface was listened on

	Whole  bool            `json:"whole"`           // read to its end, or listened on for as long as was meant
	Shows  []string        `json:"shows,omitempty"` // modules that said something of a device inside the perimeter
	Totals RecordingTotals `json:"totals"`
}

// RecordingTotals is how much of a capture could be read.
type RecordingTotals struct {
	WireBytes     int64 `json:"wire_bytes"`    // of the frames, as they were on the wire
	Conversations int64 `json:"conversations"` // TCP and UDP
	TCP           int64 `json:"tcp_bytes"`     // payload of TCP
	Encrypted     int64 `json:"encrypted_bytes"`
	Read          int64 `json:"read_bytes"`    // of a protocol that is understood
	Holes         int64 `json:"holes"`         // gaps in TCP conversations
	Missing       int64 `json:"missing_bytes"` // in them, as far as known
	OneSided      int64 `json:"one_sided"`     // TCP conversations of which one side was seen
	Snapped       int64 `json:"snapped"`       // packets the capture cut
	Undecoded     int64 `json:"undecoded"`     // packets of no layer that is understood
	Received      int64 `json:"received"`      // frames the system had for a live capture
	Dropped       int64 `json:"dropped"`       // of them, not handed over
	Limited       int64 `json:"limited"`       // times a limit was reached
	Outside       int64 `json:"outside"`       // things shown of devices outside the perimeter: not recorded
	Malformed     int64 `json:"malformed"`     // flows that are not what their protocol demands
}

// Window is from the first to the last packet of the run.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// PackRef names a rule pack that was applied.
type PackRef struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Title   Text   `json:"title"`
	SHA256  string `json:"sha256"`
}

// DataRef names a data file that was used: fingerprints, models, hosts.
type DataRef struct {
	Name     string `json:"name"`
	Schema   string `json:"schema"`
	Date     string `json:"date"`
	SHA256   string `json:"sha256"`
	Replaced bool   `json:"replaced,omitempty"` // the user's own, in place of the one that is built in
}

// Recall estimates how many cameras the site has from the overlap of independent ways of finding them (capture-recapture):
// two lists, those that answered a question to everybody and those that were met by asking address by address.
// Chapman's estimator with a log-normal interval (Chao 1989); the lists are not fully independent, so it is a lower guide.
type Recall struct {
	Found     int          `json:"found"`     // cameras found by any method
	Announced int          `json:"announced"` // of them, by answering a multicast or broadcast question
	Swept     int          `json:"swept"`     // of them, by being asked at their address
	Both      int          `json:"both"`
	Estimate  float64      `json:"estimate"` // of all cameras that could answer; 0 where Usable is false
	Low       float64      `json:"low"`      // 95 % interval
	High      float64      `json:"high"`
	Usable    bool         `json:"usable"`  // false: too few were found by both ways, or only one way was open
	Missing   int          `json:"missing"` // how many cameras the estimate, the survey or the inventory says were not found
	Lists     []RecallList `json:"lists"`   // per method, how many cameras it found
	Note      Text         `json:"note"`
}

// RecallList is how many cameras one method found.
type RecallList struct {
	Method string `json:"method"`
	Found  int    `json:"found"`
}

// RuleText is the text of a rule as applied, so that a report can be read without the packs.
type RuleText struct {
	ID          string   `json:"id"`
	Title       Text     `json:"title"`
	Provision   Text     `json:"provision"`
	Quote       Text     `json:"quote"`
	LegalForce  Text     `json:"legal_force"`
	From        string   `json:"effective_from"`
	To          string   `json:"effective_to,omitempty"`
	Severity    Severity `json:"severity"`
	Burden      string   `json:"burden"`
	TextStatus  string   `json:"text_status"`
	Source      string   `json:"source"`
	References  []string `json:"references"`
	Applies     string   `json:"applies"`
	SuspectedIf string   `json:"suspected_if"`
	ConformsIf  string   `json:"conforms_if"`
	Remediation Text     `json:"remediation"`
}
