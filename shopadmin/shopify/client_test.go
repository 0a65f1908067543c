package shopify_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/secret"
	"channelbridge/shopadmin"
	"channelbridge/shopadmin/shopify"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// The bucket is respected before the store has to refuse: waits are short or handed back.
func TestPacingByCost(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, a *shopify.Config) {
		s.Bucket, s.Restore = 1000, 100
		a.MaxWait = time.Second
	})
	ctx := t.Context()
	made, err := b.Create(ctx, "key", newOrder(mark))
	require.NoError(t, err)
	temporary := 0
	for range 300 {
		if _, err := b.Order(ctx, made.ID); err != nil {
			require.True(t, fault.Is(err, fault.Temporary), "%v", err)
			require.Positive(t, fault.After(err))
			require.NotContains(t, err.Error(), "Throttled", "the estimate is there to prevent this")
			temporary++
			b.clock.Advance(fault.After(err))
		}
	}
	require.Positive(t, b.clock.slept+time.Duration(temporary))
}

// A refusal for cost says how long the bucket needs; until then nothing is sent.
func TestThrottled(t *testing.T) {
	b := newBench(t)
	b.store.Fail("Order", shopifyfake.FaultThrottled)
	_, err := b.Order(t.Context(), "gid://shopify/Order/1")
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
	after := fault.After(err)
	require.Positive(t, after)
	sent := len(b.wire.sent)
	_, err = b.Order(t.Context(), "gid://shopify/Order/1")
	require.True(t, fault.Is(err, fault.NotFound), "a short wait happens inside: %v", err)
	require.GreaterOrEqual(t, b.clock.slept, after)
	require.Len(t, b.wire.sent, sent+1)

	b.store.Fail("Order", shopifyfake.FaultTooMany)
	_, err = b.Order(t.Context(), "gid://shopify/Order/1")
	require.True(t, fault.Is(err, fault.Temporary))
	require.Equal(t, 2*time.Second, fault.After(err))
}

// Three layers of failure, each on a read and on a write.
func TestFailures(t *testing.T) {
	type want struct {
		read, write fault.Class
		hint        string
	}
	answers := map[string]struct {
		status int
		body   string
		want   want
	}{
		"402 frozen":        {402, `{"errors":"Payment Required"}`, want{fault.Denied, fault.Denied, "unpaid"}},
		"403":               {403, `{"errors":"Forbidden"}`, want{fault.Denied, fault.Denied, "scopes"}},
		"404":               {404, `{"errors":"Not Found"}`, want{fault.Denied, fault.Denied, "domain"}},
		"423 locked":        {423, `{}`, want{fault.Denied, fault.Denied, "locked"}},
		"429":               {429, `{}`, want{fault.Temporary, fault.Temporary, ""}},
		"301":               {301, ``, want{fault.Denied, fault.Denied, "redirect"}},
		"400":               {400, `{}`, want{fault.Refused, fault.Refused, ""}},
		"500":               {500, `oops`, want{fault.Temporary, fault.Unknown, ""}},
		"504":               {504, ``, want{fault.Temporary, fault.Unknown, ""}},
		"no JSON":           {200, `<html>`, want{fault.Temporary, fault.Unknown, ""}},
		"no data":           {200, `{}`, want{fault.Temporary, fault.Unknown, ""}},
		"odd errors":        {200, `{"errors":"what"}`, want{fault.Temporary, fault.Unknown, ""}},
		"throttled":         {200, `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}`, want{fault.Temporary, fault.Temporary, ""}},
		"access denied":     {200, `{"errors":[{"message":"no","path":["x"],"extensions":{"code":"ACCESS_DENIED","requiredAccess":"` + "`write_orders`" + ` access scope."}}],"data":{"x":null}}`, want{fault.Denied, fault.Denied, "write_orders"}},
		"denied inside":     {200, `{"errors":[{"message":"no","path":["x","order"],"extensions":{"code":"ACCESS_DENIED"}}],"data":{"x":null}}`, want{fault.Denied, fault.Unknown, ""}},
		"inactive":          {200, `{"errors":[{"message":"no","extensions":{"code":"SHOP_INACTIVE"}}]}`, want{fault.Denied, fault.Denied, "closed"}},
		"internal":          {200, `{"errors":[{"message":"oh","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`, want{fault.Temporary, fault.Unknown, ""}},
		"internal of two":   {200, `{"errors":[{"message":"a","extensions":{"code":"undefinedField"}},{"message":"oh","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`, want{fault.Temporary, fault.Unknown, ""}},
		"too costly":        {200, `{"errors":[{"message":"no","extensions":{"code":"MAX_COST_EXCEEDED"}}]}`, want{fault.Refused, fault.Refused, ""}},
		"bad document":      {200, `{"errors":[{"message":"no","extensions":{"code":"undefinedField"}}]}`, want{fault.Refused, fault.Refused, ""}},
		"code not heard of": {200, `{"errors":[{"message":"no","extensions":{"code":"BRAND_NEW"}}]}`, want{fault.Refused, fault.Unknown, ""}},
		"without a code":    {200, `{"errors":[{"message":"no"}]}`, want{fault.Temporary, fault.Unknown, ""}},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			c := canned(t, a.status, a.body)
			_, err := c.Order(t.Context(), "gid://shopify/Order/1")
			require.Equal(t, a.want.read.String(), fault.Of(err).String(), "%v", err)
			require.Contains(t, fault.Hint(err), a.want.hint)
			c = canned(t, a.status, a.body)
			err = c.Update(context.WithValue(t.Context(), writeOnly{}, true), "k", "gid://shopify/Order/1", shopadmin.Update{AddTags: []string{"x"}})
			require.Equal(t, a.want.write.String(), fault.Of(err).String(), "%v", err)
		})
	}
}

