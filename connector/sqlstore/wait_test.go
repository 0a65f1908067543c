package sqlstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

// TestAnIntentWaitsForWhoStopsWrites shows both halves of "nothing is intended after it was set":
// an intent waits for a switch or a state that is being committed, and sees it.
func TestAnIntentWaitsForWhoStopsWrites(t *testing.T) {
	for stop, want := range map[string]error{
		`update switches set turned = true where name = 'stop_writes'`:   connector.ErrStopped,
		`update connections set state = 'paused' where id = 'shop'`:      connector.ErrParked,
		`update connections set state = 'paused' where id = 'amazon-de'`: connector.ErrParked,
	} {
		s := engines["postgres"](t)
		require.NoError(t, s.PutConnection(t.Context(), connector.Connection{ID: "shop", Role: connector.RoleStore}))
		require.NoError(t, s.PutConnection(t.Context(), connector.Connection{ID: channel, Role: connector.RoleChannel, Store: "shop"}))
		require.NoError(t, s.Touch(t.Context(), noon, connector.Touch{Subject: order("A")}))
		w, err := s.Claim(t.Context(), noon, 1, time.Minute, []connector.ConnectionID{channel})
		require.NoError(t, err)

		tx, err := s.DB().Beginx()
		require.NoError(t, err)
		_, err = tx.Exec(stop)
		require.NoError(t, err)
		got := make(chan error, 1)
		go func() {
			_, err := s.Intend(t.Context(), w[0], connector.Command{Key: "k", Verb: "v", Side: connector.Shop}, noon, noon, "")
			got <- err
		}()
		select {
		case err := <-got:
			require.Fail(t, "the intent did not wait", "%s: %v", stop, err)
		case <-time.After(300 * time.Millisecond):
		}
		require.NoError(t, tx.Commit())
		require.ErrorIs(t, <-got, want)
	}
}
