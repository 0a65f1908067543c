package payout

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// PayoutRow is one payout of a report.
type PayoutRow struct {
	Account Account
	Paid
	Unmatched int   // lines that name no order they should name, or that nobody has classified
	Findings  int   // orders of it that somebody has to look at
	Open      int64 // this payout's part of their differences
	Seen      Seen  // at the bank
	// Prior is the closed month it belongs to, where it has come, or was issued anew, after that month
	// was closed; "": it is no news of a closed month.
	Prior string

	columns map[string]int64 // of its lines, by the payout level's columns
	asked   bool             // one of its lines is
	history history
}

// OrderRow is one order of a report. Of its facts, lines and shares it has what shows: a line and a
// share name their payout by its place among Payouts.
type OrderRow struct {
	Account Account
	Order
	Payouts []string // the channel's numbers, in the order of time
	Age     int      // days since it was due, in the account's zone; 0: not due
	// Selected is the part of Actual that lies in the report's payouts.
	Selected int64
	Work     *Work // nil: there is nothing to do about it, and never was
	// Prior is the closed month the order belongs to, where something else was known of it when that
	// month was closed; "": it is no news of a closed month.
	Prior string

	revisions []int // of Payouts
}

// Work is what people have done about an order's finding.
type Work struct {
	Finding  string // its id
	State    State
	Assignee string
	Note     string // the last one
	Claim    *ClaimJSON
}

// LineRow is one line of a report.
type LineRow struct {
	Account *Account
	Payout  *connector.Payout
	Verdict
	Ref   string // the order it belongs to, by the channel's number; "" when it belongs to none
	Store string // the mirrored order
}

func workOf(f Finding) *Work {
	return &Work{f.ID, f.State, f.Progress.Assignee, f.Progress.note(), f.ClaimJSON()}
}

// payout is the place among Payouts as it is named outside.
func (o OrderRow) payout(place int64) string {
	return ID(connector.Payout{Account: o.Account.ID, External: o.Payouts[place], Revision: o.revisions[place]})
}

// state is what people have done about a row; "": there is nothing to do.
func (o OrderRow) state() State {
	if o.Work == nil {
		return ""
	}
	return o.Work.State
}

func (o OrderRow) assignee() string {
	if o.Work == nil {
		return ""
	}
	return o.Work.Assignee
}

// mentions looks for a text in what names the order; its facts have to be whole.
func (o OrderRow) mentions(text string) bool {
	texts := append([]string{o.Ref, o.Facts.Store, o.Facts.Name}, o.Payouts...)
	for _, i := range o.Facts.Items {
		texts = append(texts, i.SKU)
	}
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(text)) })
}

// order writes an order's row.
func (r *record) order(account int, o OrderRow) error {
	f := o.Facts
	r.number(int64(account))
	r.text(o.Ref, o.Currency, f.Store, f.Name, string(o.Outcome), o.Prior)
	r.yes(o.InStore)
	r.instant(f.PlacedAt, f.ShippedAt, f.Delivered, o.DueAt, o.First, o.Last)
	r.number(o.Expected, o.Actual, o.Difference, o.Selected, int64(o.Age))
	r.pairs(o.ByKind)
	r.number(int64(len(o.Causes)))
	for _, c := range o.Causes {
		r.text(string(c.Code), string(c.Category), c.Tariff)
		r.number(c.Amount, c.Expected, c.Actual)
		r.yes(c.Told)
	}
	r.number(int64(len(o.Shares)))
	for i, s := range o.Shares {
		r.text(o.Payouts[i])
		r.number(int64(o.revisions[i]), s.Amount)
	}
	r.number(int64(len(o.Lines)))
	for _, v := range o.Lines { // causes name them
		r.number(int64(slices.IndexFunc(o.Shares, func(s Share) bool { return s.Payout == v.Line.Payout })))
		r.text(v.Line.Category, v.Line.Key)
	}
	if r.yes(o.Held != nil) {
		r.amount(o.Held.Amount)
		r.instant(o.Held.Until)
		r.text(o.Held.Reason)
	}
	return r.work(o.Work)
}

func (r *record) pairs(by map[marketplace.Category]Pair) {
	r.number(int64(len(by)))
	for _, c := range slices.Sorted(maps.Keys(by)) {
		p := by[c]
		r.text(string(c), p.Tariff)
		r.number(p.Expected, p.Actual)
		r.yes(p.Known)
	}
}

