package audit

// Function is what a device may do with a face: the statute's 验证、辨识、分析 and the two steps that come before them.
type Function string

// The functions, in the order a report lists them.
const (
	Detect   Function = "detect"   // a face box is drawn
	Capture  Function = "capture"  // a face crop is kept or sent
	Analyse  Function = "analyse"  // attributes are read: age, gender, expression …
	Verify   Function = "verify"   // 1:1 comparison
	Identify Function = "identify" // 1:N comparison, lists, person identifiers that persist
)

// Functions lists every function in report order.
func Functions() []Function { return []Function{Detect, Capture, Analyse, Verify, Identify} }

// Level says how far a function is proved. The zero value is "unknown": nothing seen is never "absent".
type Level int

// The levels, weakest first.
const (
	Unknown    Level = iota // not established
	Absent                  // an authenticated enumeration of the interface that would configure it shows none
	Capable                 // the device could do it
	Configured              // a rule or module instance is switched on
	Active                  // results were seen while we watched
)

var levelNames = []string{"unknown", "absent", "capable", "configured", "active"}

func (l Level) String() string { return enumName("level", levelNames, l) }

// MarshalText writes the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a level's name.
func (l *Level) UnmarshalText(b []byte) (err error) {
	*l, err = parseEnum[Level]("level", levelNames, b)
	return err
}

// Attributes of a face as the schemas of the field name them (ONVIF humanface.xsd 24.06, vendor extensions mapped onto it).
// Only the name of an attribute is ever kept, never a person's value.
const (
	AttrAge         = "age"
	AttrGender      = "gender"
	AttrExpression  = "expression"
	AttrEmotion     = "emotion"
	AttrComplexion  = "complexion"
	AttrTemperature = "temperature"
	AttrAccessory   = "accessory"
	AttrFeatures    = "features" // geometry, hair, facial hair, marks
	AttrPose        = "pose"
)

// FactName returns the name of the fact that states a rung of a function's ladder, such as "face.analyse.active".
// rung is one of capable, configured and active.
func FactName(f Function, rung Level) string { return "face." + string(f) + "." + rung.String() }
