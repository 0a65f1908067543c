package amazon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

const (
	item1 = "20266000000011"
	item2 = "20266000000022"
	order = marketplace.OrderID("113-5550001-2220001")
)

func part(k marketplace.Kind, amount, tax money.Money) marketplace.Component {
	return marketplace.Component{Kind: k, Amount: amount, Tax: tax}
}

// refundOf gives back an amount of the first item's price.
func refundOf(id marketplace.OrderID, m money.Money) marketplace.Instruction {
	return marketplace.Instruction{Op: marketplace.OpRefund, Order: id, Site: usSite, Reason: "CustomerReturn", Amount: m,
		Lines: []marketplace.InstructionLine{{Line: item1, Parts: []marketplace.Component{part(marketplace.Item, m, money.Money{})}}}}
}

func cancelOf(id marketplace.OrderID, items ...string) marketplace.Instruction {
	in := marketplace.Instruction{Op: marketplace.OpCancel, Order: id, Site: usSite, Reason: "NoInventory"}
	for _, i := range items {
		in.Lines = append(in.Lines, marketplace.InstructionLine{Line: i, Quantity: 1})
	}
	return in
}

func cancelUnitsOf(id marketplace.OrderID, n int) marketplace.Instruction {
	return marketplace.Instruction{Op: marketplace.OpCancelUnits, Order: id, Site: usSite, Reason: "NoInventory",
		Lines: []marketplace.InstructionLine{{Line: item1, Quantity: n}}}
}

func batchOf(all ...marketplace.Instruction) (batch []marketplace.Message) {
	for i, in := range all {
		batch = append(batch, marketplace.Message{Number: i + 1, Key: "refund/77-" + string(in.Order), Instruction: in})
	}
	return batch
}

func numbers(n int) (all []int) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

// sold is an order of two units of the first item and one of the second, so many units of the
// first shipped.
func (r *rig) sold(t *testing.T, shipped int, edit ...func(*amazonfake.OrderSpec)) marketplace.OrderID {
	t.Helper()
	spec := amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: item1, Quantity: 2, UnitPrice: "20.00", Shipping: "5.00", Tax: "4.00"}, {ID: item2, UnitPrice: "7.00"}}}
	for _, e := range edit {
		e(&spec)
	}
	id := marketplace.OrderID(r.fake.Place(spec))
	r.pass(time.Minute)
	if shipped > 0 {
		s := shipment(id, "1", item1, shipped, r.now())
		s.Site = spec.Site
		if s.Site == "" {
			s.Site = usSite
		}
		_, err := r.ConfirmShipment(t.Context(), "k", s)
		require.NoError(t, err)
	}
	r.pass(time.Minute)
	return id
}

// hand prepares and submits a batch, and lets its time pass.
func (r *rig) hand(t *testing.T, lane string, all ...marketplace.Instruction) string {
	t.Helper()
	document, err := r.Prepare(t.Context(), lane, batchOf(all...))
	require.NoError(t, err)
	var ticket string
	for {
		ticket, err = r.Submit(t.Context(), lane, all[0].Site, document)
		if !fault.Is(err, fault.Temporary) {
			break
		}
		r.pass(fault.After(err))
	}
	require.NoError(t, err)
	r.pass(3 * time.Minute)
	return ticket
}

// run hands a batch in and returns what became of it.
func (r *rig) run(t *testing.T, lane string, all ...marketplace.Instruction) marketplace.Results {
	t.Helper()
	ticket := r.hand(t, lane, all...)
	for {
		res, err := r.Results(t.Context(), lane, ticket, numbers(len(all)))
		if fault.Is(err, fault.Temporary) {
			r.pass(max(fault.After(err), time.Second))
			continue
		}
		require.NoError(t, err)
		return res
	}
}
