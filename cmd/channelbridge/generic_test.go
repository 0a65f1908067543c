package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace/generic/genericfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// instructed lets the bench's channel be asked to move money.
func (b *bench) instructed() *bench {
	b.Helper()
	raw, err := os.ReadFile(b.config)
	require.NoError(b, err)
	text := strings.Replace(string(raw), "token: market-token,", "token: market-token, settle_in: 1s, instructions: [cancel, cancel_units, refund],", 1)
	require.NotEqual(b, string(raw), text)
	file(b.T, b.dir, "channelbridge.yaml", text)
	return b
}

// mirrored places an order and returns it with its mirror.
func (b *bench) mirrored() (id, mirror string) {
	b.Helper()
	id = b.market.Place(genericfake.Order{})
	require.Eventually(b, func() bool {
		for _, o := range b.shop.Orders() {
			if o.SourceIdentifier == id {
				mirror = o.ID
			}
		}
		return mirror != ""
	}, 15*time.Second, 50*time.Millisecond)
	return id, mirror
}

// A refund and a cancellation of the store reach a generic channel once, also when its answer is
// lost; what it gave back by itself is noticed and not repeated.
func TestAGenericChannelGivesMoneyBackOnce(t *testing.T) {
	b := newBench(t).instructed()
	r := b.serve()
	five := money.New(500, "USD")

	id, mirror := b.mirrored()
	b.market.LoseNextInstruction()
	_, err := b.shop.Refund(mirror, shopifyfake.StaffRefund{Amount: five, Reason: "CUSTOMER"})
	require.NoError(t, err)
	given := func(id string, n int) func() bool { return func() bool { return len(b.market.Given(id)) == n } }
	require.Eventually(t, given(id, 1), 20*time.Second, 50*time.Millisecond)
	require.Equal(t, "5.00", b.market.Given(id)[0].Amount, "before anything has shipped: the buyer was charged with the order")

	gone, mirrorGone := b.mirrored()
	require.NoError(t, b.shop.Cancel(mirrorGone, shopifyfake.Cancellation{Reason: "CUSTOMER", Refund: true}))
	require.Eventually(t, given(gone, 1), 20*time.Second, 50*time.Millisecond)
	o, _ := b.market.Order(gone)
	require.Equal(t, "cancelled", o.Status)

	theirs, mirrorTheirs := b.mirrored()
	require.True(t, b.market.GiveBack(theirs, "1", "5.00"))
	status, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", theirs)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Eventually(t, func() bool {
		return strings.Contains(b.run("orders", "show", "market/"+theirs).out, "has given 5.00 USD back by itself")
	}, 20*time.Second, 100*time.Millisecond)
	_, err = b.shop.Refund(mirrorTheirs, shopifyfake.StaffRefund{Amount: five, Reason: "CUSTOMER"})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return strings.Contains(b.run("orders", "show", "market/"+theirs).out, "already_refunded")
	}, 20*time.Second, 100*time.Millisecond)

	require.Eventually(t, func() bool {
		out := b.run("ledger", "list").out
		return strings.Contains(out, "refund-market") && !strings.Contains(out, "unknown")
	}, 20*time.Second, 200*time.Millisecond, "the doubt is settled")
	for _, id := range []string{id, gone, theirs} {
		require.Len(t, b.market.Given(id), 1, "order %s", id)
	}
	require.Equal(t, 2, b.market.Counts().Instructed)
	require.Zero(t, b.market.Counts().Keyless+b.market.Counts().Conflicts)
	require.Zero(t, r.stop())
}
