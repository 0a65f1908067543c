package storetest

import (
	"context"
	"time"

	"channelbridge/connector"
)

var life = []chapter{
	{"a connection that is removed forgets settings and secrets, and remembers when", func(s *story) {
		vault, keeps := s.store.(interface {
			PutSecret(ctx context.Context, name string, sealed []byte) error
			Secret(ctx context.Context, name string) ([]byte, error)
		})
		s.True(keeps)
		names := []string{"amazon-de", "amazon-de/token", "amazon-de-2", "amazon-de0", "shopify/token"}
		for _, name := range names {
			s.NoError(vault.PutSecret(s.ctx, name, []byte("sealed")))
		}
		c := connector.Connection{ID: channel, Platform: "amazon", Role: connector.RoleChannel, Store: shop, Settings: []byte("sealed")}
		s.NoError(s.store.PutConnection(s.ctx, c))
		s.NoError(s.store.SetState(s.ctx, channel, connector.Removed, "sold the shop", later(time.Hour)))
		got := s.connection(channel)
		s.Equal(connector.Removed, got.State)
		s.Empty(got.Settings)
		s.same(later(time.Hour), got.RemovedAt)
		s.True(got.RejoinedAt.IsZero())
		for i, name := range names {
			_, err := vault.Secret(s.ctx, name)
			if i < 2 {
				s.ErrorIs(err, connector.ErrNotFound, name)
			} else {
				s.NoError(err, name)
			}
		}
		s.NoError(s.store.SetState(s.ctx, channel, connector.Removed, "again", later(2*time.Hour)))
		s.same(later(time.Hour), s.connection(channel).RemovedAt)
	}},
	{"new settings bring a removed connection back only when a person says so", func(s *story) {
		s.NoError(s.store.SetState(s.ctx, channel, connector.Removed, "", later(time.Hour)))
		c := connector.Connection{ID: channel, Platform: "amazon", Role: connector.RoleChannel, Store: shop, Settings: []byte("new")}
		s.NoError(s.store.PutConnection(s.ctx, c))
		got := s.connection(channel)
		s.Equal(connector.Removed, got.State)
		s.Equal("new", string(got.Settings))
		s.same(later(time.Hour), got.RemovedAt)
		w := s.working("A")["A"]
		s.intend(connector.ErrParked, w, command("k"), noon)

		s.NoError(s.store.SetState(s.ctx, channel, connector.Reconnecting, "", later(2*time.Hour)))
		s.same(later(2*time.Hour), s.connection(channel).RejoinedAt)
		s.intend(connector.ErrParked, w, command("k"), noon)
		s.NoError(s.store.SetState(s.ctx, channel, connector.Reconnecting, "half done", later(3*time.Hour)))
		s.same(later(2*time.Hour), s.connection(channel).RejoinedAt)
		s.NoError(s.store.SetState(s.ctx, channel, connector.Active, "", later(4*time.Hour)))
		got = s.connection(channel)
		s.same(later(time.Hour), got.RemovedAt)
		s.same(later(2*time.Hour), got.RejoinedAt)
		s.Equal("new", string(got.Settings))
		s.intend(nil, w, command("k"), noon)

		s.NoError(s.store.SetState(s.ctx, channel, connector.Removed, "", later(5*time.Hour)))
		got = s.connection(channel)
		s.same(later(5*time.Hour), got.RemovedAt)
		s.True(got.RejoinedAt.IsZero(), "it did not come back from this one")
	}},
	{"orders are listed page by page, each beginning after the last row of the one before", func(s *story) {
		placed := map[string]time.Time{"A": noon, "B": noon, "C": later(time.Hour), "D": {}, "E": {}, "F": later(-time.Hour)}
		for id, at := range placed {
			s.shown(id, connector.Next{Summary: connector.Summary{PlacedAt: at}})
		}
		whole := s.orders(connector.OrderFilter{})
		s.Equal([]string{"C", "A", "B", "F", "D", "E"}, whole)
		for _, size := range []int{1, 2, 4} {
			var got []string
			f := connector.OrderFilter{Limit: size}
			for {
				page := s.orders(f)
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				f.After = order(page[len(page)-1]).String()
			}
			s.Equal(whole, got)
		}
		_, err := s.store.Orders(s.ctx, connector.OrderFilter{After: order("nobody").String()})
		s.ErrorIs(err, connector.ErrNotFound)
		_, err = s.store.Orders(s.ctx, connector.OrderFilter{After: "nonsense"})
		s.ErrorIs(err, connector.ErrNotFound)
	}},
	{"a person answers what nobody can find out", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, command("k1"), noon)
		s.release(w, noon, connector.Next{})
		s.resolve(connector.ErrSettled, e, connector.Done, deadline) // it may still be on its way
		s.resolve(nil, e, connector.Done, deadline.Add(time.Second))
		got := s.reread(e)
		s.Equal(connector.Done, got.State)
		s.Equal("case 4711", got.Reason)
		s.same(deadline.Add(time.Second), got.SettledAt)
		s.same(deadline.Add(time.Second), s.load("A").NextAt)
		s.Contains(s.notes("A")[0], "case 4711")
		s.resolve(connector.ErrSettled, e, connector.Refused, later(time.Hour))
		s.resolve(connector.ErrNotFound, connector.Entry{ID: e.ID + 1000}, connector.Done, noon)
		s.Equal(connector.Done, s.reread(e).State)
	}},
	{"a person answers doubts only, with yes or no", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, command("k1"), noon)
		for _, st := range []connector.EntryState{connector.Unknown, connector.Taken} {
			s.settle(e, connector.Outcome{State: st, At: noon})
			s.Error(s.store.Resolve(s.ctx, e.ID, connector.Outcome{State: connector.Retry, At: noon}, "anna", "x"))
		}
		s.resolve(nil, e, connector.Refused, noon)
		s.Equal(connector.Refused, s.reread(e).State)
		for _, st := range []connector.EntryState{connector.Retry, connector.Proven} {
			s.settle(e, connector.Outcome{State: st, At: noon})
			s.resolve(connector.ErrSettled, e, connector.Done, noon)
		}
		q := s.intend(nil, w, refund("q", 5), noon)
		s.resolve(connector.ErrSettled, q, connector.Done, later(time.Hour))
	}},
}

