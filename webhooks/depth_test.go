package webhooks

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTooDeep(t *testing.T) {
	t.Parallel()
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for body, want := range map[string]bool{
		"": false, "x": false, "1": false, nest(3): false, nest(4): true, " \n\t" + nest(4): true,
		`{"a":{"b":{"c":1}}}`: false, `{"a":{"b":{"c":{}}}}`: true,
		`["[[[[[["]`: false, `["\"[[[[["]`: false, `["\\",[[[]]]]`: true, `["\\\"[[[["]`: false,
		`["`: false, "[[]," + strings.Repeat("[],", 99) + "[]]": false, `]]]][[[[`: false, `[]]]][[[[`: true,
		"plain [[[[[[": false,
	} {
		require.Equal(t, want, tooDeep([]byte(body), 3), body)
	}
}

// FuzzDepth compares the scanner with the decoder wherever there is valid JSON.
func FuzzDepth(f *testing.F) {
	for _, s := range []string{`{}`, `[[["\"]]"]]]`, `{"a\\":[{"b":"{{{"}]}`, `"[["`, `[[[[[`, "\x00[", `{"\u0022":[]}`} {
		f.Add([]byte(s), 2)
	}
	f.Fuzz(func(t *testing.T, body []byte, limit int) {
		limit = min(max(limit, 0), 50)
		got := tooDeep(body, limit)
		if !json.Valid(body) {
			return // only that it ends, and does not panic
		}
		require.Equal(t, depth(t, body) > limit, got, "%q", body)
	})
}

func depth(t *testing.T, body []byte) int {
	d := json.NewDecoder(bytes.NewReader(body))
	now, most := 0, 0
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return most
		}
		if err != nil {
			t.Skip(err)
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			now++
			most = max(most, now)
		case json.Delim('}'), json.Delim(']'):
			now--
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ä?b?", clean("ä\x00b\xff", 99))
	require.Equal(t, "ab", clean("abä", 3), "no half letters")
	require.Equal(t, "plain", clean("plain", 99))
}

func FuzzClean(f *testing.F) {
	f.Add("a\x00\xff\u2028", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = min(max(limit, 0), 100)
		out := clean(s, limit)
		require.True(t, printable(out), "%q", out)
		require.LessOrEqual(t, len(out), max(limit, len(s)))
		require.Equal(t, out, clean(out, 1000))
	})
}
