package order

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// moneyPolicy is a channel that charges when units ship and takes every instruction.
func moneyPolicy(p *Policy) {
	p.Instructions = []marketplace.Operation{marketplace.OpCancel, marketplace.OpCancelUnits, marketplace.OpRefund}
	p.CaptureOnShip, p.ReadsRefunds, p.Fresh, p.RefundsIn = true, true, 2*time.Minute, 48*time.Hour
	p.CancelsShop, p.Restock = true, true
	p.Lanes = map[marketplace.Operation]string{marketplace.OpCancel: "cancel", marketplace.OpCancelUnits: "adjust", marketplace.OpRefund: "adjust"}
	p.Reasons = map[marketplace.Operation]map[string]string{
		marketplace.OpCancel: {"customer": "GeneralAdjustment", "customer_request": "BuyerCanceled", "inventory": "NoInventory", "": "GeneralAdjustment"},
		marketplace.OpRefund: {"customer": "CustomerReturn", "": "Other"},
	}
}

// moneySnapshot is a snapshot upon which money may be moved: everything was read just now.
func moneySnapshot(t *testing.T, m *marketplace.Order, s *shopadmin.Order, entries ...connector.Entry) Snapshot {
	snap := snapshot(m, s, append([]connector.Entry{created(t)}, entries...)...)
	moneyPolicy(&snap.Policy)
	snap.MarketRead, snap.ShopRead, snap.RefundsRead = noon, noon, noon
	return snap
}

// shippedAt makes the channel count units of both lines as shipped, in a parcel of the store's.
func shippedAt(first, second int) func(*marketplace.Order) {
	return func(o *marketplace.Order) {
		o.Lines[0].Shipped, o.Lines[1].Shipped = first, second
		o.Packages = []marketplace.Package{{Ref: "900", Tracking: "1Z1"}}
		if first == o.Lines[0].Ordered && second == o.Lines[1].Ordered {
			o.Lifecycle = marketplace.Closed
		}
	}
}

// sent is a fulfillment in the store of these lines.
func sent(lines ...string) func(*shopadmin.Order) {
	return func(o *shopadmin.Order) {
		fulfilled("F1", noon.Add(-3*time.Hour), "1Z1", lines...)(o)
		for i, l := range o.Lines {
			for _, id := range lines {
				if id == l.ID {
					o.Lines[i].Unfulfilled--
				}
			}
		}
	}
}

// prices are what the store's lines were sold for: before tax, and the tax.
var prices = map[string][2]int64{"L1": {1499, 150}, "L2": {1500, 150}, "L3": {1000, 100}}

// gave is a refund by staff: whole lines and money beyond them; negative is kept back.
func gave(id string, beyond int64, lines ...string) func(*shopadmin.Order) {
	return func(o *shopadmin.Order) {
		r := shopadmin.Refund{ID: id, CreatedAt: noon.Add(-time.Hour), Reason: "customer"}
		for _, l := range lines {
			p := prices[l]
			r.Lines = append(r.Lines, shopadmin.RefundLine{Line: l, Quantity: 1, Amount: usd(p[0]), Tax: usd(p[1])})
			beyond += p[0] + p[1]
			for i := range o.Lines {
				if o.Lines[i].ID == l {
					o.Lines[i].Current, o.Lines[i].Unfulfilled = 0, 0
				}
			}
		}
		r.Moved = usd(beyond)
		o.Refunds = append(o.Refunds, r)
	}
}

// refundEdit changes the last refund of the store.
func refundEdit(edit func(*shopadmin.Refund)) func(*shopadmin.Order) {
	return func(o *shopadmin.Order) { edit(&o.Refunds[len(o.Refunds)-1]) }
}

func cancelledInStore(o *shopadmin.Order) {
	o.CancelledAt, o.CancelReason = noon.Add(-time.Hour), "inventory"
	for i := range o.Lines {
		o.Lines[i].Unfulfilled = 0
	}
}

// moneyOf lists the commands of a plan that move money or cancel.
func moneyOf(d Decision) (out []connector.Command) {
	for _, c := range d.Commands {
		if instructs(c.Verb) || c.Verb == RefundShop || c.Verb == CancelMirror {
			out = append(out, c)
		}
	}
	return out
}

// one is the only money command of a plan and its instruction, whose parts come to its amount.
func one(t *testing.T, d Decision) (connector.Command, marketplace.Instruction) {
	t.Helper()
	all := moneyOf(d)
	require.Len(t, all, 1, "holds: %+v", d.Holds)
	in := instructionOf(all[0])
	require.Equal(t, all[0].Amount, in.Amount)
	require.Equal(t, all[0].Amount.Minor, partsOf(in))
	return all[0], in
}

// partsOf is what an instruction's parts come to.
func partsOf(in marketplace.Instruction) (sum int64) {
	for _, l := range in.Lines {
		for _, c := range l.Parts {
			sum += c.Amount.Minor + c.Tax.Minor
		}
	}
	return sum
}

// none is a plan that moves no money; it returns the hold of a kind that says why.
func none(t *testing.T, d Decision, kind string) connector.Hold {
	t.Helper()
	require.Empty(t, moneyOf(d))
	for _, h := range d.Holds {
		if h.Kind == kind {
			return h
		}
	}
	require.Fail(t, "no such hold", "%s among %+v", kind, d.Holds)
	return connector.Hold{}
}

// ledgered is a command as it stands in the ledger since half an hour.
func ledgered(id int64, c connector.Command, state connector.EntryState) connector.Entry {
	return entry(id, c, state, noon.Add(-30*time.Minute))
}

func wishOf(t *testing.T, id int64, kind connector.WishKind, about string, body any) connector.Wish {
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	return connector.Wish{ID: id, Kind: kind, About: about, Body: raw, Actor: "operator", At: noon.Add(-10 * time.Minute)}
}

func part1(line string, kind marketplace.Kind, net, tax int64) marketplace.InstructionLine {
	c := marketplace.Component{Kind: kind, Amount: usd(net)}
	if tax != 0 {
		c.Tax = usd(tax)
	}
	return marketplace.InstructionLine{Line: line, Parts: []marketplace.Component{c}}
}

func decode(t *testing.T, c connector.Command, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(c.Body, into))
}

func jpy(n int64) money.Money { return money.New(n, "JPY") }
