package payout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Chart says on which account of the books each category is entered. Clearing takes what the
// channel owes until it is paid, Bank what it has paid.
type Chart struct {
	Clearing   string                          `json:"clearing"`
	Bank       string                          `json:"bank"`
	Categories map[marketplace.Category]string `json:"categories"`
}

// DefaultChart has an account for every category but unclassified: that one is entered only when
// somebody has said where.
func DefaultChart() Chart {
	c := Chart{Clearing: "Assets:Clearing", Bank: "Assets:Bank", Categories: map[marketplace.Category]string{}}
	for account, list := range map[string][]marketplace.Category{
		"Income:Sales":              {marketplace.Principal, marketplace.GiftWrapCharged},
		"Income:Shipping":           {marketplace.ShippingCharged},
		"Income:Discounts":          {marketplace.SellerDiscount, marketplace.ChannelDiscount},
		"Income:Refunds":            {marketplace.RefundPrincipal, marketplace.RefundShipping, marketplace.Chargeback, marketplace.ChargebackReversal},
		"Income:Compensation":       {marketplace.ClaimReimbursement, marketplace.Compensation},
		"Liabilities:SalesTax":      {marketplace.TaxCharged, marketplace.TaxByChannelCollected, marketplace.RefundTax},
		"Liabilities:Loans":         {marketplace.Loan},
		"Expenses:Fees:Commission":  {marketplace.Commission, marketplace.FeeRefund, marketplace.RefundAdminFee},
		"Expenses:Fees:Payment":     {marketplace.PaymentFee},
		"Expenses:Fees:Services":    {marketplace.ServiceFee, marketplace.FixedFee, marketplace.AffiliateFee, marketplace.SubscriptionFee, marketplace.Penalty},
		"Expenses:Fees:Fulfillment": {marketplace.FulfilmentFee, marketplace.StorageFee},
		"Expenses:Fees:Tax":         {marketplace.FeeTax},
		"Expenses:Shipping":         {marketplace.ShippingCost, marketplace.ShippingRebate},
		"Expenses:Advertising":      {marketplace.Advertising},
		"Assets:TaxWithheld":        {marketplace.WithheldVAT, marketplace.WithheldIncome},
		"Assets:Reserve":            {marketplace.ReserveHold, marketplace.ReserveRelease},
		"Assets:Transfers":          {marketplace.BalanceTransfer},
		"Expenses:FX":               {marketplace.FXDifference},
		"Expenses:Corrections":      {marketplace.Correction},
	} {
		for _, category := range list {
			c.Categories[category] = account
		}
	}
	return c
}

// chart is the account's own, or the built-in one.
func (a Account) chart() Chart {
	if a.Chart.Categories == nil {
		return DefaultChart()
	}
	return a.Chart
}

// same reports that two charts enter everything alike.
func (c Chart) same(o Chart) bool {
	return c.Clearing == o.Clearing && c.Bank == o.Bank && maps.Equal(c.Categories, o.Categories)
}

// dated is how an account's payouts are entered, from when on. An entry is never edited: what was
// entered on an account, and in a month of a zone, stays there when these change.
type dated struct {
	from  time.Time
	chart Chart
	zone  string
}

// history is what the entries of a payout depend on beside its lines.
type history struct {
	people *People
	base   *Closing // the last closed month before what the report is about; nil: none
	tells  bool     // the report tells what has become known since it was closed
	own    bool     // the payout as it is now is the report's to enter
}

// books is how a revision of a payout is entered: as held when it was imported. What had no account
// then has the first it was given since.
func (h history) books(rev connector.Payout, a Account) (Chart, string) {
	all, base := h.people.books, 0
	if len(all) == 0 {
		return a.chart(), a.Zone
	}
	for i, d := range all {
		if !d.from.After(rev.ImportedAt) {
			base = i
		}
	}
	chart := all[base].chart
	chart.Categories = maps.Collect(maps.All(chart.Categories))
	for _, d := range append(slices.Clone(all[base+1:]), dated{chart: a.chart()}) {
		for category, account := range d.chart.Categories {
			if chart.Categories[category] == "" {
				chart.Categories[category] = account
			}
		}
	}
	return chart, all[base].zone
}

// entered is the last revision that the journals of closed months before the report hold; 0: none.
func (h history) entered(revisions []connector.Payout) (last int) {
	if h.base == nil {
		return 0
	}
	for _, at := range h.people.months() {
		if at.To.After(h.base.To) {
			continue
		}
		for _, rev := range revisions {
			if at.knew(rev) && at.upTo(h.people, settledAt(rev)) != "" {
				last = max(last, rev.Revision)
			}
		}
	}
	return last
}

// knew reports a revision that counted by what was known when a month was closed.
func (c Closing) knew(rev connector.Payout) bool {
	return !rev.ImportedAt.After(c.KnownAt) && (rev.SupersededAt.IsZero() || rev.SupersededAt.After(c.KnownAt))
}

