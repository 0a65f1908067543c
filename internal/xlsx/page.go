package xlsx

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"channelbridge/connector/payout"
)

const (
	pageHead = xml.Header + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`
	pageTail = `</sheetData></worksheet>`
)

// page is a sheet while it is written. An error of the writer stays until the end.
type page struct {
	*bufio.Writer
	styles  styles
	columns []string // by number: A, B, …
	row     int
}

// writePage writes one sheet: the headings, which stay in sight, and the rows.
func writePage(w io.Writer, l leaf, s styles) error {
	p := &page{Writer: bufio.NewWriterSize(w, 64<<10), styles: s}
	p.put(pageHead)
	heads := make([]payout.Cell, 0, len(l.Columns))
	for i, c := range l.Columns {
		p.columns = append(p.columns, letters(i))
		heads = append(heads, payout.Cell{Text: c})
	}
	p.cells(heads)
	n := 0
	for r, err := range l.Rows {
		if err != nil {
			return fmt.Errorf("rows of %s: %w", l.Name, err)
		}
		if n++; n > l.to {
			break
		}
		if n <= l.from {
			continue
		}
		if len(r) != len(p.columns) {
			return fmt.Errorf("row %d has %d cells, the headings have %d", p.row, len(r), len(p.columns))
		}
		p.cells(r)
	}
	p.put(pageTail)
	return p.Flush()
}

// put writes text as it is. bufio keeps an error for Flush.
func (p *page) put(text string) { _, _ = p.WriteString(text) }

func (p *page) cells(row []payout.Cell) {
	p.row++
	no := strconv.Itoa(p.row)
	p.put(`<row r="` + no + `">`)
	for i, c := range row {
		if c.Text != "" {
			p.cell(p.columns[i]+no, c)
		}
	}
	p.put(`</row>`)
}

// plain is a number as the file form has it.
var plain = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// cell writes one value at its place. What calls itself a number and is none is a text.
func (p *page) cell(place string, c payout.Cell) {
	p.put(`<c r="` + place + `"`)
	if c.Number && plain.MatchString(c.Text) {
		if id := p.styles[c.Currency]; id > 0 {
			p.put(` s="` + strconv.Itoa(id) + `"`)
		}
		p.put(`><v>` + c.Text + `</v></c>`)
		return
	}
	p.put(` t="inlineStr"><is><t xml:space="preserve">`)
	_ = xml.EscapeText(p.Writer, []byte(verbatim(cut(c.Text)))) // bufio keeps its error
	p.put(`</t></is></c>`)
}

// mostText is how many UTF-16 units a cell may hold; a program calls a file with more damaged.
const mostText = 32767

// cut ends a text that is too long for a cell with an ellipsis.
func cut(s string) string {
	if len(s) <= mostText {
		return s
	}
	units := 0
	for i, r := range s {
		if units += max(utf16.RuneLen(r), 1); units > mostText {
			return shorter(s[:i])
		}
	}
	return s
}

// shorter makes room for the ellipsis; the last character may be one of two units.
func shorter(s string) string {
	r := []rune(s)
	return string(r[:len(r)-1]) + "…"
}

// escape is how the file form writes a character by its number, which a text may look like.
var escape = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

func verbatim(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return escape.ReplaceAllStringFunc(s, func(m string) string { return "_x005F" + m })
}

// letters names a column.
func letters(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return letters(i/26-1) + string(rune('A'+i%26))
}
