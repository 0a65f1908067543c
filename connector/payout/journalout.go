package payout

import (
	"fmt"
	"io"
	"strings"
)

// JournalTable is entries as rows for a general ledger: debits and credits are magnitudes.
func JournalTable(entries []Entry) Table {
	t := Table{Columns: strings.Split("journal_no,date,line,account,debit,credit,currency,description,tax_code,tag,external_ref", ",")}
	for _, e := range entries {
		for i, p := range e.Postings {
			debit, credit := Cell{}, amount(-p.Amount.Minor, p.Amount.Currency)
			if p.Amount.Minor > 0 {
				debit, credit = amount(p.Amount.Minor, p.Amount.Currency), Cell{}
			}
			t.Rows = append(t.Rows, []Cell{text(e.Number), text(e.Date.Format("2006-01-02")), count(i + 1), text(p.Account), debit, credit, text(p.Amount.Currency), text(p.Description), {}, text(string(e.Account)), text(e.Payout)})
		}
	}
	return t
}

// EntryJSON is an entry as programs see it. Positive amounts are debits.
type EntryJSON struct {
	Number      string        `json:"journal_no"`
	Date        string        `json:"date"`
	Description string        `json:"description"`
	Account     string        `json:"channel_account"`
	Payout      string        `json:"external_ref"`
	Currency    string        `json:"currency"`
	Lines       []PostingJSON `json:"lines"`
}

// PostingJSON is one line of it.
type PostingJSON struct {
	Account     string `json:"account"`
	Amount      string `json:"amount"`
	Description string `json:"description"`
}

// JSON is the entry as programs see it.
func (e Entry) JSON() EntryJSON {
	out := EntryJSON{Number: e.Number, Date: e.Date.Format("2006-01-02"), Description: e.Description, Account: string(e.Account), Payout: e.Payout, Lines: []PostingJSON{}}
	for _, p := range e.Postings {
		out.Currency = p.Amount.Currency
		out.Lines = append(out.Lines, PostingJSON{p.Account, p.Amount.Decimal(), p.Description})
	}
	return out
}

// WriteLedger writes entries as plain-text double entry, which ledger and hledger read.
func WriteLedger(w io.Writer, entries []Entry) error {
	for _, e := range entries {
		if len(e.Postings) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s * (%s) %s\n", e.Date.Format("2006-01-02"), codeOf(e.Number), oneLine(e.Description)); err != nil {
			return err
		}
		for _, p := range e.Postings {
			if _, err := fmt.Fprintf(w, "    %-40s  %16s %s  ; %s\n", oneLine(p.Account), p.Amount.Decimal(), oneLine(p.Amount.Currency), oneLine(p.Description)); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return nil
}

// oneLine keeps a text from beginning a line or a comment of its own.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ';' || breaks(r) {
			return ' '
		}
		return r
	}, s)
}

// codeOf is an entry's number as it stands between parentheses, which it cannot end.
func codeOf(number string) string {
	return strings.NewReplacer("(", "_", ")", "_").Replace(oneLine(number))
}
