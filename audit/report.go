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
	Recall       *Recall       `json:"recall,omitempty"` // nil where nothing was looked for
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
