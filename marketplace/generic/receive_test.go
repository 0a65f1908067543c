package generic_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/internal/secret"
	"channelbridge/marketplace"
	"channelbridge/marketplace/generic"
)

func pushOnly(t testing.TB, change ...func(*generic.Config)) *generic.Adapter {
	cfg := generic.Config{Secret: key, Previous: older}
	for _, f := range change {
		f(&cfg)
	}
	a, err := generic.New(cfg)
	require.NoError(t, err)
	return a
}

// The vector of the Standard Webhooks specification's own libraries.
func TestPublishedVector(t *testing.T) {
	t.Parallel()
	at, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	h, err := generic.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
	require.NoError(t, err)
	require.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", h.Get(generic.HeaderSignature))
	require.NoError(t, pushOnly(t).Verify(at, marketplace.Inbound{Header: h, Body: body}))
}

const body = `{"id":"A-1","placed_at":"2026-11-20T09:00:00Z","updated_at":"2026-11-20T09:30:00+01:00","status":"open","currency":"USD",
 "lines":[{"id":"1","quantity":2,"price":"20.00"}]}`

func TestSignatures(t *testing.T) {
	t.Parallel()
	sign := func(s secret.Text, at time.Time) http.Header {
		h, err := generic.Sign(s, "m1", at, []byte(body))
		require.NoError(t, err)
		return h
	}
	stranger := secret.New("whsec_" + base64.StdEncoding.EncodeToString([]byte("somebody else's key, 24+")))
	for _, c := range []struct {
		name string
		edit func(http.Header)
		from secret.Text
		at   time.Duration
		want error
	}{
		{"the current secret", nil, key, 0, nil},
		{"the previous secret", nil, older, 0, nil},
		{"a stranger's secret", nil, stranger, 0, marketplace.ErrSignature},
		{"five minutes late", nil, key, -5 * time.Minute, nil},
		{"five minutes early", nil, key, 5 * time.Minute, nil},
		{"later", nil, key, -5*time.Minute - time.Second, marketplace.ErrStale},
		{"earlier", nil, key, 5*time.Minute + time.Second, marketplace.ErrStale},
		{"a stranger who is late is a stranger", nil, stranger, -time.Hour, marketplace.ErrSignature},
		{"another id", func(h http.Header) { h.Set("Webhook-Id", "m2") }, key, 0, marketplace.ErrSignature},
		{"another time", func(h http.Header) { h.Set("Webhook-Timestamp", "1763632801") }, key, 0, marketplace.ErrSignature},
		{"a time that is none", func(h http.Header) { h.Set("Webhook-Timestamp", "soon") }, key, 0, marketplace.ErrMissing},
		{"no id", func(h http.Header) { h.Del("Webhook-Id") }, key, 0, marketplace.ErrMissing},
		{"no time", func(h http.Header) { h.Del("Webhook-Timestamp") }, key, 0, marketplace.ErrMissing},
		{"no signature", func(h http.Header) { h.Del("Webhook-Signature") }, key, 0, marketplace.ErrMissing},
		{"several, one of them right", func(h http.Header) {
			h.Set("Webhook-Signature", "v1,AAAA v1a,x "+h.Get("Webhook-Signature")+" v1,!!")
		}, key, 0, nil},
		{"several headers", func(h http.Header) {
			h["Webhook-Signature"] = append([]string{"v1,AAAA"}, h["Webhook-Signature"]...)
		}, key, 0, nil},
		{"the right sum under another version", func(h http.Header) {
			h.Set("Webhook-Signature", "v2"+strings.TrimPrefix(h.Get("Webhook-Signature"), "v1"))
		}, key, 0, marketplace.ErrSignature},
		{"half a sum", func(h http.Header) { h.Set("Webhook-Signature", h.Get("Webhook-Signature")[:20]) }, key, 0, marketplace.ErrSignature},
		{"an empty sum", func(h http.Header) { h.Set("Webhook-Signature", "v1,") }, key, 0, marketplace.ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := sign(c.from, start.Add(c.at))
			if c.edit != nil {
				c.edit(h)
			}
			hints, err := pushOnly(t).Receive(start, marketplace.Inbound{Header: h, Body: []byte(body)})
			require.ErrorIs(t, err, c.want)
			if c.want == nil {
				require.Equal(t, "m1", hints[0].DeliveryID)
				require.Equal(t, time.Date(2026, 11, 20, 8, 30, 0, 0, time.UTC), hints[0].Heard)
			}
		})
	}
	t.Run("without a secret every push is refused", func(t *testing.T) {
		a, err := generic.New(generic.Config{Base: "http://x"})
		require.NoError(t, err)
		_, err = a.Receive(start, marketplace.Inbound{Header: sign(key, start), Body: []byte(body)})
		require.ErrorIs(t, err, marketplace.ErrSignature)
	})
}