type writeOnly struct{}

// canned is an Admin whose store always answers the same, except that the read before a write
// works.
func canned(t *testing.T, status int, body string) *shopify.Admin {
	t.Helper()
	a, err := shopify.New(shopify.Config{Shop: "acme.myshopify.com", ClientSecret: secret.New("s"), Token: secret.New("t"), Retries: -1,
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			sent, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			status, body := status, body
			if r.Context().Value(writeOnly{}) != nil && strings.Contains(string(sent), "OrderAttributes(") {
				status, body = 200, `{"data":{"order":{"tags":[],"customAttributes":[]}}}`
			}
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})})
	require.NoError(t, err)
	return a
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestUserErrors(t *testing.T) {
	for _, c := range []struct {
		name, body string
		class      fault.Class
		code       string
	}{
		{"plain", `{"field":["input","tags"],"message":"is too long"}`, fault.Refused, ""},
		{"with a code", `{"code":"INVENTORY_CLAIM_FAILED","message":"no stock"}`, fault.Refused, "INVENTORY_CLAIM_FAILED"},
		{"dormant", `{"code":"SHOP_DORMANT","message":"zzz"}`, fault.Denied, "SHOP_DORMANT"},
		{"not that limit", `{"message":"Too many attempts. Please try again later."}`, fault.Refused, ""},
	} {
		a := canned(t, 200, `{"data":{"tagsAdd":{"userErrors":[`+c.body+`]}}}`)
		err := a.Update(context.WithValue(t.Context(), writeOnly{}, true), "k", "gid://shopify/Order/1", shopadmin.Update{AddTags: []string{"x"}})
		require.Equal(t, c.class.String(), fault.Of(err).String(), c.name)
		if c.code != "" {
			require.Contains(t, err.Error(), c.code)
		}
	}
	b := newBench(t)
	b.store.Fail("CreateOrder", shopifyfake.FaultDormant)
	_, err := b.Create(t.Context(), "k", newOrder(mark))
	require.True(t, fault.Is(err, fault.Denied), "%v", err)
}

func TestDevelopmentStores(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.DevStore = true })
	create := func(i int) error {
		_, err := b.Create(t.Context(), "k", newOrder(shopadmin.Mark{Channel: "c", Order: fmt.Sprint(i)}))
		return err
	}
	for i := range 5 {
		require.NoError(t, create(i))
	}
	err := create(6)
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
	b.clock.Advance(fault.After(err))
	require.NoError(t, create(6))

	b = newBench(t, func(s *shopifyfake.Config, a *shopify.Config) { s.DevStore = true; a.OrdersPerMinute = 5 })
	for i := range 5 {
		require.NoError(t, create(i))
	}
	err = create(6)
	require.True(t, fault.Is(err, fault.Temporary))
	require.Equal(t, 5, b.store.Calls()["CreateOrder"], "paced before the store has to refuse")
}

