package order

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// demand is money that a person decided to give back: a refund recorded in the store, or one
// asked for here. It is met at the channel once.
type demand struct {
	about    string // what the ledger's keys name: the store's refund, or w and the wish
	at       time.Time
	wish     bool
	reason   string
	lines    []demandLine
	charges  int64 // of shipping and other charges, tax included
	rest     int64 // beyond lines and charges; negative: kept back
	total    money.Money
	pending  bool // announced in the store, money not moved yet
	problem  string
	code     string // of a wish's problem: why it is refused
	bad      string // the line it is about
	fulfills string // for people: where it comes from
}

// demandLine is what a demand gives back of one channel line.
type demandLine struct {
	line      string
	units     int
	unshipped int // of the units, those that never shipped as far as the store knows
	gross     int64
	tax       int64 // of gross, as the store has it; 0 where it does not say
}

// RefundWish is the body of a connector.WishRefund: what a person here wants given back.
type RefundWish struct {
	Lines    []RefundWishLine `json:"lines,omitempty"`
	Shipping money.Money      `json:"shipping,omitzero"` // of all charges, tax included
	Amount   money.Money      `json:"amount,omitzero"`   // in all; zero: what lines and shipping come to
	Restock  bool             `json:"restock,omitempty"`
	Reason   string           `json:"reason,omitempty"` // in the store's words
	Note     string           `json:"note,omitempty"`
}

// RefundWishLine is one line of it.
type RefundWishLine struct {
	Line     string      `json:"line"` // the channel's line id
	Quantity int         `json:"quantity"`
	Amount   money.Money `json:"amount,omitzero"` // tax included; zero: what the units cost
}

