package shoptest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// refunding is what a store that records refunds has to show.
var refunding = map[string]func(t *testing.T, h Harness){
	"a refund is recorded once and quietly":               refundedOnce,
	"several refunds of an order add up":                  refundedTwice,
	"shipping and goods can be part of a refund":          refundedParts,
	"a refund whose answer was lost is found by its note": refundLost,
	"a refund refused for going too fast did not happen":  refundThrottled,
	"a refund beyond the payment is refused":              refundTooMuch,
	"a refund nobody could record is refused":             refundImpossible,
}

// oneUnit is a refund of one unit of the first line.
func oneUnit(o shopadmin.Order, note string) shopadmin.NewRefund {
	return shopadmin.NewRefund{Note: note, Amount: money.New(1999, "USD"),
		Lines: []shopadmin.NewRefundLine{{Line: o.Lines[0].ID, Quantity: 1, Restock: shopadmin.RestockNone}}}
}

func refunder(t *testing.T, h Harness) shopadmin.Refunder {
	t.Helper()
	r, ok := h.Admin.(shopadmin.Refunder)
	if !ok {
		t.Skip("this store records no refunds")
	}
	return r
}

// settled reads the order once every write shows.
func settled(t *testing.T, h Harness, id shopadmin.OrderID) shopadmin.Order {
	t.Helper()
	h.Advance(h.Admin.Traits().SettleIn)
	o, err := h.Admin.Order(t.Context(), id)
	require.NoError(t, err)
	return o
}

func refundedOnce(t *testing.T, h Harness) {
	r := refunder(t, h)
	o := create(t, h, "113-1")
	paid := NewOrder("113-1").Paid
	require.Equal(t, paid, o.Captured)
	id, err := r.Refund(t.Context(), "key/refund", o.ID, oneUnit(o, "bridge:op-1"))
	require.NoError(t, err)
	require.NotEmpty(t, id)
	read := settled(t, h, o.ID)
	require.Len(t, read.Refunds, 1)
	got := read.Refunds[0]
	require.Equal(t, id, got.ID)
	require.Equal(t, "bridge:op-1", got.Note)
	require.Equal(t, money.New(1999, "USD"), got.Moved, "as given, whatever the parts come to")
	require.True(t, got.Pending.IsZero())
	require.False(t, got.CreatedAt.IsZero())
	require.Len(t, got.Lines, 1)
	require.Equal(t, o.Lines[0].ID, got.Lines[0].Line)
	require.Equal(t, 1, got.Lines[0].Quantity)
	require.Equal(t, paid, read.Captured, "what was taken stays what was taken")
	require.Equal(t, 1, read.Lines[0].Current)
	require.False(t, read.UpdatedAt.Before(o.UpdatedAt))

	again, err := r.Refund(t.Context(), "key/refund", o.ID, oneUnit(o, "bridge:op-1"))
	require.NoError(t, err)
	require.Equal(t, id, again)
	require.Len(t, settled(t, h, o.ID).Refunds, 1)
	require.Zero(t, h.Messages(), "customers hear only from the channel")
}

func refundedTwice(t *testing.T, h Harness) {
	r := refunder(t, h)
	o := create(t, h, "113-1")
	first, err := r.Refund(t.Context(), "key/1", o.ID, oneUnit(o, "bridge:op-1"))
	require.NoError(t, err)
	second, err := r.Refund(t.Context(), "key/10", o.ID, oneUnit(o, "bridge:op-10"))
	require.NoError(t, err)
	require.NotEqual(t, first, second, "a note is not another one's beginning")
	third, err := r.Refund(t.Context(), "key/3", o.ID, shopadmin.NewRefund{Note: "bridge:op-3", Amount: money.New(150, "USD")})
	require.NoError(t, err)
	read := settled(t, h, o.ID)
	var ids []string
	sum := money.New(0, "USD")
	for _, x := range read.Refunds {
		ids = append(ids, x.ID)
		sum, err = sum.Add(x.Moved)
		require.NoError(t, err)
	}
	require.ElementsMatch(t, []string{first, second, third}, ids)
	require.Equal(t, money.New(2*1999+150, "USD"), sum)
	require.Zero(t, read.Lines[0].Current)
}

