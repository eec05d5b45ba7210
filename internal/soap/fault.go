package soap

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mingshi-audit/mingshi/internal/xmltree"
)

// Verdict says what kind of answer came. Only OK carries a result and only NotSupported may count, weakly, as a no.
type Verdict int

// The verdicts. The zero value is the cautious one.
const (
	Transient     Verdict = iota // broken off, or an answer that says nothing
	OK                           // answered
	AuthRequired                 // a login is wanted; none was sent
	NotAuthorised                // the login, or its rights, were refused
	ClockSkew                    // the login's time stamp was refused
	Locked                       // the device is locked, counts attempts, or wants to be left alone
	NotSupported                 // the device does not know the operation
	BadArgument                  // an argument was not accepted
	NotConfigured                // the device says the thing asked about is not set up
	Exhausted                    // no resource left
	Gone                         // the subscription does not exist any more
	Malformed                    // an answer that cannot be read
	NotSOAP                      // something else lives there: a web page
	Limited                      // over a limit of ours
	TimedOut                     // no answer in time
	Unreachable                  // no connection
	Interrupted                  // the caller stopped
	NotAllowed                   // we did not send it
)

var verdictNames = []string{"transient", "ok", "auth-required", "not-authorised", "clock-skew", "locked", "not-supported", "bad-argument",
	"not-configured", "exhausted", "gone", "malformed", "not-soap", "limited", "timed-out", "unreachable", "interrupted", "not-allowed"}

func (v Verdict) String() string {
	if v < 0 || int(v) >= len(verdictNames) {
		return "verdict(" + strconv.Itoa(int(v)) + ")"
	}
	return verdictNames[v]
}

// Fault is a SOAP fault of either version. Codes are local names, outermost first: "Sender", "InvalidArgVal", "NoConfig".
type Fault struct {
	Codes    []string
	Text     string // as the device wrote it: to be cleaned before it is shown
	Attempts int    // login attempts the device says are left; -1 where it does not say
	Minimum  string // MinimumTime of an unacceptable termination time
	Max      string // MaxTimeout of a pull that asked for too long
}

// Is reports whether one of the codes is among the names.
func (f Fault) Is(names ...string) bool {
	return slices.ContainsFunc(f.Codes, func(c string) bool { return slices.Contains(names, c) })
}

var (
	terCode  = regexp.MustCompile(`\b(?:ter|wsse|wsnt|wsrf-rw):([A-Za-z]+)`)
	attempts = regexp.MustCompile(`(?i)(\d{1,4})\s+(?:more\s+|login\s+)?(?:attempt|tries|try)`)

	lockText   = regexp.MustCompile(`(?i)\block(ed)?\b|\block(ed)?[- ]?out\b|\battempts?(\(s\))?\s*(left|remain)|\battempt\(s\)|\btoo many\b`)
	skewText   = regexp.MustCompile(`(?i)time check|message expired|timestamp|time stamp|\bexpired\b|\bcreated\b`)
	authText   = regexp.MustCompile(`(?i)not authori[sz]ed|unauthori[sz]ed|invalid user ?name or password|authority failure|authentication failed`)
	unknownOp  = regexp.MustCompile(`(?i)method name or namespace not recognized|not implemented: method`)
	authCodes  = []string{"NotAuthorized", "FailedAuthentication", "InvalidSecurity", "InvalidSecurityToken", "FailedCheck", "OperationProhibited", "AnonymousNotAllowed"}
	noCodes    = []string{"ActionNotSupported", "UnknownAction", "NoSuchService", "TagMismatch", "Namespace", "OptionalActionNotImplemented"}
	emptyCodes = []string{"IncompleteConfiguration", "NoVideoSource"}
	badCodes   = []string{"InvalidArgVal", "InvalidArgs", "WellFormed", "MustUnderstand", "InvalidFilterFault", "InvalidTopicExpressionFault",
		"TopicNotSupportedFault", "TopicExpressionDialectUnknownFault", "UnacceptableInitialTerminationTimeFault", "PullMessagesFaultResponse"}
	fullCodes = []string{"SubscribeCreationFailedFault", "UnableToCreatePullPointFault", "OutofMemory", "UnableToGetMessagesFault"}
	goneCodes = []string{"ResourceUnknownFault"}
)