// CancelWish is the body of a connector.WishCancel.
type CancelWish struct {
	Restock bool   `json:"restock,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Note    string `json:"note,omitempty"`
}

// noteMark begins the note of a refund that the bridge made in the store; what follows names the
// wish behind it. A refund with it is never passed on.
const noteMark = "channelbridge:"

func wishAbout(id int64) string { return fmt.Sprintf("w%d", id) }

// ours reports a store refund that the bridge itself has made.
func (p *planner) ours(r shopadmin.Refund) bool {
	if slices.ContainsFunc(p.Wishes, func(w connector.Wish) bool { return noteNames(r.Note, wishAbout(w.ID)) }) {
		return true
	}
	return slices.ContainsFunc(p.Ledger, func(e connector.Entry) bool {
		return e.Verb == RefundShop && e.Ref != "" && e.Ref == r.ID
	})
}

// demands lists what is to be given back, oldest first.
func (p *planner) demands() []demand {
	var out []demand
	cut := p.unshippedInStore()
	for _, r := range p.Shop.Refunds {
		if p.ours(r) || r.Moved.Minor == 0 && r.Pending.Minor == 0 {
			p.attribute(r, cut) // its units count, its money does not exist
			continue
		}
		out = append(out, p.fromStore(r, cut))
	}
	for _, w := range p.Wishes {
		if w.Kind == connector.WishRefund {
			out = append(out, p.fromWish(w))
		}
	}
	slices.SortStableFunc(out, func(a, b demand) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.about, b.about)) })
	return out
}

// unshippedInStore counts per store line the units that were taken out of the order without
// having shipped.
func (p *planner) unshippedInStore() map[string]int {
	shipped, out := map[string]int{}, map[string]int{}
	for _, f := range successful(p.Shop) {
		for _, l := range f.Lines {
			shipped[l.Line] += l.Quantity
		}
	}
	for _, l := range p.Shop.Lines {
		out[l.ID] = max(0, l.Quantity-shipped[l.ID]-l.Unfulfilled)
	}
	return out
}

// attribute says how many of a refund's units had not shipped, and takes them from what is left
// to be attributed: those it says so of, and of those it says nothing of as many as there are.
func (p *planner) attribute(r shopadmin.Refund, cut map[string]int) map[string]int {
	out := map[string]int{}
	for _, l := range r.Lines {
		n := 0
		switch l.Restock {
		case shopadmin.RestockReturn:
		case shopadmin.RestockCancel:
			n = l.Quantity
		default:
			n = min(l.Quantity, max(cut[l.Line], 0))
		}
		cut[l.Line] -= n
		out[l.Line] += n
	}
	return out
}

func (p *planner) fromStore(r shopadmin.Refund, cut map[string]int) demand {
	d := demand{about: r.ID, at: r.CreatedAt, total: r.Moved, pending: r.Pending.Minor > 0, reason: p.storeReason(r),
		fulfills: "the store refunded " + r.Moved.String() + " at " + r.CreatedAt.UTC().Format(time.RFC3339)}
	if r.Moved.Minor < 0 {
		d.problem = "its amount is negative"
	}
	ids, unshipped := channelLines(p.Shop), p.attribute(r, cut)
	for _, l := range r.Lines {
		id := ids[l.Line]
		gross := l.Amount.Minor + l.Tax.Minor
		switch {
		case l.Amount.Currency != "" && l.Amount.Currency != r.Moved.Currency:
			d.problem = fmt.Sprintf("its line %s is in %s", l.Line, l.Amount.Currency)
		case gross < 0 || l.Quantity < 0:
			d.problem = "it holds a negative line"
		case id == "":
			continue // a line the channel has not sold; its money counts as beyond the lines
		}
		d.line(id, l.Quantity, min(unshipped[l.Line], l.Quantity), gross, l.Tax.Minor)
	}
	d.charges = r.Shipping.Minor + r.ShipTax.Minor
	d.rest = r.Moved.Minor - d.charges
	for _, l := range d.lines {
		d.rest -= l.gross
	}
	return d
}

// line adds to a channel line: two store lines may be one there.
func (d *demand) line(id string, units, unshipped int, gross, tax int64) {
	i := slices.IndexFunc(d.lines, func(l demandLine) bool { return l.line == id })
	if i < 0 {
		i = len(d.lines)
		d.lines = append(d.lines, demandLine{line: id})
	}
	d.lines[i].units += units
	d.lines[i].unshipped += unshipped
	d.lines[i].gross += gross
	d.lines[i].tax += tax
}

// storeReason is why the store gave money back.
func (p *planner) storeReason(r shopadmin.Refund) string {
	if r.Reason == "" && !p.Shop.CancelledAt.IsZero() {
		return p.Shop.CancelReason
	}
	return strings.ToLower(r.Reason)
}

func (p *planner) fromWish(w connector.Wish) demand {
	var body RefundWish
	d := demand{about: wishAbout(w.ID), at: w.At, wish: true, fulfills: w.Actor + " asked for it at " + w.At.UTC().Format(time.RFC3339)}
	if err := json.Unmarshal(w.Body, &body); err != nil {
		d.problem, d.code = "the request cannot be read", AmountZero
		return d
	}
	d.reason = body.Reason
	sum := body.Shipping.Minor
	for _, l := range body.Lines {
		m, ok := p.line(l.Line)
		if d.problem, d.code = p.badLine(l, m, ok); d.problem != "" {
			d.bad = l.Line
			return d
		}
		gross := l.Amount.Minor
		if gross == 0 {
			gross = share(p.lineGross(m), int64(l.Quantity), int64(m.Ordered))
		}
		d.line(l.Line, l.Quantity, min(l.Quantity, max(0, m.Ordered-p.moved(m))), gross, 0)
		sum += gross
	}
	d.charges = body.Shipping.Minor
	d.total = body.Amount
	if d.total.Minor == 0 {
		d.total = money.New(sum, p.Market.Currency)
	}
	d.rest = d.total.Minor - sum
	switch {
	case body.Shipping.Minor != 0 && body.Shipping.Currency != p.Market.Currency:
		d.problem, d.code = "it gives shipping back in "+body.Shipping.Currency, CurrencyDiffers
	case body.Shipping.Minor < 0 || d.total.Minor <= 0:
		d.problem, d.code = "the amount has to be above zero", AmountZero
	}
	return d
}

// badLine says what keeps a line of a wish from being met.
func (p *planner) badLine(l RefundWishLine, m marketplace.Line, known bool) (problem, code string) {
	switch {
	case !known:
		return "the order has no line " + l.Line, UnknownLine
	case l.Amount.Minor != 0 && l.Amount.Currency != p.Market.Currency:
		return fmt.Sprintf("line %s is in %s", l.Line, l.Amount.Currency), CurrencyDiffers
	case l.Quantity > m.Ordered:
		return fmt.Sprintf("line %s has only %d units", l.Line, m.Ordered), AboveRefundable
	case l.Quantity < 0 || l.Amount.Minor < 0:
		return fmt.Sprintf("line %s has to be above zero", l.Line), AmountZero
	}
	return "", ""
}

// lineGross is what the buyer paid for the items of a line.
func (p *planner) lineGross(l marketplace.Line) int64 {
	var sum int64
	for _, c := range l.Parts {
		if c.Kind == marketplace.Item {
			v, _ := valueOf(c, p.Market.Currency)
			sum += v.gross()
		}
	}
	return sum
}

// AboutWish names a wish in the ledger's keys and in holds.
func AboutWish(w connector.Wish) string { return wishAbout(w.ID) }
