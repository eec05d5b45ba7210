package audit

// Zone is a part of the premises; every camera belongs to at least one.
type Zone struct {
	ID         string `json:"id" yaml:"id"`
	Name       string `json:"name" yaml:"name"`
	Kind       string `json:"kind" yaml:"kind"`
	Public     bool   `json:"public" yaml:"public"`
	Prohibited bool   `json:"prohibited,omitempty" yaml:"prohibited,omitempty"`
}

// Survey is the inspector's record of where notices were looked for. Only a complete, signed survey makes the absence of a
// notice a fact.
type Survey struct {
	Complete      bool          `json:"complete" yaml:"complete"`
	Walked        Walked        `json:"walked" yaml:"walked"`
	NotWalked     []NotWalked   `json:"not_walked,omitempty" yaml:"not_walked,omitempty"`
	At            Period        `json:"at" yaml:"at"`
	By            []Person      `json:"by" yaml:"by"`
	OnlineChecked []OnlineCheck `json:"online_checked,omitempty" yaml:"online_checked,omitempty"`
	Cameras       []CameraCount `json:"cameras,omitempty" yaml:"cameras,omitempty"`
	Signed        *File         `json:"signed,omitempty" yaml:"signed,omitempty"`
}

// CameraCount is how many cameras and face terminals the inspector saw in a zone. Each is counted once, in the zone it films;
// a zone without an entry was not counted.
type CameraCount struct {
	Zone  string `json:"zone" yaml:"zone"`
	Count int    `json:"count" yaml:"count"`
}

// Walked lists the zones a survey covered.
type Walked struct {
	Entrances []string `json:"entrances" yaml:"entrances"`
	Zones     []string `json:"zones" yaml:"zones"`
}

// NotWalked is a zone left out of the survey, with the reason.
type NotWalked struct {
	Zone   string `json:"zone" yaml:"zone"`
	Reason string `json:"reason,omitempty" yaml:"reason,omitempty"`
}

// OnlineCheck is an online place where rules were looked for.
type OnlineCheck struct {
	URL        string `json:"url,omitempty" yaml:"url,omitempty"`
	App        string `json:"app,omitempty" yaml:"app,omitempty"`
	SHA256     string `json:"sha256,omitempty" yaml:"sha256,omitempty"`
	At         Moment `json:"at,omitzero" yaml:"at,omitempty"`
	Screenshot *File  `json:"screenshot,omitempty" yaml:"screenshot,omitempty"`
	Found      *bool  `json:"found,omitempty" yaml:"found,omitempty"` // whether face-processing rules were found there
}

// Notice is one sign, card, page or clause that tells people something.
type Notice struct {
	ID          string         `json:"id" yaml:"id"`
	Kind        string         `json:"kind" yaml:"kind"`                                   // posted_sign, counter_card, screen, web_rules, app_rules, contract_annex, oral
	Status      string         `json:"status" yaml:"status"`                               // present, removed, obscured, illegible, expired
	DeclaredBy  string         `json:"declared_by,omitempty" yaml:"declared_by,omitempty"` // inspector, operator
	Location    NoticeLocation `json:"location,omitzero" yaml:"location,omitempty"`
	Conspicuous Conspicuous    `json:"conspicuous,omitzero" yaml:"conspicuous,omitempty"`
	Covers      Covers         `json:"covers,omitzero" yaml:"covers,omitempty"`
	Language    []string       `json:"language,omitempty" yaml:"language,omitempty"`
	Text        string         `json:"text,omitempty" yaml:"text,omitempty"`
	TextSHA256  string         `json:"text_sha256,omitempty" yaml:"text_sha256,omitempty"`
	TextPartial bool           `json:"text_partial,omitempty" yaml:"text_partial,omitempty"` // not all of the text could be read
	OCR         *OCR           `json:"ocr,omitempty" yaml:"ocr,omitempty"`                   // text came from OCR
	Photo       *Photo         `json:"photo,omitempty" yaml:"photo,omitempty"`
	Purposes    []string       `json:"purposes,omitempty" yaml:"purposes,omitempty"`
	Methods     []string       `json:"methods,omitempty" yaml:"methods,omitempty"`
	Scope       NoticeScope    `json:"scope,omitzero" yaml:"scope,omitempty"`
	Rules       *RulesAt       `json:"rules,omitempty" yaml:"rules,omitempty"`
	Basis       string         `json:"basis,omitempty" yaml:"basis,omitempty"`
	PostedOn    Moment         `json:"posted_on,omitzero" yaml:"posted_on,omitempty"`
	RemovedOn   Moment         `json:"removed_on,omitzero" yaml:"removed_on,omitempty"`
}

