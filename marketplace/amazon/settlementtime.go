package amazon

import (
	"regexp"
	"strings"
	"time"
)

// settlementTime are the forms of time that leave no doubt which number is the month: a year that
// comes first, or points between the numbers. Behind it stands a zone, by name or as an offset.
var settlementTime = regexp.MustCompile(
	`^(\d{4}-\d{2}-\d{2}|\d{4}/\d{2}/\d{2}|\d{2}\.\d{2}\.\d{4})[ T](\d{1,2}:\d{2}:\d{2}) ?([A-Za-z]*|[+-]\d{2}:\d{2})$`)

// settlementZones are the names of zones seen in reports.
var settlementZones = map[string]string{"UTC": "+00:00", "GMT": "+00:00", "Z": "+00:00", "JST": "+09:00",
	"PST": "-08:00", "PDT": "-07:00", "CET": "+01:00", "CEST": "+02:00"}

// time reads a cell with a time; an empty one is no time.
func (s *settlement) time(c cells, col column) (time.Time, error) {
	text := c.get(col)
	if text == "" {
		return time.Time{}, nil
	}
	if text == s.last.text {
		return s.last.at, nil
	}
	part := settlementTime.FindStringSubmatch(text)
	if part == nil {
		return time.Time{}, c.bad(col, "is not a time of a known form")
	}
	day, zone, place := part[1], part[3], time.UTC
	form := "2006-01-02 15:04:05"
	switch {
	case strings.Contains(day, "/"):
		form = "2006/01/02 15:04:05"
	case strings.Contains(day, "."):
		form = "02.01.2006 15:04:05"
	}
	offset, named := settlementZones[zone]
	switch {
	case zone == "" && s.zone == nil:
		return time.Time{}, c.bad(col, "has no time zone")
	case zone == "":
		place = s.zone
	case named:
		form += "-07:00"
	case zone[0] == '+' || zone[0] == '-':
		form, offset = form+"-07:00", zone
	default:
		return time.Time{}, c.bad(col, "has a time zone that is not known")
	}
	t, err := time.ParseInLocation(form, day+" "+part[2]+offset, place)
	if err != nil {
		return time.Time{}, c.bad(col, "is not a time that exists")
	}
	s.last.text, s.last.at = text, t.UTC()
	return s.last.at, nil
}
