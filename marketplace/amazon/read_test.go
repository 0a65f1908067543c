package amazon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

func TestOrderRoundTrip(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	id := marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{Alias: "A-1", PO: "P1", TaxByAmazon: true, Tip: "1.00",
		Items: []amazonfake.ItemSpec{{ID: "I1", Quantity: 2, UnitPrice: "10.00", Shipping: "3", Tax: "1.60", ShippingTax: "0.20",
			Discount: "2", ShippingDiscount: "1"}}}))
	o, err := r.Order(t.Context(), id)
	require.NoError(t, err)
	require.Empty(t, o.Problems)
	require.Equal(t, usd(2180), o.Total)
	require.Equal(t, []marketplace.Component{
		{Kind: marketplace.Item, Amount: usd(2000), Discount: usd(200), Tax: usd(160), TaxByChannel: true},
		{Kind: marketplace.Shipping, Amount: usd(300), Discount: usd(100), Tax: usd(20), TaxByChannel: true}}, o.Lines[0].Parts)
	require.Equal(t, "98101", o.ShipTo.PostalCode)
	require.Equal(t, start.Add(48*time.Hour), o.ShipBy.To)
	_, err = r.Order(t.Context(), "000-0000000-0000000")
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	require.ErrorContains(t, err, "req-", "Amazon's request id is kept")
}

// Trap 7: the same order, first pending without address and price, later complete.
func TestPendingIsCompletedLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	id := r.fake.Place(amazonfake.OrderSpec{Status: "PENDING"})
	o, err := r.Order(t.Context(), marketplace.OrderID(id))
	require.NoError(t, err)
	require.Equal(t, marketplace.Pending, o.Lifecycle)
	require.Nil(t, o.ShipTo)
	require.Empty(t, o.Problems)
	r.pass(time.Minute)
	r.fake.Release(id)
	later, err := r.Order(t.Context(), marketplace.OrderID(id))
	require.NoError(t, err)
	require.Equal(t, marketplace.Open, later.Lifecycle)
	require.NotNil(t, later.ShipTo)
	require.True(t, later.UpdatedAt.After(o.UpdatedAt))
	require.Equal(t, o.Lines[0].ID, later.Lines[0].ID)
}

// Trap 3: one token per page, the same other parameters, and a watermark that is Amazon's.
func TestChangedGoesThroughAllPages(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	want := map[marketplace.OrderID]bool{}
	for range 250 {
		want[marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{}))] = true
	}
	r.pass(10 * time.Minute)
	cur := marketplace.Cursor{Since: start.Add(-time.Hour)}
	pages := 0
	for more := true; more; pages++ {
		p, err := r.Changed(t.Context(), cur)
		require.NoError(t, err)
		for i, o := range p.Orders {
			delete(want, o.ID)
			require.True(t, i == 0 || !o.UpdatedAt.Before(p.Orders[i-1].UpdatedAt))
		}
		cur, more = p.Next, p.More
		r.pass(time.Minute)
	}
	require.Equal(t, 3, pages)
	require.Empty(t, want)
	require.Equal(t, marketplace.Cursor{Since: start.Add(8 * time.Minute)}, cur)
	var after []string
	for _, s := range r.sent {
		after = append(after, s.URL.Query().Get("lastUpdatedAfter"))
	}
	require.Equal(t, []string{"2026-11-20T14:00:00Z", "2026-11-20T14:00:00Z", "2026-11-20T14:00:00Z"}, after)

	p, err := r.Changed(t.Context(), marketplace.Cursor{Since: r.now().Add(time.Hour)})
	require.NoError(t, err, "a start in the future is pulled back")
	require.False(t, p.More)
}

func TestTokensThatRepeatOrEndStopTheListing(t *testing.T) {
	t.Parallel()
	c := &canned{status: 200, body: `{"orders":[],"pagination":{"nextToken":"t1"},"lastUpdatedBefore":"2026-11-20T14:58:00Z"}`}
	a := cannedAdapter(t, c)
	since := start.Add(-time.Hour)
	p, err := a.Changed(t.Context(), marketplace.Cursor{Since: since})
	require.NoError(t, err)
	require.True(t, p.More, "an empty page goes on")
	second := p.Next
	p, err = a.Changed(t.Context(), second)
	require.NoError(t, err)
	require.False(t, p.More)
	require.Equal(t, marketplace.Cursor{Since: since}, p.Next, "the watermark stays")
	q, _ := url.ParseQuery(c.query)
	require.Equal(t, "t1", q.Get("paginationToken"))

	c.status, c.body = 400, `{"errors":[{"code":"InvalidInput","message":"token expired"}]}`
	p, err = a.Changed(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, marketplace.Page{Next: marketplace.Cursor{Since: since}}, p)
	_, err = a.Changed(t.Context(), marketplace.Cursor{Since: since, Token: "nonsense"})
	require.True(t, fault.Is(err, fault.Refused))
}

