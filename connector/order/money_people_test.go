package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// people does one thing on one of the sides.
func (w *moneyWorld) people() {
	switch what := rapid.SampledFrom([]string{"nothing", "refund", "refund", "refund", "cancel", "ship", "ship", "ship there", "refund there",
		"cancel there", "wish refund", "wish cancel", "hold", "release", "approve", "pending ends", "release the order", "takes back"}).Draw(w.T, "people"); what {
	case "refund":
		w.staffRefund()
	case "cancel":
		if w.s.CancelledAt.IsZero() {
			w.storeCancel(rapid.SampledFrom([]string{"customer", "inventory", "other"}).Draw(w.T, "reason"), w.chance(80, "with refund"))
		}
	case "ship":
		w.staffShip()
	case "ship there":
		l := w.m.Lines[w.upTo(int64(len(w.m.Lines)-1), "line")]
		if l.Shipped < l.Ordered-l.Cancelled {
			_ = w.ship(marketplace.Shipment{Ref: fmt.Sprint(900 + w.next()), Tracking: fmt.Sprint("X", w.n), Lines: []marketplace.ShipmentLine{{Line: l.ID, Quantity: 1}}})
		}
	case "refund there":
		w.refundThere()
	case "cancel there":
		if w.m.Lifecycle == marketplace.Open && !slices.ContainsFunc(w.m.Lines, func(l marketplace.Line) bool { return l.Shipped > 0 }) && w.chance(40, "really") {
			w.m.Lifecycle = marketplace.Cancelled
		}
	case "wish refund":
		l := w.m.Lines[w.upTo(int64(len(w.m.Lines)-1), "line")]
		body := RefundWish{Lines: []RefundWishLine{{Line: l.ID, Quantity: 1}}, Restock: w.chance(50, "restock"), Reason: "customer"}
		if w.chance(30, "an amount") {
			body = RefundWish{Amount: w.cash(w.upTo(w.paid(), "amount"))}
		}
		w.wish(connector.WishRefund, "", body)
	case "wish cancel":
		if w.chance(30, "really") {
			w.wish(connector.WishCancel, "", CancelWish{Reason: "inventory"})
		}
	case "hold":
		w.wish(connector.WishHold, "", nil)
	case "release":
		w.wish(connector.WishRelease, "", nil)
	case "approve":
		if n := len(w.s.Refunds); n > 0 {
			w.wish(connector.WishApprove, "beside/"+w.s.Refunds[n-1].ID, nil)
		}
	case "pending ends":
		w.pendingEnds(w.chance(70, "moved"))
	case "release the order":
		if w.m.Lifecycle == marketplace.Pending {
			w.m.Lifecycle = marketplace.Open
		}
	case "takes back":
		w.takeBack()
	}
}

func (w *moneyWorld) wish(k connector.WishKind, about string, body any) {
	raw, err := json.Marshal(body)
	require.NoError(w.T, err)
	w.wishes = append(w.wishes, connector.Wish{ID: int64(w.next()), Kind: k, About: about, Body: raw, Actor: "operator", At: w.now})
}

// staffRefund gives units back, with money beyond them or kept, or money alone, or goods alone.
func (w *moneyWorld) staffRefund() {
	if !w.s.CancelledAt.IsZero() {
		return
	}
	r := shopadmin.Refund{ID: fmt.Sprintf("RF%d", w.next()), CreatedAt: w.now, Reason: "customer"}
	before := slices.Clone(w.s.Lines)
	sum := int64(0)
	for i, l := range w.s.Lines {
		n := int(w.upTo(int64(l.Current), "units"))
		if n == 0 || w.chance(30, "not this line") {
			continue
		}
		how := rapid.SampledFrom([]shopadmin.Restock{shopadmin.RestockNone, shopadmin.RestockCancel, shopadmin.RestockReturn}).Draw(w.T, "restock")
		if how == shopadmin.RestockCancel && n > l.Unfulfilled || how == shopadmin.RestockReturn && n > l.Current-min(l.Unfulfilled, l.Current) {
			how = shopadmin.RestockNone
		}
		r.Lines = append(r.Lines, w.take(i, n, how))
		sum += r.Lines[len(r.Lines)-1].Amount.Minor
	}
	switch rapid.IntRange(0, 5).Draw(w.T, "beyond") {
	case 0:
		sum += w.upTo(500, "more")
	case 1:
		sum -= w.upTo(min(sum, 300), "kept")
	case 2:
		r.Shipping = w.cash(w.upTo(400, "shipping"))
		sum += r.Shipping.Minor
	case 3:
		if w.chance(30, "goods alone") {
			sum = 0
		}
	}
	if sum > w.leftInStore() {
		w.s.Lines = before
		return
	}
	r.Moved = w.cash(sum)
	if w.chance(15, "pending") {
		r.Moved, r.Pending = w.cash(0), r.Moved
	}
	w.s.Refunds = append(w.s.Refunds, r)
}

