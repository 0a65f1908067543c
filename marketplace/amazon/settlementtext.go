package amazon

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"channelbridge/marketplace"
)

// longestLine bounds a row. Real ones have a few hundred bytes.
const longestLine = 1 << 20

var utf8Mark = []byte("\ufeff")

// lines reads a file line by line, in memory of one line.
type lines struct {
	in   *bufio.Reader
	long []byte // a line that does not fit the reader's buffer
	row  int    // of the line read last; the header is 1
}

func newLines(r io.Reader) *lines { return &lines{in: bufio.NewReaderSize(r, 32<<10)} }

// next returns a line without its end, valid until the next call; io.EOF after the last.
func (l *lines) next() ([]byte, error) {
	raw, err := l.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		l.long = l.long[:0]
		for err == bufio.ErrBufferFull && len(l.long) < longestLine {
			l.long = append(l.long, raw...)
			raw, err = l.in.ReadSlice('\n')
		}
		raw = append(l.long, raw...)
	}
	if len(raw) == 0 && err != nil {
		return nil, err
	}
	l.row++
	if len(raw) > longestLine {
		return nil, marketplace.BadRow(l.row, "", "", "the row is longer than %d bytes", longestLine)
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	if l.row == 1 {
		raw = bytes.TrimPrefix(raw, utf8Mark)
	}
	if at := bytes.IndexByte(raw, 0); at >= 0 {
		return nil, marketplace.BadRow(l.row, "", "", "byte %d is zero: this is no text, or text in UTF-16", at+1)
	}
	return raw, nil
}

// lettering is how a file writes what is not ASCII. It follows from the first line that has any.
type lettering struct {
	decided bool
	old     encoding.Encoding // nil: UTF-8
}

// read returns a line as text. Amazon writes older reports in the character set of their region.
// None of those sets puts a tab into a letter.
func (l *lettering) read(row int, raw []byte, currency string) (string, error) {
	if ascii(raw) {
		return string(raw), nil
	}
	if !l.decided {
		l.decided = true
		if !utf8.Valid(raw) {
			l.old = charmap.Windows1252
			if currency == "JPY" {
				l.old = japanese.ShiftJIS
			}
		}
	}
	if l.old == nil {
		if at := invalid(raw); at >= 0 {
			return "", marketplace.BadRow(row, "", "", "byte %d is not UTF-8, which rows above are", at+1)
		}
		return string(raw), nil
	}
	text, err := l.old.NewDecoder().Bytes(raw)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return "", marketplace.BadRow(row, "", "", "byte %d is neither UTF-8 nor %v", unlettered(l.old, text)+1, l.old)
	}
	return string(text), nil
}

func ascii(raw []byte) bool {
	for _, b := range raw {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// invalid finds the first byte that is not UTF-8; -1: there is none.
func invalid(raw []byte) int {
	for at := 0; at < len(raw); {
		r, n := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && n == 1 {
			return at
		}
		at += n
	}
	return -1
}

// unlettered counts the bytes before the first letter that could not be read.
func unlettered(e encoding.Encoding, text []byte) int {
	before, _, _ := bytes.Cut(text, []byte(string(utf8.RuneError)))
	raw, err := e.NewEncoder().Bytes(before)
	if err != nil {
		return len(before)
	}
	return len(raw)
}
