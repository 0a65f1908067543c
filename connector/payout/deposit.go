package payout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Origins of deposits.
const (
	DepositManual  = "manual"    // entered by a person
	DepositBank    = "bank_file" // read from the bank's file
	DepositChannel = "channel"   // the channel's own word of its transfer
)

// Deposit is money that was seen at the bank, or that the channel says it has sent there.
type Deposit struct {
	ID       string      `json:"-"`
	Amount   money.Money `json:"amount"`
	Day      string      `json:"value_date"` // such as 2026-11-12
	BankRef  string      `json:"bank_reference,omitempty"`
	Payout   string      `json:"payout,omitempty"` // the channel's number of the payout it is for, where somebody said so
	Origin   string      `json:"origin"`
	Failed   bool        `json:"failed,omitempty"` // the transfer did not arrive
	Note     string      `json:"note,omitempty"`
	Undone   bool        `json:"undone,omitempty"` // it was entered by mistake
	By       string      `json:"-"`
	At       time.Time   `json:"-"`
	Outcome  Outcome     `json:"-"` // worked out by bank
	external string      // of the payout it was held against
}

// DepositOf is what a channel's word on one of its transfers says of the bank side; false while it
// says nothing final, or nothing was sent.
func DepositOf(t marketplace.Transfer, zone string) (Deposit, bool) {
	d := Deposit{Amount: t.Amount, BankRef: t.BankRef, Payout: t.Statement, Origin: DepositChannel, Note: cut(t.Reason)}
	at := t.ChangedAt
	if at.IsZero() {
		at = t.CreatedAt
	}
	d.Day = at.In(order.Zone(zone)).Format(time.DateOnly)
	d.Failed = t.Status == marketplace.TransferFailed || t.Status == marketplace.TransferCancelled
	final := t.Status == marketplace.TransferPaid || d.Failed
	return d, final && t.Amount.Minor != 0 && !at.IsZero()
}

// Outcomes of deposits and, but for WithoutPayout, of payouts at the bank.
const (
	Unseen        Outcome = "unseen"
	Differs       Outcome = "differs"
	WithoutPayout Outcome = "without_payout"
)

// check says what is wrong with a deposit.
func (d Deposit) check() error {
	var all []error
	if !money.ValidCode(d.Amount.Currency) || d.Amount.Minor == 0 {
		all = append(all, errors.New("amount: it is an amount with a currency, and not zero"))
	}
	if !plausible(d.Amount.Minor) {
		all = append(all, errors.New("amount: it is far beyond what a channel pays"))
	}
	if _, err := time.Parse(time.DateOnly, d.Day); err != nil {
		all = append(all, errors.New("value_date: it is a day such as 2026-11-12"))
	}
	if !slices.Contains([]string{DepositManual, DepositBank, DepositChannel}, d.Origin) {
		all = append(all, fmt.Errorf("origin: %q is not known", d.Origin))
	}
	for name, text := range map[string]string{"bank_reference": d.BankRef, "payout": d.Payout, "note": d.Note} {
		if len(text) > mostText {
			all = append(all, fmt.Errorf("%s: it is longer than %d characters", name, mostText))
		}
	}
	return errors.Join(all...)
}

// Days between a payout and a deposit that may be its money although nothing says so.
const (
	bankEarly = 3
	bankLate  = 10
)

// Seen is what the bank side says of one payout.
type Seen struct {
	Outcome  Outcome
	Amount   int64 // of its deposits in its own currency
	Day      string
	BankRef  string
	Deposits []string

	foreign bool  // a deposit is in another currency
	more    int64 // what Amount exceeds the paid amount by
}

// add counts a deposit. Two currencies are never added: one of another shows in the outcome.
func (s *Seen) add(d Deposit, currency string) error {
	s.Day, s.BankRef, s.Deposits = max(s.Day, d.Day), d.BankRef, append(s.Deposits, d.ID)
	if d.Amount.Currency != currency {
		s.foreign = true
		return nil
	}
	sum, err := money.New(s.Amount, currency).Add(d.Amount)
	s.Amount = sum.Minor
	return err
}

// against compares what was seen with what was paid.
func (s *Seen) against(paid money.Money) error {
	more, err := money.New(s.Amount, paid.Currency).Sub(paid)
	s.more = more.Minor
	switch {
	case len(s.Deposits) == 0:
		s.Outcome = Unseen
	case s.more == 0 && !s.foreign:
		s.Outcome = Matched
	default:
		s.Outcome = Differs
	}
	return err
}

