package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as people write it: 90s, 5m, 24h, 30d.
type Duration time.Duration

// UnmarshalText reads "30d" and everything time.ParseDuration does.
func (d *Duration) UnmarshalText(b []byte) error {
	text := string(b)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			*d = Duration(time.Duration(n) * 24 * time.Hour)
			return nil
		}
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90s, 5m, 24h or 30d", text)
	}
	if v < 0 {
		return fmt.Errorf("%q is a negative duration", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes whole days as such.
func (d Duration) MarshalText() ([]byte, error) {
	const day = 24 * time.Hour
	if v := time.Duration(d); v > 0 && v%day == 0 {
		return fmt.Appendf(nil, "%dd", v/day), nil
	}
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return []byte(text), nil
}

// Date is a day, taken as its beginning in UTC.
type Date struct{ time.Time }

// UnmarshalText reads YYYY-MM-DD.
func (d *Date) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("%q is not a day such as 2027-05-31", b)
	}
	d.Time = t
	return nil
}

// MarshalText writes YYYY-MM-DD; the zero day is empty.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return []byte(d.Format(time.DateOnly)), nil
}

// databaseURL is an address whose password is not printed.
type databaseURL string

func (u databaseURL) postgres() bool {
	return strings.HasPrefix(string(u), "postgres://") || strings.HasPrefix(string(u), "postgresql://")
}

// file is the path of a SQLite file; empty for PostgreSQL.
func (u databaseURL) file() string {
	scheme, rest, _ := strings.Cut(string(u), ":")
	if scheme != "sqlite" && scheme != "file" {
		return ""
	}
	path, _, _ := strings.Cut(rest, "?")
	return strings.TrimPrefix(path, "//")
}

// UnmarshalText takes the address as it is; see check.
func (u *databaseURL) UnmarshalText(b []byte) error {
	*u = databaseURL(b)
	return u.check()
}

func (u databaseURL) check() error {
	switch {
	case u == "" || u.file() != "" && u.file() != ":memory:":
		return nil
	case !u.postgres():
		return errors.New("a database address begins with postgres:// or sqlite: and names a database or file")
	}
	if _, err := url.Parse(string(u)); err != nil {
		return errors.New("the database address is not a URL: special characters in user or password are written as %XX")
	}
	return nil
}

// masked is the address without its password, wherever it stands.
func (u databaseURL) masked() string {
	p, err := url.Parse(string(u))
	if err != nil {
		return stars
	}
	if !u.postgres() {
		return string(u)
	}
	if q := p.Query(); q.Has("password") {
		q.Set("password", stars)
		p.RawQuery = strings.ReplaceAll(q.Encode(), url.QueryEscape(stars), stars)
	}
	return strings.Replace(p.Redacted(), ":xxxxx@", ":"+stars+"@", 1)
}

// String keeps the password out of logs.
func (u databaseURL) String() string { return u.masked() }

// stars stand for what must not be shown.
const stars = "***"
