package payout

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

// Scope is what kind of thing a finding is about.
type Scope string

const (
	OfOrder   Scope = "order"
	OfLine    Scope = "line"
	OfPayout  Scope = "payout"
	OfDeposit Scope = "deposit"
	OfAccount Scope = "account" // a month of it
)

// Scopes lists them.
func Scopes() []Scope { return []Scope{OfOrder, OfLine, OfPayout, OfDeposit, OfAccount} }

// ToleranceDrift is the outcome of a month whose tolerated differences, small as each is, come to
// too much in one direction.
const ToleranceDrift Outcome = "tolerance_drift"

// NotProven is the outcome of a payout whose lines do not come to what was paid.
const NotProven Outcome = "not_proven"

// Subject names what a finding is about, the same whatever becomes known of it.
type Subject struct {
	Scope    Scope  `json:"scope"`
	Ref      string `json:"ref"`              // the channel's number of an order or payout, a line's key, a deposit, a month
	Payout   string `json:"payout,omitempty"` // of a line: the channel's number of its payout
	Currency string `json:"currency"`
}

// Finding is something that somebody has to look at, or had to.
type Finding struct {
	ID         string
	Account    connector.ConnectionID
	Subject    Subject
	Outcome    Outcome // "": it is not there any more
	Causes     []Cause
	Difference int64
	Store      string // of an order: the mirrored one, and the store's own number
	Name       string
	Text       string // of a line: the channel's words
	DueAt      time.Time
	Payouts    []string // the channel's numbers

	State      State
	Progress   Progress
	Claim      ClaimState // where its claim stands; "": there is none
	Reimbursed int64      // what has come for the claim

	reimbursed int64 // what the order's lines have reimbursed in all
}

// id names a finding outside: the same in every database.
func (s Subject) id(account connector.ConnectionID) string {
	return "fi_" + short(string(account), string(s.Scope), s.Ref, s.Payout, s.Currency)
}

// OpenedAt is when the finding was first seen; zero: nobody has looked yet.
func (f Finding) OpenedAt() time.Time {
	if len(f.Progress.Said) == 0 {
		return time.Time{}
	}
	return f.Progress.Said[0].At
}

// causes are the sums of its causes, by code; nil: there are none.
func (f Finding) causes() map[CauseCode]int64 {
	var out map[CauseCode]int64
	for _, c := range f.Causes {
		if out == nil {
			out = map[CauseCode]int64{}
		}
		if out[c.Code] += c.Amount; out[c.Code] == 0 {
			delete(out, c.Code)
		}
	}
	return out
}

// Amount is the finding's difference with its currency.
func (f Finding) Amount() money.Money { return money.New(f.Difference, f.Subject.Currency) }