// NoticeLocation says where a notice hangs. BeforeCapture unset means nobody recorded it.
type NoticeLocation struct {
	Zone              string   `json:"zone,omitempty" yaml:"zone,omitempty"`
	Position          string   `json:"position,omitempty" yaml:"position,omitempty"`
	HeightM           *float64 `json:"height_m,omitempty" yaml:"height_m,omitempty"`
	BeforeCapture     *bool    `json:"before_capture,omitempty" yaml:"before_capture,omitempty"`
	DistanceToCameraM *float64 `json:"distance_to_camera_m,omitempty" yaml:"distance_to_camera_m,omitempty"`
}

// Conspicuous records measurements; whether a notice is conspicuous is a legal conclusion this tool does not draw.
type Conspicuous struct {
	SizeMM       []float64 `json:"size_mm,omitempty" yaml:"size_mm,omitempty"`
	MinCharMM    *float64  `json:"min_char_mm,omitempty" yaml:"min_char_mm,omitempty"`
	Lit          *bool     `json:"lit,omitempty" yaml:"lit,omitempty"`
	Unobstructed *bool     `json:"unobstructed,omitempty" yaml:"unobstructed,omitempty"`
}

// Covers says what a notice speaks of. Cameras may be ["*"]; hours may be "always".
type Covers struct {
	Zones   []string `json:"zones,omitempty" yaml:"zones,omitempty"`
	Cameras []string `json:"cameras,omitempty" yaml:"cameras,omitempty"`
	Hours   string   `json:"hours,omitempty" yaml:"hours,omitempty"`
}

// OCR says whether a person confirmed a machine-read text; unconfirmed text decides nothing.
type OCR struct {
	Tool        string `json:"tool,omitempty" yaml:"tool,omitempty"`
	ConfirmedBy string `json:"confirmed_by,omitempty" yaml:"confirmed_by,omitempty"`
}

// Photo is a photograph of a notice.
type Photo struct {
	File         string `json:"file" yaml:"file"`
	SHA256       string `json:"sha256,omitempty" yaml:"sha256,omitempty"`
	TakenAt      Moment `json:"taken_at,omitzero" yaml:"taken_at,omitempty"`
	TakenBy      string `json:"taken_by,omitempty" yaml:"taken_by,omitempty"`
	FacesBlurred bool   `json:"faces_blurred,omitempty" yaml:"faces_blurred,omitempty"`
}

// NoticeScope is the scope a notice states.
type NoticeScope struct {
	Data       []string `json:"data,omitempty" yaml:"data,omitempty"`
	Subjects   []string `json:"subjects,omitempty" yaml:"subjects,omitempty"`
	Zones      []string `json:"zones,omitempty" yaml:"zones,omitempty"`
	Retention  string   `json:"retention,omitempty" yaml:"retention,omitempty"` // ISO 8601
	Recipients []string `json:"recipients,omitempty" yaml:"recipients,omitempty"`
}

// RulesAt says where the full rules can be read.
type RulesAt struct {
	URL             string `json:"url,omitempty" yaml:"url,omitempty"`
	QR              bool   `json:"qr,omitempty" yaml:"qr,omitempty"`
	PaperAt         string `json:"paper_at,omitempty" yaml:"paper_at,omitempty"`
	RetrievedSHA256 string `json:"retrieved_sha256,omitempty" yaml:"retrieved_sha256,omitempty"`
}

// Gate is an entrance people pass by being verified.
type Gate struct {
	ID              string    `json:"id" yaml:"id"`
	Zone            string    `json:"zone,omitempty" yaml:"zone,omitempty"`
	Face            bool      `json:"face" yaml:"face"`
	Others          []string  `json:"others,omitempty" yaml:"others,omitempty"`
	IssuedOnRequest *bool     `json:"issued_on_request,omitempty" yaml:"issued_on_request,omitempty"`
	Test            *GateTest `json:"test,omitempty" yaml:"test,omitempty"`
}

// GateTest is a test of another way in.
type GateTest struct {
	At     Moment `json:"at,omitzero" yaml:"at,omitempty"`
	Method string `json:"method" yaml:"method"`
	OK     bool   `json:"ok" yaml:"ok"`
	By     string `json:"by,omitempty" yaml:"by,omitempty"`
}

// Consent is what was recorded of a consent form and its practice. Unset booleans mean nobody recorded it.
type Consent struct {
	Purpose     string    `json:"purpose" yaml:"purpose"`
	Form        *File     `json:"form,omitempty" yaml:"form,omitempty"`
	Separate    *bool     `json:"separate,omitempty" yaml:"separate,omitempty"`
	Bundled     *bool     `json:"bundled,omitempty" yaml:"bundled,omitempty"`
	Conditional *bool     `json:"conditional,omitempty" yaml:"conditional,omitempty"`
	Withdraw    *Withdraw `json:"withdraw,omitempty" yaml:"withdraw,omitempty"`
	Guardian    *bool     `json:"guardian,omitempty" yaml:"guardian,omitempty"`
	Zones       []string  `json:"zones,omitempty" yaml:"zones,omitempty"`
}

