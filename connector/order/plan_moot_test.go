package order

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// takenBack cancels the fulfillments named.
func takenBack(ids ...string) func(*shopadmin.Order) {
	return func(o *shopadmin.Order) {
		for i, f := range o.Fulfillments {
			for _, id := range ids {
				if f.ID == id {
					o.Fulfillments[i].Status = shopadmin.FulfillmentCancelled
				}
			}
		}
	}
}

func TestMoot(t *testing.T) {
	all := fulfilled("F1", noon.Add(-time.Hour), "1Z1", "L1", "L2", "L3")
	first := Plan(snapshot(channelOrder(), storeOrder(all), created(t))).Commands[0]
	back := storeOrder(all, takenBack("F1"))

	t.Run("a confirmation that surely failed is given up when the shipment was taken back", func(t *testing.T) {
		d := Plan(snapshot(channelOrder(), back, created(t), entry(2, first, connector.Retry, noon)))
		require.Empty(t, d.Commands)
		require.Len(t, d.Withdrawn, 1)
		require.EqualValues(t, 2, d.Withdrawn[0].Entry)
	})
	t.Run("one in doubt is looked for when its window is over", func(t *testing.T) {
		for _, state := range []connector.EntryState{connector.Sent, connector.Unknown} {
			e := entry(2, first, state, noon)
			end := e.Deadline.Add(time.Minute)
			s := snapshot(channelOrder(), back, created(t), e)
			d := Plan(s)
			require.Empty(t, d.Withdrawn)
			require.False(t, d.Wake.IsZero())
			require.False(t, d.Wake.After(end))

			s.Now = end
			require.Empty(t, Plan(s).Withdrawn, "not before a look")
			s.MarketAt = end
			require.Len(t, Plan(s).Withdrawn, 1)

			s.Market = channelOrder(func(o *marketplace.Order) { o.Packages = []marketplace.Package{{Ref: "1", Tracking: "1Z1"}} })
			d = Plan(s)
			require.Empty(t, d.Withdrawn)
			require.Len(t, d.Proven, 1)
		}
	})
	t.Run("what is only held up by a missing number stays open", func(t *testing.T) {
		bare := storeOrder(fulfilled("F1", noon.Add(-time.Hour), "", "L1", "L2", "L3"))
		d := Plan(snapshot(channelOrder(), bare, created(t), entry(2, first, connector.Retry, noon)))
		require.Empty(t, d.Withdrawn)
		require.Contains(t, kinds(d), "tracking_missing")
	})
	t.Run("a shipment that takes the place of one in doubt waits until that can come no more", func(t *testing.T) {
		anew := storeOrder(all, takenBack("F1"), fulfilled("F2", noon, "1Z2", "L1", "L2", "L3"))
		e := entry(2, first, connector.Unknown, noon)
		s := snapshot(channelOrder(), anew, created(t), e)
		require.Empty(t, Plan(s).Commands)
		s.Now = e.Deadline.Add(time.Minute)
		d := Plan(s)
		require.Len(t, d.Commands, 1)
		require.Equal(t, "1", bodyOf(d.Commands[0]).Ref)
	})
}

func TestAHoldIsAskedForAgain(t *testing.T) {
	asks := channelOrder(func(o *marketplace.Order) { o.CancelRequest = &marketplace.CancelRequest{} })
	hold := entry(2, Plan(snapshot(asks, storeOrder(), created(t))).Commands[0], connector.Retry, noon)
	require.Equal(t, HoldShipping, hold.Verb)

	d := Plan(snapshot(channelOrder(), storeOrder(), created(t), hold)) // the buyer changed his mind
	require.Len(t, d.Withdrawn, 1)

	hold.State, hold.Class = connector.Refused, Withdrawn
	d = Plan(snapshot(asks, storeOrder(), created(t), hold))
	require.Equal(t, HoldShipping, d.Commands[0].Verb)
	require.NotEqual(t, hold.Key, d.Commands[0].Key)
	require.Zero(t, d.Commands[0].Again)
}

