// Package shoptest is the one exercise for every store admin adapter. It reads like a story,
// from the first order to the odd corners, and skips what a store does not claim.
package shoptest

import (
	"context"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// Harness is a store to be exercised. The functions act as staff, or as the network would;
// optional ones may be nil.
type Harness struct {
	Admin   shopadmin.Admin
	Advance func(d time.Duration) // lets time pass for the store
	// Ship fulfils one unit of the first line and returns the fulfillment's id.
	Ship func(t *testing.T, id shopadmin.OrderID, company, number string) string
	// Messages counts what the store would have written to customers.
	Messages func() int

	LoseNextAnswer func()                             // of a create: it works, the answer is lost
	ThrottleNext   func()                             // the next create is refused for going too fast
	Deny           func()                             // from now on the store refuses our credentials
	Push           func(*testing.T) shopadmin.Inbound // the next push the store has to send

	// What staff do with money; each makes one refund and returns its id.
	GiveBack func(t *testing.T, id shopadmin.OrderID, amount money.Money) string // money, no lines
	PutBack  func(t *testing.T, id shopadmin.OrderID) string                     // one unit of the first line, no money
	// GiveBackLater is GiveBack with money on its way; settle ends it.
	GiveBackLater func(t *testing.T, id shopadmin.OrderID, amount money.Money) (refund string, settle func(moved bool))
	CancelThere   func(t *testing.T, id shopadmin.OrderID, refund bool) // staff cancel the order

	LoseNextRefund   func() // of Refund: it works, the answer is lost
	ThrottleNextWish func() // the next refund or cancellation is refused for going too fast
	LoseNextCancel   func() // of Cancel: it works, the answer is lost
	FailNextCancel   func() // the store takes the next cancellation and cannot carry it out
}

// NewOrder is an order as the bridge makes them.
func NewOrder(number string) shopadmin.NewOrder {
	usd := func(n int64) money.Money { return money.New(n, "USD") }
	return shopadmin.NewOrder{
		Mark: shopadmin.Mark{Channel: "amazon-us", Order: number}, Name: "AMZ-" + number, Currency: "USD",
		PlacedAt: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), Tags: []string{"Amazon"}, Gateway: "amazon",
		Attributes: map[string]string{"channel": "amazon-us"}, Stock: shopadmin.StockDecrement,
		ShipTo: &shopadmin.Address{FirstName: "A", LastName: "Buyer", Address1: "1 Main St", City: "Austin", Region: "TX", PostalCode: "78701", Country: "US"},
		Lines: []shopadmin.NewLine{
			{ChannelLine: "11498765431234", SKU: "SKU-1", Title: "Echo", Quantity: 2, UnitPrice: usd(1999), Ships: true,
				Taxes: []shopadmin.NewTax{{Title: "Marketplace tax", Amount: usd(330), Rate: "0.082541", ChannelLiable: true}}},
			{ChannelLine: "11498765431235", Title: "A thing nobody listed", Quantity: 1, UnitPrice: usd(500), Ships: true},
		},
		Shipping: []shopadmin.NewShipping{{Title: "Shipping", Code: "STANDARD", Price: usd(400)}},
		Discount: usd(100), Paid: usd(2*1999 + 330 + 500 + 400 - 100),
	}
}

// Exercise runs the whole story; open gives a fresh store each time.
func Exercise(t *testing.T, open func(t *testing.T) Harness) {
	for name, chapter := range chapters() {
		t.Run(name, func(t *testing.T) { chapter(t, open(t)) })
	}
}

func chapters() map[string]func(t *testing.T, h Harness) {
	all := map[string]func(t *testing.T, h Harness){
		"an order is created once, marked, tagged and quiet": created,
		"it is found by its mark and listed as changed":      found,
		"a shipment of the staff shows":                      shipped,
		"what the channel changed shows":                     updated,
		"shipping can be held":                               held,
		"a lost answer is unknown and the order is found":    lost,
		"going too fast did not happen":                      throttled,
		"refused credentials stop the connection":            denied,
		"an unknown order is not found":                      unknown,
		"a push is authentic or refused":                     pushed,
	}
	maps.Copy(all, refunding)
	maps.Copy(all, cancelling)
	maps.Copy(all, staffed)
	return all
}