func (s *story) resolve(want error, e connector.Entry, st connector.EntryState, at time.Time) {
	s.Helper()
	s.ErrorIs(s.store.Resolve(s.ctx, e.ID, connector.Outcome{State: st, At: at}, "anna", "case 4711"), want)
}

var wishes = []chapter{
	{"a wish is kept, told, and makes the order due", func(s *story) {
		s.touch(noon, "A")
		s.release(s.claimOne(noon), noon, connector.Next{Final: true})
		want := wish("key-1")
		kept, fresh, err := s.store.Wish(s.ctx, want)
		s.NoError(err)
		s.True(fresh)
		s.NotZero(kept.ID)
		s.same(want.At, kept.At)
		r := s.load("A")
		s.Equal([]connector.Wish{kept}, r.Wishes)
		want.ID, want.At = kept.ID, kept.At
		s.Equal(want, kept)
		s.same(later(time.Hour), r.NextAt)
		s.False(r.Final)
		s.Equal([]string{"refund asked for (S1): buyer asked"}, s.notes("A"))
		s.Empty(s.claim(noon, 1))
	}},
	{"a wish that comes again is the earlier one; its key is nobody else's", func(s *story) {
		s.touch(noon, "A", "B")
		first, _, err := s.store.Wish(s.ctx, wish("key-1"))
		s.NoError(err)
		again := wish("key-1")
		again.At, again.Actor, again.Reason = later(2*time.Hour), "berta", "told otherwise"
		kept, fresh, err := s.store.Wish(s.ctx, again)
		s.NoError(err)
		s.False(fresh)
		s.Equal(first, kept)
		for _, change := range []func(w *connector.Wish){
			func(w *connector.Wish) { w.Kind = connector.WishCancel },
			func(w *connector.Wish) { w.About = "S2" },
			func(w *connector.Wish) { w.Body = []byte(`{"n":2}`) },
			func(w *connector.Wish) { w.Subject = order("B") },
		} {
			w := wish("key-1")
			change(&w)
			_, _, err := s.store.Wish(s.ctx, w)
			s.ErrorIs(err, connector.ErrKeyReused)
		}
		s.Len(s.load("A").Wishes, 1)
		s.Empty(s.load("B").Wishes)
		s.Len(s.notes("A"), 1)
		_, fresh, err = s.store.Wish(s.ctx, wish("key-2"))
		s.NoError(err)
		s.True(fresh)
		s.Equal("key-1", s.load("A").Wishes[0].Key)
		s.Equal("key-2", s.load("A").Wishes[1].Key)
	}},
	{"nobody can wish for an order that is not there", func(s *story) {
		_, _, err := s.store.Wish(s.ctx, wish("key-1"))
		s.ErrorIs(err, connector.ErrNotFound)
		s.touch(noon, "A")
		_, fresh, err := s.store.Wish(s.ctx, wish("key-1"))
		s.NoError(err)
		s.True(fresh, "the key is not spent by what was refused")
	}},
}

func wish(key string) connector.Wish {
	return connector.Wish{Subject: order("A"), Kind: connector.WishRefund, About: "S1", Body: []byte(`{"n":1}`), Actor: "anna",
		Reason: "buyer asked", At: later(time.Hour), Key: key}
}
