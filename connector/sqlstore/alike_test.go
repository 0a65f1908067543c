package sqlstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/money"
)

// TestBothEnginesEndAlike runs the same random life on both engines and compares every answer
// and everything that is kept.
func TestBothEnginesEndAlike(t *testing.T) {
	lite, pg := engines["sqlite"](t), engines["postgres"](t)
	for seed := range uint64(6) {
		a, b := life(t, lite, seed), life(t, pg, seed)
		require.Len(t, b, len(a))
		for i := range a {
			require.Equal(t, a[i], b[i], "seed %d, answer %d", seed, i)
		}
	}
}

// life is a random sequence of calls, with all that was answered.
func life(t *testing.T, s *sqlstore.Store, seed uint64) []string {
	l := &living{t: t, s: s, r: rand.New(rand.NewPCG(seed, 7)), now: noon,
		channel: connector.ConnectionID(fmt.Sprint("ch", seed)), shop: connector.ConnectionID(fmt.Sprint("shop", seed))}
	require.NoError(t, s.PutConnection(t.Context(), connector.Connection{ID: l.shop, Role: connector.RoleStore}))
	require.NoError(t, s.PutConnection(t.Context(), connector.Connection{ID: l.channel, Role: connector.RoleChannel, Store: l.shop}))
	for range 250 {
		l.now = l.now.Add(time.Duration(l.r.IntN(8_000_000)) * time.Microsecond)
		l.step()
	}
	for i := range 5 {
		rec, err := s.Load(t.Context(), l.order(i))
		for j := range rec.Entries {
			rec.Entries[j].ID, rec.Entries[j].Batch = 0, 0 // counted per database
		}
		for j := range rec.Wishes {
			rec.Wishes[j].ID = 0
		}
		market, store, refunds := rec.Market, rec.Store, rec.Refunds
		rec.Market, rec.Store, rec.Refunds = nil, nil, nil
		l.say("load %v %+v %+v %+v %+v", err, rec, market, store, refunds)
		notes, err := s.Timeline(t.Context(), l.order(i))
		for _, n := range notes {
			l.say("note %v %v %s %s %s", err, n.At, n.Actor, n.Kind, n.Text)
		}
	}
	rows, err := s.Orders(t.Context(), connector.OrderFilter{Channel: l.channel})
	l.say("orders %v %+v", err, rows)
	l.batched()
	require.NoError(t, s.SetSwitch(t.Context(), connector.Switch{Name: connector.StopWrites, At: l.now}))
	return l.said
}

type living struct {
	t             *testing.T
	s             *sqlstore.Store
	r             *rand.Rand
	now           time.Time
	channel, shop connector.ConnectionID
	work          []connector.Work
	entries       []connector.Entry
	said          []string
}

func (l *living) say(format string, args ...any) {
	l.said = append(l.said, fmt.Sprintf(format, args...))
}

func (l *living) order(i int) connector.Subject {
	return connector.Subject{Kind: connector.KindOrder, Channel: l.channel, ID: fmt.Sprint("o", i)}
}

func (l *living) some() time.Time { return noon.Add(time.Duration(l.r.IntN(60)) * time.Second) }

func (l *living) observation() connector.Observation {
	o := connector.Observation{Subject: l.order(l.r.IntN(5)), Side: connector.Market, Note: []string{"", "news"}[l.r.IntN(2)],
		Snapshot: connector.Snapshot{Version: l.some(), ObservedAt: l.some(), Body: []byte(fmt.Sprint(l.r.IntN(2))), Fault: []string{"", "odd"}[l.r.IntN(2)]}}
	if l.r.IntN(2) == 0 {
		o.Side, o.Shop = connector.Shop, connector.ShopRef{Store: l.shop, ID: fmt.Sprint("s", l.r.IntN(6))}
	}
	if l.r.IntN(5) == 0 {
		o.Side = connector.Money
	}
	if o.Side == connector.Shop && l.r.IntN(2) == 0 {
		o.Subject = connector.Subject{}
	}
	return o
}

