package amazon

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

func TestFiftyCallersShareOneRenewal(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1}, func(c *Config) { c.HTTP.Limits = limitsOff() })
	id := marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{}))
	all := func() {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				_, err := r.Order(t.Context(), id)
				require.NoError(t, err)
			})
		}
		wg.Wait()
	}
	all()
	require.Equal(t, 1, r.fake.Calls()["token"])
	r.pass(58 * time.Minute)
	all()
	require.Equal(t, 1, r.fake.Calls()["token"], "still good")
	r.pass(90 * time.Second)
	all()
	require.Equal(t, 2, r.fake.Calls()["token"], "renewed a minute early, once")
	require.Equal(t, 150, r.fake.Calls()[opGetOrder])
}

func TestRefusedGrantsStopTheChannel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code  string
		spoil func(*amazonfake.Server)
		mend  func(*amazonfake.Server)
	}{
		{"invalid_grant", func(s *amazonfake.Server) { s.Revoke() }, func(s *amazonfake.Server) { s.Authorize(amazonfake.DefaultRefresh) }},
		{"invalid_client", func(s *amazonfake.Server) { s.RotateSecret("new") }, func(s *amazonfake.Server) { s.RotateSecret(amazonfake.DefaultSecret) }},
	} {
		r := newRig(t, amazonfake.Options{})
		id := marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{}))
		c.spoil(r.fake)
		for range 5 {
			_, err := r.Order(t.Context(), id)
			require.True(t, fault.Is(err, fault.Denied), "%s: %v", c.code, err)
			require.NotEmpty(t, fault.Hint(err), c.code)
		}
		require.Equal(t, 1, r.fake.Calls()["token"], "%s: a refusal is not asked for again at once", c.code)
		c.mend(r.fake)
		r.pass(61 * time.Second)
		_, err := r.Order(t.Context(), id)
		require.NoError(t, err, c.code)
	}
}

func TestATokenTheAPIRefusesIsReplacedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	id := marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: "I1"}}}))
	_, err := r.Order(t.Context(), id)
	require.NoError(t, err)
	r.pass(10 * time.Minute)
	r.fake.ExpireTokens()
	_, err = r.Order(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, 2, r.fake.Calls()["token"])

	r.pass(10 * time.Minute)
	r.fake.ExpireTokens()
	_, err = r.ConfirmShipment(t.Context(), "k", shipment(id, "1", "I1", 1, r.now()))
	require.True(t, fault.Is(err, fault.Temporary), "a write is left to the ledger: %v", err)
	require.Empty(t, r.fake.Shipments(string(id)))
	_, err = r.ConfirmShipment(t.Context(), "k", shipment(id, "1", "I1", 1, r.now()))
	require.NoError(t, err)
}

func TestSecretsNeverShow(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := func(c *Config) {
		c.HTTP.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	hidden := []string{amazonfake.DefaultSecret, amazonfake.DefaultRefresh, "Atza|", "aws-secret", pipeToken}
	check := func(text string) {
		for _, h := range hidden {
			require.NotContains(t, text, h)
		}
	}
	r := newRig(t, amazonfake.Options{Faults: amazonfake.Faults{Lost: 1}, Subscribed: true}, logger)
	id := marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{}))
	_, err := r.Order(t.Context(), id)
	require.Error(t, err)
	check(err.Error())
	r.fake.SetFaults(amazonfake.Faults{})
	r.fake.Revoke()
	_, err = r.Order(t.Context(), id)
	require.Error(t, err)
	check(err.Error())
	_, err = r.Receive(start, marketplace.Inbound{Header: map[string][]string{"Authorization": {pipeToken + "x"}}})
	require.Error(t, err)
	check(err.Error())
	echo := &canned{status: 400, body: `{"errors":[{"code":"X","message":"bad token Atza|abc and Atzr|def ` + amazonfake.DefaultSecret + `"}]}`}
	_, err = cannedAdapter(t, echo).ConfirmShipment(t.Context(), "k", shipment("1", "1", "I1", 1, start))
	require.Error(t, err)
	check(err.Error())
	check(log.String())
	check(fmt.Sprintf("%v %+v", r.cfg, r.cfg))
}
