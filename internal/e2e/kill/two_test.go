package kill

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/e2e/rig"
)

// Two instances on one database share the work and never do it twice.
func TestTwoInstances(t *testing.T) {
	t.Parallel() // it mostly waits
	w, ctx := open(t, rig.Options{Bridges: 2, Senders: 32, Repeat: .2, Shop: shopFaults, Market: marketFaults})
	require.NoError(t, w.Start(ctx))
	ids, _ := live(t, ctx, w, 5000, 5*time.Second, 0.4, func(context.Context) error { return nil })
	clean(t, ctx, w, ids, w.Settles+time.Minute)
	for _, b := range w.Bridges {
		looks, err := rig.Metric(ctx, b.URL("/metrics"), "channelbridge_look_seconds_count")
		require.NoError(t, err)
		t.Logf("instance at %s looked at %.0f orders", b.Addr, looks)
		require.Greater(t, looks, 100.0, "this instance did no work")
	}
}

// Orders that cannot be worked on do not hold up a thousand that can.
func TestPoison(t *testing.T) {
	t.Parallel() // it mostly waits
	w, ctx := open(t, rig.Options{Senders: 32})
	require.NoError(t, w.Start(ctx))
	vast, strange := w.Market.PlaceVast(), w.Market.PlaceStrange()
	for _, id := range []string{vast, strange} {
		m, err := w.Market.Message(id)
		require.NoError(t, err)
		w.Out.Put(m)
	}
	w.Out.Put(rig.Garbled("msg_garbled"))
	ids, _ := live(t, ctx, w, 1000*revisions, 5*time.Second, 0.2, func(context.Context) error { return nil })
	require.Len(t, ids, 1000)
	require.Eventually(t, func() bool { return len(w.Mirrors(ids)) == 0 && len(w.Parcels()) == 0 && w.Out.Open() == 0 }, time.Minute, 500*time.Millisecond,
		"the good orders get through")
	require.Len(t, w.Mirrors([]string{vast, strange}), 2, "what cannot be mirrored is not")

	for id, kind := range map[string]string{vast: "mirror_refused", strange: "unmapped_state"} {
		var n int
		require.NoError(t, w.DB.QueryRowContext(ctx, `select count(*) from holds h join subjects s on s.id = h.subject
			where s.ref = $1 and h.kind = $2 and h.cleared_at is null`, id, kind).Scan(&n))
		require.Positive(t, n, "%s: a hold %s says why", id, kind)
	}
	var verdict string
	require.NoError(t, w.DB.QueryRowContext(ctx, `select verdict from deliveries where size = $1 and connection = $2`,
		len(rig.Garbled("").Body), rig.MarketID).Scan(&verdict))
	require.Equal(t, "quarantined", verdict)
	lost, err := w.Lost(ctx)
	require.NoError(t, err)
	require.LessOrEqual(t, len(lost), 1, "only the garbled push goes by another name: %s", lost)
}