func refundedParts(t *testing.T, h Harness) {
	r := refunder(t, h)
	o := create(t, h, "113-1")
	h.Ship(t, o.ID, "UPS", "1Z001985YW99744790")
	want := shopadmin.NewRefund{Note: "bridge:op-1", Amount: money.New(1999+400, "USD"), Shipping: money.New(400, "USD"),
		Lines: []shopadmin.NewRefundLine{{Line: o.Lines[0].ID, Quantity: 1, Restock: shopadmin.RestockReturn},
			{Line: o.Lines[1].ID, Quantity: 1, Restock: shopadmin.RestockCancel}}}
	_, err := r.Refund(t.Context(), "key", o.ID, want)
	require.NoError(t, err)
	got := settled(t, h, o.ID).Refunds[0]
	require.Equal(t, money.New(400, "USD"), got.Shipping)
	require.Equal(t, money.New(2399, "USD"), got.Moved, "the shipping is not counted twice")
	require.Len(t, got.Lines, 2)
	restocks := map[string]shopadmin.Restock{}
	for _, l := range got.Lines {
		restocks[l.Line] = l.Restock
	}
	require.Equal(t, map[string]shopadmin.Restock{o.Lines[0].ID: shopadmin.RestockReturn, o.Lines[1].ID: shopadmin.RestockCancel}, restocks)
	goods, err := r.Refund(t.Context(), "key/2", o.ID, shopadmin.NewRefund{Note: "bridge:op-2",
		Lines: []shopadmin.NewRefundLine{{Line: o.Lines[0].ID, Quantity: 1, Restock: shopadmin.RestockCancel}}})
	require.NoError(t, err)
	for _, x := range settled(t, h, o.ID).Refunds {
		if x.ID == goods {
			require.True(t, x.Moved.IsZero() && x.Pending.IsZero(), "goods alone move no money")
		}
	}
}

func refundLost(t *testing.T, h Harness) {
	r := refunder(t, h)
	if h.LoseNextRefund == nil {
		t.Skip("this store's answers cannot be lost here")
	}
	o := create(t, h, "113-1")
	h.LoseNextRefund()
	_, err := r.Refund(t.Context(), "key", o.ID, oneUnit(o, "bridge:op-1"))
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	read := settled(t, h, o.ID)
	require.Len(t, read.Refunds, 1)
	id, err := r.Refund(t.Context(), "key", o.ID, oneUnit(o, "bridge:op-1"))
	require.NoError(t, err)
	require.Equal(t, read.Refunds[0].ID, id)
	require.Len(t, settled(t, h, o.ID).Refunds, 1)
}

func refundThrottled(t *testing.T, h Harness) {
	r := refunder(t, h)
	if h.ThrottleNextWish == nil {
		t.Skip("this store does not throttle here")
	}
	o := create(t, h, "113-1")
	h.ThrottleNextWish()
	_, err := r.Refund(t.Context(), "key", o.ID, oneUnit(o, "bridge:op-1"))
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
	require.Empty(t, settled(t, h, o.ID).Refunds)
	h.Advance(fault.After(err))
	_, err = r.Refund(t.Context(), "key", o.ID, oneUnit(o, "bridge:op-1"))
	require.NoError(t, err)
	require.Len(t, settled(t, h, o.ID).Refunds, 1)
}

func refundTooMuch(t *testing.T, h Harness) {
	r := refunder(t, h)
	o := create(t, h, "113-1")
	much := oneUnit(o, "bridge:op-1")
	much.Amount.Minor = o.Captured.Minor + 1
	_, err := r.Refund(t.Context(), "key", o.ID, much)
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	much.Amount.Minor = o.Captured.Minor
	_, err = r.Refund(t.Context(), "key/2", o.ID, much)
	require.NoError(t, err)
	_, err = r.Refund(t.Context(), "key/3", o.ID, shopadmin.NewRefund{Note: "bridge:op-3", Amount: money.New(1, "USD")})
	require.True(t, fault.Is(err, fault.Refused), "nothing is left: %v", err)
	require.Len(t, settled(t, h, o.ID).Refunds, 1)
}

func refundImpossible(t *testing.T, h Harness) {
	r := refunder(t, h)
	o := create(t, h, "113-1")
	for name, spoil := range map[string]func(*shopadmin.NewRefund){
		"another currency":    func(x *shopadmin.NewRefund) { x.Amount = money.New(100, "EUR") },
		"negative":            func(x *shopadmin.NewRefund) { x.Amount = money.New(-100, "USD") },
		"of nothing":          func(x *shopadmin.NewRefund) { x.Amount, x.Lines = money.Money{}, nil },
		"without a note":      func(x *shopadmin.NewRefund) { x.Note = "" },
		"an unknown line":     func(x *shopadmin.NewRefund) { x.Lines[0].Line += "999" },
		"more than was there": func(x *shopadmin.NewRefund) { x.Lines[0].Quantity = 3 },
	} {
		x := oneUnit(o, "bridge:op-1")
		spoil(&x)
		_, err := r.Refund(t.Context(), "key/"+name, o.ID, x)
		require.True(t, fault.Is(err, fault.Refused), "%s: %v", name, err)
	}
	_, err := r.Refund(t.Context(), "key", o.ID+"999", oneUnit(o, "bridge:op-1"))
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	require.Empty(t, settled(t, h, o.ID).Refunds)
}
