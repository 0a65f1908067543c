package payout

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector/memstore"
	"channelbridge/marketplace"
)

func TestASimulationTellsWhatTariffsWouldChangeAndKeepsNothing(t *testing.T) {
	ctx, store, now := context.Background(), memstore.New(), day.Add(20*24*time.Hour)
	example(t, store)
	from := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	simulate := func(tariffs ...Tariff) Simulation {
		s, err := Simulate(ctx, Keep{Payouts: store}, shopee, tariffs, now)
		require.NoError(t, err)
		return s
	}
	require.Empty(t, simulate().Changes)
	require.Empty(t, simulate(vnTariffs()...).Changes, "the same once more changes nothing")

	s := simulate(Tariff{Key: "commission", Category: marketplace.Commission, RateBP: 500, From: from})
	require.Equal(t, 4, s.Orders)
	require.Equal(t, []Change{
		{"A", "VND", Standing{Matched, 429600, 0}, Standing{FeeVariance, 424800, 4800}},
		{"B", "VND", Standing{FeeVariance, 179000, -2000}, Standing{Matched, 177000, 0}},
		{"D", "VND", Standing{MissingInSettlement, 89500, -89500}, Standing{MissingInSettlement, 88500, -88500}},
	}, s.Changes)
	require.Equal(t, []Shift{{"VND", 3, Standing{"", 698100, -91500}, Standing{"", 690300, -83700}}}, s.Sums)

	later := simulate(Tariff{Key: "commission-2027", Category: marketplace.Commission, RateBP: 900, From: day.Add(time.Hour)})
	require.Empty(t, later.Changes, "only orders placed later are meant")
	kept, err := store.Tariffs(ctx, shopee.ID, time.Time{})
	require.NoError(t, err)
	require.Len(t, kept, 4)
}