func TestBodies(t *testing.T) {
	t.Parallel()
	with := func(from, to string) string { return strings.Replace(body, from, to, 1) }
	for _, c := range []struct {
		name, body string
		check      func(*testing.T, marketplace.Order)
		err        error // wrapped together with ErrMalformed
	}{
		{"an id beyond 2^53", with(`"id":"A-1"`, `"id":820982911946154508123`), func(t *testing.T, o marketplace.Order) {
			require.EqualValues(t, "820982911946154508123", o.ID)
		}, nil},
		{"a price as a number", with(`"20.00"`, `20.10`), func(t *testing.T, o marketplace.Order) {
			require.Equal(t, money.New(2010, "USD"), o.Lines[0].Parts[0].Amount)
		}, nil},
		{"a price no float can hold", with(`"20.00"`, `90071992547409.93`), func(t *testing.T, o marketplace.Order) {
			require.Equal(t, money.New(9007199254740993, "USD"), o.Lines[0].Parts[0].Amount)
		}, nil},
		{"an unknown status", with(`"open"`, `"mystery"`), func(t *testing.T, o marketplace.Order) {
			require.Equal(t, marketplace.Unmapped, o.Lifecycle)
			require.Equal(t, "mystery", o.External)
			require.Equal(t, "unmapped_state", o.Problems[0].Kind)
		}, nil},
		{"an unknown fulfiller", with(`"open"`, `"open","fulfilled_by":"moon"`), func(t *testing.T, o marketplace.Order) {
			require.Equal(t, marketplace.Unmapped, o.Lifecycle)
			require.Empty(t, o.FulfilledBy)
		}, nil},
		{"a total that does not fit", with(`"USD"`, `"USD","total":"1.00"`), func(t *testing.T, o marketplace.Order) {
			require.Equal(t, "divergence", o.Problems[0].Kind)
		}, nil},
		{"taxes, discounts and shipping", with(`"20.00"`, `"20.00","discount":"5","tax":"1.20","shipping":"4","shipping_tax":"0.30","shipping_discount":"1.00"`),
			func(t *testing.T, o marketplace.Order) {
				require.Len(t, o.Lines[0].Parts, 2)
				require.Equal(t, money.New(500, "USD"), o.Lines[0].Parts[0].Discount)
				require.Equal(t, marketplace.Shipping, o.Lines[0].Parts[1].Kind)
			}, nil},
		{"unknown fields", with(`"open"`, `"open","new_thing":{"a":[1]}`), func(t *testing.T, o marketplace.Order) {
			require.Equal(t, marketplace.Open, o.Lifecycle)
		}, nil},
		{"a price in scientific notation", with(`"20.00"`, `2e1`), nil, money.ErrSyntax},
		{"a price with too many digits", with(`"20.00"`, `"20.005"`), nil, money.ErrDigits},
		{"a price too large", with(`"20.00"`, `"99999999999999999999"`), nil, money.ErrOverflow},
		{"a currency that is none", with(`"USD"`, `"dollars"`), nil, marketplace.ErrMalformed},
		{"a negative discount", with(`"20.00"`, `"20.00","discount":"-1"`), nil, marketplace.ErrMalformed},
		{"no price", with(`,"price":"20.00"`, ``), nil, marketplace.ErrMalformed},
		{"an empty price", with(`"20.00"`, `""`), nil, marketplace.ErrMalformed},
		{"a price that is true", with(`"20.00"`, `true`), nil, marketplace.ErrMalformed},
		{"an id with a fraction", with(`"id":"A-1"`, `"id":1.5`), nil, marketplace.ErrMalformed},
		{"no id", with(`"id":"A-1",`, ``), nil, marketplace.ErrMalformed},
		{"no lines", with(`[{"id":"1","quantity":2,"price":"20.00"}]`, `[]`), nil, marketplace.ErrMalformed},
		{"two lines of one id", with(`[{"id":"1"`, `[{"id":"1","quantity":1,"price":1},{"id":"1"`), nil, marketplace.ErrMalformed},
		{"no pieces", with(`"quantity":2`, `"quantity":0`), nil, marketplace.ErrMalformed},
		{"half a piece", with(`"quantity":2`, `"quantity":0.5`), nil, marketplace.ErrMalformed},
		{"no time", with(`"updated_at":"2026-11-20T09:30:00+01:00",`, ``), nil, marketplace.ErrMalformed},
		{"not UTF-8", with("A-1", "A\xff"), nil, marketplace.ErrMalformed},
		{"cut", body[:100], nil, marketplace.ErrMalformed},
		{"two orders", body + body, nil, marketplace.ErrMalformed},
		{"nothing", "", nil, marketplace.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, err := generic.Sign(key, "m1", start, []byte(c.body))
			require.NoError(t, err)
			hints, err := pushOnly(t).Receive(start, marketplace.Inbound{Header: h, Body: []byte(c.body)})
			if c.check == nil {
				require.ErrorIs(t, err, marketplace.ErrMalformed)
				require.True(t, errors.Is(err, c.err), "%v", err)
				return
			}
			require.NoError(t, err)
			c.check(t, *hints[0].Observed)
		})
	}
}

// FuzzReceive looks for a body or header that is taken without a right signature, and for
// orders that are taken but break what the contract promises.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(body), "m1", "1763632800", "v1,AAAA", true)
	f.Add([]byte(`{"id":1e9}`), "", "-1", "v1", true)
	f.Add([]byte("\xff"), "a.b", "99999999999999999999", "v1,", false)
	a := pushOnly(f)
	f.Fuzz(func(t *testing.T, body []byte, id, stamp, sig string, genuine bool) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {sig}}
		if genuine {
			var err error
			h, err = generic.Sign(key, id, start, body)
			require.NoError(t, err)
		}
		hints, err := a.Receive(start, marketplace.Inbound{Header: h, Body: body})
		if err != nil {
			require.Empty(t, hints)
			return
		}
		require.True(t, genuine, "a forgery was taken")
		o := *hints[0].Observed
		require.NotEmpty(t, o.ID)
		require.Equal(t, id, hints[0].DeliveryID)
		require.False(t, o.UpdatedAt.IsZero())
		for _, l := range o.Lines {
			require.Positive(t, l.Ordered)
			for _, p := range l.Parts {
				require.Equal(t, o.Currency, p.Amount.Currency)
				require.GreaterOrEqual(t, p.Discount.Minor, int64(0))
			}
		}
	})
}
