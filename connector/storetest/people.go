package storetest

import (
	"time"

	"channelbridge/connector"
)

var access = []chapter{
	{"tokens are kept, listed by name, and end", func(s *story) {
		t := connector.Token{ID: "t1", Name: "shop", Hash: []byte{1, 0, 255}, Scopes: []string{"orders:read", "refunds:write"}, CreatedAt: noon, ExpiresAt: later(time.Hour)}
		s.NoError(s.store.PutToken(s.ctx, t))
		s.NoError(s.store.PutToken(s.ctx, connector.Token{ID: "t0", Name: "zeta", Hash: []byte{2}, CreatedAt: noon}))
		got, err := s.store.Token(s.ctx, "t1")
		s.NoError(err)
		s.same(noon, got.CreatedAt)
		s.same(later(time.Hour), got.ExpiresAt)
		got.CreatedAt, got.ExpiresAt = t.CreatedAt, t.ExpiresAt
		s.Equal(t, got)
		_, err = s.store.Token(s.ctx, "t9")
		s.ErrorIs(err, connector.ErrNotFound)

		s.NoError(s.store.RevokeToken(s.ctx, "t1", later(time.Minute), "anna"))
		s.NoError(s.store.RevokeToken(s.ctx, "t1", later(time.Hour), "berta"))
		s.ErrorIs(s.store.RevokeToken(s.ctx, "t9", noon, "anna"), connector.ErrNotFound)
		all, err := s.store.Tokens(s.ctx)
		s.NoError(err)
		s.Len(all, 2)
		s.Equal("shop", all[0].Name)
		s.same(later(time.Minute), all[0].RevokedAt)
		s.True(all[1].RevokedAt.IsZero())
		s.True(all[1].ExpiresAt.IsZero())
		s.Equal([]string{"operator token t1", "operator token t0", "anna token t1"}, s.did())
	}},
	{"a token bound to accounts stays bound, whatever else is done with it", func(s *story) {
		bound := connector.Token{ID: "t1", Name: "books", Hash: []byte{1}, Scopes: []string{"payouts:read"}, Accounts: []connector.ConnectionID{"amazon-de", "lazada"}, CreatedAt: noon}
		s.NoError(s.store.PutToken(s.ctx, bound))
		s.NoError(s.store.PutToken(s.ctx, connector.Token{ID: "t2", Name: "free", Hash: []byte{2}, CreatedAt: noon}))
		s.NoError(s.store.TokenUsed(s.ctx, "t1", later(time.Hour)))
		s.NoError(s.store.RevokeToken(s.ctx, "t1", later(time.Hour), "anna"))
		got, err := s.store.Token(s.ctx, "t1")
		s.NoError(err)
		s.Equal(bound.Accounts, got.Accounts)
		s.True(got.Sees("lazada"))
		s.False(got.Sees("shopee"))
		all, err := s.store.Tokens(s.ctx)
		s.NoError(err)
		s.Equal(bound.Accounts, all[0].Accounts)
		s.Empty(all[1].Accounts)
		s.True(all[1].Sees("shopee"), "bound to none: all")

		bound.Accounts = bound.Accounts[:1]
		s.NoError(s.store.PutToken(s.ctx, bound))
		got, err = s.store.Token(s.ctx, "t1")
		s.NoError(err)
		s.Equal(bound.Accounts, got.Accounts)
		lines, err := s.store.AuditEntries(s.ctx, 0, 10)
		s.NoError(err)
		s.Contains(string(lines[0].Detail), `"accounts":["amazon-de","lazada"]`)
		s.NotContains(string(lines[1].Detail), "accounts")
	}},
	{"the use of a token is remembered to the hour", func(s *story) {
		s.NoError(s.store.PutToken(s.ctx, connector.Token{ID: "t1", Name: "shop", Hash: []byte{1}, CreatedAt: noon}))
		used := func(at time.Time) time.Time {
			s.NoError(s.store.TokenUsed(s.ctx, "t1", at))
			t, err := s.store.Token(s.ctx, "t1")
			s.NoError(err)
			return t.UsedAt
		}
		hour := noon.Truncate(time.Hour)
		s.same(hour, used(noon))
		s.same(hour, used(later(30*time.Minute)))
		s.same(hour.Add(2*time.Hour), used(later(2*time.Hour)))
		s.same(hour.Add(2*time.Hour), used(noon))
		s.NoError(s.store.TokenUsed(s.ctx, "t9", noon))
	}},
	{"a write that is sent again finds its answer", func(s *story) {
		ask := connector.Reply{Token: "t1", Key: "k", Hash: []byte{1, 2}, At: noon}
		kept, fresh, err := s.store.Reserve(s.ctx, ask)
		s.NoError(err)
		s.True(fresh)
		s.Zero(kept.Status)
		other := ask
		other.Hash, other.At = []byte{3}, later(time.Minute)
		kept, fresh, err = s.store.Reserve(s.ctx, other)
		s.NoError(err)
		s.False(fresh)
		s.Equal(ask.Hash, kept.Hash)
		s.Zero(kept.Status, "it is still being answered")

		s.NoError(s.store.Answer(s.ctx, connector.Reply{Token: "t1", Key: "k", Status: 201, Body: []byte("made")}))
		kept, fresh, err = s.store.Reserve(s.ctx, ask)
		s.NoError(err)
		s.False(fresh)
		s.Equal(201, kept.Status)
		s.Equal("made", string(kept.Body))
		s.same(noon, kept.At)
		other.Token = "t2"
		_, fresh, err = s.store.Reserve(s.ctx, other)
		s.NoError(err)
		s.True(fresh, "another token's keys are its own")
		s.ErrorIs(s.store.Answer(s.ctx, connector.Reply{Token: "t1", Key: "k9", Status: 200}), connector.ErrNotFound)

		n, err := s.store.ForgetReplies(s.ctx, later(time.Minute))
		s.NoError(err)
		s.Equal(1, n)
		_, fresh, err = s.store.Reserve(s.ctx, ask)
		s.NoError(err)
		s.True(fresh)
	}},
}

