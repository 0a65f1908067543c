package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/secret"
	"channelbridge/marketplace"
)

// A generic channel is asked about refunds, and to make them, only where it was configured.
func TestAGenericChannelDoesWithMoneyWhatItIsConfiguredFor(t *testing.T) {
	t.Parallel()
	shop, err := buildShopify(ConnectionConfig{ID: "shop", Shopify: &ShopifyConfig{Shop: "acme.myshopify.com", ClientID: "c", ClientSecret: secret.New("hush")}}, hooks{})
	require.NoError(t, err)
	build := func(edit func(*GenericConfig)) *link {
		c := ConnectionConfig{ID: "g", Platform: "generic", Generic: &GenericConfig{Endpoint: "http://x"},
			Refunds: &RefundsConfig{Reasons: ReasonsConfig{Refund: map[string]string{"customer": "returned"}}}}
		edit(c.Generic)
		l, err := buildGeneric(c, hooks{clock: realClock})
		require.NoError(t, err)
		return l
	}

	without := build(func(*GenericConfig) {})
	_, reads := without.refunds()
	require.False(t, reads)
	require.NotImplements(t, (*marketplace.Instructor)(nil), without.channel)
	p := without.policy(shop)
	require.Empty(t, p.Instructions)
	require.False(t, p.ReadsRefunds)
	require.Len(t, without.sweeps(realClock), 2)

	with := build(func(g *GenericConfig) { g.Instructions = []string{"refund", "cancel"} })
	_, reads = with.refunds()
	require.True(t, reads)
	p = with.policy(shop)
	require.Equal(t, []marketplace.Operation{marketplace.OpRefund, marketplace.OpCancel}, p.Instructions)
	require.True(t, p.ReadsRefunds)
	require.False(t, p.CaptureOnShip)
	require.Empty(t, p.WholeOnly)
	require.Empty(t, p.Lanes, "it is answered at once")
	require.Equal(t, marketplace.RepeatNative, p.Repeat[marketplace.OpRefund])
	require.Equal(t, "returned", p.Reasons[marketplace.OpRefund]["customer"])
	require.Len(t, with.sweeps(realClock), 3)

	strict := build(func(g *GenericConfig) { g.Instructions, g.Capture, g.WholeOnly = []string{"refund"}, "shipment", true }).policy(shop)
	require.True(t, strict.CaptureOnShip)
	require.Equal(t, []marketplace.Operation{marketplace.OpRefund}, strict.WholeOnly)
}
