package sqlstore

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// layout has a fixed width, so text sorts as the instants do.
const layout = "2006-01-02T15:04:05.000000Z"

// stamp is an instant on its way to or from the database: UTC, whole microseconds. The zero
// time is null.
type stamp struct{ time.Time }

// stamped makes a stamp.
func stamped(t time.Time) stamp { return stamp{t} }

// never is the instant that stands for "none given" in columns that must not be null, because
// they are compared.
const never = "0001-01-01T00:00:00.000000Z"

var latest = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)

// Value implements driver.Valuer.
func (s stamp) Value() (driver.Value, error) {
	return optional(s.Time), nil
}

// optional writes an instant of a column that may be null: the zero time is.
func optional(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return fixed(t)
}

// version writes an instant of a column that must not be null.
func version(t time.Time) string { return fixed(t) }

func fixed(t time.Time) string {
	switch t = t.UTC(); {
	case t.Year() < 1:
		return never
	case t.After(latest):
		t = latest
	}
	return t.Format(layout)
}

// Scan implements sql.Scanner.
func (s *stamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		s.Time = time.Time{}
	case time.Time:
		s.set(v)
	case string:
		return s.parse(v)
	case []byte:
		return s.parse(string(v))
	default:
		return fmt.Errorf("an instant cannot be read from %T", v)
	}
	return nil
}

func (s *stamp) parse(text string) error {
	t, err := time.Parse(layout, text)
	if err != nil {
		return fmt.Errorf("stored instant: %w", err)
	}
	s.set(t)
	return nil
}

// set keeps the zero time recognizable whatever zone the driver used.
func (s *stamp) set(t time.Time) {
	if s.Time = t.UTC(); s.Time.Equal(time.Time{}) {
		s.Time = time.Time{}
	}
}

// sameMicro cuts an instant to what is stored, so that it may be compared with a stored one.
func sameMicro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// earlier returns the first of two instants; zero means none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
