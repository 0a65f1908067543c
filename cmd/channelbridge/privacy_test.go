package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace/generic/genericfake"
	"channelbridge/shopadmin"
)

// pushOfStore is a push as the store signs it.
func pushOfStore(topic, id, body string) shopadmin.Inbound {
	mac := hmac.New(sha256.New, []byte("client-secret"))
	mac.Write([]byte(body))
	h := http.Header{}
	for k, v := range map[string]string{"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		"X-Shopify-Shop-Domain": "acme.myshopify.com", "X-Shopify-Webhook-Id": id, "X-Shopify-Event-Id": id,
		"X-Shopify-Api-Version": "2026-10", "X-Shopify-Triggered-At": time.Now().UTC().Format(time.RFC3339)} {
		h.Set(k, v)
	}
	return shopadmin.Inbound{Header: h, Body: []byte(body)}
}

func (b *bench) storePush(url, topic, id, body string) {
	b.Helper()
	in := pushOfStore(topic, id, body)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/webhooks/shop", strings.NewReader(body))
	require.NoError(b, err)
	req.Header = in.Header
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	require.NoError(b, resp.Body.Close())
	require.Equal(b, http.StatusOK, resp.StatusCode)
}

func numberOf(gid string) string { return gid[strings.LastIndexByte(gid, '/')+1:] }

// personal is all that is kept of an order.
func (b *bench) personal(id string) string {
	b.Helper()
	r := b.run("orders", "show", "market/"+id, "--json")
	require.Zero(b, r.code, r.err)
	return r.out
}

func (b *bench) demands() (out []demandView) {
	b.Helper()
	r := b.run("privacy", "list", "--json")
	require.Zero(b, r.code, r.err)
	require.NoError(b, json.Unmarshal([]byte(r.out), &out), r.out)
	return out
}

