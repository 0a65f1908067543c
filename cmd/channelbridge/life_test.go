package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/httpapi"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// mirrorOf waits until an order has its mirror in the store and returns its id there.
func (b *bench) mirrorOf(id string) (mirror string) {
	b.Helper()
	require.Eventually(b, func() bool {
		for _, o := range b.shop.Orders() {
			if o.SourceIdentifier == id {
				mirror = o.ID
			}
		}
		return mirror != ""
	}, 20*time.Second, 50*time.Millisecond)
	return mirror
}

// reconnectPlan is the plan of the Amazon channel as a program reads it.
func (b *bench) reconnectPlan(args ...string) (p httpapi.ReconnectPlan) {
	b.Helper()
	r := b.run(append(args, "--json")...)
	require.Zero(b, r.code, r.err)
	require.NoError(b, json.Unmarshal([]byte(r.out), &p), r.out)
	return p
}

// what is cancelled in the store while a channel is removed is cancelled or refunded there
// once it is connected again, by itself and once.
func TestR144AChannelIsRemovedAndConnectedAgain(t *testing.T) {
	fake := amazonfake.New(amazonfake.Options{Scale: -1, MaxPollWait: time.Second, FeedDelay: 2 * time.Second})
	b := amazonBench(t, fake)
	r := b.serve()
	require.Eventually(t, func() bool { return len(fake.Subscriptions()) == 3 }, 10*time.Second, 50*time.Millisecond)
	id := fake.Place(amazonfake.OrderSpec{})
	mirror := b.mirrorOf(id)
	require.Eventually(t, func() bool { return strings.Contains(b.run("orders", "list").out, "open") }, 10*time.Second, 50*time.Millisecond)

	dry := b.run("channels", "remove", "amazon-us", "--dry-run")
	require.Zero(t, dry.code, dry.err)
	require.Regexp(t, `to_ship +1 `, dry.out)
	asked := b.run("channels", "remove", "amazon-us")
	require.Equal(t, exitUsage, asked.code)
	require.Contains(t, asked.err, "--yes")
	require.Regexp(t, `amazon-us.*active`, b.run("channels", "list").out)
	gone := b.run("channels", "remove", "amazon-us", "--yes", "--reason", "sold")
	require.Zero(t, gone.code, gone.err)
	require.Contains(t, gone.err, "configuration file")
	require.Regexp(t, `removed +sold`, b.run("channels", "show", "amazon-us").out)
	require.Contains(t, b.run("channels", "show", "amazon-us").out, "credentials_in_file")
	require.Equal(t, exitUsage, b.run("channels", "resume", "amazon-us").code)
	require.Equal(t, exitUsage, b.run("connections", "resume", "amazon-us").code)
	require.Equal(t, exitUsage, b.run("connections", "test", "amazon-us").code)
	require.Eventually(t, func() bool { return strings.Contains(r.log.String(), "connection removed") }, 10*time.Second, 50*time.Millisecond)
	time.Sleep(1500 * time.Millisecond) // a poll that was under way ends
	calls := fake.Calls()

	require.NoError(t, b.shop.Cancel(mirror, shopifyfake.Cancellation{Reason: "CUSTOMER", Restock: true, Refund: true}))
	require.Eventually(t, func() bool {
		p := b.reconnectPlan("channels", "reconnect", "amazon-us", "--dry-run")
		return p.Totals.Orders == 1 && p.Progress.Waiting == 1 && p.State == planWaiting
	}, 20*time.Second, 100*time.Millisecond, "the store's facts go on being recorded")
	table := b.run("channels", "reconnect", "amazon-us", "--dry-run")
	require.Contains(t, table.out, id)
	require.Empty(t, fake.Feeds())
	require.Equal(t, calls, fake.Calls(), "nothing is called with its credentials")

	require.Zero(t, b.run("channels", "reconnect", "amazon-us").code)
	require.Eventually(t, func() bool {
		o, _ := fake.Order(id)
		return strings.EqualFold(o.Status, "CANCELLED")
	}, 40*time.Second, 100*time.Millisecond)
	require.Eventually(t, func() bool { return b.reconnectPlan("channels", "plan", "amazon-us").State == planDone }, 30*time.Second, 200*time.Millisecond)
	p := b.reconnectPlan("channels", "plan", "amazon-us")
	require.Equal(t, 1, p.Progress.Done, "%+v", p)
	require.Len(t, fake.Feeds(), 1)
	require.Regexp(t, `amazon-us.*active`, b.run("channels", "list").out)
	require.Zero(t, r.stop())
}

