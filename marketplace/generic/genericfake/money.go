package genericfake

import (
	"slices"
	"time"

	"channelbridge/internal/money"
)

// gift is money on its way back.
type gift struct {
	total, untaxed int64
	parts          map[string]int64 // by line and kind
}

// judge says why an instruction cannot be, or what it gives back. It trusts nobody: a second
// refund is paid as long as the parts it names have something left.
func (r *record) judge(in Instruction, cfg Config) (gift, string) {
	if in.Currency != r.order.Currency {
		return gift{}, "currency"
	}
	if code := r.units(in); code != "" {
		return gift{}, code
	}
	g, code := r.gift(in)
	switch {
	case code != "":
		return gift{}, code
	case in.Op == "refund" && cfg.CaptureOnShip && !r.charged(in):
		return gift{}, "not_charged_yet"
	case in.Op == "refund" && g.total <= 0:
		return gift{}, "nothing_to_give_back"
	case in.Op == "refund" && cfg.WholeOnly && g.total != r.rest().total:
		return gift{}, "whole_orders_only"
	case in.Op != "refund" && cfg.CaptureOnShip:
		return gift{}, "" // it was never charged
	case in.Op == "cancel":
		return r.rest(), ""
	}
	return g, ""
}

// units says why units cannot be taken back: the order is over, or they have shipped.
func (r *record) units(in Instruction) string {
	switch in.Op {
	case "cancel":
		if r.order.Status != "open" || slices.ContainsFunc(r.order.Lines, func(l Line) bool { return l.Shipped > 0 }) {
			return "cannot_be_cancelled_any_more"
		}
	case "cancel_units":
		for _, x := range in.Lines {
			l, ok := r.line(x.Line)
			if r.order.Status != "open" || !ok || x.Quantity <= 0 || x.Quantity > l.left() {
				return "quantity"
			}
		}
	case "refund":
		if r.order.Status != "open" && r.order.Status != "closed" {
			return "order_" + r.order.Status
		}
	default:
		return "unknown_operation"
	}
	return ""
}

// gift adds up the parts of an instruction; no part gives back more than was paid for it.
func (r *record) gift(in Instruction) (gift, string) {
	g, paid := gift{parts: map[string]int64{}}, r.paid()
	for _, x := range in.Lines {
		if _, ok := r.line(x.Line); !ok {
			return g, "no_such_line"
		}
		for _, p := range x.Parts {
			net, okNet := r.minor(p.Amount)
			tax, okTax := r.minor(p.Tax)
			if !okNet || !okTax {
				return g, "amount"
			}
			g.total, g.untaxed = g.total+net+tax, g.untaxed+net
			if p.Kind != "restocking" && p.Kind != "goodwill" {
				g.parts[x.Line+"/"+p.Kind] += net + tax
			}
		}
	}
	for k, v := range g.parts {
		if v+r.back[k] > paid[k] {
			return g, "more_than_paid"
		}
	}
	if sum, ok := r.minor(in.Amount); in.Op == "refund" && (!ok || sum != g.total) {
		return g, "amount_differs_from_parts"
	}
	return g, ""
}

// minor reads an amount; one that is absent is nothing.
func (r *record) minor(text string) (int64, bool) {
	if text == "" {
		return 0, true
	}
	m, err := money.Parse(text, r.order.Currency)
	return m.Minor, err == nil
}

// paid is what the buyer paid, by line and kind.
func (r *record) paid() map[string]int64 {
	out := map[string]int64{}
	for _, l := range r.order.Lines {
		price, _ := r.minor(l.Price)
		tax, _ := r.minor(l.Tax)
		shipping, _ := r.minor(l.Shipping)
		out[l.ID+"/item"], out[l.ID+"/shipping"] = price+tax, shipping
	}
	return out
}

// rest is all that has not been given back yet.
func (r *record) rest() gift {
	g := gift{parts: map[string]int64{}}
	for k, v := range r.paid() {
		g.parts[k], g.total = v-r.back[k], g.total+v
	}
	for _, x := range r.given {
		v, _ := r.minor(x.Amount)
		g.total -= v
	}
	return g
}

// charged reports that units of every line named have shipped.
func (r *record) charged(in Instruction) bool {
	return !slices.ContainsFunc(in.Lines, func(x Instructed) bool {
		l, _ := r.line(x.Line)
		return l.Shipped == 0
	})
}

func (r *record) line(id string) (Line, bool) {
	i := slices.IndexFunc(r.order.Lines, func(l Line) bool { return l.ID == id })
	if i < 0 {
		return Line{}, false
	}
	return r.order.Lines[i], true
}

// carry takes units back and gives the order its new time of change.
func (r *record) carry(in Instruction, at time.Time) {
	lines := append([]Line(nil), r.order.Lines...)
	for i, l := range lines {
		if in.Op == "cancel" {
			lines[i].Cancelled = l.Quantity
		}
		for _, x := range in.Lines {
			if in.Op == "cancel_units" && x.Line == l.ID {
				lines[i].Cancelled += x.Quantity
			}
		}
	}
	r.settle(lines, at)
}