func (w *moneyWorld) pendingEnds(moved bool) {
	w.s.Refunds = slices.Clone(w.s.Refunds)
	for i := range w.s.Refunds {
		if r := &w.s.Refunds[i]; r.Pending.Minor > 0 {
			if moved {
				r.Moved = r.Pending
			}
			r.Pending = w.cash(0)
			return
		}
	}
}

func (w *moneyWorld) staffShip() {
	if len(w.s.Held) > 0 && w.chance(50, "let go") {
		w.s.Held = nil
	}
	f := shopadmin.Fulfillment{ID: fmt.Sprintf("F%d", w.next()), Status: shopadmin.FulfillmentSuccess, CreatedAt: w.now}
	f.Tracking = []shopadmin.Tracking{{Company: "UPS", Number: "1Z" + f.ID}}
	for i, l := range w.s.Lines {
		if n := int(w.upTo(int64(l.Unfulfilled), "units")); n > 0 && len(w.s.Held) == 0 {
			f.Lines = append(f.Lines, shopadmin.FulfilledLine{Line: l.ID, Quantity: n})
			w.s.Lines[i].Unfulfilled -= n
		}
	}
	if len(f.Lines) > 0 {
		w.s.Fulfillments = append(w.s.Fulfillments, f)
	}
}

// takeBack cancels a fulfillment that the channel was not told of.
func (w *moneyWorld) takeBack() {
	for i, f := range w.s.Fulfillments {
		told := slices.ContainsFunc(w.ledger, func(e connector.Entry) bool { return e.Verb == ConfirmShipment && e.About == f.ID })
		if told || f.Status != shopadmin.FulfillmentSuccess || !w.s.CancelledAt.IsZero() {
			continue
		}
		w.s.Fulfillments = slices.Clone(w.s.Fulfillments)
		w.s.Fulfillments[i].Status = shopadmin.FulfillmentCancelled
		for _, fl := range f.Lines {
			for j := range w.s.Lines {
				if l := &w.s.Lines[j]; l.ID == fl.Line {
					l.Unfulfilled = min(l.Unfulfilled+fl.Quantity, l.Current)
				}
			}
		}
		return
	}
}

// refundThere is money the channel gives back by itself.
func (w *moneyWorld) refundThere() {
	l := w.m.Lines[w.upTo(int64(len(w.m.Lines)-1), "line")]
	k := part{l.ID, marketplace.Item}
	charged := w.worth()[k] * int64(l.Shipped) / int64(l.Ordered)
	amount := w.upTo(charged-w.given[k], "amount")
	alike := slices.ContainsFunc(w.ledger, func(e connector.Entry) bool { // nobody could tell the two apart before both show
		return e.Verb == RefundMarket && e.Amount.Minor == amount && (e.State.Open() || e.State == connector.Done)
	}) || slices.ContainsFunc(w.late, func(r marketplace.Refund) bool { return r.Amount.Minor == amount })
	if amount == 0 || l.Shipped == 0 || w.m.Lifecycle == marketplace.Cancelled || alike {
		return
	}
	w.given[k] += amount
	w.foreign += amount
	w.shown = append(w.shown, marketplace.Refund{ID: fmt.Sprintf("R%d", w.next()), Order: w.m.ID, PostedAt: w.now, Amount: w.cash(amount)})
}

// pass lets time go by; what the channel has given back shows after a while.
func (w *moneyWorld) pass() {
	d := rapid.SampledFrom([]time.Duration{time.Second, 2 * time.Minute, 20 * time.Minute, 3 * time.Hour, 50 * time.Hour}).Draw(w.T, "time")
	w.now = w.now.Add(d)
	if d > time.Hour {
		w.shown, w.late = append(w.shown, w.late...), nil
	}
}
