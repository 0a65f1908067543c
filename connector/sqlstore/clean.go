package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// clean makes outside text storable: PostgreSQL takes neither NUL nor broken UTF-8.
func clean(s string) string {
	if plain(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func plain(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// longestID is well within what an index entry may hold.
const longestID = 300

// storedID is the delivery id as it is stored. Different ids stay different: one that is too
// long or not text is kept by its beginning and its hash. An empty one is no id at all and
// stored as null, which equals nothing.
func storedID(id string) *string {
	if id == "" {
		return nil
	}
	if len(id) > longestID || !plain(id) {
		sum := sha256.Sum256([]byte(id))
		id = strconv.QuoteToASCII(id[:min(len(id), 40)]) + "#" + hex.EncodeToString(sum[:])
	}
	return &id
}

// nullable makes null of a text that is not there.
func nullable(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

// storedHeader is the JSON object of the headers, names in order.
func storedHeader(h map[string][]string) string {
	if len(h) == 0 {
		return ""
	}
	b := append(make([]byte, 0, 640), '{')
	for i, name := range sortedKeys(h) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':', '[')
		for n, v := range h[name] {
			if n > 0 {
				b = append(b, ',')
			}
			b = appendText(b, v)
		}
		b = append(b, ']')
	}
	return string(append(b, '}'))
}

// appendText writes a JSON string.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			text, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string always has its JSON
			}
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// bytesOf is never nil: nil would be null.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// values writes n rows of so many placeholders: "(?, ?), (?, ?)".
func values(n, width int) string {
	row := "(?" + strings.Repeat(", ?", width-1) + ")"
	return row + strings.Repeat(", "+row, n-1)
}

// list writes placeholders for "in".
func list(n int) string { return values(1, n) }