func create(t *testing.T, h Harness, number string) shopadmin.Order {
	t.Helper()
	o, err := h.Admin.Create(t.Context(), "key/"+number, NewOrder(number))
	require.NoError(t, err)
	return o
}

func created(t *testing.T, h Harness) {
	want := NewOrder("113-1")
	o := create(t, h, "113-1")
	require.Equal(t, want.Mark, o.Mark)
	require.Contains(t, o.Tags, "Amazon")
	require.Equal(t, want.Paid, o.Total)
	require.Len(t, o.Lines, 2)
	require.Equal(t, want.Lines[0].ChannelLine, o.Lines[0].ChannelLine)
	require.Equal(t, 2, o.Lines[0].Quantity)
	require.Equal(t, 2, o.Lines[0].Unfulfilled)
	require.NotEmpty(t, o.Name)
	require.False(t, o.UpdatedAt.IsZero())
	read, err := h.Admin.Order(t.Context(), o.ID)
	require.NoError(t, err)
	require.Equal(t, o, read)
	require.Empty(t, o.Refunds)
	require.Zero(t, h.Messages(), "customers hear only from the channel")
}

func found(t *testing.T, h Harness) {
	a, b := create(t, h, "113-1"), create(t, h, "113-2")
	before := a.CreatedAt.Add(-time.Hour)
	h.Advance(h.Admin.Traits().SettleIn)
	list, err := h.Admin.FindByMark(t.Context(), b.Mark)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, b.ID, list[0].ID)
	list, err = h.Admin.FindByMark(t.Context(), shopadmin.Mark{Channel: "amazon-us", Order: "113-3"})
	require.NoError(t, err)
	require.Empty(t, list)
	require.ElementsMatch(t, []shopadmin.OrderID{a.ID, b.ID}, changed(t, h, before))
}

// changed lists all pages of a listing.
func changed(t *testing.T, h Harness, since time.Time) (ids []shopadmin.OrderID) {
	t.Helper()
	c := shopadmin.Cursor{Since: since}
	for range 50 {
		p, err := h.Admin.Changed(t.Context(), c)
		require.NoError(t, err)
		require.Empty(t, p.Faulty)
		for _, o := range p.Orders {
			ids = append(ids, o.ID)
		}
		if !p.More {
			require.True(t, p.Next.Since.After(since), "a finished listing moves its watermark")
			return ids
		}
		c = p.Next
	}
	t.Fatal("the listing has no end")
	return nil
}

func shipped(t *testing.T, h Harness) {
	o := create(t, h, "113-1")
	h.Advance(2 * time.Second)
	id := h.Ship(t, o.ID, "UPS", "1Z001985YW99744790")
	h.Advance(h.Admin.Traits().SettleIn)
	read, err := h.Admin.Order(t.Context(), o.ID)
	require.NoError(t, err)
	require.True(t, read.UpdatedAt.After(o.UpdatedAt))
	require.Len(t, read.Fulfillments, 1)
	f := read.Fulfillments[0]
	require.Equal(t, id, f.ID)
	require.Equal(t, shopadmin.FulfillmentSuccess, f.Status)
	require.Equal(t, "1Z001985YW99744790", f.Tracking[0].Number)
	require.Equal(t, "UPS", f.Tracking[0].Company)
	require.Equal(t, []shopadmin.FulfilledLine{{Line: o.Lines[0].ID, Quantity: 1}}, f.Lines)
	require.Equal(t, 1, read.Lines[0].Unfulfilled)
	require.Contains(t, changed(t, h, o.UpdatedAt), o.ID)
	require.Zero(t, h.Messages())
}

