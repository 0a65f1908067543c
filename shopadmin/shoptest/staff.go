package shoptest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// staffed is what any store has to tell of what its staff do with money, and that what they wrote
// stays.
var staffed = map[string]func(t *testing.T, h Harness){
	"money the staff give back shows":                      staffGaveBack,
	"goods the staff put back show without money":          staffPutBack,
	"money on its way is told apart from money that moved": staffGaveBackLater,
	"an order the staff cancel shows":                      staffCancelled,
	"a note is added below what is written":                noteAdded,
}

func staffGaveBack(t *testing.T, h Harness) {
	if h.GiveBack == nil {
		t.Skip("this store's staff give nothing back here")
	}
	o := create(t, h, "113-1")
	h.Advance(h.Admin.Traits().SettleIn)
	id := h.GiveBack(t, o.ID, money.New(250, "USD"))
	read := settled(t, h, o.ID)
	require.Len(t, read.Refunds, 1)
	require.Equal(t, id, read.Refunds[0].ID)
	require.Empty(t, read.Refunds[0].Lines)
	require.Equal(t, money.New(250, "USD"), read.Refunds[0].Moved)
	require.True(t, read.UpdatedAt.After(o.UpdatedAt))
	require.Equal(t, read.Refunds, listed(t, h, o).Refunds, "a listing tells as much as a read")
	require.Zero(t, h.Messages())
}

// listed is the order as the listing of changes shows it.
func listed(t *testing.T, h Harness, o shopadmin.Order) shopadmin.Order {
	t.Helper()
	p, err := h.Admin.Changed(t.Context(), shopadmin.Cursor{Since: o.UpdatedAt})
	require.NoError(t, err)
	for _, x := range p.Orders {
		if x.ID == o.ID {
			return x
		}
	}
	t.Fatal("the change is not listed")
	return o
}

func staffPutBack(t *testing.T, h Harness) {
	if h.PutBack == nil {
		t.Skip("this store's staff put nothing back here")
	}
	o := create(t, h, "113-1")
	h.PutBack(t, o.ID)
	read := settled(t, h, o.ID)
	require.Len(t, read.Refunds, 1)
	require.Len(t, read.Refunds[0].Lines, 1)
	require.Equal(t, shopadmin.RestockCancel, read.Refunds[0].Lines[0].Restock)
	require.True(t, read.Refunds[0].Moved.IsZero() && read.Refunds[0].Pending.IsZero())
	require.Equal(t, 1, read.Lines[0].Current)
	require.Equal(t, 1, read.Lines[0].Unfulfilled)
}

func staffGaveBackLater(t *testing.T, h Harness) {
	if h.GiveBackLater == nil {
		t.Skip("this store's money moves at once here")
	}
	for _, moved := range []bool{true, false} {
		o := create(t, h, map[bool]string{true: "113-1", false: "113-2"}[moved])
		amount := money.New(250, "USD")
		_, settle := h.GiveBackLater(t, o.ID, amount)
		read := settled(t, h, o.ID)
		require.Equal(t, amount, read.Refunds[0].Pending)
		require.True(t, read.Refunds[0].Moved.IsZero())
		settle(moved)
		later := settled(t, h, o.ID)
		require.True(t, later.UpdatedAt.After(read.UpdatedAt))
		require.True(t, later.Refunds[0].Pending.IsZero())
		require.Equal(t, moved, later.Refunds[0].Moved == amount, "what failed counts in neither")
	}
}

func noteAdded(t *testing.T, h Harness) {
	u, ok := h.Admin.(shopadmin.Updater)
	if !ok {
		t.Skip("this store takes no updates")
	}
	o := create(t, h, "113-1")
	write := func(note string) string {
		require.NoError(t, u.Update(t.Context(), "key/"+note, o.ID, shopadmin.Update{Note: note}))
		return settled(t, h, o.ID).Note
	}
	require.Equal(t, "Refunded at the channel: 5.00 USD", write("Refunded at the channel: 5.00 USD"))
	require.Equal(t, "Refunded at the channel: 5.00 USD\nAnother line", write("Another line"))
	require.Equal(t, "Refunded at the channel: 5.00 USD\nAnother line", write("Another line"), "it stands there already")
}

func staffCancelled(t *testing.T, h Harness) {
	if h.CancelThere == nil {
		t.Skip("this store's staff cancel nothing here")
	}
	for _, refund := range []bool{true, false} {
		o := create(t, h, map[bool]string{true: "113-1", false: "113-2"}[refund])
		h.Advance(h.Admin.Traits().SettleIn)
		h.CancelThere(t, o.ID, refund)
		read := settled(t, h, o.ID)
		require.False(t, read.CancelledAt.IsZero())
		require.NotEmpty(t, read.CancelReason)
		require.Equal(t, refund, given(t, read) == o.Captured)
		require.Equal(t, read.Refunds, listed(t, h, o).Refunds)
	}
	require.Zero(t, h.Messages())
}
