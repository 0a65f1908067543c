package marketplace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
)

// Tellings of one deferral come to the same, in whatever order they are heard.
func TestTellingsOfADeferralJoin(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 8, 0, 0, 0, time.UTC) }
	usd := func(n int64) money.Money { return money.New(n, "USD") }
	held := Deferral{ID: "T1", Order: "O1", Amount: usd(1000), PostedAt: day(1), Until: day(8), Reason: "DD7"}
	over := held
	over.Released = true
	alone := Deferral{ID: "T1", Amount: usd(999), Released: true, ReleasedAt: day(8)}
	want := over
	want.ReleasedAt = day(8)
	for _, order := range [][]Deferral{{held, over, alone}, {held, alone, over}, {alone, held, over}, {alone, over, held}, {over, alone, held}, {over, held, alone}} {
		got := order[0]
		for _, d := range order[1:] {
			got = got.With(d)
		}
		require.Equal(t, want, got)
		require.Equal(t, want, got.With(got), "told twice, counted once")
	}
	require.Equal(t, want, held.With(alone))
	require.Equal(t, want, alone.With(held))

	moved := held
	moved.Until = day(9)
	require.Equal(t, day(9), held.With(moved).Until, "what is heard later holds")
	moved.Until, moved.Reason, moved.Order = time.Time{}, "", ""
	require.Equal(t, held, held.With(moved), "what is not said is not taken back")
}