// day is on which a revision's entries are entered, where that is not their own: it came after its
// month was closed.
func (h history) day(rev connector.Payout, zone string) (time.Time, bool) {
	c, closed := h.people.closedMonth(settledAt(rev))
	return dayOf(rev.ImportedAt, zone), closed && rev.ImportedAt.After(c.KnownAt)
}

// UnmappedError says that a journal cannot be made: categories have no account.
type UnmappedError struct{ Categories []marketplace.Category }

func (e *UnmappedError) Error() string {
	return fmt.Sprintf("no account is given for %v; nothing was exported", e.Categories)
}

// Posting is one line of an entry. Positive is a debit.
type Posting struct {
	Account     string
	Amount      money.Money
	Description string
}

// Entry is one balanced entry of a journal: a payout's part of a calendar month in the account's
// zone and one currency, or the reversal of such a part. Its number is made of what it is about, so that exporting
// again gives the same numbers; an entry is never edited, a payout issued anew reverses the
// earlier one's.
type Entry struct {
	Number      string
	Date        time.Time // the day, at midnight UTC
	Description string
	Payout      string // the channel's number
	Account     connector.ConnectionID
	Postings    []Posting
}

// balanced reports that an entry's postings come to nothing.
func (e Entry) balanced() error {
	var all []money.Money
	for _, p := range e.Postings {
		all = append(all, p.Amount)
	}
	sum, err := money.Sum(all...)
	if err != nil {
		return fmt.Errorf("journal entry %s: %w", e.Number, err)
	}
	if !sum.IsZero() {
		return fmt.Errorf("journal entry %s does not balance: %s are left", e.Number, sum)
	}
	return nil
}

// ErrNotWhole says that a journal is of whole payouts, and the report is not.
var ErrNotWhole = errors.New("a journal is of whole payouts: ask by paid_at")

// Journal makes the entries of a report's payouts, earlier revisions and their reversals included.
// What the journal of a closed month holds is not entered again but taken back where it holds no more.
func Journal(ctx context.Context, store connector.Payouts, r *Report) ([]Entry, error) {
	if !r.Query.byPaid() {
		return nil, ErrNotWhole
	}
	var out []Entry
	for _, p := range r.PayoutRows() {
		entries, err := entriesOf(ctx, store, p)
		if err != nil {
			return nil, err
		}
		out = append(out, entries...)
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.Number, b.Number)) })
	return out, nil
}

// entriesOf makes the entries of a payout's revisions up to the one that counts, and what takes
// superseded ones back.
func entriesOf(ctx context.Context, store connector.Payouts, p PayoutRow) ([]Entry, error) {
	all, err := store.PayoutList(ctx, connector.PayoutFilter{Accounts: []connector.ConnectionID{p.Account.ID}, External: []string{p.External}, All: true})
	if err != nil {
		return nil, fmt.Errorf("the revisions of payout %s: %w", p.External, err)
	}
	h := p.history
	var out []Entry
	then := h.entered(all)
	for _, rev := range all {
		if rev.Revision > p.Revision || rev.Revision < then {
			continue // later than what the report knows, or taken back before
		}
		here := h.own && rev.Revision > then
		back := rev.Revision < p.Revision && (here || h.tells && rev.Revision == then && h.base.knew(rev))
		if !here && !back {
			continue // another report enters it
		}
		chart, zone := h.books(rev, p.Account)
		lines := func(yield func(connector.PayoutLine) error) error {
			return store.PayoutLines(ctx, connector.LineFilter{Payouts: []int64{rev.ID}}, yield)
		}
		entries, err := EntriesOf(rev, lines, zone, chart)
		if err != nil {
			return nil, err
		}
		if day, other := h.day(rev, zone); other {
			for i := range entries {
				entries[i].Date = day
			}
		}
		if here {
			out = append(out, entries...)
		}
		if back {
			out = append(out, reversed(entries, rev.SupersededAt, zone)...)
		}
	}
	return out, nil
}