// Withdraw is how consent can be withdrawn.
type Withdraw struct {
	Channel string `json:"channel" yaml:"channel"`
	Tested  bool   `json:"tested,omitempty" yaml:"tested,omitempty"`
}

// Exemption is a situation of Art. 5 of 法释〔2021〕15号 that the processor claims.
type Exemption struct {
	ID        string   `json:"id,omitempty" yaml:"id,omitempty"`
	Item      string   `json:"item" yaml:"item"` // "5(2)" or "2": the item of Art. 5
	ClaimedBy string   `json:"claimed_by,omitempty" yaml:"claimed_by,omitempty"`
	Provision string   `json:"provision,omitempty" yaml:"provision,omitempty"` // the state provision relied on
	Document  *File    `json:"document,omitempty" yaml:"document,omitempty"`
	Authority string   `json:"authority,omitempty" yaml:"authority,omitempty"` // the authority that issued it
	Period    Period   `json:"period,omitzero" yaml:"period,omitempty"`
	Zones     []string `json:"zones,omitempty" yaml:"zones,omitempty"`
	Note      string   `json:"note,omitempty" yaml:"note,omitempty"`
}

// Recipient is somebody who gets results about faces, known by the hosts they are sent to.
type Recipient struct {
	ID         string    `json:"id" yaml:"id"`
	DeclaredBy string    `json:"declared_by" yaml:"declared_by"` // inspector: who saw the papers; operator: who only says so
	Hosts      []string  `json:"hosts" yaml:"hosts"`             // an address, a name, or "*.example.com" for a domain and everything below it
	Name       string    `json:"name" yaml:"name"`
	Contact    string    `json:"contact,omitempty" yaml:"contact,omitempty"`
	Capacity   string    `json:"capacity" yaml:"capacity"` // entrusted (PIPL 21), other (PIPL 23)
	Contract   *Contract `json:"contract,omitempty" yaml:"contract,omitempty"`
	Cameras    []string  `json:"cameras" yaml:"cameras"` // inventory ids; "*" for all
	Since      Moment    `json:"since" yaml:"since"`
	Until      Moment    `json:"until,omitzero" yaml:"until,omitempty"`
	Note       string    `json:"note,omitempty" yaml:"note,omitempty"`
}

// The capacities in which somebody receives.
const (
	Entrusted      = "entrusted" // processes on the instructions of the processor, under a contract
	OtherProcessor = "other"     // decides purpose and manner itself
)

// Contract is what was agreed with a recipient: for one who is entrusted, the contract PIPL 21 asks for.
type Contract struct {
	Signed   Moment   `json:"signed,omitzero" yaml:"signed,omitempty"`
	Document *File    `json:"document,omitempty" yaml:"document,omitempty"`
	Purposes []string `json:"purposes,omitempty" yaml:"purposes,omitempty"`
}

// Declaration is the operator's admission or the inspector's own observation that a function runs, or that it does not.
type Declaration struct {
	ID         string     `json:"id" yaml:"id"`
	By         string     `json:"by" yaml:"by"` // operator, inspector
	At         Moment     `json:"at" yaml:"at"`
	Cameras    []string   `json:"cameras,omitempty" yaml:"cameras,omitempty"` // inventory ids
	Zones      []string   `json:"zones,omitempty" yaml:"zones,omitempty"`
	Functions  []Function `json:"functions,omitempty" yaml:"functions,omitempty"`
	Attributes []string   `json:"attributes,omitempty" yaml:"attributes,omitempty"`
	Runs       bool       `json:"runs" yaml:"runs"` // true: an admission or an observation; false: a denial, which proves nothing by itself
	Purposes   []string   `json:"purposes,omitempty" yaml:"purposes,omitempty"`
	Text       string     `json:"text,omitempty" yaml:"text,omitempty"`
	Exhibit    *File      `json:"exhibit,omitempty" yaml:"exhibit,omitempty"`
}

// ServerSide is the attested inventory of what stands behind the cameras: recorders, edge boxes, cloud services.
type ServerSide struct {
	Attested bool     `json:"attested" yaml:"attested"`                                 // somebody signs that this is all there is
	Analyses *bool    `json:"analyses_faces,omitempty" yaml:"analyses_faces,omitempty"` // whether any of it works on faces
	Stores   *bool    `json:"stores_faces,omitempty" yaml:"stores_faces,omitempty"`     // whether any of it, or anybody else, keeps information about faces
	Servers  []string `json:"servers,omitempty" yaml:"servers,omitempty"`
	By       Person   `json:"by,omitzero" yaml:"by,omitempty"`
	At       Moment   `json:"at,omitzero" yaml:"at,omitempty"`
	Document *File    `json:"document,omitempty" yaml:"document,omitempty"`
}