// readFault reads a fault of SOAP 1.2 or 1.1. Some 1.1 devices write the ONVIF code into the text; it counts like a code.
func readFault(n *xmltree.Node) Fault {
	f := Fault{Attempts: -1}
	for c := n.Child("Code"); c != nil; c = c.Child("Subcode") {
		f.add(c.Value("Value"))
	}
	f.add(n.Value("faultcode"))
	var texts []string
	for _, t := range n.Path("Reason").Children("Text") {
		texts = append(texts, t.Text)
	}
	texts = append(texts, n.Value("faultstring"))
	for _, detail := range []string{"Detail", "detail"} {
		n.Child(detail).Walk(func(d *xmltree.Node) bool {
			if d.Name.Local != detail {
				f.add(d.Name.Local) // WS-Notification faults are elements of the detail
			}
			switch d.Name.Local {
			case "MinimumTime":
				f.Minimum = d.Text
			case "MaxTimeout":
				f.Max = d.Text
			default:
				texts = append(texts, d.Text)
			}
			return len(f.Codes) < 40
		})
	}
	texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
	f.Text = short(strings.Join(slices.Compact(texts), "; "), 1000)
	for _, m := range terCode.FindAllStringSubmatch(f.Text, 8) {
		f.add(m[1])
	}
	if m := attempts.FindStringSubmatch(f.Text); m != nil {
		f.Attempts, _ = strconv.Atoi(m[1])
	}
	return f
}

func (f *Fault) add(qname string) {
	if _, local, ok := strings.Cut(qname, ":"); ok {
		qname = local
	}
	if qname = strings.TrimSpace(qname); qname != "" && len(qname) < 80 && !slices.Contains(f.Codes, qname) {
		f.Codes = append(f.Codes, qname)
	}
}

// classify decides what an answer that came complete means. The order matters: a lock is a refusal too, and must win.
func classify(a *Answer, r Request, auth Auth, refusedBefore bool) Verdict {
	f, fault := a.Fault, a.Body != nil && a.Body.Name.Local == "Fault"
	refusal := NotAuthorised
	if auth == None {
		refusal = AuthRequired
	}
	switch {
	case a.HTTP == 429, fault && lockText.MatchString(f.Text), a.HTTP == 503 && refusedBefore:
		return Locked
	case fault && auth == WSSE && skewText.MatchString(f.Text):
		return ClockSkew
	case a.HTTP == 401, a.HTTP == 403, fault && (f.Is(authCodes...) || authText.MatchString(f.Text)):
		return refusal
	case fault && (f.Is(noCodes...) || unknownOp.MatchString(f.Text)):
		return NotSupported
	case fault && f.Is(emptyCodes...):
		return NotConfigured
	case fault && f.Is(fullCodes...):
		return Exhausted
	case fault && f.Is(goneCodes...):
		return Gone
	case fault && f.Is(badCodes...):
		return BadArgument
	case fault && r.Creates && f.Is("Receiver", "Server"):
		return Exhausted
	case fault && f.Is("Action") && r.Optional: // Bosch: ter:Action "Action Failed" for what it does not know
		return NotSupported
	case fault && len(f.Codes) == 1 && f.Is("Sender", "Client") && f.Text == "": // Axis, for an operation it does not know
		return NotSupported
	case fault:
		return Transient
	case a.HTTP == 404, a.HTTP == 405, a.HTTP == 415, a.HTTP == 501, a.HTTP >= 300 && a.HTTP < 400:
		return NotSupported
	case a.HTTP >= 400:
		return Transient
	case !a.Envelope && a.Size > 0:
		return NotSOAP
	case a.Body == nil, a.Size == 0:
		return Malformed
	}
	return OK
}
