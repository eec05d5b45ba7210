package audit

import (
	"fmt"
	"strings"
	"time"
)

// Moment is a point in time or a whole day, as a person writes it: "2026-11-01" or RFC 3339. A whole day is read in
// China Standard Time (UTC+8), where the law this tool serves applies.
type Moment struct {
	T   time.Time // the start of the day where Day is set
	Day bool
}

// CST is China Standard Time. It is fixed, so that it works without a time zone database.
var cst = time.FixedZone("UTC+8", 8*3600)

// CST returns China Standard Time (UTC+8).
func CST() *time.Location { return cst }

// ParseMoment reads a date or an RFC 3339 time.
func ParseMoment(s string) (Moment, error) {
	s = strings.TrimSpace(s)
	if t, err := time.ParseInLocation("2006-01-02", s, cst); err == nil {
		return Moment{T: t, Day: true}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Moment{T: t}, nil
		}
	}
	return Moment{}, fmt.Errorf("%q is neither a date like 2026-11-01 nor a time like 2026-11-01T10:00:00+08:00", s)
}

// IsZero reports whether nothing was written.
func (m Moment) IsZero() bool { return m.T.IsZero() }

// End returns the last instant the moment covers: the end of the day for a date.
func (m Moment) End() time.Time {
	if m.Day {
		return m.T.Add(24*time.Hour - time.Nanosecond)
	}
	return m.T
}

func (m Moment) String() string {
	switch {
	case m.T.IsZero():
		return ""
	case m.Day:
		return m.T.Format("2006-01-02")
	}
	return m.T.Format(time.RFC3339)
}

// MarshalText writes the moment as it was written.
func (m Moment) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a date or a time; empty text is the zero moment.
func (m *Moment) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*m = Moment{}
		return nil
	}
	*m, err = ParseMoment(string(b))
	return err
}
