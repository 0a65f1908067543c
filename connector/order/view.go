package order

import (
	"slices"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Sheet is an order's money for people and programs. It is worked out from what is kept and from
// the plan that follows from it; it decides nothing.
type Sheet struct {
	Order    string `json:"order"`
	Currency string `json:"currency"`
	Read     ReadAt `json:"read_at"`
	// Problem is why nothing of this order can be given back by machine.
	Problem string `json:"problem,omitempty"`

	Paid money.Money `json:"paid"` // what the order comes to for the buyer
	// Captured is what of it was charged: all of it, or on channels that charge as units ship the
	// share of the units that have.
	Captured   money.Money `json:"captured"`
	Spent      money.Money `json:"spent"`      // given back, about to be, or in doubt; what is in doubt counts as spent
	Refundable money.Money `json:"refundable"` // what can still be given back, or not charged, in all

	Lines       []SheetLine   `json:"lines"`
	Refunds     []SheetRefund `json:"refunds"`
	Observed    []SeenRefund  `json:"observed"` // seen at the channel, and nobody here asked for them
	Differences []Difference  `json:"differences"`
	Holds       []SheetHold   `json:"holds"`
}

// SheetLine is the money of one channel line; without a line, of the whole order.
type SheetLine struct {
	Line      string      `json:"line,omitempty"`
	SKU       string      `json:"sku,omitempty"`
	Title     string      `json:"title,omitempty"`
	Ordered   int         `json:"ordered,omitempty"`
	Shipped   int         `json:"shipped,omitempty"`
	Cancelled int         `json:"cancelled,omitempty"`
	Parts     []SheetPart `json:"parts"`
}

// SheetPart is one thing a line was paid for, tax included. What the channel has given back by
// itself belongs to no part, so the parts may add up to more than the order's refundable.
type SheetPart struct {
	Kind       marketplace.Kind `json:"kind"`
	Paid       money.Money      `json:"paid"`
	Tax        money.Money      `json:"tax"` // of what was paid
	Captured   money.Money      `json:"captured"`
	Spent      money.Money      `json:"spent"`
	Refundable money.Money      `json:"refundable"`
}

// SheetHold is a hold about money.
type SheetHold struct {
	Kind   string          `json:"kind"`
	About  string          `json:"about,omitempty"`
	Level  connector.Level `json:"level"`
	Reason string          `json:"reason"`
	Hint   string          `json:"hint,omitempty"`
}

// SheetOf works an order's money out from its snapshot.
func SheetOf(s Snapshot) Sheet {
	out := Sheet{Order: s.Subject.String(), Read: readOf(s), Lines: []SheetLine{}, Refunds: []SheetRefund{},
		Observed: []SeenRefund{}, Differences: []Difference{}, Holds: []SheetHold{}}
	s.MarketRead, s.ShopRead, s.RefundsRead = s.Now, s.Now, s.Now
	p := planned(s)
	out.Holds = moneyHolds(p.d.Holds)
	if s.Market == nil {
		out.Problem = "the channel's order has not been read yet"
		return out
	}
	out.Currency = s.Market.Currency
	if p.Shop == nil { // the plan of an order without mirror does not compare refunds
		p.observe()
		out.Holds = moneyHolds(p.d.Holds)
	}
	if !p.parts(&out) {
		return out
	}
	for _, r := range p.foreign {
		out.Observed = append(out.Observed, SeenRefund{ID: r.ID, PostedAt: r.PostedAt.UTC(), Amount: r.Amount, Kind: r.Kind, Pending: r.Pending})
	}
	out.Refunds = append(out.Refunds, p.records()...)
	out.Differences = append(out.Differences, p.differences(out.Refunds)...)
	return out
}

// parts fills in the amounts; false when they are in several currencies.
func (p *planner) parts(out *Sheet) bool {
	m := p.Market
	sheet, fits := newSheet(*m, p.Ledger)
	if !fits {
		out.Problem = "the order's amounts are in several currencies"
		return false
	}
	amount := func(minor int64) money.Money { return money.New(minor, m.Currency) }
	for _, r := range p.foreign {
		sheet.foreign += r.Amount.Minor
	}
	var captured, spent int64
	lines := map[string]*SheetLine{}
	for _, k := range sheet.parts {
		l := lines[k.line]
		if l == nil {
			l = p.sheetLine(k.line)
			lines[k.line] = l
		}
		paid, charged := sheet.paid[k], p.chargedOf(k.line, sheet.paid[k].gross())
		captured += charged
		spent += sheet.spent[k].gross()
		l.Parts = append(l.Parts, SheetPart{Kind: k.kind, Paid: amount(paid.gross()), Tax: amount(paid.tax), Captured: amount(charged),
			Spent: amount(sheet.spent[k].gross()), Refundable: amount(p.unlessCancelled(sheet.left(k).gross()))})
	}
	for _, l := range m.Lines {
		if x := lines[l.ID]; x != nil {
			out.Lines = append(out.Lines, *x)
		}
	}
	if x := lines[""]; x != nil {
		out.Lines = append(out.Lines, *x)
	}
	out.Paid, out.Captured, out.Spent = amount(sheet.total()), amount(captured), amount(spent+sheet.beyond+sheet.foreign)
	out.Refundable = amount(p.unlessCancelled(sheet.rest()))
	return true
}

// unlessCancelled is nothing for an order that the channel has cancelled: nothing was charged, or
// it was given back there.
func (p *planner) unlessCancelled(minor int64) int64 {
	if p.Market.Lifecycle == marketplace.Cancelled {
		return 0
	}
	return minor
}

func (p *planner) sheetLine(id string) *SheetLine {
	m, _ := p.line(id)
	return &SheetLine{Line: id, SKU: m.SKU, Title: m.Title, Ordered: m.Ordered, Shipped: max(m.Shipped, p.provenUnits(id)), Cancelled: m.Cancelled}
}

// chargedOf is what of a line's money the buyer was charged: where that happens as units ship, the
// share of those that have, and of the whole order's charges all with the first.
func (p *planner) chargedOf(line string, paid int64) int64 {
	if !p.Policy.CaptureOnShip {
		return paid
	}
	if line != "" {
		m, _ := p.line(line)
		return share(paid, int64(min(max(m.Shipped, p.provenUnits(line)), m.Ordered)), int64(max(m.Ordered, 1)))
	}
	if slices.ContainsFunc(p.Market.Lines, func(l marketplace.Line) bool { return p.chargeable(l.ID) }) {
		return paid
	}
	return 0
}

// ofMoney are the kinds of holds that concern money.
var ofMoney = []string{"refunded_at_channel", "refund_unreadable", "refund_refused", "money_unknown", "cancelled_at_channel", "cancel_requested",
	"kept_back_lost", "store_refund_refused", "mirror_not_cancelled", "budget_spent", "writes_stopped"}

// MoneyHold reports a kind of hold that concerns money.
func MoneyHold(kind string) bool {
	return slices.Contains(ofMoney, kind) || refusing[kind] != "" || stopping[kind] != ""
}

func moneyHolds(all []connector.Hold) []SheetHold {
	out := []SheetHold{}
	for _, h := range all {
		if MoneyHold(h.Kind) {
			out = append(out, SheetHold{h.Kind, h.About, h.Level, h.Reason, h.Hint})
		}
	}
	return out
}
