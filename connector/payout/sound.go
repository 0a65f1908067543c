package payout

import (
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"channelbridge/marketplace"
)

// sound is a form of payout files that takes no payout whose number is more than a line of text: the
// number stands in journals, tables and addresses as it is.
type sound struct{ marketplace.StatementFormat }

// ReadStatement implements marketplace.StatementFormat.
func (f sound) ReadStatement(r io.Reader, head func(marketplace.Statement) error, line func(marketplace.Movement) error) error {
	return f.StatementFormat.ReadStatement(r, func(s marketplace.Statement) error {
		if !plain(s.ID) {
			return errNumber
		}
		return head(s)
	}, line)
}

var errNumber = errors.New("the payout's number holds a control character or is not UTF-8")

// plain reports text that stays on its line and is UTF-8.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, breaks) }

// breaks reports a character that controls what shows a text, or ends a line.
func breaks(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) }

// cut shortens what a channel says in its own words to what is kept of a text.
func cut(s string) string {
	const more = "…"
	if s = strings.ToValidUTF8(s, "\ufffd"); len(s) <= mostText {
		return s
	}
	return strings.ToValidUTF8(s[:mostText-len(more)], "") + more
}
