package amazon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/httpx"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

func limitsOff() map[string]httpx.Limit { return map[string]httpx.Limit{} }

func TestConfigNamesEveryProblemAtOnce(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Region: "xx", QueueARN: "nonsense", Endpoint: "not a url", AWSAccessKeyID: testConfig().AWSAccessKeyID,
		Carriers: map[string]marketplace.Carrier{"van": {Code: "Other"}}})
	require.Error(t, err)
	for _, part := range []string{"seller id", "client id", "client secret", "refresh token", `region "xx"`, "queue ARN", "endpoint", "access key", `carrier "van"`} {
		require.ErrorContains(t, err, part)
	}
}

func TestRegionsAndOverrides(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.Region, cfg.QueueURL = "eu", "https://sqs.eu-central-1.amazonaws.com/1/q"
	cfg.Carriers = map[string]marketplace.Carrier{" UPS ": {Code: "UPSMI"}, "my van": {Code: "Self Delivery"}}
	a, err := New(cfg)
	require.NoError(t, err)
	require.Equal(t, "https://sellingpartnerapi-eu.amazon.com", a.cfg.Endpoint)
	require.Equal(t, "eu-central-1", a.cfg.AWSRegion)
	tr := a.Traits()
	require.Equal(t, "UPSMI", tr.Carriers["ups"].Code)
	require.Equal(t, "Self Delivery", tr.Carriers["my van"].Code)
	require.Equal(t, "Royal Mail", tr.Carriers["royal mail"].Code)
	require.Equal(t, marketplace.RepeatNatural, tr.Repeat[marketplace.OpConfirmShipment])
	for id, s := range sites {
		_, err := time.LoadLocation(s.zone)
		require.NoError(t, err, id)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Sites: []string{usSite}}, func(c *Config) {
		c.Sites = []string{usSite, "A2EUQ1WTGCTBG2"}
		c.SecretExpires = start.Add(10 * 24 * time.Hour)
		c.AuthorizationExpires = start.Add(300 * 24 * time.Hour)
	})
	h, err := r.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{usSite}, h.Sites)
	require.Contains(t, h.Account, amazonfake.DefaultSeller)
	require.Zero(t, h.ClockSkew)
	require.Equal(t, []string{"the client secret ends on 2026-11-30", "the seller does not take part in site A2EUQ1WTGCTBG2"}, h.Warnings)
}
