package payout

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// mostDeposits is how many rows a bank's file may have.
const mostDeposits = 10_000

// depositColumns are the columns of a bank's file, by the names they may have. The first three have to
// be there.
var depositColumns = [][]string{{"value_date", "date"}, {"amount"}, {"currency"}, {"bank_reference", "reference"}, {"payout"}, {"note"}}

// ReadDeposits reads a bank's file: CSV in UTF-8 whose columns have names, separated by commas,
// semicolons or tabs. Days are such as 2026-11-12, amounts such as 1250.75. A *marketplace.RowError
// where a row is to blame; then none of its rows counts.
func ReadDeposits(r io.Reader) ([]Deposit, error) {
	text, err := io.ReadAll(io.LimitReader(r, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the bank's file: %w", err)
	}
	head, _, _ := strings.Cut(strings.TrimPrefix(string(text), "\ufeff"), "\n")
	rows := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff")))
	for _, mark := range ";\t" {
		if strings.ContainsRune(head, mark) {
			rows.Comma = mark
		}
	}
	names, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("the bank's file has no headings: %w", err)
	}
	at, err := depositPlaces(names)
	if err != nil {
		return nil, err
	}
	var out []Deposit
	for no := 2; ; no++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("row %d of the bank's file: %w", no, err)
		}
		if len(out) == mostDeposits {
			return nil, fmt.Errorf("the bank's file has more than %d rows", mostDeposits)
		}
		d, err := depositOf(no, row, at)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
}

// depositPlaces says where each column stands; -1: nowhere.
func depositPlaces(names []string) ([]int, error) {
	var at []int
	for i, known := range depositColumns {
		place := slices.IndexFunc(names, func(n string) bool { return slices.Contains(known, strings.ToLower(strings.TrimSpace(n))) })
		if place < 0 && i < 3 {
			return nil, fmt.Errorf("the bank's file has no column %s", known[0])
		}
		at = append(at, place)
	}
	return at, nil
}

func depositOf(no int, row []string, at []int) (Deposit, error) {
	cell := func(i int) string {
		if at[i] < 0 {
			return ""
		}
		return strings.TrimSpace(row[at[i]])
	}
	amount, err := money.Parse(cell(1), strings.ToUpper(cell(2)))
	if err != nil {
		return Deposit{}, &marketplace.RowError{Row: no, Column: "amount", Value: cell(1), Reason: err.Error()}
	}
	d := Deposit{Day: cell(0), Amount: amount, BankRef: cell(3), Payout: cell(4), Note: cell(5), Origin: DepositBank}
	if err := d.check(); err != nil {
		return Deposit{}, &marketplace.RowError{Row: no, Column: "", Value: strings.Join(row, " "), Reason: strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	return d, nil
}

// KeysOf name deposits of one file among those of a bank: equal ones of a file are told apart by their
// place among each other, so that a file that overlaps with an earlier one enters nothing twice.
func KeysOf(deposits []Deposit) []string {
	seen := map[string]int{}
	var out []string
	for _, d := range deposits {
		key := fmt.Sprintf("%s/%s/%s/%s", d.Day, d.Amount, d.BankRef, d.Payout)
		n := seen[key]
		if seen[key]++; n > 0 {
			key = fmt.Sprintf("%s/%d", key, n)
		}
		out = append(out, key)
	}
	return out
}
