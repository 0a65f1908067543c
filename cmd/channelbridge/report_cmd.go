package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/connector/payout"
	"channelbridge/internal/label"
	"channelbridge/marketplace"
)

func newReport(a *app) *cobra.Command {
	return group("report", "Reports for operators", newReportPayouts(a))
}

// asked is what the command line says of a report.
type asked struct {
	account, level, format, basis, from, to, asOf, currency, least, text, sort, locale string
	payouts, outcomes, causes, categories, columns                                     []string
	bom                                                                                bool
	delimiter                                                                          string
}

func newReportPayouts(a *app) *cobra.Command {
	var q asked
	c := &cobra.Command{
		Use:   "payouts",
		Short: "Hold what channels have paid against what their orders should bring",
		Long: `Hold what channels have paid against what their orders should bring: for every payout that its
lines add up to what was paid, which order brought what, what was expected, and the causes of
every difference. Levels are summary, payout, order, line and unsettled (money that is still to come).`,
		Example: `  channelbridge report payouts --from 2026-11-01 --to 2026-12-01
  channelbridge report payouts --level unsettled --locale vi
  channelbridge report payouts --outcome fee_variance --format csv > fees.csv
  channelbridge report payouts --level line --payout 11888387941
  channelbridge report payouts --account amazon-us --from 2026-11-01 --to 2026-12-01 --format journal-text >> books.ledger`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				if _, known := label.Parse(q.locale); q.locale != "" && !known {
					return usage("--locale %s: it is en, vi or th", q.locale)
				}
				query, err := q.query(b.cfg.TimeZone)
				if err != nil {
					return err
				}
				if strings.HasPrefix(q.format, "journal-") && query.Basis != payout.ByPaid {
					return usage("--basis %s: a journal is of whole payouts, by paid_at", q.basis)
				}
				r, err := books{b}.Report(cmd.Context(), accountsOf(b, q.account), query)
				if err != nil {
					return fmt.Errorf("the payout report: %w", err)
				}
				if strings.HasPrefix(q.format, "journal-") {
					return a.printJournal(cmd.Context(), b, r, q)
				}
				return a.printReport(r, q)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&q.account, "account", "", "only this channel")
	f.StringVar(&q.level, "level", "order", "summary, payout, order, line or unsettled")
	f.StringVar(&q.format, "format", "", "table (the default), json, ndjson or csv; journal-text, journal-csv or journal-json for the books")
	f.StringArrayVar(&q.payouts, "payout", nil, "only these payouts, by the channel's number")
	f.StringVar(&q.from, "from", "", "from this day or instant on")
	f.StringVar(&q.to, "to", "", "before this day or instant")
	f.StringVar(&q.basis, "basis", "paid_at", "what from and to are about: paid_at, posted_at, order_placed_at or due_at")
	f.StringVar(&q.asOf, "as-of", "", "what was known at this instant")
	f.StringVar(&q.currency, "currency", "", "only this currency")
	f.StringArrayVar(&q.outcomes, "outcome", nil, "only orders with these outcomes")
	f.StringArrayVar(&q.causes, "cause", nil, "only orders with these causes")
	f.StringArrayVar(&q.categories, "category", nil, "only what has these categories")
	f.StringVar(&q.least, "min-difference", "", "only orders that differ by at least so much")
	f.StringVar(&q.text, "q", "", "only orders with this in their numbers, payouts or SKUs")
	f.StringVar(&q.sort, "sort", "-abs_difference", "-abs_difference, due_at, posted_at or order")
	f.StringSliceVar(&q.columns, "columns", nil, "csv: only these columns, in this order")
	f.BoolVar(&q.bom, "bom", false, "csv: begin with a byte order mark, for spreadsheet programs")
	f.StringVar(&q.locale, "locale", "", "table: outcomes, causes and categories in words of this language instead of codes: en, vi or th")
	f.StringVar(&q.delimiter, "delimiter", ",", "csv: what stands between two columns")
	return c
}

// query reads the command line.
func (q asked) query(zone string) (payout.Query, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return payout.Query{}, err
	}
	out := payout.Query{Payouts: q.payouts, Basis: payout.Basis(q.basis), Text: q.text, MinDiff: q.least, Sort: q.sort}
	for _, x := range []struct {
		flag, text string
		to         *time.Time
	}{{"--from", q.from, &out.From}, {"--to", q.to, &out.To}, {"--as-of", q.asOf, &out.AsOf}} {
		if *x.to, err = payout.ReadInstant(x.text, loc); err != nil {
			return out, usage("%s: %s", x.flag, err)
		}
	}
	if payout.IsDay(q.from) { // of each account's zone
		out.From, out.FromDay = time.Time{}, q.from
	}
	if payout.IsDay(q.to) {
		out.To, out.ToDay = time.Time{}, q.to
	}
	if !slices.Contains(payout.Levels(), q.level) {
		return out, usage("--level %s: it is summary, payout, order, line or unsettled", q.level)
	}
	if !slices.Contains([]payout.Basis{payout.ByPaid, payout.ByPosted, payout.ByPlaced, payout.ByDue}, out.Basis) {
		return out, usage("--basis %s: it is paid_at, posted_at, order_placed_at or due_at", q.basis)
	}
	if q.currency != "" {
		out.Currencies = []string{strings.ToUpper(q.currency)}
	}
	for _, o := range q.outcomes {
		out.Outcomes = append(out.Outcomes, payout.Outcome(o))
	}
	for _, c := range q.causes {
		out.Causes = append(out.Causes, payout.CauseCode(c))
	}
	for _, c := range q.categories {
		out.Categories = append(out.Categories, marketplace.Category(c))
	}
	return out, nil
}

