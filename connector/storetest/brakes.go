package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

// within is a refund under a budget per hour.
func within(key string, minor int64, count int, sum money.Money) connector.Command {
	c := refund(key, minor)
	c.Budget = &connector.Budget{Per: time.Hour, Count: count, Sum: sum}
	return c
}

var brakes = []chapter{
	{"a budget bounds how many money commands a channel gets in a while", func(s *story) {
		w := s.working("A", "B")
		s.intend(nil, w["A"], within("k1", 5, 2, money.Money{}), noon)
		s.intend(nil, w["B"], within("k2", 5, 2, money.Money{}), noon)
		s.intend(connector.ErrBraked, w["B"], within("k3", 5, 2, money.Money{}), later(time.Second))
		s.intend(nil, w["B"], within("k3", 5, 3, money.Money{}), later(time.Second))
		s.intend(nil, w["B"], within("k4", 5, 0, money.Money{}), later(time.Second)) // unbounded
		s.intend(nil, w["B"], refund("k5", 5), later(time.Second))
		other := command("k6")
		other.Budget = &connector.Budget{Per: time.Hour, Count: 1}
		s.intend(nil, w["B"], other, later(time.Second)) // moves no money
	}},
	{"a budget bounds what they come to, in its own currency", func(s *story) {
		w := s.working("A")["A"]
		sum := money.New(1000, "EUR")
		s.intend(nil, w, within("k1", 600, 0, sum), noon)
		s.intend(connector.ErrBraked, w, within("k2", 401, 0, sum), noon)
		s.intend(nil, w, within("k2", 400, 0, sum), noon)
		s.intend(connector.ErrBraked, w, within("k3", 1, 0, sum), noon)
		yen := within("k3", 9999, 0, sum)
		yen.Amount = money.New(9999, "JPY")
		s.intend(nil, w, yen, noon)
	}},
	{"a budget forgets what is older, and what was refused", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, within("k1", 5, 1, money.Money{}), noon)
		s.intend(connector.ErrBraked, w, within("k2", 5, 1, money.Money{}), later(time.Second))
		s.settle(e, connector.Outcome{State: connector.Refused, At: noon})
		s.intend(nil, w, within("k2", 5, 1, money.Money{}), later(time.Second))
		s.release(w, noon, connector.Next{Wake: later(time.Hour)})
		w = s.claimOrder(later(time.Hour), "A")
		s.intend(connector.ErrBraked, w, within("k3", 5, 1, money.Money{}), later(time.Hour))
		s.intend(nil, w, within("k3", 5, 1, money.Money{}), later(time.Hour+time.Second))
	}},
	{"a repeat counts once, a command that is refused by the budget spends nothing", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, within("k1", 5, 1, money.Money{}), noon)
		s.settle(e, connector.Outcome{State: connector.Retry, At: noon})
		again := within("k1", 5, 1, money.Money{})
		again.Again = e.ID
		s.Equal(2, s.intend(nil, w, again, noon).Attempts)
		s.intend(connector.ErrBraked, w, within("k2", 5, 1, money.Money{}), noon)
		s.Len(s.load("A").Entries, 1)
		s.intend(nil, w, within("k2", 5, 2, money.Money{}), noon)
	}},
	{"money of another channel, or given back in the store, does not count", func(s *story) {
		other := connector.Subject{Kind: connector.KindOrder, Channel: "ebay", ID: "E"}
		s.NoError(s.store.PutConnection(s.ctx, connector.Connection{ID: "ebay", Platform: "ebay", Role: connector.RoleChannel, State: connector.Active}))
		s.NoError(s.store.Touch(s.ctx, noon, connector.Touch{Subject: other, Side: connector.Market}))
		x, err := s.store.Claim(s.ctx, noon, 1, time.Minute, []connector.ConnectionID{"ebay"})
		s.NoError(err)
		s.intend(nil, x[0], refund("e", 5), noon)
		w := s.working("A")["A"]
		inStore := refund("s", 5)
		inStore.Side, inStore.Lane = connector.Shop, ""
		s.intend(nil, w, inStore, noon)
		s.intend(nil, w, within("k1", 5, 1, money.Money{}), noon)
	}},
	{"of many money commands at once no more than the budget get through", func(s *story) {
		orders := []string{"A", "B", "C", "D", "E", "F", "G", "H"}
		w := s.working(orders...)
		var through atomic.Int64
		var wg sync.WaitGroup
		for _, id := range orders {
			wg.Go(func() {
				_, err := s.store.Intend(s.ctx, w[id], within(id, 5, 3, money.Money{}), noon, deadline, "")
				s.check(err == nil || err == connector.ErrBraked, err)
				if err == nil {
					through.Add(1)
				}
			})
		}
		wg.Wait()
		s.EqualValues(3, through.Load())
	}},
	{"a switch that was never set is off; one that stops all writes stops every intent", func(s *story) {
		sw, err := s.store.Switch(s.ctx, connector.StopWrites)
		s.NoError(err)
		s.Equal(connector.Switch{Name: connector.StopWrites}, sw)
		sw, err = s.store.Switch(s.ctx, "never heard of")
		s.NoError(err)
		s.False(sw.On)

		w := s.working("A")["A"]
		on := connector.Switch{Name: connector.StopWrites, On: true, Reason: "odd refunds", Actor: "anna", At: noon}
		s.NoError(s.store.SetSwitch(s.ctx, on))
		s.intend(connector.ErrStopped, w, command("k"), noon)
		s.intend(connector.ErrStopped, w, refund("r", 5), noon)
		sw, err = s.store.Switch(s.ctx, connector.StopWrites)
		s.NoError(err)
		s.same(on.At, sw.At)
		sw.At = on.At
		s.Equal(on, sw)
		s.NoError(s.store.SetSwitch(s.ctx, connector.Switch{Name: "another", On: true, At: noon}))
		on.On = false
		s.NoError(s.store.SetSwitch(s.ctx, on))
		s.intend(nil, w, command("k"), noon)
	}},
	{"nothing is intended after the switch was set, however many try", func(s *story) {
		w := s.working("A")["A"]
		var after atomic.Bool
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				for n := range 10 {
					set := after.Load()
					_, err := s.store.Intend(s.ctx, w, command(string(rune('a'+i))+string(rune('0'+n))), noon, deadline, "")
					s.check(err == nil && !set || err == connector.ErrStopped, err)
				}
			})
		}
		s.NoError(s.store.SetSwitch(s.ctx, connector.Switch{Name: connector.StopWrites, On: true, At: noon}))
		after.Store(true)
		wg.Wait()
	}},
}