// bank holds deposits against payouts: by the payout a deposit names, by the bank's reference, and
// by the exact amount in the days around the payout where there is one candidate on both sides. It
// gives what was seen of each payout, by its number, and the deposits with their outcomes; an error
// where amounts exceed int64.
func bank(payouts []Paid, deposits map[string]Deposit, zone string) (map[string]Seen, []Deposit, error) {
	var all []Deposit
	for _, d := range deposits {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b Deposit) int {
		return strings.Compare(a.Day+" "+a.ID, b.Day+" "+b.ID)
	})
	named, byRef := map[string]bool{}, map[string][]string{}
	for _, p := range payouts {
		named[p.External] = true
		if p.BankRef != "" {
			byRef[p.BankRef] = append(byRef[p.BankRef], p.External)
		}
	}
	for i := range all {
		d := &all[i]
		switch refs := byRef[d.BankRef]; {
		case named[d.Payout]:
			d.external = d.Payout
		case d.Payout == "" && len(refs) == 1:
			d.external = refs[0]
		}
	}
	byAmount(payouts, all, zone, false)
	byAmount(payouts, all, zone, true)
	seen, err := weigh(payouts, all)
	return seen, all, err
}

// byAmount gives deposits that nothing ties to a payout to the only one they can be for: those the
// bank tells of, or those of the channel's own word. The one does not stand in the other's way.
func byAmount(payouts []Paid, deposits []Deposit, zone string, channels bool) {
	counts := func(d Deposit) bool { return (d.Origin == DepositChannel) == channels && !d.Failed }
	taken := map[string]bool{}
	for _, d := range deposits {
		taken[d.external] = taken[d.external] || counts(d)
	}
	fits := func(p Paid, d Deposit, day time.Time) bool {
		if taken[p.External] || p.Payout.Paid != d.Amount {
			return false
		}
		away := int(day.Sub(dayOf(settledAt(p.Payout), zone)) / (24 * time.Hour))
		return away >= -bankEarly && away <= bankLate
	}
	of := make([][]int, len(deposits)) // candidates of each deposit
	count := map[int]int{}             // how many deposits each payout is a candidate of
	for i, d := range deposits {
		day, err := time.Parse(time.DateOnly, d.Day)
		if err != nil || d.external != "" || d.Payout != "" || !counts(d) {
			continue
		}
		for k, p := range payouts {
			if fits(p, d, day) {
				of[i] = append(of[i], k)
				count[k]++
			}
		}
	}
	for i := range deposits {
		if len(of[i]) == 1 && count[of[i][0]] == 1 {
			deposits[i].external = payouts[of[i][0]].External
		}
	}
}

// weigh compares what was seen with what was paid, and gives the deposits their outcomes. The bank's
// own word goes before the channel's: where both speak of one payout, only the bank's amount is counted.
func weigh(payouts []Paid, deposits []Deposit) (map[string]Seen, error) {
	of, byBank := map[string][]Deposit{}, map[string]bool{}
	for _, d := range deposits {
		if d.external != "" && !d.Failed {
			of[d.external] = append(of[d.external], d)
			byBank[d.external] = byBank[d.external] || d.Origin != DepositChannel
		}
	}
	out := map[string]Seen{}
	for _, p := range payouts {
		var s Seen
		var err error
		for _, d := range of[p.External] {
			if err == nil && !(d.Origin == DepositChannel && byBank[p.External]) {
				err = s.add(d, p.Currency)
			}
		}
		if err == nil {
			err = s.against(money.New(p.Payout.Paid.Minor, p.Currency))
		}
		if err != nil {
			return nil, fmt.Errorf("the deposits for payout %s: %w", p.External, err)
		}
		if s.Outcome != Unseen || !p.Payout.Paid.IsZero() { // else nothing was sent, nothing is waited for
			out[p.External] = s
		}
	}
	for i := range deposits {
		d := &deposits[i]
		switch {
		case d.Failed:
			d.Outcome = Outcome(connector.PayoutFailed)
		case d.external == "":
			d.Outcome = WithoutPayout
		default:
			d.Outcome = out[d.external].Outcome
		}
	}
	return out, nil
}

// For is the payout a deposit was held against, by the channel's number; "": none.
func (d Deposit) For() string { return d.external }
