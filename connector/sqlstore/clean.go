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

func storedHeader(h map[string][]string) (string, error) {
	if len(h) == 0 {
		return "", nil
	}
	text, err := json.Marshal(h)
	return string(text), err
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
