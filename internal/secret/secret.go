// Package secret holds text that must never be printed: it shows as stars in logs,
// JSON, YAML and error texts, and its value is only given by Reveal.
package secret

import "log/slog"

const stars = "***"

// Text is a secret string. The zero value is an absent secret.
type Text struct{ value string }

// New wraps v.
func New(v string) Text { return Text{value: v} }

// Reveal returns the secret itself, for the one place that sends or compares it.
func (t Text) Reveal() string { return t.value }

// Set reports whether there is a secret at all.
func (t Text) Set() bool { return t.value != "" }

func (t Text) String() string {
	if t.value == "" {
		return ""
	}
	return stars
}

// GoString keeps %#v from showing the value.
func (t Text) GoString() string { return t.String() }

// LogValue keeps slog from showing the value.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText masks the value in JSON and YAML.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the value, so that configuration can be decoded into a Text.
func (t *Text) UnmarshalText(b []byte) error {
	t.value = string(b)
	return nil
}
