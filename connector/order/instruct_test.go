package order

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/marketplace"
	mfake "channelbridge/marketplace/fake"
	"channelbridge/shopadmin"
	sfake "channelbridge/shopadmin/fake"
)

// counter is one mirrored order of a channel that answers instructions at once, charges with the
// order and drops a repeated key, worked on by the real loop.
type counter struct {
	*testing.T
	now    time.Time
	market *mfake.Market
	shop   *sfake.Shop
	store  *memstore.Store
	loop   *connector.Loop
	keys   []string // of instructions, in the order in which they were sent
}

var counterOrder = connector.Subject{Kind: connector.KindOrder, Channel: "shop-two", ID: "114-1"}

func newCounter(t *testing.T, takes ...marketplace.Operation) *counter {
	c := &counter{T: t, now: noon, store: memstore.New()}
	clock, rnd := func() time.Time { return c.now }, rand.New(rand.NewPCG(1, 2))
	c.market, c.shop = mfake.New(clock, rnd), sfake.New(clock, rnd)
	c.market.OnInstruct = func(key string, _ marketplace.Instruction) { c.keys = append(c.keys, key) }
	channel := c.market.Direct()
	traits := channel.Traits()
	p := snapshot(nil, nil).Policy
	p.Instructions, p.CaptureOnShip, p.Repeat = takes, traits.CaptureOnShip, traits.Repeat
	p.ReadsRefunds, p.Fresh, p.CancelsShop = true, 2*time.Minute, true
	ctx := t.Context()
	require.NoError(t, c.store.PutConnection(ctx, connector.Connection{ID: "shop", Role: connector.RoleStore, State: connector.Active}))
	require.NoError(t, c.store.PutConnection(ctx, connector.Connection{ID: counterOrder.Channel, Role: connector.RoleChannel, Store: "shop", State: connector.Active}))
	rec := &Reconciler{Store: c.store, Clock: clock, Log: slog.New(slog.DiscardHandler), Sides: func(connector.ConnectionID) (Sides, bool) {
		return Sides{Channel: channel, Shop: c.shop, Store: "shop", Policy: p}, true
	}}
	c.loop = &connector.Loop{Queue: c.store, Clock: clock, Reconcilers: map[connector.Kind]connector.Reconciler{connector.KindOrder: rec},
		Runnable: func() []connector.ConnectionID { return []connector.ConnectionID{counterOrder.Channel} }}
	o := channelOrder()
	c.market.Put(*o)
	c.work(time.Minute)
	require.Len(t, c.shop.Orders(), 1, "it is mirrored")
	return c
}

// work lets time pass in small steps; whatever changed is heard of at their beginning.
func (c *counter) work(d time.Duration) {
	c.Helper()
	touch := []connector.Touch{{Subject: counterOrder, Side: connector.Market, Heard: c.now, Urgent: true}}
	for _, o := range c.shop.Orders() {
		touch = append(touch, connector.Touch{Shop: connector.ShopRef{Store: "shop", ID: string(o.ID)}, Side: connector.Shop, Heard: c.now, Urgent: true})
	}
	_, err := c.store.Record(c.Context(), connector.Delivery{ID: c.now.String(), Connection: counterOrder.Channel, Topic: "t", Verdict: connector.Accepted, ReceivedAt: c.now, Touch: touch})
	require.NoError(c, err)
	for end := c.now.Add(d); c.now.Before(end); c.now = c.now.Add(5 * time.Second) {
		_, err := c.loop.Step(c.Context(), 4)
		require.NoError(c, err)
	}
}

// gives is staff giving back the first unit that is left, before anything has shipped.
func (c *counter) gives() {
	c.Helper()
	m := c.shop.Orders()[0]
	i := slices.IndexFunc(m.Lines, func(l shopadmin.Line) bool { return l.Current > 0 })
	_, err := c.shop.GiveBack(m.ID, sfake.Take{Units: map[string]int{m.Lines[i].ID: 1}, Restock: shopadmin.RestockCancel, Reason: "customer"})
	require.NoError(c, err)
}

func (c *counter) moved() (sum int64) {
	m := c.shop.Orders()[0]
	for _, r := range m.Refunds {
		sum += r.Moved.Minor
	}
	return sum
}

