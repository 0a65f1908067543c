package httpapi

import (
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"channelbridge/connector/payout"
)

// Forms a report can have.
const (
	formatJSON   = "json"
	formatNDJSON = "ndjson"
	formatCSV    = "csv"
	formatXLSX   = "xlsx"

	journalJSON = "journal-json"
	journalCSV  = "journal-csv"
	journalText = "journal-text"
)

// workbook is the media type of a spreadsheet.
const workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// mediaTypes of the forms; several names for one are understood.
var mediaTypes = map[string]string{"application/json": formatJSON, "application/x-ndjson": formatNDJSON, "application/ndjson": formatNDJSON, "text/csv": formatCSV, workbook: formatXLSX,
	"*/*": formatJSON, "application/*": formatJSON, "text/*": formatCSV}

// readForm reads how the report is to be written.
func (a *reportAsk) readForm(q url.Values, accept []string) (err error) {
	if a.format, err = oneOf(q, "format", formatJSON, formatNDJSON, formatCSV, formatXLSX, journalJSON, journalCSV, journalText); err != nil {
		return err
	}
	if q.Get("format") == "" {
		a.format = accepted(accept)
	}
	if a.limit, err = readLimit(q.Get("limit")); err != nil {
		return err
	}
	if q.Get("limit") != "" && a.format != formatJSON {
		return badParameter("limit", "A file holds all rows.", "Leave it out.")
	}
	if err := a.readCSV(q); err != nil {
		return err
	}
	for _, v := range q["columns"] {
		a.columns = append(a.columns, strings.Split(v, ",")...)
	}
	if len(a.columns) > 0 && strings.HasPrefix(a.format, "journal-") {
		return badParameter("columns", "A journal has columns of its own.", "Leave it out.")
	}
	if len(a.columns) > 0 && a.format == formatXLSX {
		return badParameter("columns", "A workbook has every level with all its columns.", "Leave it out.")
	}
	return a.checkColumns()
}

// readCSV reads what suits a spreadsheet program.
func (a *reportAsk) readCSV(q url.Values) error {
	for _, p := range []struct{ name, only string }{{"bom", "1"}, {"delimiter", ";"}} {
		switch v := q.Get(p.name); {
		case v == "":
		case v != p.only:
			return badParameter(p.name, "It is "+p.only+" or left out.", "A semicolon in an address is written %3B.")
		case a.format != formatCSV:
			return badParameter(p.name, "It is for format=csv only.", "Leave it out.")
		}
	}
	a.csv.BOM = q.Get("bom") != ""
	if q.Get("delimiter") != "" {
		a.csv.Delimiter = ';'
	}
	return nil
}

// checkColumns holds the columns against those of the level.
func (a *reportAsk) checkColumns() error {
	known := payout.Columns(a.level)
	for i, c := range a.columns {
		switch {
		case !slices.Contains(known, c):
			return badParameter("columns", "The level "+a.level+" has no column "+strconv.Quote(c)+".", "It has "+strings.Join(known, ", ")+".")
		case slices.Contains(a.columns[:i], c):
			return badParameter("columns", "The column "+c+" is there twice.", "")
		}
	}
	return nil
}

// accepted is the form that an Accept header likes best; JSON where it says nothing we know.
func accepted(lines []string) string {
	best, most := formatJSON, 0.0
	for part := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, given := params["q"]; given {
			if weight, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		if form, ok := mediaTypes[kind]; ok && weight > most {
			best, most = form, weight
		}
	}
	return best
}