func TestUnitsOfAnEditAreFreeOnceItIsDone(t *testing.T) {
	whole := fulfilled("F1", noon.Add(-2*time.Hour), "1Z1", "L1", "L2")
	confirmed := entry(2, Plan(snapshot(channelOrder(), storeOrder(whole), created(t))).Commands[0], connector.Proven, noon.Add(-2*time.Hour))
	m := channelOrder(func(o *marketplace.Order) {
		o.Lines[0].Shipped, o.Packages = 2, []marketplace.Package{{Ref: "1", Tracking: "1Z1", Lines: map[string]int{line: 2}}}
	})
	anew := storeOrder(whole, takenBack("F1"), fulfilled("F2", noon, "1Z2", "L1"), fulfilled("F3", noon, "1Z3", "L2"))

	d := Plan(snapshot(m, anew, created(t), confirmed)) // F2 takes the place of F1
	require.Equal(t, []connector.Verb{ConfirmShipment}, verbs(d))
	edit := entry(3, d.Commands[0], connector.Unknown, noon)
	require.Empty(t, Plan(snapshot(m, anew, created(t), confirmed, edit)).Commands)

	edit.State = connector.Done
	m.Lines[0].Shipped, m.Packages[0] = 1, marketplace.Package{Ref: "1", Tracking: "1Z2", Lines: map[string]int{line: 1}}
	d = Plan(snapshot(m, anew, created(t), confirmed, edit))
	require.Equal(t, []connector.Verb{ConfirmShipment}, verbs(d))
	require.Equal(t, "1Z3", bodyOf(d.Commands[0]).Tracking)
}

func TestANewParcelReplacesTheOneThatFreesAllItHolds(t *testing.T) {
	one, two := fulfilled("F1", noon.Add(-3*time.Hour), "1Z1", "L1", "L3"), fulfilled("F2", noon.Add(-2*time.Hour), "1Z2", "L2")
	first := entry(2, Plan(snapshot(channelOrder(), storeOrder(one), created(t))).Commands[0], connector.Proven, noon)
	second := entry(3, Plan(snapshot(channelOrder(), storeOrder(one, two), created(t), first)).Commands[0], connector.Proven, noon)
	m := channelOrder(func(o *marketplace.Order) {
		o.Lines[0].Shipped, o.Lines[1].Shipped = 2, 1
		o.Packages = []marketplace.Package{{Ref: "1", Tracking: "1Z1", Lines: map[string]int{line: 1, "22": 1}}, {Ref: "2", Tracking: "1Z2", Lines: map[string]int{line: 1}}}
	})
	sock := fulfilled("F3", noon, "1Z3", "L3")
	d := Plan(snapshot(m, storeOrder(one, two, takenBack("F1", "F2"), sock), created(t), first, second))
	require.Equal(t, "1", bodyOf(d.Commands[0]).Ref)
	echo := fulfilled("F3", noon, "1Z3", "L2")
	d = Plan(snapshot(m, storeOrder(one, two, takenBack("F1", "F2"), echo), created(t), first, second))
	require.Equal(t, "2", bodyOf(d.Commands[0]).Ref)
	both := fulfilled("F3", noon, "1Z3", "L1", "L3")
	second.ID, first.ID = 2, 3 // the better one stands second
	d = Plan(snapshot(m, storeOrder(one, two, takenBack("F1", "F2"), both), created(t), second, first))
	require.Equal(t, "1", bodyOf(d.Commands[0]).Ref)
}

func TestAFailedRepeatKeepsTheDoubt(t *testing.T) {
	c := connector.Command{Verb: ConfirmShipment, Side: connector.Market, Again: 2}
	was := entry(2, c, connector.Unknown, noon)
	policy := Policy{SettleMarket: time.Minute}
	end := was.Deadline.Add(policy.SettleMarket)
	outcome := func(state connector.EntryState, read time.Time) connector.EntryState {
		was.State = state
		x := &turn{Reconciler: &Reconciler{Clock: func() time.Time { return end }}, s: Sides{Policy: policy},
			rec: connector.Record{Entries: []connector.Entry{was}, Market: &connector.Snapshot{ObservedAt: read}}}
		return x.doubted(c, connector.Outcome{State: connector.Retry}).State
	}
	require.Equal(t, connector.Unknown, outcome(connector.Unknown, noon))
	require.Equal(t, connector.Unknown, outcome(connector.Sent, noon))
	require.Equal(t, connector.Retry, outcome(connector.Unknown, end), "a read has shown that it did not work")
	require.Equal(t, connector.Retry, outcome(connector.Retry, noon))
}