func TestDemandsAboutPersonalDataAreActedOn(t *testing.T) {
	b := newBench(t)
	for range 2 { // no sweep brings anything back while the test looks
		b.edit("sweep_every: 1s", "sweep_every: 1h")
	}
	r := b.serve()
	home := map[string]string{"name": "Ada May", "line1": "1 Main St", "city": "Seattle", "region": "WA", "postal_code": "98101", "country": "US"}
	one, two := b.market.Place(genericfake.Order{ShipTo: home}), b.market.Place(genericfake.Order{ShipTo: home})
	for _, id := range []string{one, two} {
		status, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", id)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	}
	mirror := b.mirrorOf(one)
	b.mirrorOf(two)
	require.Eventually(t, func() bool { return strings.Contains(b.personal(one), `"line1"`) }, 10*time.Second, 50*time.Millisecond)

	b.storePush(r.url, "customers/data_request", "d1", fmt.Sprintf(`{"shop_domain":"acme.myshopify.com","data_request":{"id":9999},"customer":{"email":"ada@example.com"},"orders_requested":[%s]}`, numberOf(mirror)))
	require.Eventually(t, func() bool { l := b.demands(); return len(l) == 1 && l[0].State == "to_answer" }, 10*time.Second, 50*time.Millisecond)
	require.Contains(t, b.demands()[0].Text, "market/"+one+": name and address until")
	require.Contains(t, b.demands()[0].Text, "request 9999")
	require.Contains(t, r.log.String(), "a customer asks what is kept of him")
	require.Contains(t, b.run("privacy", "list").out, "customers/data_request")
	row := fmt.Sprint(b.demands()[0].Row)
	require.Zero(t, b.run("privacy", "done", row).code)
	require.Equal(t, exitNotFound, b.run("privacy", "done", "999").code)
	require.Equal(t, "done", b.demands()[0].State)
	require.Contains(t, b.personal(one), `"line1"`, "a question deletes nothing")

	b.storePush(r.url, "customers/redact", "d2", fmt.Sprintf(`{"shop_domain":"acme.myshopify.com","customer":{"email":"ada@example.com"},"orders_to_redact":[%s]}`, numberOf(mirror)))
	require.Eventually(t, func() bool { return !strings.Contains(b.personal(one), `"line1"`) }, 10*time.Second, 50*time.Millisecond)
	require.Contains(t, b.personal(two), `"line1"`, "other customers' orders stay")
	require.Eventually(t, func() bool { l := b.demands(); return len(l) == 2 && l[1].State == "done" }, 10*time.Second, 50*time.Millisecond)

	b.storePush(r.url, "shop/redact", "d3", `{"shop_domain":"acme.myshopify.com"}`)
	require.Eventually(t, func() bool { return !strings.Contains(b.personal(two), `"line1"`) }, 10*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { l := b.demands(); return l[len(l)-1].State == "done" }, 10*time.Second, 50*time.Millisecond)
	require.NotContains(t, r.log.String(), "ada@example.com")
	require.Zero(t, r.stop())
}

// A demand that was recorded and not acted on before the process died is acted on at the start.
func TestADemandSurvivesACrash(t *testing.T) {
	b := newBench(t)
	br := b.wired()
	l, _ := br.link("shop")
	in := pushOfStore("customers/redact", "d1", `{"orders_to_redact":[4711]}`)
	header := map[string][]string{}
	for k, v := range in.Header {
		header[k] = v
	}
	d := connector.Delivery{Connection: "shop", ID: "d1", Topic: "customers/redact", Verdict: connector.Accepted, ReceivedAt: realClock(), Header: header, Body: in.Body}
	d.Size = len(d.Body)
	_, err := br.store.Record(t.Context(), d)
	require.NoError(t, err)
	s := connector.Subject{Kind: connector.KindOrder, Channel: "market", ID: "G-1"}
	_, err = br.store.Seen(t.Context(), realClock(),
		connector.Observation{Subject: s, Side: connector.Market, Snapshot: connector.Snapshot{Version: realClock(), ObservedAt: realClock(), Body: []byte(`{"id":"G-1","buyer":{"name":"Ada"}}`)}},
		connector.Observation{Subject: s, Shop: connector.ShopRef{Store: "shop", ID: "gid://shopify/Order/4711"}, Side: connector.Shop,
			Snapshot: connector.Snapshot{Version: realClock(), ObservedAt: realClock(), Body: []byte(`{"id":"gid://shopify/Order/4711","note":"for Ada"}`)}})
	require.NoError(t, err)
	time.Sleep(2 * time.Millisecond)
	for range 2 {
		require.NoError(t, br.complyOnce(t.Context(), l))
	}
	rec, err := br.store.Load(t.Context(), s)
	require.NoError(t, err)
	require.NotContains(t, string(rec.Market.Body)+string(rec.Store.Body), "Ada")
	require.False(t, rec.RedactedAt.IsZero())
	all, err := br.store.AuditEntries(t.Context(), 0, 100)
	require.NoError(t, err)
	n := 0
	for _, e := range all {
		if e.Action == "redact" && e.Subject == s.String() {
			n++
			require.Contains(t, e.Reason, "customer_redact")
		}
	}
	require.Equal(t, 1, n, "once")
}

func TestPersonalDataGoesWhenItsTimeIsOver(t *testing.T) {
	br := newBench(t).wired()
	now := realClock()
	old := connector.Subject{Kind: connector.KindOrder, Channel: "market", ID: "G-1"}
	young := connector.Subject{Kind: connector.KindOrder, Channel: "market", ID: "G-2"}
	body := `{"id":"G-1","lifecycle":"closed","fulfilled_by":"merchant","currency":"USD","lines":[],"buyer":{"name":"Ada"},"placed_at":%q,"packages":[{"ref":"1","shipped_at":%q}]}`
	for s, age := range map[connector.Subject]time.Duration{old: 40 * 24 * time.Hour, young: 31 * 24 * time.Hour} {
		placed := now.Add(-age)
		at := func(d time.Duration) string { return placed.Add(d).UTC().Format(time.RFC3339) }
		_, err := br.store.Seen(t.Context(), placed, connector.Observation{Subject: s, Side: connector.Market,
			Snapshot: connector.Snapshot{Version: placed, ObservedAt: placed, Body: fmt.Appendf(nil, body, at(0), at(5*24*time.Hour))}})
		require.NoError(t, err)
	}
	name := func(s connector.Subject) bool {
		rec, err := br.store.Load(t.Context(), s)
		require.NoError(t, err)
		return strings.Contains(string(rec.Market.Body), "Ada")
	}
	n, err := br.redactOnce(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, name(old))
	require.True(t, name(young), "30 days after the shipment are not over")
	require.NoError(t, br.redactOrder(t.Context(), young, "demanded"))
	require.False(t, name(young))
	_, err = br.store.Seen(t.Context(), realClock(), connector.Observation{Subject: young, Side: connector.Market,
		Snapshot: connector.Snapshot{Version: now, ObservedAt: realClock(), Body: []byte(`{"id":"G-2","buyer":{"name":"Ada"}}`)}})
	require.NoError(t, err)
	require.True(t, name(young))
	time.Sleep(2 * time.Millisecond)
	n, err = br.redactOnce(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n, "what was taken out once is taken out again, however young")
	require.False(t, name(young))

	_, err = br.store.Seen(t.Context(), realClock(), connector.Observation{Subject: old, Side: connector.Market, // a later read brings it back
		Snapshot: connector.Snapshot{Version: now, ObservedAt: realClock(), Body: fmt.Appendf(nil, body, now.AddDate(0, 0, -40).UTC().Format(time.RFC3339), now.AddDate(0, 0, -35).UTC().Format(time.RFC3339))}})
	require.NoError(t, err)
	require.True(t, name(old))
	time.Sleep(2 * time.Millisecond)
	n, err = br.redactOnce(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, name(old))
}
