// Package storetest is one exercise for every store. It reads like the life of an order: a push
// comes in, sweeps look, a worker claims, writes to the ledger, sends, settles and releases;
// then the odd corners. Each chapter begins with an empty store.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

// Exercise runs every chapter against the store that open makes.
func Exercise(t *testing.T, open func(t *testing.T) connector.Store) {
	for _, part := range [][]chapter{inbox, queue, snapshots, ledger, release, cursors, connections, reading,
		moneySide, lanes, brakes, batches, life, wishes, record, access, privacy,
		payoutFiles, payouts, payoutLines, payoutFacts, payoutActs, events} {
		for _, c := range part {
			t.Run(c.says, func(t *testing.T) { c.check(newStory(t, open(t))) })
		}
	}
}

// chapter is one sentence of the contract and how it is checked.
type chapter struct {
	says  string
	check func(s *story)
}

const (
	channel = connector.ConnectionID("amazon-de")
	shop    = connector.ConnectionID("shopify")
)

// noon is when every story begins; it has microseconds, as real instants do.
var noon = time.Date(2026, 3, 28, 12, 0, 0, 123456000, time.UTC)

// story is a store and short words for what is done with it.
type story struct {
	*testing.T
	*require.Assertions
	store connector.Store
	ctx   context.Context
}

func newStory(t *testing.T, store connector.Store) *story {
	s := &story{t, require.New(t), store, t.Context()}
	s.NoError(store.PutConnection(s.ctx, connector.Connection{ID: shop, Platform: "shopify", Role: connector.RoleStore, State: connector.Active}))
	s.NoError(store.PutConnection(s.ctx, connector.Connection{ID: channel, Platform: "amazon", Role: connector.RoleChannel, Store: shop, State: connector.Active}))
	return s
}

func order(id string) connector.Subject {
	return connector.Subject{Kind: connector.KindOrder, Channel: channel, ID: id}
}

func mirror(id string) connector.ShopRef { return connector.ShopRef{Store: shop, ID: id} }

func later(d time.Duration) time.Time { return noon.Add(d) }

// push is a delivery that says "look at this order".
func push(id string, orders ...string) connector.Delivery {
	d := connector.Delivery{Connection: channel, ID: id, Topic: "ORDER_CHANGE", ReceivedAt: noon, Verdict: connector.Accepted,
		Header: map[string][]string{"X-Signature": {"abc"}}, Body: []byte(`{"id":"` + id + `"}`)}
	for _, o := range orders {
		d.Touch = append(d.Touch, connector.Touch{Subject: order(o), Side: connector.Market})
	}
	return d
}

// read is what one side said of an order at an instant.
func read(side connector.Side, id string, version, observed time.Time, body string) connector.Observation {
	return connector.Observation{Subject: order(id), Side: side,
		Snapshot: connector.Snapshot{Version: version, ObservedAt: observed, Body: []byte(body)}}
}

func (s *story) touch(at time.Time, ids ...string) {
	s.Helper()
	for _, id := range ids {
		s.NoError(s.store.Touch(s.ctx, at, connector.Touch{Subject: order(id), Side: connector.Market}))
	}
}

func (s *story) seen(at time.Time, o ...connector.Observation) int {
	s.Helper()
	n, err := s.store.Seen(s.ctx, at, o...)
	s.NoError(err)
	return n
}

func (s *story) claim(now time.Time, n int) []connector.Work {
	s.Helper()
	w, err := s.store.Claim(s.ctx, now, n, time.Minute, []connector.ConnectionID{channel})
	s.NoError(err)
	return w
}

// claimOne expects exactly one subject to be due.
func (s *story) claimOne(now time.Time) connector.Work {
	s.Helper()
	w := s.claim(now, 10)
	s.Len(w, 1)
	return w[0]
}

func (s *story) release(w connector.Work, at time.Time, n connector.Next) {
	s.Helper()
	s.NoError(s.store.Release(s.ctx, w, at, n))
}

func (s *story) load(id string) connector.Record {
	s.Helper()
	r, err := s.store.Load(s.ctx, order(id))
	s.NoError(err)
	return r
}

// check is for goroutines beside the test's own, which must not end it.
func (s *story) check(ok bool, err error) {
	s.Helper()
	if !ok {
		s.T.Errorf("unexpected answer: %v", err)
	}
}

// same compares instants, whatever zone they are told in.
func (s *story) same(want, got time.Time) {
	s.Helper()
	s.True(want.Equal(got), "want %s, got %s", want.UTC(), got.UTC())
}

func (s *story) notes(id string) []string {
	s.Helper()
	all, err := s.store.Timeline(s.ctx, order(id))
	s.NoError(err)
	var texts []string
	for _, n := range all {
		texts = append(texts, n.Text)
	}
	return texts
}