func TestAPlanThatAsksWaitsForAPerson(t *testing.T) {
	fake := amazonfake.New(amazonfake.Options{Scale: -1, MaxPollWait: time.Second, FeedDelay: 2 * time.Second})
	b := amazonBench(t, fake)
	b.edit("store: shop\n    amazon:", "store: shop\n    refunds: {reconnect: ask}\n    amazon:")
	r := b.serve()
	require.Eventually(t, func() bool { return len(fake.Subscriptions()) == 3 }, 10*time.Second, 50*time.Millisecond)
	one, two := fake.Place(amazonfake.OrderSpec{}), fake.Place(amazonfake.OrderSpec{})
	for _, id := range []string{one, two} {
		b.mirrorOf(id)
	}
	require.Zero(t, b.run("channels", "remove", "amazon-us", "--yes").code)
	for _, id := range []string{one, two} {
		require.NoError(t, b.shop.Cancel(b.mirrorOf(id), shopifyfake.Cancellation{Reason: "CUSTOMER", Refund: true}))
	}
	require.Zero(t, b.run("channels", "reconnect", "amazon-us").code)
	require.Eventually(t, func() bool {
		p := b.reconnectPlan("channels", "plan", "amazon-us")
		return p.State == planWaiting && p.Progress.Waiting == 2
	}, 40*time.Second, 200*time.Millisecond)
	require.Zero(t, b.run("channels", "hold", "amazon-us", two, "--reason", "talk to him first").code)
	require.Zero(t, b.run("channels", "hold", "amazon-us", two).code, "again, without harm")
	require.Equal(t, exitNotFound, b.run("channels", "hold", "amazon-us", "nobody").code)
	require.Equal(t, 1, b.reconnectPlan("channels", "plan", "amazon-us").Progress.Held)
	require.Empty(t, fake.Feeds())

	require.Zero(t, b.run("channels", "approve", "amazon-us").code)
	require.Eventually(t, func() bool { o, _ := fake.Order(one); return strings.EqualFold(o.Status, "CANCELLED") }, 40*time.Second, 100*time.Millisecond)
	o, _ := fake.Order(two)
	require.False(t, strings.EqualFold(o.Status, "CANCELLED"), "one order is held")
	require.Zero(t, b.run("channels", "approve", "amazon-us", two).code)
	require.Eventually(t, func() bool { o, _ := fake.Order(two); return strings.EqualFold(o.Status, "CANCELLED") }, 40*time.Second, 100*time.Millisecond)
	require.Zero(t, r.stop())
}

func TestTheLifeOfAChannelHasItsOrder(t *testing.T) {
	b := newBench(t)
	br := b.wired()
	c := channels{br}
	refused := func(code string, err error) {
		t.Helper()
		r := &httpapi.Refusal{}
		require.ErrorAs(t, err, &r)
		require.Equal(t, code, r.Code)
	}
	by := httpapi.By{Actor: "anna", Reason: "because"}
	for _, id := range []connector.ConnectionID{"nobody", "shop"} { // a store is no channel
		require.ErrorIs(t, c.Pause(t.Context(), id, by), connector.ErrNotFound)
		_, err := c.Show(t.Context(), id)
		require.ErrorIs(t, err, connector.ErrNotFound)
		_, err = c.ReconnectPlan(t.Context(), id, "", 10)
		require.ErrorIs(t, err, connector.ErrNotFound)
	}
	refused("not_removed", c.Reconnect(t.Context(), "market", by))
	require.NoError(t, c.Pause(t.Context(), "market", by))
	require.Equal(t, connector.Paused, br.state("market"))
	refused("not_reconnecting", c.ApprovePlan(t.Context(), "market", "", by))
	require.NoError(t, c.Resume(t.Context(), "market", by))
	require.NoError(t, c.Resume(t.Context(), "market", by))
	require.NoError(t, c.ApprovePlan(t.Context(), "market", "", by), "it runs already")

	_, err := c.Remove(t.Context(), "market", true, by)
	require.NoError(t, err)
	require.Equal(t, connector.Active, br.state("market"), "a dry run")
	for range 2 {
		_, err = c.Remove(t.Context(), "market", false, by)
		require.NoError(t, err)
	}
	require.Empty(t, br.runnable())
	refused("removed", c.Pause(t.Context(), "market", by))
	refused("removed", c.Resume(t.Context(), "market", by))
	p, err := c.ReconnectPlan(t.Context(), "market", "", 10)
	require.NoError(t, err)
	require.Equal(t, planWaiting, p.State)
	require.NoError(t, c.Reconnect(t.Context(), "market", by))
	at := br.row("market").RejoinedAt
	require.NoError(t, c.Reconnect(t.Context(), "market", by))
	require.Equal(t, at, br.row("market").RejoinedAt)
	refused("reconnecting", c.Resume(t.Context(), "market", by))
	refused("reading", c.ApprovePlan(t.Context(), "market", "", by))
	entries, err := br.store.AuditEntries(t.Context(), 0, 100)
	require.NoError(t, err)
	var did []string
	for _, e := range entries {
		if e.Action == "state" {
			did = append(did, fmt.Sprintf("%s %s %s", e.Actor, e.Subject, e.Reason))
		}
	}
	require.Equal(t, []string{"anna market because", "anna market ", "anna market because", "anna market because"}, did)
}

func (b *bridge) row(id connector.ConnectionID) connector.Connection {
	c, _ := b.states.get(id)
	return c
}

// A channel of the database loses its credentials for good; given again, it comes back.
func TestARemovedChannelOfTheDatabaseNeedsItsCredentialsAgain(t *testing.T) {
	b := newBench(t)
	r := b.serve()
	add := func() result {
		text := "id: handmade\nplatform: generic\nstore: shop\nsweep_every: 1s\ngeneric: {endpoint: '" + b.marketURL + "', token: market-token}\n"
		return commandWith(t, environment{}, text, "connections", "add", "--file", "-", "--config", b.config)
	}
	require.Zero(t, add().code)
	require.Eventually(t, func() bool { return strings.Contains(r.log.String(), "connection taken in") }, 10*time.Second, 50*time.Millisecond)
	require.Zero(t, b.run("channels", "remove", "handmade", "--yes").code)
	require.Eventually(t, func() bool { return strings.Contains(r.log.String(), "its credentials are destroyed") }, 10*time.Second, 50*time.Millisecond)
	resp, err := http.Post(r.url+"/webhooks/handmade", "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	no := b.run("channels", "reconnect", "handmade")
	require.Equal(t, exitUsage, no.code)
	require.Contains(t, no.err, "connections add")
	require.Zero(t, add().code)
	require.Zero(t, b.run("channels", "reconnect", "handmade").code)
	require.Eventually(t, func() bool { return strings.Contains(r.log.String(), "channel is connected again") }, 20*time.Second, 50*time.Millisecond)
	require.Regexp(t, `handmade.*active`, b.run("channels", "list").out)
}