// Tokens are taken once for all, renewed before they end, and replaced when the store forgets them.
func TestTokens(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.TokenLife = time.Hour; s.Bucket = 1e6 })
	id := shopadmin.OrderID(b.store.PlaceOrder("A", "a", 1, ""))
	var wg sync.WaitGroup
	var bad atomic.Int32
	for range 20 {
		wg.Go(func() {
			if _, err := b.Order(context.Background(), id); err != nil {
				bad.Add(1)
			}
		})
	}
	wg.Wait()
	require.Zero(t, bad.Load())
	require.Equal(t, 1, b.store.Calls()["Token"])
	b.clock.Advance(56 * time.Minute)
	_, err := b.Order(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, 2, b.store.Calls()["Token"], "renewed five minutes early")

	b.store.RevokeTokens()
	_, err = b.Order(t.Context(), id)
	require.NoError(t, err, "a read goes again with a new token")
	b.store.RevokeTokens()
	err = b.Update(t.Context(), "k", id, shopadmin.Update{AddTags: []string{"x"}})
	require.NoError(t, err)
	b.store.RevokeTokens()
	_, err = b.Create(t.Context(), "k", newOrder(mark))
	require.True(t, fault.Is(err, fault.Temporary), "a write is left to the ledger: %v", err)
	_, err = b.Create(t.Context(), "k", newOrder(mark))
	require.NoError(t, err)
}

func TestRefusedCredentials(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.ClientSecret = "another" })
	_, err := b.Check(t.Context())
	require.True(t, fault.Is(err, fault.Denied), "%v", err)
	require.Contains(t, fault.Hint(err), "client id")
	require.NotContains(t, err.Error()+b.log.String(), "hush")

	b = newBench(t, func(_ *shopifyfake.Config, a *shopify.Config) { a.Token = secret.New("hush-revoked") })
	_, err = b.Check(t.Context())
	require.True(t, fault.Is(err, fault.Denied), "%v", err)
	require.Len(t, b.wire.sent, 1, "a fixed token is not tried twice")
	require.NotContains(t, err.Error()+b.log.String(), "hush")

	b = newBench(t)
	b.store.SetStatus(http.StatusUnauthorized)
	_, err = b.Check(t.Context())
	require.True(t, fault.Is(err, fault.Denied), "a brand-new token that is refused will not get better: %v", err)
	b.store.Fail("Token", shopifyfake.FaultUnavailable)
	_, err = b.Check(t.Context())
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
}

// Nothing that goes wrong prints a secret.
func TestSecretsStayInside(t *testing.T) {
	b := newBench(t, func(_ *shopifyfake.Config, a *shopify.Config) { a.ClientID = "client-id" })
	var texts strings.Builder
	for _, f := range []shopifyfake.Fault{shopifyfake.FaultLost, shopifyfake.FaultUnavailable, shopifyfake.FaultGarbage, shopifyfake.FaultInactive} {
		b.store.Fail("CreateOrder", f)
		_, err := b.Create(t.Context(), "k", newOrder(mark))
		fmt.Fprintf(&texts, "%v %+v %#v\n", err, err, err)
	}
	_, err := b.Receive(start, shopadmin.Inbound{Header: http.Header{"X-Shopify-Hmac-Sha256": {"AAAA"}}, Body: []byte("{}")})
	fmt.Fprintf(&texts, "%v\n%s", err, b.log.String())
	for _, s := range []string{"hush", "granted-", "Jane", "1 Main St", "555 0100"} {
		require.NotContains(t, texts.String(), s)
	}
}

// With every call failing one time in five, repeating what surely did not happen and looking
// after what may have ends with one order each.
func TestStormyStore(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) {
		s.Bucket, s.Restore = 1e6, 1e6
		s.Faults = shopifyfake.Faults{TooMany: .04, Throttled: .04, Unavailable: .04, LostBefore: .03, Lost: .05, Internal: .04, BadGateway: .03}
	})
	for i := range 60 {
		m := shopadmin.Mark{Channel: "amazon-us", Order: fmt.Sprint("113-", i)}
		mirror(t, b, m)
		require.Len(t, b.store.OrdersByMark(m.String()), 1)
	}
}

// mirror does what the loop does: create; after a doubt wait, look, and only then create again.
func mirror(t *testing.T, b *bench, m shopadmin.Mark) {
	t.Helper()
	for range 100 {
		_, err := b.Create(t.Context(), "k", newOrder(m))
		if err == nil {
			return
		}
		require.Contains(t, []fault.Class{fault.Temporary, fault.Unknown}, fault.Of(err), "%v", err)
		b.clock.Advance(fault.After(err) + b.Traits().SettleIn)
		if fault.Of(err) == fault.Temporary {
			continue
		}
		for {
			found, err := b.FindByMark(t.Context(), m)
			if err == nil && len(found) > 0 {
				return
			}
			if err == nil {
				break
			}
			require.True(t, fault.Is(err, fault.Temporary), "%v", err)
			b.clock.Advance(fault.After(err) + time.Second)
		}
	}
	t.Fatal("never done")
}