func (l *living) touch() connector.Touch {
	t := connector.Touch{Subject: l.order(l.r.IntN(5)), Side: connector.Market, Urgent: l.r.IntN(4) == 0}
	if l.r.IntN(2) == 0 {
		t.Side, t.Heard = []connector.Side{connector.Shop, connector.Money}[l.r.IntN(2)], l.some()
	}
	if l.r.IntN(3) == 0 {
		t.Subject, t.Shop = connector.Subject{}, connector.ShopRef{Store: l.shop, ID: fmt.Sprint("s", l.r.IntN(6))}
	}
	return t
}

func (l *living) step() {
	ctx := l.t.Context()
	switch l.r.IntN(9) {
	case 0:
		v, err := l.s.Record(ctx, connector.Delivery{Connection: l.channel, ID: fmt.Sprint("d", l.r.IntN(30)), ReceivedAt: l.now,
			Touch: []connector.Touch{l.touch(), l.touch()}, Observed: []connector.Observation{l.observation(), l.observation()}})
		l.say("record %s %v", v, err)
	case 1:
		n, err := l.s.Seen(ctx, l.now, l.observation(), l.observation(), l.observation())
		l.say("seen %d %v", n, err)
	case 2:
		l.say("touch %v", l.s.Touch(ctx, l.now, l.touch(), l.touch()))
	case 3:
		work, err := l.s.Claim(ctx, l.now, 3, time.Minute, []connector.ConnectionID{l.channel})
		l.work = append(l.work, work...)
		l.say("claim %v %v", work, err)
	case 4:
		l.person()
	case 5:
		l.feed()
	default:
		l.turn()
	}
}

// turn does something with a claim, which may be long over.
func (l *living) turn() {
	if len(l.work) == 0 {
		return
	}
	ctx, w := l.t.Context(), l.work[max(0, len(l.work)-1-l.r.IntN(4))]
	switch l.r.IntN(3) {
	case 0:
		key := fmt.Sprint(l.channel, "k", l.r.IntN(12))
		c := connector.Command{Key: key, Verb: "v", Side: connector.Shop, Due: l.some()}
		if l.r.IntN(2) == 0 {
			c.Side, c.Lane, c.Money, c.Amount = connector.Market, "feed", true, money.New(int64(l.r.IntN(500)), "EUR")
			c.Budget = &connector.Budget{Per: time.Minute, Count: 4, Sum: money.New(900, "EUR")}
		}
		for _, e := range l.entries {
			if e.Key == key && l.r.IntN(2) == 0 {
				c.Again = e.ID
			}
		}
		e, err := l.s.Intend(ctx, w, c, l.now, l.now.Add(20*time.Second), "")
		if err == nil {
			l.entries = append(l.entries, e)
		}
		l.say("intend %s %d %v", e.State, e.Attempts, err)
	case 1:
		if len(l.entries) == 0 {
			return
		}
		o := l.observation()
		states := []connector.EntryState{connector.Unknown, connector.Retry, connector.Refused, connector.Done, connector.Proven, connector.Taken}
		err := l.s.Settle(ctx, l.entries[l.r.IntN(len(l.entries))].ID, connector.Outcome{State: states[l.r.IntN(len(states))],
			At: l.now, Shop: o.Shop, Observed: &o, Note: "settled"})
		l.say("settle %v", err)
	case 2:
		n := connector.Next{Wake: l.some(), Failed: l.r.IntN(3) == 0, Final: l.r.IntN(3) == 0}
		for range l.r.IntN(3) {
			n.Holds = append(n.Holds, connector.Hold{Kind: fmt.Sprint("h", l.r.IntN(3)), Level: connector.Warns, Reason: fmt.Sprint(l.r.IntN(2))})
		}
		err := l.s.Release(ctx, w, l.now, n)
		l.say("release %v", err == nil || errors.Is(err, connector.ErrLeaseLost))
		l.say("lost %v", err)
	}
}
