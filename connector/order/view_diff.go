package order

import (
	"fmt"
	"slices"

	"channelbridge/internal/money"
)

// Kinds of differences between the two sides.
const (
	OnlyAtChannel = "only_at_channel" // the store's own figures do not contain it
	OnlyInStore   = "only_in_store"   // the store's figures contain it, the channel has not given it back
	TwoAmounts    = "two_amounts"     // both sides show it, with different amounts
	PerhapsTwice  = "perhaps_twice"   // both sides show the amount, made apart from each other
)

// Difference is a line by which the two sides' figures differ.
type Difference struct {
	Kind       string      `json:"kind"`
	About      string      `json:"about"`
	Market     money.Money `json:"market"`     // given back at the channel
	Shop       money.Money `json:"shop"`       // recorded as given back in the store
	Difference money.Money `json:"difference"` // what the store's figures lack; negative: have too much
	Text       string      `json:"text"`
}

// differences lists where the two sides do not show the same. What is still on its way is none.
func (p *planner) differences(refunds []SheetRefund) (out []Difference) {
	cur := p.Market.Currency
	add := func(kind, about string, market, shop int64, text string) {
		out = append(out, Difference{kind, about, money.New(market, cur), money.New(shop, cur), money.New(market-shop, cur), text})
	}
	for i, r := range p.foreign {
		if i >= len(p.paired) || !p.paired[i] {
			add(OnlyAtChannel, r.ID, r.Amount.Minor, 0, fmt.Sprintf("the marketplace gave %s back by itself; the store's figures do not contain it", r.Amount))
		}
	}
	for _, r := range refunds {
		if r.Kind != "refund" {
			continue
		}
		market, shop := movedBy(r)
		switch twice := slices.ContainsFunc(r.Market, func(l Leg) bool { return l.Code == AlreadyRefunded }); {
		case twice && r.From == FromStore && p.pairedWith(r):
			add(PerhapsTwice, r.About, r.Amount.Minor, r.Amount.Minor, "the store refunded what the marketplace had refunded already; nothing was sent")
		case r.State == RefundConflict && market == 0:
			add(OnlyInStore, r.About, 0, shop, "the store gave it back, the channel has not: "+whyStuck(r))
		case r.State == RefundConflict && shop == 0:
			add(OnlyAtChannel, r.About, market, 0, "the channel gave it back, the store has not recorded it: "+whyStuck(r))
		case r.State == RefundConflict, r.State == RefundDone && market != shop && ownLegs(r):
			add(TwoAmounts, r.About, market, shop, "the two sides gave back different amounts")
		}
	}
	return out
}

// movedBy is what each side has given back of a refund.
func movedBy(r SheetRefund) (market, shop int64) {
	for _, l := range r.Market {
		if l.moved() {
			market += l.Amount.Minor
		}
	}
	if r.Store != nil && r.Store.moved() {
		shop = r.Store.Amount.Minor
	}
	return market, shop
}

// ownLegs reports a refund that the channel has carried out by itself alone: a cancellation of
// the whole order, or one seen there, stands for several and for money that was never charged.
func ownLegs(r SheetRefund) bool {
	return !slices.ContainsFunc(r.Market, func(l Leg) bool { return l.Verb == CancelMarket || l.State == LegObserved })
}

// pairedWith reports that the channel shows a refund of its own over the same amount.
func (p *planner) pairedWith(r SheetRefund) bool {
	for i, f := range p.foreign {
		if i < len(p.paired) && p.paired[i] && (f.Amount == r.Amount || f.Untaxed == r.Amount) {
			return true
		}
	}
	return false
}

func whyStuck(r SheetRefund) string {
	for _, l := range r.Market {
		if l.stuck() {
			return or(l.Reason, string(l.State))
		}
	}
	if r.Store != nil && r.Store.stuck() {
		return or(r.Store.Reason, string(r.Store.State))
	}
	return "nobody says why"
}
