package amazon

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// span is what the text of a cursor holds: one listing of at most longestSpan, whose parameters
// stay as they are from page to page.
type span struct {
	After  time.Time `json:"after"`
	Before time.Time `json:"before,omitzero"` // zero: the span has not begun
	Token  string    `json:"token,omitempty"`
	Seen   []string  `json:"seen,omitempty"` // hashes of the tokens already used
}

// span reads a cursor and fixes the end of a listing that begins.
func (a *Adapter) span(c marketplace.Cursor) (span, error) {
	var s span
	if c.Token == "" {
		s.After = c.Since.UTC().Truncate(time.Second)
	} else if err := json.Unmarshal([]byte(c.Token), &s); err != nil || s.After.IsZero() {
		return s, fault.New(fault.Refused, "amazon %s: the cursor is not one of ours", opListTransactions)
	}
	if s.Before.IsZero() {
		s.Before = a.clock().Add(-settledAfter).UTC().Truncate(time.Second)
		if last := s.After.Add(longestSpan); last.Before(s.Before) {
			s.Before = last
		}
	}
	return s, nil
}

// following says where to go on: the next page, the next span, or the next listing, which reaches
// back by late. A token that comes a second time ends its span without moving the watermark.
func (s span) following(since time.Time, token string, late time.Duration) (marketplace.Cursor, bool) {
	if token == "" && s.Before.Equal(s.After.Add(longestSpan)) {
		return span{After: s.Before}.cursor(s.Before), true
	}
	if token == "" {
		return marketplace.Cursor{Since: s.Before.Add(-late)}, false
	}
	seen, again := remember(s.Seen, token)
	if again || token == s.Token {
		return marketplace.Cursor{Since: since}, false
	}
	s.Token, s.Seen = token, seen
	return s.cursor(since), true
}

// remember notes a page token among the hashes of those already used, and reports whether it was
// there. The oldest are forgotten.
func remember(seen []string, token string) ([]string, bool) {
	sum := sha256.Sum256([]byte(token))
	mark := hex.EncodeToString(sum[:6])
	if slices.Contains(seen, mark) {
		return seen, true
	}
	seen = append(slices.Clone(seen), mark)
	return seen[max(len(seen)-seenKept, 0):], false
}

func (s span) cursor(since time.Time) marketplace.Cursor {
	text, _ := json.Marshal(s)
	return marketplace.Cursor{Since: since, Token: string(text)}
}