// printView writes a report as --json shows it, row by row.
func (a *app) printView(r *payout.Report, level string) error {
	out := bufio.NewWriter(a.stdout)
	summary := []payout.SummaryJSON{}
	for _, s := range r.Summary {
		summary = append(summary, s.JSON())
	}
	parts := []struct {
		name string
		is   any
	}{{"report_version", payout.Version}, {"snapshot_id", r.Snapshot}, {"summary", summary}}
	for i, p := range parts {
		_, _ = out.WriteString([]string{"{", ",", ","}[i] + "\n  " + strconv.Quote(p.name) + ": ") // Flush tells
		if err := indented(out, "  ", p.is); err != nil {
			return err
		}
	}
	if level != "summary" {
		if err := rowsIn(out, objects(r, level)); err != nil {
			return err
		}
	}
	_, _ = out.WriteString("\n}\n")
	return out.Flush()
}

// rowsIn adds rows to an object.
func rowsIn(out *bufio.Writer, rows iter.Seq2[any, error]) error {
	_, _ = out.WriteString(",\n  \"rows\": [")
	between := "\n    "
	for row, err := range rows {
		if err != nil {
			return err
		}
		_, _ = out.WriteString(between)
		if err := indented(out, "    ", row); err != nil {
			return err
		}
		between = ",\n    "
	}
	_, _ = out.WriteString("]")
	return nil
}

// indented writes a value inside of another.
func indented(out *bufio.Writer, prefix string, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent(prefix, "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := out.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return err
}

// objects are a level's rows as programs see them: orders as they are, the others by column, empty
// cells left out.
func objects(r *payout.Report, level string) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		if level == "order" || level == "unsettled" {
			for o, err := range r.OrderRows(level).All() {
				if !yield(o.JSON(), err) || err != nil {
					return
				}
			}
			return
		}
		for t, err := range r.Pieces(level, "") {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, cells := range t.Rows {
				o := map[string]string{}
				for i, c := range cells {
					if c.Text != "" {
						o[t.Columns[i]] = c.Text
					}
				}
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

func (a *app) printReport(r *payout.Report, q asked) error {
	switch {
	case q.format == "json" || a.asJSON:
		return a.printView(r, q.level)
	case q.format == "ndjson":
		return a.printLines(r, q.level)
	case q.format == "csv":
		return a.printCSV(r, q)
	case q.format != "" && q.format != "table":
		return usage("--format %s: it is table, json, ndjson, csv, journal-text, journal-csv or journal-json", q.format)
	case q.level == "summary":
		return a.printBridge(r, label.Language(q.locale))
	}
	return a.printRows(r, q.level, label.Language(q.locale))
}

func (a *app) printCSV(r *payout.Report, q asked) error {
	o := payout.CSVOptions{BOM: q.bom}
	if d := []rune(q.delimiter); len(d) == 1 {
		o.Delimiter = d[0]
	}
	for t, err := range r.Pieces(q.level, "") {
		if err != nil {
			return err
		}
		picked, missing, ok := t.Pick(q.columns)
		if !ok {
			return usage("--columns: there is no column %q at level %s", missing, q.level)
		}
		if err := picked.WriteCSV(a.stdout, o); err != nil {
			return err
		}
		o.Bare = true
	}
	return nil
}

func (a *app) printLines(r *payout.Report, level string) error {
	out := json.NewEncoder(a.stdout)
	for row, err := range objects(r, level) {
		if err != nil {
			return err
		}
		if err := out.Encode(row); err != nil {
			return err
		}
	}
	return nil
}

// shownColumns are what a terminal has room for.
var shownColumns = map[string][]string{
	"payout":    {"payout_external_id", "account", "state", "outcome", "paid_at", "currency", "paid", "proof_gap", "orders", "lines", "open_findings", "open_difference"},
	"line":      {"payout_external_id", "line_no", "outcome", "category", "channel_order_id", "sku", "currency", "amount", "difference"},
	"order":     {"outcome", "channel_order_id", "store_order_name", "currency", "expected_net", "actual_net", "difference", "cause_1", "cause_1_amount", "payout_external_ids"},
	"unsettled": {"outcome", "channel_order_id", "store_order_name", "placed_at", "due_at", "currency", "expected_net", "age_days"},
}

// codedColumns are those of them that hold codes, and which.
var codedColumns = map[string]label.Kind{"outcome": label.Outcomes, "cause_1": label.Causes, "category": label.Categories, "state": label.PayoutStates}

// shownCell is a cell in a language; "" leaves codes as they are.
func shownCell(l label.Language, level, column, text string) string {
	k := codedColumns[column]
	if level == "payout" && column == "outcome" {
		k = label.PayoutOutcomes
	}
	if l == "" || k == "" {
		return orDash(text)
	}
	return orDash(or(label.Of(l, k, text), text))
}

func (a *app) printRows(r *payout.Report, level string, l label.Language) error {
	all, err := r.Table(level, 0, r.Len(level), "")
	if err != nil {
		return err
	}
	t, _, _ := all.Pick(shownColumns[level])
	var rows [][]string
	for _, cells := range t.Rows {
		var row []string
		for i, c := range cells {
			row = append(row, shownCell(l, level, t.Columns[i], c.Text))
		}
		rows = append(rows, row)
	}
	heading := strings.ToUpper(strings.Join(shownColumns[level], "\t"))
	if err := table(a.stdout, strings.ReplaceAll(heading, "_", " "), rows); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	return a.printBridge(r, l)
}
