package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

// outbox is an Events over the rig's store.
type outbox struct {
	store connector.Store
	clock connector.Clock
}

func (o outbox) List(ctx context.Context, f connector.EventFilter) ([]connector.EventRecord, error) {
	return o.store.EventList(ctx, f)
}

func (o outbox) Replay(ctx context.Context, id, endpoint string) (int, error) {
	return o.store.ReplayEvents(ctx, id, endpoint, o.clock())
}

func (r *rig) happened(name, eventType string, account connector.ConnectionID, endpoints ...string) {
	r.Helper()
	_, err := r.store.Emit(r.Context(), endpoints, connector.Event{ID: "evt_" + name, Type: eventType, At: noon, Account: account, Subject: "po_" + name,
		Data: json.RawMessage(`{"payout_id":"po_` + name + `"}`)})
	require.NoError(r, err)
}

// told ends the delivery of everything that is due at an endpoint.
func (r *rig) told(endpoint string, state connector.EventState, reason string) {
	r.Helper()
	work, _, err := r.store.ClaimEvents(r.Context(), r.clock(), 100, time.Minute, endpoint)
	require.NoError(r, err)
	for _, w := range work {
		require.NoError(r, r.store.SettleEvent(r.Context(), w, r.clock(), connector.EventOutcome{State: state, Status: 500, Reason: reason}))
	}
}

func TestEventsAreListedAndNarrowedDown(t *testing.T) {
	onEachStore(t, testEventsAreListedAndNarrowedDown)
}

func testEventsAreListedAndNarrowedDown(r *rig) {
	t := r.T
	for i := range 7 {
		r.happened(fmt.Sprint("a", i), connector.EventPayoutImported, "am", "erp")
	}
	r.told("erp", connector.EventGivenUp, "answered 500")
	r.happened("b", connector.EventPayoutNotProven, "eb", "erp", "chat")
	var page struct{ Data []eventView }
	r.get("/events?limit=1").is(http.StatusOK).into(&page)
	require.Equal(t, []eventView{{ID: "evt_b", Type: "payout.not_proven", At: noon, Account: "eb", Subject: "po_b", Data: json.RawMessage(`{"payout_id":"po_b"}`),
		Deliveries: []eventDeliveryView{{Endpoint: "chat", State: "waiting", NextAt: noon}, {Endpoint: "erp", State: "waiting", NextAt: noon}}}}, page.Data)
	for query, want := range map[string]int{"": 8, "account=am": 7, "account=none": 0, "type=payout.not_proven": 1, "endpoint=chat": 1, "delivery=given_up": 7,
		"endpoint=chat&delivery=given_up": 0, "delivery=waiting": 1} {
		for _, limit := range []int{3, 200} {
			items, _ := r.all("/events?"+query, limit, text("id"))
			require.Len(t, items, want, query)
		}
	}
	var next struct {
		Next string `json:"next_cursor"`
	}
	r.get("/events?limit=1").into(&next)
	r.happened("c", connector.EventPayoutImported, "am", "erp")
	r.get("/events?limit=1&cursor=" + next.Next).is(http.StatusOK).into(&page)
	require.Equal(t, "evt_a6", page.Data[0].ID, "what is new does not move the next page")
	r.told("erp", connector.EventDelivered, "")
	r.told("chat", connector.EventDelivered, "")
	_, err := r.store.PurgeEvents(r.Context(), r.clock().Add(time.Hour), 100)
	require.NoError(t, err)
	r.get("/events?limit=1&cursor="+next.Next).problem(http.StatusBadRequest, "invalid_cursor")
	p := r.get("/events?delivery=lost").problem(http.StatusBadRequest, "invalid_parameter")
	require.Equal(t, "delivery", p.Member)
}

func TestAnEventIsSentAgain(t *testing.T) { onEachStore(t, testAnEventIsSentAgain) }

func testAnEventIsSentAgain(r *rig) {
	t := r.T
	r.happened("a", connector.EventPayoutImported, "am", "erp", "chat")
	r.told("erp", connector.EventGivenUp, "answered 500")
	r.told("chat", connector.EventDelivered, "")
	r.pass(time.Hour)
	var v eventView
	r.post("/events/evt_a:replay", `{"endpoint":"erp"}`).is(http.StatusOK).into(&v)
	require.Equal(t, connector.EventDelivered, v.Deliveries[0].State)
	require.Equal(t, connector.EventWaiting, v.Deliveries[1].State)
	require.Equal(t, []string{"tests"}, r.audited("replay"))
	r.postKey("twice", "/events/evt_a:replay", `{}`).is(http.StatusOK).into(&v)
	require.Equal(t, connector.EventWaiting, v.Deliveries[0].State)
	r.postKey("twice", "/events/evt_a:replay", `{}`).is(http.StatusOK)
	require.Len(t, r.audited("replay"), 2)
	for _, path := range []string{"/events/evt_b:replay", "/events/evt_a:again", "/events/evt_a"} {
		require.Equal(t, http.StatusNotFound, r.post(path, `{}`).Code, path)
	}
	r.post("/events/evt_a:replay", `{"endpoint":"nobody"}`).problem(http.StatusNotFound, "not_found")
}

func TestWithoutEventsTheirAddressesSaySo(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Events = nil })
	r.get("/events").problem(http.StatusNotFound, "not_available")
	r.post("/events/evt_a:replay", `{}`).problem(http.StatusNotFound, "not_available")
}

func TestEventsNeedTheScopesOfPayouts(t *testing.T) {
	r := newRig(t)
	r.token = r.newToken("reader", scopePayoutsRead)
	r.get("/events").is(http.StatusOK)
	r.post("/events/evt_a:replay", `{}`).problem(http.StatusForbidden, "scope_missing")
	r.token = r.newToken("other", scopeOrdersRead)
	r.get("/events").problem(http.StatusForbidden, "scope_missing")
}