func updated(t *testing.T, h Harness) {
	u, ok := h.Admin.(shopadmin.Updater)
	if !ok {
		t.Skip("this store takes no updates")
	}
	o := create(t, h, "113-1")
	err := u.Update(t.Context(), "key", o.ID, shopadmin.Update{Attributes: map[string]string{"channel_state": "cancelled"}, AddTags: []string{"late"}})
	require.NoError(t, err)
	h.Advance(h.Admin.Traits().SettleIn)
	read, err := h.Admin.Order(t.Context(), o.ID)
	require.NoError(t, err)
	require.Equal(t, "cancelled", read.Attributes["channel_state"])
	require.Equal(t, "amazon-us", read.Attributes["channel"], "what was there stays")
	require.Subset(t, read.Tags, []string{"Amazon", "late"})
}

func held(t *testing.T, h Harness) {
	holder, ok := h.Admin.(shopadmin.Holder)
	if !ok {
		t.Skip("this store cannot hold orders")
	}
	o := create(t, h, "113-1")
	for range 2 { // a second hold changes nothing
		require.NoError(t, holder.Hold(t.Context(), "key", o.ID, "the buyer asked to cancel"))
	}
	h.Advance(h.Admin.Traits().SettleIn)
	read, err := h.Admin.Order(t.Context(), o.ID)
	require.NoError(t, err)
	require.Len(t, read.Held, 1)
	require.True(t, read.Held[0].Ours)
}

func lost(t *testing.T, h Harness) {
	if h.LoseNextAnswer == nil {
		t.Skip("this store's answers cannot be lost here")
	}
	h.LoseNextAnswer()
	_, err := h.Admin.Create(t.Context(), "key", NewOrder("113-1"))
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	h.Advance(h.Admin.Traits().SettleIn)
	list, err := h.Admin.FindByMark(t.Context(), shopadmin.Mark{Channel: "amazon-us", Order: "113-1"})
	require.NoError(t, err)
	require.Len(t, list, 1)
}

func throttled(t *testing.T, h Harness) {
	if h.ThrottleNext == nil {
		t.Skip("this store does not throttle here")
	}
	h.ThrottleNext()
	_, err := h.Admin.Create(t.Context(), "key", NewOrder("113-1"))
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
	h.Advance(max(time.Minute, fault.After(err)))
	create(t, h, "113-1")
	h.Advance(h.Admin.Traits().SettleIn)
	list, err := h.Admin.FindByMark(t.Context(), shopadmin.Mark{Channel: "amazon-us", Order: "113-1"})
	require.NoError(t, err)
	require.Len(t, list, 1)
}

func denied(t *testing.T, h Harness) {
	if h.Deny == nil {
		t.Skip("this store takes any credentials here")
	}
	h.Deny()
	_, err := h.Admin.Order(t.Context(), "1")
	require.True(t, fault.Is(err, fault.Denied), "%v", err)
	require.NotEmpty(t, fault.Hint(err), "a person is told what to do")
}

func unknown(t *testing.T, h Harness) {
	o := create(t, h, "113-1")
	_, err := h.Admin.Order(t.Context(), o.ID+"999")
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = h.Admin.Order(ctx, o.ID)
	if err == nil {
		t.Log("this store answers without looking at the context")
	}
}

func pushed(t *testing.T, h Harness) {
	r, ok := h.Admin.(shopadmin.Receiver)
	if !ok || h.Push == nil {
		t.Skip("this store pushes nothing")
	}
	o := create(t, h, "113-1")
	in := h.Push(t)
	hint, err := r.Receive(time.Now(), in)
	require.NoError(t, err)
	require.Equal(t, o.ID, hint.Order)
	require.NotEmpty(t, hint.DeliveryID)
	require.Empty(t, hint.Ignore)
	again, err := r.Receive(time.Now(), in)
	require.NoError(t, err)
	require.Equal(t, hint, again)

	forged := shopadmin.Inbound{Header: in.Header.Clone(), Body: append([]byte(" "), in.Body...)}
	_, err = r.Receive(time.Now(), forged)
	require.ErrorIs(t, err, shopadmin.ErrSignature)
	_, err = r.Receive(time.Now(), shopadmin.Inbound{Header: http.Header{}, Body: in.Body})
	require.Error(t, err)
}
