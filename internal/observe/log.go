package observe

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const stars = "***"

// hushed are words that make an attribute a secret, whatever its type.
var hushed = []string{"secret", "password", "authorization", "cookie", "refresh_token", "access_token", "api_key", "apikey"}

// NewLog makes a logger. Format is "json" or "text"; level is debug, info, warn or error.
func NewLog(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q is not one of debug, info, warn, error", level)
	}
	opts := &slog.HandlerOptions{Level: l, ReplaceAttr: hush}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	}
	return nil, fmt.Errorf("log format %q is not one of json, text", format)
}

// hush masks attributes that are secret by their name. secret.Text masks itself; this catches
// what was never wrapped.
func hush(_ []string, a slog.Attr) slog.Attr {
	name := strings.ToLower(a.Key)
	for _, word := range hushed {
		if strings.Contains(name, word) {
			return slog.String(a.Key, stars)
		}
	}
	return a
}