// Review reads an account's books for what somebody has to look at, or had to: findings that there
// are now, and those that were and are not any more, the greatest difference first.
func Review(ctx context.Context, k Keep, a Account, now time.Time) (*Books, []Finding, error) {
	var out []Finding
	b, err := Read(ctx, k, a, time.Time{}, now, func(b *Books, o Order) error {
		if f, found := b.ofOrder(o); found {
			out = append(out, f)
		}
		for _, v := range o.Lines {
			if v.Outcome == Unclassified {
				out = append(out, b.ofLine(v))
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return b, b.findings(out), nil
}

// findings adds to those of orders and their lines the others.
func (b *Books) findings(out []Finding) []Finding {
	for _, v := range b.Loose {
		if v.Outcome != NonOrder {
			out = append(out, b.ofLine(v))
		}
	}
	for _, list := range [][]Finding{b.payoutFindings(), b.depositFindings(), b.driftFindings()} {
		out = append(out, list...)
	}
	there := map[string]bool{}
	for _, f := range out {
		there[f.ID] = true
	}
	for id, p := range b.People.findings {
		if !there[id] && len(p.Said) > 0 {
			out = append(out, b.finding(p.Said[len(p.Said)-1].Subject, "", 0, nil))
		}
	}
	abs := func(n int64) int64 { return max(n, -n) }
	slices.SortFunc(out, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(abs(y.Difference), abs(x.Difference)), strings.Compare(x.ID, y.ID))
	})
	return out
}

// finding puts together what is so and what people have done about it.
func (b *Books) finding(s Subject, outcome Outcome, difference int64, o *Order) Finding {
	f := Finding{ID: s.id(b.Account.ID), Account: b.Account.ID, Subject: s, Outcome: outcome, Difference: difference, Progress: Progress{State: New}}
	if o != nil {
		f.reimbursed, f.Causes = o.reimbursed(), o.Causes
	}
	return b.standing(f)
}

// standing is a finding with all that people have done about it up to now.
func (b *Books) standing(f Finding) Finding {
	if p := b.People.findings[f.ID]; p != nil {
		f.Progress = *p
	}
	if c := f.Progress.Claim; c != nil {
		f.Reimbursed = c.received(f.reimbursed)
		f.Claim = c.now(f.Reimbursed, b.Now)
	}
	f.State = f.Progress.now(f, b.Now)
	return f
}

// reimbursed is what the lines of an order have reimbursed.
func (o Order) reimbursed() (sum int64) {
	for _, v := range o.Lines {
		if reimbursing(v.Line.Category) {
			sum += v.Line.Amount.Minor
		}
	}
	return sum
}

// progressOf is what was done about an order's finding; nil: nothing.
func (b *Books) progressOf(o Order) *Progress {
	if len(b.People.findings) == 0 {
		return nil
	}
	return b.People.findings[Subject{Scope: OfOrder, Ref: o.Ref, Currency: o.Currency}.id(b.Account.ID)]
}

// ofOrder is the finding about an order; false when there is none and never was.
func (b *Books) ofOrder(o Order) (Finding, bool) {
	if !o.finding() && len(b.People.findings) == 0 {
		return Finding{}, false
	}
	s := Subject{Scope: OfOrder, Ref: o.Ref, Currency: o.Currency}
	outcome, difference := o.Outcome, o.Difference
	if !o.finding() {
		if b.People.findings[s.id(b.Account.ID)] == nil {
			return Finding{}, false
		}
		outcome = ""
	}
	f := b.finding(s, outcome, difference, &o)
	f.Store, f.Name, f.DueAt = o.Facts.Store, o.Facts.Name, o.DueAt
	for _, sh := range o.Shares {
		f.Payouts = append(f.Payouts, b.Of(sh.Payout).External)
	}
	return f, true
}

// ofLine is the finding about a line that should belong to an order and names none, or that nobody
// has classified.
func (b *Books) ofLine(v Verdict) Finding {
	p := b.Payouts[v.Rank]
	f := b.finding(Subject{OfLine, v.Line.Key, p.External, v.Line.Amount.Currency}, v.Outcome, v.Line.Amount.Minor, nil)
	f.Text, f.Payouts = strings.TrimSpace(v.Line.NativeType+" "+v.Line.NativeText), []string{p.External}
	return f
}

// payoutFindings are payouts that do not add up, and whose money did not arrive, or not all of it.
func (b *Books) payoutFindings() (out []Finding) {
	for _, p := range b.Payouts {
		s := Subject{Scope: OfPayout, Ref: p.External, Currency: p.Currency}
		seen := b.Seen[p.External]
		switch o := p.Outcome(); {
		case o == string(NotProven):
			out = append(out, b.finding(s, NotProven, p.Bridge.Gap, nil))
		case o == string(connector.PayoutFailed), o == string(connector.PayoutReturned):
			out = append(out, b.finding(s, Outcome(o), -p.Payout.Paid.Minor, nil))
		case seen.Outcome == Differs:
			out = append(out, b.finding(s, Differs, seen.more, nil))
		}
	}
	return out
}

func (b *Books) depositFindings() (out []Finding) {
	for _, d := range b.Deposits {
		if d.Outcome == WithoutPayout || d.Outcome == Outcome(connector.PayoutFailed) {
			out = append(out, b.finding(Subject{Scope: OfDeposit, Ref: d.ID, Currency: d.Amount.Currency}, d.Outcome, d.Amount.Minor, nil))
		}
	}
	return out
}

// drifted is a month whose tolerated differences come to too much.
type drifted struct {
	month, currency string
	sum             int64
}

// tolerated is what the orders of each month and currency have brought, and what was tolerated of
// their differences.
type tolerated map[monthly]*toleratedSums

type monthly struct{ month, currency string }

type toleratedSums struct {
	load           load
	tolerated, net int64
}

// add counts an order in the month it was last settled in.
func (t tolerated) add(o Order, zone string) error {
	if o.Last.IsZero() {
		return nil
	}
	at := monthly{monthOf(o.Last, zone), o.Currency}
	s := t[at]
	if s == nil {
		s = &toleratedSums{}
		t[at] = s
	}
	if err := s.load.add(o.Actual); err != nil {
		return fmt.Errorf("the orders of %s: %w", at.month, err)
	}
	s.net += o.Actual
	for _, c := range o.Causes {
		if c.Code == CauseRounding {
			s.tolerated += c.Amount
		}
	}
	return nil
}

// drifting finds months in which the tolerated differences of a currency come, in one direction, to
// more than the account lets pass: many small differences of one sign are a wrong tariff.
func (b *Books) drifting() (out []drifted) {
	for at, s := range b.months {
		if limit := rate(max(s.net, -s.net), b.Account.drift()); s.tolerated > limit || -s.tolerated > limit {
			out = append(out, drifted{at.month, at.currency, s.tolerated})
		}
	}
	return out
}

func (b *Books) driftFindings() (out []Finding) {
	for _, d := range b.drifts {
		out = append(out, b.finding(Subject{Scope: OfAccount, Ref: d.month, Currency: d.currency}, ToleranceDrift, d.sum, nil))
	}
	return out
}
