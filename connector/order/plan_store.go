package order

import (
	"encoding/json"
	"fmt"
	"slices"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// storeLegs records in the store what was asked for here and is done at the channel.
func (p *planner) storeLegs(ds []demand) {
	for _, d := range ds {
		if !d.wish || d.problem != "" {
			continue
		}
		e, tried := p.latest(RefundShop, d.about)
		if !tried {
			if p.marketLegDone(d) {
				p.refundShop(d, 0)
			}
			continue
		}
		switch s, at := allow(e, marketplace.RepeatNative, p.Policy.SettleShop, p.ShopRead, p.Now); s {
		case wait:
			p.wake(at)
		case again:
			if !p.recorded(d.about) { // otherwise it is proven
				p.refundShop(d, e.ID)
			}
		case answered:
			p.blocksMoney("store_refund_refused", d.about, fmt.Sprintf("the channel gave %s back, but the store refused to record it: %s", d.total, e.Reason),
				"record the refund in the store by hand, without passing it on")
		}
	}
}

// marketLegDone reports that the channel has accepted all of a demand.
func (p *planner) marketLegDone(d demand) bool {
	some := false
	for _, v := range []connector.Verb{CancelUnits, RefundMarket} {
		e, tried := p.latest(v, d.about)
		if !tried {
			continue
		}
		switch e.State {
		case connector.Done, connector.Proven:
			some = true
		case connector.Refused: // cancelled units are refunded instead; a refund that was refused is missing
			if v == RefundMarket {
				return false
			}
		default:
			return false
		}
	}
	if !some {
		e, tried := p.latest(CancelMarket, "order")
		return tried && e.State.Accepted() && e.IntendedAt.After(d.at)
	}
	cut, back, _ := p.split(d)
	_, refunded := p.latest(RefundMarket, d.about)
	return len(cut) == 0 && (back.total.Minor == 0 || refunded)
}

// recorded reports that the store shows the refund behind a wish.
func (p *planner) recorded(about string) bool {
	return slices.ContainsFunc(p.Shop.Refunds, func(r shopadmin.Refund) bool { return noteNames(r.Note, about) })
}

func (p *planner) refundShop(d demand, again int64) {
	p.pendingMoney = true
	var body RefundWish
	for _, w := range p.Wishes {
		if wishAbout(w.ID) == d.about {
			_ = json.Unmarshal(w.Body, &body)
		}
	}
	r := shopadmin.NewRefund{Note: noteOf(d.about, body.Note), Amount: d.total}
	if d.charges > 0 {
		r.Shipping = money.New(d.charges, d.total.Currency)
	}
	cut := p.cutUnits(d.about)
	for _, l := range d.lines {
		n := min(cut[l.line], l.units)
		r.Lines = append(r.Lines, p.storeLines(l.line, n, true, body.Restock)...)
		r.Lines = append(r.Lines, p.storeLines(l.line, l.units-n, false, body.Restock)...)
	}
	p.command(connector.Command{Key: p.storeKey(RefundShop, d.about, again), Verb: RefundShop, Side: connector.Shop, About: d.about, Amount: d.total,
		Why: "the channel gave it back on " + d.fulfills, Again: again}, r)
}

// storeLines are the store's lines behind n units of a channel line that have not shipped, or
// have.
func (p *planner) storeLines(line string, n int, unshipped, restock bool) []shopadmin.NewRefundLine {
	how := shopadmin.RestockNone
	switch {
	case restock && unshipped:
		how = shopadmin.RestockCancel
	case restock:
		how = shopadmin.RestockReturn
	}
	var out []shopadmin.NewRefundLine
	for _, s := range p.Shop.Lines {
		free := s.Current - min(s.Unfulfilled, s.Current)
		if unshipped {
			free = min(s.Unfulfilled, s.Current)
		}
		if q := min(n, free); s.ChannelLine == line && q > 0 {
			out = append(out, shopadmin.NewRefundLine{Line: s.ID, Quantity: q, Restock: how})
			n -= q
		}
	}
	return out
}