// EntriesOf makes the entries of one revision of a payout, whose lines are handed over one by one:
// an entry for each month they were posted in, and for each currency: what is in another than the
// payout's is an entry of its own. All of them end on the clearing account; the payout's last also
// moves what was paid from there to the bank, unless it did not arrive.
func EntriesOf(p connector.Payout, lines func(yield func(connector.PayoutLine) error) error, zone string, chart Chart) ([]Entry, error) {
	sums := newMonths(p, zone)
	if err := lines(sums.add); err != nil {
		return nil, fmt.Errorf("the lines of payout %s: %w", p.External, err)
	}
	if missing := unmapped(sums.by, chart); len(missing) > 0 {
		return nil, &UnmappedError{missing}
	}
	var out []Entry
	settled := sums.key(settledAt(p), p.Currency) // no line has a later month
	for _, k := range slices.SortedFunc(maps.Keys(sums.by), settled.compare) {
		e, err := part(p, k, sums.by[k], chart)
		if err != nil {
			return nil, err
		}
		if k.month == settled.month {
			e.Date = dayOf(settledAt(p), zone)
		}
		out = append(out, e)
	}
	if last := &out[len(out)-1]; !p.Paid.IsZero() && arrived(p) {
		last.Postings = append(last.Postings, Posting{chart.Bank, p.Paid, "paid"}, Posting{chart.Clearing + ":" + string(p.Account), p.Paid.Neg(), "paid"})
	}
	out = slices.DeleteFunc(out, func(e Entry) bool { return len(e.Postings) == 0 })
	for _, e := range out {
		if err := e.balanced(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// arrived reports that nothing is known to have kept what was paid from the bank. What failed or came
// back is owed still.
func arrived(p connector.Payout) bool {
	return p.State != connector.PayoutFailed && p.State != connector.PayoutReturned
}

// partKey names what becomes one entry of a payout.
type partKey struct{ month, currency string }

// compare sorts by month; within one the payout's own currency, which is k's, comes last.
func (k partKey) compare(x, y partKey) int {
	own := func(p partKey) int {
		if p.currency == k.currency {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(x.month, y.month), cmp.Compare(own(x), own(y)), cmp.Compare(x.currency, y.currency))
}

// months are a payout's lines added up by the month they were posted in, by currency and by category.
type months struct {
	payout connector.Payout
	zone   string
	by     map[partKey]map[marketplace.Category]money.Money
}

// newMonths has the month of the payment: a payout without lines may have moved money too.
func newMonths(p connector.Payout, zone string) *months {
	m := &months{p, zone, map[partKey]map[marketplace.Category]money.Money{}}
	m.by[m.key(settledAt(p), p.Currency)] = map[marketplace.Category]money.Money{}
	return m
}

func (m *months) key(at time.Time, currency string) partKey {
	return partKey{dayOf(at, m.zone).Format("2006-01"), currency}
}

func (m *months) add(l connector.PayoutLine) error {
	at := l.PostedAt
	if at.IsZero() || at.After(settledAt(m.payout)) {
		at = settledAt(m.payout)
	}
	k, c := m.key(at, l.Amount.Currency), marketplace.Category(l.Category)
	if m.by[k] == nil {
		m.by[k] = map[marketplace.Category]money.Money{}
	}
	sum, err := m.by[k][c].Add(l.Amount)
	m.by[k][c] = sum
	return err
}

func unmapped(sums map[partKey]map[marketplace.Category]money.Money, chart Chart) (out []marketplace.Category) {
	for _, c := range append(marketplace.Categories(), "") {
		for _, part := range sums {
			if v, ok := part[c]; ok && !v.IsZero() && chart.Categories[c] == "" && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// part is a payout's entry of one month and currency, dated at the month's end.
func part(p connector.Payout, k partKey, sums map[marketplace.Category]money.Money, chart Chart) (Entry, error) {
	first, err := time.Parse("2006-01", k.month)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Number: fmt.Sprintf("%s-%s-%d-%s", p.Account, p.External, p.Revision, strings.ReplaceAll(k.month, "-", "")), Date: first.AddDate(0, 1, -1),
		Description: fmt.Sprintf("Payout %s of %s, revision %d, lines of %s", p.External, p.Account, p.Revision, k.month), Payout: p.External, Account: p.Account}
	if k.currency != p.Currency {
		e.Number, e.Description = e.Number+"-"+k.currency, e.Description+" in "+k.currency
	}
	total := money.New(0, k.currency)
	for _, c := range marketplace.Categories() {
		v, ok := sums[c]
		if !ok || v.IsZero() {
			continue
		}
		e.Postings = append(e.Postings, Posting{chart.Categories[c], v.Neg(), string(c)})
		if total, err = total.Add(v); err != nil {
			return e, fmt.Errorf("payout %s: %w", p.External, err)
		}
	}
	if !total.IsZero() {
		e.Postings = append(e.Postings, Posting{chart.Clearing + ":" + string(p.Account), total, "owed by the channel"})
	}
	return e, nil
}

// reversed takes entries back, on the day the payout was issued anew.
func reversed(entries []Entry, at time.Time, zone string) []Entry {
	out := make([]Entry, 0, len(entries))
	for _, e := range entries {
		r := e
		r.Number, r.Date, r.Description, r.Postings = e.Number+"-R", dayOf(at, zone), "Reversal: "+e.Description, nil
		for _, p := range e.Postings {
			r.Postings = append(r.Postings, Posting{p.Account, p.Amount.Neg(), p.Description})
		}
		out = append(out, r)
	}
	return out
}

// dayOf is an instant's day in a zone, at midnight UTC.
func dayOf(t time.Time, zone string) time.Time {
	y, m, d := t.In(order.Zone(zone)).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
