package onvif

import (
	"github.com/mingshi-audit/mingshi/audit"
	"github.com/mingshi-audit/mingshi/internal/onvif"
)

// data is what an observation of this module holds: structure, names and counts. Which parts are filled follows from the
// observation's kind. Derive needs nothing else.
type data struct {
	Token string `json:"token,omitempty"` // the analytics configuration asked about

	ClockMinutes int              `json:"clock_minutes,omitempty"` // device clock minus ours
	Services     []onvif.Service  `json:"services,omitempty"`
	Profiles     []string         `json:"onvif_profiles,omitempty"` // conformance profiles by scope
	Types        []string         `json:"types,omitempty"`          // device types by scope
	Media        []onvif.Profile  `json:"media_profiles,omitempty"`
	Metadata     []onvif.Metadata `json:"metadata,omitempty"`

	Configurations []onvif.Configuration `json:"configurations,omitempty"`
	Instances      []onvif.Instance      `json:"instances,omitempty"`
	Described      []onvif.Description   `json:"described,omitempty"`
	Options        []onvif.Option        `json:"options,omitempty"`
	Samples        []onvif.Sample        `json:"samples,omitempty"`
	ImageSending   bool                  `json:"image_sending,omitempty"` // the analytics service can ship pictures of objects

	Capabilities map[string]string `json:"capabilities,omitempty"`
	Topics       []onvif.Topic     `json:"topics,omitempty"` // those about faces, and carriers
	TopicCount   int               `json:"topic_count,omitempty"`
	Apps         []onvif.App       `json:"apps,omitempty"`
	Readers      int               `json:"face_readers,omitempty"`
	Engines      int               `json:"engines,omitempty"`
	Brokers      []onvif.Broker    `json:"brokers,omitempty"`

	Events *onvif.EventTally `json:"events,omitempty"`
	Scene  *onvif.Tally      `json:"scene,omitempty"`
	Stream *stream           `json:"stream,omitempty"`

	Summary *summary `json:"summary,omitempty"`
}

// stream says how the metadata track was read.
type stream struct {
	Encoding  string `json:"encoding,omitempty"`
	Documents int    `json:"documents,omitempty"`
	Lost      int    `json:"lost,omitempty"`
	Ended     string `json:"ended,omitempty"`
	Result    string `json:"result"`
}

// summary is the one observation that looks at all the others: what could be asked, what was answered with a login, and
// what follows from the whole that does not follow from any part.
type summary struct {
	Login       string           `json:"login"` // none, wsse, digest, open, refused, locked
	Vendor      string           `json:"vendor,omitempty"`
	Elsewhere   string           `json:"elsewhere,omitempty"` // why this maker's face functions are configured outside ONVIF
	ProfileM    bool             `json:"profile_m,omitempty"`
	Tokens      []string         `json:"tokens,omitempty"`
	Questions   []question       `json:"questions"`
	Listed      bool             `json:"listed,omitempty"`   // every token's rules and modules were read, logged in
	Complete    bool             `json:"complete,omitempty"` // and everything that could be supported was read too
	Capable     []audit.Function `json:"capable,omitempty"`
	Held        []audit.Function `json:"held,omitempty"` // an instance of it exists, whatever its state
	Switched    []audit.Function `json:"switched,omitempty"`
	Seen        []audit.Function `json:"seen,omitempty"`    // emitted while it was watched
	Stopped     string           `json:"stopped,omitempty"` // why the conversation ended early
	Catalogue   string           `json:"catalogue"`
	PullPoints  string           `json:"pull_points,omitempty"`
	Unsupported []string         `json:"unsupported,omitempty"`
}