func (s *story) redactable(before time.Time, after string, limit int) []string {
	s.Helper()
	all, err := s.store.Redactable(s.ctx, before, after, limit)
	s.NoError(err)
	out := []string{}
	for _, sub := range all {
		out = append(out, sub.ID)
	}
	return out
}

var privacy = []chapter{
	{"orders are listed for redaction when they are old enough and something is kept of them", func(s *story) {
		for i, id := range []string{"C", "A", "B"} {
			s.seen(noon, read(connector.Market, id, noon, noon, "Jane"))
			s.release(s.claimOne(noon), noon, connector.Next{Summary: connector.Summary{PlacedAt: later(time.Duration(i) * time.Hour)}})
		}
		s.seen(noon, read(connector.Market, "D", noon, noon, "nobody knows when")) // first seen at noon
		s.touch(later(-time.Hour), "E")                                            // nothing kept
		s.Equal([]string{"C", "D", "A"}, s.redactable(later(2*time.Hour), "", 0))
		s.Equal([]string{"C", "D"}, s.redactable(later(2*time.Hour), "", 2))
		s.Equal([]string{"A"}, s.redactable(later(2*time.Hour), order("D").String(), 2))
		s.Empty(s.redactable(noon, "", 0))
		_, err := s.store.Redactable(s.ctx, noon, "nobody/X", 0)
		s.ErrorIs(err, connector.ErrNotFound)
	}},
	{"redaction replaces bodies and nothing else, until something is kept again", func(s *story) {
		s.mirrored("A", "gid/1")
		s.touch(noon, "A")
		w := s.claimOne(noon)
		e := s.intend(nil, w, command("k"), noon)
		before := s.load("A")
		r := connector.Redaction{Subject: order("A"), At: later(time.Hour), Actor: "system", Reason: "30 days", Revision: before.Revision,
			Bodies: map[connector.Side][]byte{connector.Market: []byte("clean"), connector.Money: []byte("none kept")}, Entries: map[int64][]byte{e.ID: []byte(`{"n":null}`)}}
		s.NoError(s.store.Redact(s.ctx, r))
		after := s.load("A")
		s.Equal("clean", string(after.Market.Body))
		s.Equal(before.Store, after.Store)
		s.Nil(after.Refunds)
		s.JSONEq(`{"n":null}`, string(after.Entries[0].Body))
		s.same(later(time.Hour), after.RedactedAt)
		s.Equal(before.Revision, after.Revision)
		s.Equal(before.NextAt, after.NextAt)
		s.Empty(s.redactable(later(time.Hour), "", 0))
		s.Contains(s.did(), "system redact amazon-de/A")

		s.seen(later(2*time.Hour), read(connector.Market, "A", later(2*time.Hour), later(2*time.Hour), "Jane again"))
		s.Equal([]string{"A"}, s.redactable(later(time.Hour), "", 0))
		s.Equal([]string{"A"}, s.redactable(time.Time{}, "", 0), "what was taken out has come back: however young it is")
	}},
	{"an order that changed meanwhile is not redacted", func(s *story) {
		s.mirrored("A", "gid/1")
		s.touch(noon, "A")
		w := s.claimOne(noon)
		r := connector.Redaction{Subject: order("A"), At: later(time.Minute), Bodies: map[connector.Side][]byte{connector.Market: []byte("stale")}}
		s.seen(later(2*time.Minute), read(connector.Market, "A", later(time.Hour), noon, "newer"))
		s.ErrorIs(s.store.Redact(s.ctx, r), connector.ErrChanged)
		s.Equal("newer", string(s.load("A").Market.Body))
		r.At = later(2 * time.Minute)
		r.Revision = s.load("A").Revision - 1
		s.ErrorIs(s.store.Redact(s.ctx, r), connector.ErrChanged)
		r.Revision = 0
		s.intend(nil, w, command("k"), later(30*time.Second))
		s.NoError(s.store.Redact(s.ctx, r))
		r.At = later(10 * time.Second)
		s.ErrorIs(s.store.Redact(s.ctx, r), connector.ErrChanged)
		r.Subject = order("nobody")
		s.ErrorIs(s.store.Redact(s.ctx, r), connector.ErrNotFound)
	}},
	{"only the order's own entries are redacted", func(s *story) {
		w := s.working("A", "B")
		e := s.intend(nil, w["B"], command("k"), noon)
		s.NoError(s.store.Redact(s.ctx, connector.Redaction{Subject: order("A"), At: later(time.Hour), Entries: map[int64][]byte{e.ID: []byte(`{}`)}}))
		s.JSONEq(`{"n":1}`, string(s.reread(e).Body))
	}},
	{"bodies of deliveries about a store order are emptied, others stay", func(s *story) {
		for i, body := range []string{`{"id":42,"name":"Jane"}`, `{"id":421}`, `{"order":"gid://shopify/Order/42"}`, `{"id":7}`, `142`} {
			d := push("d" + number(int64(i)))
			d.Connection, d.Body = shop, []byte(body)
			s.record(connector.Accepted, d)
		}
		elsewhere := push("d")
		elsewhere.Body = []byte(`{"id":42}`)
		s.record(connector.Accepted, elsewhere)

		n, err := s.store.ForgetBodies(s.ctx, shop, []string{"gid://shopify/Order/42"}, noon)
		s.NoError(err)
		s.Equal(2, n)
		var left []string
		for _, d := range s.deliveries(connector.DeliveryFilter{}) {
			whole, err := s.store.Delivery(s.ctx, d.Row)
			s.NoError(err)
			left = append(left, string(whole.Body))
			s.NotZero(whole.Size)
		}
		s.Equal([]string{`{"id":42}`, `142`, `{"id":7}`, "", `{"id":421}`, ""}, left)
		n, err = s.store.ForgetBodies(s.ctx, shop, nil, noon)
		s.NoError(err)
		s.Equal(3, n)
		n, err = s.store.ForgetBodies(s.ctx, shop, nil, noon)
		s.NoError(err)
		s.Zero(n)
		s.record(connector.Duplicate, elsewhere)
	}},
	{"the order whose mirror a store order is can be found", func(s *story) {
		s.mirrored("A", "gid/1")
		sub, err := s.store.MirrorOf(s.ctx, mirror("gid/1"))
		s.NoError(err)
		s.Equal(order("A"), sub)
		_, err = s.store.MirrorOf(s.ctx, mirror("gid/2"))
		s.ErrorIs(err, connector.ErrNotFound)
	}},
}