func TestAPoisonedOrderDoesNotHoldUpThePage(t *testing.T) {
	t.Parallel()
	bad := edit(t, plainOrder, `{"orderId":"114-2","proceeds":{"grandTotal":{"amount":"1.005"}}}`)
	var answer struct {
		Orders            []json.RawMessage `json:"orders"`
		LastUpdatedBefore string            `json:"lastUpdatedBefore"`
	}
	answer.Orders = []json.RawMessage{bad, json.RawMessage(plainOrder), json.RawMessage(`7`)}
	answer.LastUpdatedBefore = "2026-11-20T14:58:00Z"
	body, err := json.Marshal(answer)
	require.NoError(t, err)
	p, err := cannedAdapter(t, &canned{status: 200, body: string(body)}).Changed(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	require.Len(t, p.Orders, 1)
	require.Len(t, p.Faulty, 2)
	require.Equal(t, marketplace.OrderID("114-2"), p.Faulty[0].ID)
	require.Equal(t, time.Date(2026, 11, 20, 14, 30, 0, 0, time.UTC), p.Faulty[0].UpdatedAt)
	require.JSONEq(t, string(bad), string(p.Faulty[0].Raw))
	require.Equal(t, start.Add(-2*time.Minute), p.Next.Since)
}

// Trap 4: the rate header may be missing, a number or a word; the wait comes from what is known.
func TestThrottling(t *testing.T) {
	t.Parallel()
	for header, wait := range map[string]time.Duration{"": 2 * time.Second, "0.5": 2 * time.Second, "0.1": 10 * time.Second,
		"string": 2 * time.Second, "NaN": 2 * time.Second, "-1": 2 * time.Second, "0": 2 * time.Second, "0.0000001": 10 * time.Minute} {
		h := http.Header{requestID: {"req-7"}}
		if header != "" {
			h.Set(rateHeader, header)
		}
		c := &canned{status: 429, header: h, body: `{"errors":[{"code":"QuotaExceeded","message":"slow down"}]}`}
		a := cannedAdapter(t, c)
		_, err := a.Order(t.Context(), "1")
		require.True(t, fault.Is(err, fault.Temporary), "%v", err)
		require.Equal(t, wait, fault.After(err).Round(time.Millisecond), "header %q", header)
		require.ErrorContains(t, err, "req-7")
		require.Equal(t, 1, c.calls, "throttled calls are not hammered")
	}
	r := newRig(t, amazonfake.Options{Scale: -1})
	n := 0
	for ; n < 25; n++ {
		if _, err := r.Changed(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)}); err != nil {
			require.True(t, fault.Is(err, fault.Temporary))
			require.InDelta(t, 178.6, fault.After(err).Seconds(), 1)
			break
		}
	}
	require.Equal(t, 20, n, "a burst of twenty, then one in 179 seconds")
	require.Equal(t, 20, r.fake.Calls()[opSearchOrders])
}

// Data sets Amazon refuses are left out for a while; the order comes with a problem.
func TestRefusedDataSetsAreLeftOut(t *testing.T) {
	t.Parallel()
	for set, status := range map[string]int{"RECIPIENT": 403, "TAX": 400, "BUYER": 400} {
		r := newRig(t, amazonfake.Options{Faults: amazonfake.Faults{RefuseData: map[string]int{set: status}}})
		id := marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{}))
		o, err := r.Order(t.Context(), id)
		require.NoError(t, err, set)
		requireProblem(t, o, problemMissing)
		require.Contains(t, o.Problems[0].Text, set)
		calls := r.fake.Calls()[opGetOrder]
		_, err = r.Order(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, calls+1, r.fake.Calls()[opGetOrder], "remembered")
		r.fake.SetFaults(amazonfake.Faults{})
		r.pass(11 * time.Minute)
		o, err = r.Order(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, o.Problems, "tried again after ten minutes")
	}
	r := newRig(t, amazonfake.Options{Faults: amazonfake.Faults{RefuseData: map[string]int{"TAX": 403, "RECIPIENT": 403}}})
	_, err := r.Order(t.Context(), marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{})))
	require.NoError(t, err, "both are found one after the other")
	for _, set := range essential {
		r := newRig(t, amazonfake.Options{Faults: amazonfake.Faults{RefuseData: map[string]int{set: 400}}})
		_, err := r.Order(t.Context(), marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{})))
		require.Error(t, err, "an order without %s is better not read", set)
	}
}

func TestAnswersWithoutSense(t *testing.T) {
	t.Parallel()
	for body, class := range map[string]fault.Class{`<html>`: fault.Temporary, `{}`: fault.Refused, `{"order":null}`: fault.Refused,
		fmt.Sprintf(`{"order":%s}`, strings.Replace(plainOrder, "114-1", "999", 1)): fault.Refused} {
		_, err := cannedAdapter(t, &canned{status: 200, body: body}).Order(t.Context(), "114-1")
		require.True(t, fault.Is(err, class), "%s: %v", body, err)
	}
	for status, class := range map[int]fault.Class{401: fault.Denied, 403: fault.Denied, 404: fault.NotFound, 500: fault.Temporary, 503: fault.Temporary, 413: fault.Refused} {
		_, err := cannedAdapter(t, &canned{status: status, body: "x"}).Order(t.Context(), "114-1")
		require.True(t, fault.Is(err, class), "%d: %v", status, err)
	}
}