func (r *record) work(w *Work) error {
	if !r.yes(w != nil) {
		return nil
	}
	r.text(w.Finding, string(w.State), w.Assignee, w.Note)
	if !r.yes(w.Claim != nil) {
		return nil
	}
	claim, err := json.Marshal(w.Claim)
	if err != nil {
		return fmt.Errorf("claim %s: %w", w.Claim.ID, err)
	}
	r.text(string(claim))
	return nil
}

// order reads what was written of an order's row.
func (r *reader) order(accounts []Account) (o OrderRow) {
	if a := r.whole(); a >= 0 && a < len(accounts) {
		o.Account = accounts[a]
	} else {
		r.torn()
	}
	f := &o.Facts
	r.text(&o.Ref, &o.Currency, &f.Store, &f.Name, (*string)(&o.Outcome), &o.Prior)
	o.InStore = r.yes()
	r.instant(&f.PlacedAt, &f.ShippedAt, &f.Delivered, &o.DueAt, &o.First, &o.Last)
	r.number(&o.Expected, &o.Actual, &o.Difference, &o.Selected)
	o.Age = r.whole()
	o.ByKind = r.pairs()
	for range r.count() {
		var c Cause
		r.text((*string)(&c.Code), (*string)(&c.Category), &c.Tariff)
		r.number(&c.Amount, &c.Expected, &c.Actual)
		c.Told = r.yes()
		o.Causes = append(o.Causes, c)
	}
	for i := range r.count() {
		s, external := Share{Payout: int64(i)}, ""
		r.text(&external)
		o.revisions = append(o.revisions, r.whole())
		r.number(&s.Amount)
		o.Shares, o.Payouts = append(o.Shares, s), append(o.Payouts, external)
	}
	for range r.count() {
		var v Verdict
		r.number(&v.Line.Payout)
		r.text(&v.Line.Category, &v.Line.Key)
		o.Lines = append(o.Lines, v)
	}
	if r.yes() {
		o.Held = &Held{}
		r.amount(&o.Held.Amount)
		r.instant(&o.Held.Until)
		r.text(&o.Held.Reason)
	}
	o.Work = r.work()
	return o
}

func (r *reader) pairs() map[marketplace.Category]Pair {
	n := r.count()
	by := make(map[marketplace.Category]Pair, n)
	for range n {
		var c marketplace.Category
		var p Pair
		r.text((*string)(&c), &p.Tariff)
		r.number(&p.Expected, &p.Actual)
		p.Known = r.yes()
		by[c] = p
	}
	return by
}

func (r *reader) work() *Work {
	if !r.yes() {
		return nil
	}
	w, claim := &Work{}, ""
	r.text(&w.Finding, (*string)(&w.State), &w.Assignee, &w.Note)
	if r.yes() {
		r.text(&claim)
		w.Claim = &ClaimJSON{}
		if r.err == nil && json.Unmarshal([]byte(claim), w.Claim) != nil {
			r.torn()
		}
	}
	return w
}

// line writes a line's row; its payout is the place among the report's.
func (r *record) line(account, payout int, l LineRow) {
	v := l.Line
	r.number(int64(account), int64(payout))
	r.text(v.Key, v.Category, v.NativeType, v.NativeText, v.Order, v.Alias, v.Item, v.Refund, v.Shipment, v.SKU,
		string(l.Outcome), l.Rule, l.Confidence, l.Candidate, l.Ref, l.Store)
	r.amount(v.Amount)
	r.number(int64(v.No), int64(v.Quantity), l.Expected, l.Difference)
	r.instant(v.PostedAt)
}

// line reads what was written of a line's row.
func (r *reader) line(accounts []Account, payouts []PayoutRow) (l LineRow) {
	a, p := r.whole(), r.whole()
	if a >= 0 && a < len(accounts) && p >= 0 && p < len(payouts) {
		l.Account, l.Payout = &accounts[a], &payouts[p].Payout
	} else {
		r.torn()
	}
	v := &l.Line
	r.text(&v.Key, &v.Category, &v.NativeType, &v.NativeText, &v.Order, &v.Alias, &v.Item, &v.Refund, &v.Shipment, &v.SKU,
		(*string)(&l.Outcome), &l.Rule, &l.Confidence, &l.Candidate, &l.Ref, &l.Store)
	r.amount(&v.Amount)
	v.No, v.Quantity = r.whole(), r.whole()
	r.number(&l.Expected, &l.Difference)
	r.instant(&v.PostedAt)
	return l
}
