package storetest

import (
	"strconv"
	"sync"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

func (s *story) lines() []connector.AuditEntry {
	s.Helper()
	all, err := s.store.AuditEntries(s.ctx, 0, 1000)
	s.NoError(err)
	return all
}

// did lists what the record says since the story began, as "actor action subject".
func (s *story) did() []string {
	s.Helper()
	out := []string{}
	for _, a := range s.lines() {
		out = append(out, a.Actor+" "+a.Action+" "+a.Subject)
	}
	return out
}

func (s *story) sealed(limit int) int {
	s.Helper()
	n, err := s.store.SealAudit(s.ctx, limit)
	s.NoError(err)
	return n
}

var record = []chapter{
	{"what is decided and done stands in the record, with who and why", func(s *story) {
		s.touch(noon, "A")
		w := s.claimOrder(noon, "A")
		e, err := s.store.Intend(s.ctx, w, refund("k", 1990), noon, deadline, "hash-of-what-it-was-planned-from")
		s.NoError(err)
		s.settle(e, connector.Outcome{State: connector.Refused, At: noon, Class: "refused", Reason: "no delivery to Jane Doe, 1 High Street"})
		_, err = s.store.Reopen(s.ctx, order("A"), noon, "address corrected")
		s.NoError(err)
		_, _, err = s.store.Wish(s.ctx, wish("key"))
		s.NoError(err)
		s.NoError(s.store.SetState(connector.As(s.ctx, "anna"), channel, connector.Paused, "holidays", noon))
		s.NoError(s.store.SetSwitch(s.ctx, connector.Switch{Name: connector.StopWrites, On: true, Actor: "anna", Reason: "odd", At: noon}))
		s.NoError(s.store.Audit(s.ctx, connector.AuditEntry{At: noon, Actor: "system", Action: "sweep", Detail: []byte(`{"share":40}`)}))
		s.settle(e, connector.Outcome{State: connector.Unknown, At: noon})
		s.resolve(nil, e, connector.Done, noon)
		s.Equal([]string{
			"system intend amazon-de/A",
			"system settle amazon-de/A",
			"operator reopen amazon-de/A",
			"anna wish amazon-de/A",
			"anna state amazon-de",
			"anna switch stop_writes",
			"system sweep ",
			"system settle amazon-de/A",
			"anna resolve amazon-de/A",
		}, s.did())
		all := s.lines()
		s.Equal("hash-of-what-it-was-planned-from", all[0].Planned)
		s.Equal("the store refunded it", all[0].Reason)
		s.JSONEq(`{"entry":`+number(e.ID)+`,"key":"k","verb":"refund","side":"market","amount":{"amount":"19.90","currency":"EUR"},
			"state":"queued","attempt":1,"lane":"refunds"}`, string(all[0].Detail))
		s.Equal("address corrected", all[2].Reason)
		s.Equal("case 4711", all[8].Reason)
		s.JSONEq(`{"share":40}`, string(all[6].Detail))
		s.same(noon, all[0].At)
		for _, a := range all {
			s.NotContains(a.Reason+string(a.Detail), "Jane", "the other side's words may be personal")
			s.Zero(a.Place)
			s.Empty(a.Hash)
		}
		part, err := s.store.AuditEntries(s.ctx, all[1].ID, 2)
		s.NoError(err)
		s.Equal(all[2:4], part)
	}},
	{"what was not done does not stand in the record", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, command("k"), noon)
		s.settle(e, connector.Outcome{State: connector.Proven, At: noon})
		before := len(s.lines())
		s.intend(connector.ErrSpent, w, command("k"), noon)
		s.intend(connector.ErrBraked, w, over("k2"), noon)
		s.settle(e, connector.Outcome{State: connector.Refused, At: noon}) // takes nothing back
		s.resolve(connector.ErrSettled, e, connector.Done, noon)
		_, _, err := s.store.Wish(s.ctx, connector.Wish{Subject: order("nobody"), Kind: connector.WishHold, Key: "x", At: noon})
		s.ErrorIs(err, connector.ErrNotFound)
		s.ErrorIs(s.store.SetState(s.ctx, "nobody", connector.Active, "", noon), connector.ErrNotFound)
		s.Len(s.lines(), before)
	}},
	{"steps of a batch and its outcomes stand in the record", func(s *story) {
		w, b := s.sending("A")
		s.step(nil, w, b, connector.BatchStep{State: connector.BatchLost, Outcomes: map[int64]connector.Outcome{
			b.Entries[0].ID: {State: connector.Unknown, At: noon, Class: "unknown"}}})
		s.Equal([]string{"system intend amazon-de/A", "system batch amazon-de/refunds", "system batch amazon-de/refunds",
			"system settle amazon-de/A", "system batch amazon-de/refunds"}, s.did())
		last := s.lines()[4]
		s.JSONEq(`{"batch":`+number(b.ID)+`,"state":"lost","site":"A1PA6795UKMFR9","entries":1}`, string(last.Detail))
	}},
	{"lines are sealed into a chain in their order, and the chain holds", func(s *story) {
		s.Zero(s.sealed(10))
		for range 5 {
			s.NoError(s.store.Audit(s.ctx, connector.AuditEntry{At: noon.Add(999), Actor: "system", Action: "sweep", Reason: "odd \x00\xff text"}))
		}
		st, err := s.store.Stats(s.ctx, noon)
		s.NoError(err)
		s.Equal(5, st.Unsealed)
		s.Equal(2, s.sealed(2))
		s.Equal(3, s.sealed(10))
		s.Zero(s.sealed(10))
		prev := ""
		for i, a := range s.lines() {
			s.EqualValues(i+1, a.Place)
			s.Equal(a.Seal(prev), a.Hash)
			prev = a.Hash
		}
		s.NoError(s.store.Audit(s.ctx, connector.AuditEntry{At: noon, Actor: "system", Action: "later"}))
		var told int64
		checked, broken, err := s.store.VerifyAudit(s.ctx, func(n int64) { told = n })
		s.NoError(err)
		s.Nil(broken)
		s.EqualValues(5, checked, "what is not sealed yet is no part of it")
		s.EqualValues(5, told)
		checked, broken, err = s.store.VerifyAudit(s.ctx, nil)
		s.NoError(err)
		s.Nil(broken)
		s.EqualValues(5, checked)
	}},
	{"many may write and seal at once, and every line gets one place", func(s *story) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 10 {
					err := s.store.Audit(s.ctx, connector.AuditEntry{At: noon, Actor: "system", Action: "sweep"})
					s.check(err == nil, err)
				}
			})
			wg.Go(func() {
				for range 5 {
					_, err := s.store.SealAudit(s.ctx, 3)
					s.check(err == nil, err)
				}
			})
		}
		wg.Wait()
		s.sealed(1000)
		checked, broken, err := s.store.VerifyAudit(s.ctx, nil)
		s.NoError(err)
		s.Nil(broken)
		s.EqualValues(40, checked)
	}},
}

func number(id int64) string { return strconv.FormatInt(id, 10) }

// over is more than its budget allows.
func over(key string) connector.Command {
	return within(key, 5, 0, money.New(1, "EUR"))
}