// settled checks that the store's refunds are at the channel, each once and under one key, and
// that nothing is left to do.
func (c *counter) settled(times int) {
	c.Helper()
	ours, _ := c.market.Given(marketplace.OrderID(counterOrder.ID))
	require.Len(c, ours, times)
	var sum int64
	for _, r := range ours {
		sum += r.Amount.Minor
	}
	require.Equal(c, c.moved(), sum, "to the minor unit")
	distinct := map[string]bool{}
	for _, k := range c.keys {
		distinct[k] = true
	}
	require.Len(c, distinct, times, "one key for each: %v", c.keys)
	rec, err := c.store.Load(c.Context(), counterOrder)
	require.NoError(c, err)
	for _, e := range rec.Entries {
		require.True(c, e.State == connector.Done || e.State == connector.Proven, "%s is %s: %s", e.Key, e.State, e.Reason)
	}
	sent := len(c.keys)
	c.work(2 * time.Hour)
	require.Len(c, c.keys, sent, "nothing is sent any more")
}

func TestAChannelThatAnswersAtOnceRefundsWhatHasNotShipped(t *testing.T) {
	t.Parallel()
	for name, takes := range map[string][]marketplace.Operation{
		"by a refund, where that is all it takes": {marketplace.OpRefund},
		"by taking the unit back":                 {marketplace.OpCancelUnits, marketplace.OpRefund},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCounter(t, takes...)
			c.gives()
			c.work(5 * time.Minute)
			require.Len(t, c.keys, 1)
			require.Equal(t, takes[0], c.market.Instructed[0].In.Op)
			c.settled(1)
			c.gives()
			c.work(5 * time.Minute)
			c.settled(2)
		})
	}
}

func TestADoubtIsSentAgainUnderItsKeyAlone(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]mfake.Faults{
		"it worked, the answer was lost": {Lost: 1},
		"it works only later":            {Late: 1},
	} {
		for _, lag := range []time.Duration{0, 3 * time.Hour} { // whether a read shows the effect before the repetition
			t.Run(name+", refunds show after "+lag.String(), func(t *testing.T) {
				t.Parallel()
				c := newCounter(t, marketplace.OpCancel, marketplace.OpRefund)
				c.market.RefundLag = lag
				c.market.Faults = f
				c.gives()
				c.work(5 * time.Second)
				require.Len(t, c.keys, 1)
				require.Equal(t, connector.Unknown, c.last().State)
				c.work(5 * time.Minute)
				c.market.Faults = mfake.Faults{}
				c.work(30 * time.Minute)
				if lag > 0 {
					require.Greater(t, len(c.keys), 1, "nothing shows, so the key is sent again")
				}
				c.settled(1)
			})
		}
	}
}

func TestWhatSurelyDidNotHappenTakesItsOldKey(t *testing.T) {
	t.Parallel()
	c := newCounter(t, marketplace.OpCancel, marketplace.OpRefund)
	busy := 5
	c.market.Hook = func(op string) { // writes alone are turned away
		if c.market.Faults.Fail = 0; op == "instruct" && busy > 0 {
			busy, c.market.Faults.Fail = busy-1, 1
		}
	}
	c.gives()
	c.work(30 * time.Minute)
	require.Zero(t, busy)
	require.Len(t, c.keys, 1)
	c.settled(1)
}

func TestAWholeOrderIsCancelledOnceAndItsMoneyIsBack(t *testing.T) {
	t.Parallel()
	c := newCounter(t, marketplace.OpCancel, marketplace.OpCancelUnits, marketplace.OpRefund)
	c.market.Faults.Lost = 1
	require.NoError(t, c.shop.CancelByStaff(c.shop.Orders()[0].ID, "customer", true))
	c.work(time.Minute)
	c.market.Faults = mfake.Faults{}
	c.work(30 * time.Minute)
	require.Equal(t, marketplace.Cancelled, c.market.Get(marketplace.OrderID(counterOrder.ID)).Lifecycle)
	c.settled(1)
}

// last is the latest entry about money.
func (c *counter) last() (e connector.Entry) {
	rec, err := c.store.Load(c.Context(), counterOrder)
	require.NoError(c, err)
	for _, x := range rec.Entries {
		if instructs(x.Verb) {
			e = x
		}
	}
	return e
}
