// Package xlsx writes tables as a workbook for spreadsheet programs.
//
// The library makes the workbook: its parts, its styles, the rules for names. The rows are written
// here, since it takes a number only as an int or as a float64, and money is never a float. An
// amount stands in the file as the decimal text it has everywhere else, digit by digit; what a
// spreadsheet program makes of more than fifteen digits is its own affair. A text is a text,
// whatever it begins with. Rows go out as they are made: memory does not grow with them, and equal
// tables give equal bytes.
package xlsx

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"channelbridge/connector/payout"
	"channelbridge/internal/money"
)

// MostRows is how many rows of a table fit on one sheet, below its headings.
const MostRows = 1_048_575

// Sheet is rows and their headings, and a name of at most 31 characters and without : \ / ? * [ ].
// The rows are gone through more than once.
type Sheet struct {
	Name    string
	Columns []string
	Rows    iter.Seq2[[]payout.Cell, error]
}

// Of is a sheet of a whole table.
func Of(name string, t payout.Table) Sheet {
	return Sheet{name, t.Columns, func(yield func([]payout.Cell, error) bool) {
		for _, r := range t.Rows {
			if !yield(r, nil) {
				return
			}
		}
	}}
}

// leaf is as much of a sheet as fits on one.
type leaf struct {
	Sheet
	from, to int // of its rows
}

// Write writes a workbook of these sheets, in this order. What does not fit on a sheet goes on on
// the next, which has the headings again and a number: Orders, Orders 2.
func Write(w io.Writer, sheets []Sheet) error { return write(w, sheets, MostRows) }

func write(w io.Writer, sheets []Sheet, most int) (err error) {
	pages, currencies, err := paged(sheets, most)
	if err != nil {
		return err
	}
	if len(pages) == 0 {
		return errors.New("a workbook needs a sheet")
	}
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	styles, err := prepare(book, pages, currencies)
	if err != nil {
		return err
	}
	out := &archive{Writer: zip.NewWriter(w), pages: map[string]leaf{}, styles: styles}
	for i, p := range pages {
		out.pages["xl/worksheets/sheet"+strconv.Itoa(i+1)+".xml"] = p
	}
	book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return out })
	if err := book.Write(io.Discard); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	if len(out.pages) > 0 {
		return fmt.Errorf("writing a workbook: %d of its sheets were not asked for", len(out.pages))
	}
	return nil
}

// paged cuts rows into sheets, and tells the currencies they have, each once.
func paged(sheets []Sheet, most int) (out []leaf, currencies []string, err error) {
	known := map[string]bool{"": true}
	for _, s := range sheets {
		n := 0
		for r, err := range s.Rows {
			if err != nil {
				return nil, nil, fmt.Errorf("rows of %s: %w", s.Name, err)
			}
			n++
			for _, c := range r {
				if !known[c.Currency] {
					known[c.Currency] = true
					currencies = append(currencies, c.Currency)
				}
			}
		}
		for from := 0; from == 0 || from < n; from += most {
			p := leaf{s, from, min(from+most, n)}
			if from > 0 {
				p.Name += " " + strconv.Itoa(from/most+1)
			}
			out = append(out, p)
		}
	}
	return out, currencies, nil
}

// styles are the workbook's number formats by currency.
type styles map[string]int

// prepare names the sheets and makes a number format for every currency.
func prepare(book *excelize.File, pages []leaf, currencies []string) (styles, error) {
	taken := map[string]bool{}
	for i, p := range pages {
		if lower := strings.ToLower(p.Name); taken[lower] {
			return nil, fmt.Errorf("two sheets are named %q", p.Name)
		} else {
			taken[lower] = true
		}
		err := error(nil)
		if i == 0 {
			err = book.SetSheetName(book.GetSheetName(0), p.Name)
		} else {
			_, err = book.NewSheet(p.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("sheet %q: %w", p.Name, err)
		}
	}
	return formats(book, currencies)
}

func formats(book *excelize.File, currencies []string) (styles, error) {
	out := styles{}
	for _, currency := range currencies {
		format := formatOf(currency)
		id, err := book.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			return nil, fmt.Errorf("format of %s: %w", currency, err)
		}
		out[currency] = id
	}
	return out, nil
}

// formatOf shows an amount with the currency's decimals.
func formatOf(currency string) string {
	if n := money.Exponent(currency); n > 0 {
		return "#,##0." + strings.Repeat("0", n)
	}
	return "#,##0"
}

// archive is the workbook's file. It takes every part from the library but the sheets, which it
// writes itself.
type archive struct {
	*zip.Writer
	pages  map[string]leaf // that are still to come
	styles styles
}

// Create begins a part. For a sheet it writes the rows, and what the library has for it is dropped.
func (a *archive) Create(name string) (io.Writer, error) {
	part, err := a.Writer.Create(name)
	if err != nil {
		return nil, err
	}
	p, ok := a.pages[name]
	if !ok {
		return part, nil
	}
	delete(a.pages, name)
	return io.Discard, writePage(part, p, a.styles)
}

// AddFS is not needed: a new workbook has no other files.
func (a *archive) AddFS(fs.FS) error { return errors.ErrUnsupported }
