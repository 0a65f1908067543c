// Package memstore keeps everything in memory, for the simulation and for tests of the loop. It
// passes the same exercise as the SQL store.
package memstore

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"channelbridge/connector"
)

// Store is a connector.Store without durability.
type Store struct {
	mu          sync.Mutex
	subjects    map[connector.Subject]*row
	byShop      map[connector.ShopRef]connector.Subject
	entries     []*connector.Entry
	keys        map[string]*connector.Entry
	deliveries  []*connector.Delivery
	known       map[deliveryKey]*connector.Delivery
	cursors     map[cursorKey]*cursor
	connections map[connector.ConnectionID]connector.Connection
	notes       map[connector.Subject][]connector.Note
	secrets     map[string][]byte
	batches     []*connector.Batch // entries are kept apart
	wishes      []connector.Wish
	switches    map[string]connector.Switch
	audit       []connector.AuditEntry
	sealed      int // how many of them are in the chain
	tokens      map[string]connector.Token
	replies     map[replyKey]connector.Reply
	books       payoutBooks
	outbox      outbox
	refused     int // counted, kept or not
	lastRow     int64
	lastNote    int64
}

type row struct {
	rec        connector.Record
	token      int64
	leaseUntil time.Time
	failures   int
	keptAt     time.Time // when a snapshot was last kept
}

type deliveryKey struct {
	conn connector.ConnectionID
	id   string
}

type cursorKey struct {
	conn connector.ConnectionID
	name string
}

type cursor struct {
	connector.Cursor
	until time.Time
}

// New returns an empty store.
func New() *Store {
	return &Store{
		subjects: map[connector.Subject]*row{}, byShop: map[connector.ShopRef]connector.Subject{},
		keys: map[string]*connector.Entry{}, known: map[deliveryKey]*connector.Delivery{},
		cursors: map[cursorKey]*cursor{}, connections: map[connector.ConnectionID]connector.Connection{},
		notes: map[connector.Subject][]connector.Note{}, secrets: map[string][]byte{},
		switches: map[string]connector.Switch{}, tokens: map[string]connector.Token{}, replies: map[replyKey]connector.Reply{},
	}
}

var _ connector.Store = (*Store)(nil)

// Record keeps a delivery and touches its subjects.
func (s *Store) Record(_ context.Context, d connector.Delivery) (connector.Verdict, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.known[deliveryKey{d.Connection, d.ID}]; old != nil {
		old.Repeats++
		return connector.Duplicate, nil
	}
	s.keep(&d)
	s.known[deliveryKey{d.Connection, d.ID}] = s.deliveries[len(s.deliveries)-1]
	s.touch(d.ReceivedAt, d.Touch)
	s.seen(d.ReceivedAt, d.Observed)
	return d.Verdict, nil
}

func (s *Store) keep(d *connector.Delivery) {
	s.lastRow++
	d.Row, d.Size = s.lastRow, len(d.Body)
	kept := *d
	kept.Touch, kept.Observed = nil, nil
	s.deliveries = append(s.deliveries, &kept)
}

// maxRejected is how much of a refused body is kept.
const maxRejected = 2 << 10

// Reject keeps a refused delivery within a bound.
func (s *Store) Reject(_ context.Context, d connector.Delivery, keep int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused++
	d.Verdict = connector.Rejected
	size := len(d.Body)
	d.Body = d.Body[:min(size, maxRejected)]
	s.keep(&d)
	s.deliveries[len(s.deliveries)-1].Size = size
	n := 0
	for i := len(s.deliveries) - 1; i >= 0; i-- {
		if x := s.deliveries[i]; x.Connection == d.Connection && x.Verdict == connector.Rejected {
			if n++; n > keep {
				s.deliveries = slices.Delete(s.deliveries, i, i+1)
			}
		}
	}
	return nil
}

// Replayed marks a delivery as understood after all.
func (s *Store) Replayed(_ context.Context, id int64, at time.Time, touch []connector.Touch, observed []connector.Observation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.deliveries {
		if d.Row == id {
			d.Verdict, d.Reason, d.ReplayedAt = connector.Accepted, "", at
			s.touch(at, touch)
			s.seen(at, observed)
			return nil
		}
	}
	return connector.ErrNotFound
}

// Touch marks subjects due.
func (s *Store) Touch(_ context.Context, at time.Time, t ...connector.Touch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touch(at, t)
	return nil
}

func (s *Store) touch(at time.Time, touches []connector.Touch) {
	for _, t := range touches {
		sub := t.Subject
		if sub.ID == "" {
			var ok bool
			if sub, ok = s.byShop[t.Shop]; !ok {
				continue
			}
		}
		if t.Side == connector.Money && s.subjects[sub] == nil {
			continue
		}
		r := s.row(sub, at)
		r.due(at)
		if t.Urgent && (r.rec.DueAt.IsZero() || at.Before(r.rec.DueAt)) {
			r.rec.DueAt = at
		}
		v := t.Heard
		if v.IsZero() {
			v = at
		}
		h := r.heard(t.Side)
		if v.After(h.Version) {
			*h = connector.Heard{Version: v, At: at}
		}
	}
}

func (r *row) heard(side connector.Side) *connector.Heard {
	switch side {
	case connector.Shop:
		return &r.rec.HeardShop
	case connector.Money:
		return &r.rec.HeardMoney
	}
	return &r.rec.HeardMarket
}

// slot is where a side's snapshot is kept.
func (r *row) slot(side connector.Side) **connector.Snapshot {
	switch side {
	case connector.Shop:
		return &r.rec.Store
	case connector.Money:
		return &r.rec.Refunds
	}
	return &r.rec.Market
}

// due makes a subject due at the instant, or earlier if it already is.
func (r *row) due(at time.Time) {
	r.rec.Revision++
	r.rec.Final = false
	if r.rec.NextAt.IsZero() || at.Before(r.rec.NextAt) {
		r.rec.NextAt = at
	}
}

func (s *Store) row(sub connector.Subject, at time.Time) *row {
	r := s.subjects[sub]
	if r == nil {
		r = &row{rec: connector.Record{Subject: sub, FirstSeen: at}}
		s.subjects[sub] = r
	}
	return r
}

// Seen keeps snapshots.
func (s *Store) Seen(_ context.Context, at time.Time, o ...connector.Observation) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen(at, o), nil
}

func (s *Store) seen(at time.Time, all []connector.Observation) (news int) {
	for _, o := range all {
		sub, known := o.Subject, o.Subject.ID != ""
		if !known {
			if sub, known = s.byShop[o.Shop]; !known {
				continue
			}
		}
		if o.Side != connector.Market && s.subjects[sub] == nil {
			continue
		}
		r := s.row(sub, at)
		if o.Side == connector.Shop && !s.attach(r, o.Shop) {
			continue
		}
		slot := r.slot(o.Side)
		if fresh(*slot, o.Snapshot) {
			snap := o.Snapshot
			*slot, r.keptAt = &snap, at
			r.due(at)
			s.note(sub, at, "system", "seen", o.Note)
			news++
		} else if old := *slot; o.Version.Equal(old.Version) && o.ObservedAt.After(old.ObservedAt) {
			old.ObservedAt = o.ObservedAt
		}
	}
	return news
}

// attach ties a subject to its store order; it reports whether the reference is the subject's.
func (s *Store) attach(r *row, ref connector.ShopRef) bool {
	if !ref.Set() {
		return true
	}
	if !r.rec.Shop.Set() {
		if other, taken := s.byShop[ref]; taken && other != r.rec.Subject {
			return false
		}
		r.rec.Shop = ref
		s.byShop[ref] = r.rec.Subject
	}
	return r.rec.Shop == ref
}

// fresh reports whether a snapshot is news.
func fresh(old *connector.Snapshot, o connector.Snapshot) bool {
	if old != nil && old.Fault == "" && o.Fault != "" {
		return false
	}
	if old == nil || o.Version.After(old.Version) {
		return true
	}
	return o.Version.Equal(old.Version) && !o.ObservedAt.Before(old.ObservedAt) &&
		(old.Fault != o.Fault || !bytes.Equal(old.Body, o.Body))
}

func (s *Store) note(sub connector.Subject, at time.Time, actor, kind, text string) {
	if text == "" {
		return
	}
	s.lastNote++
	s.notes[sub] = append(s.notes[sub], connector.Note{ID: s.lastNote, At: at, Actor: actor, Kind: kind, Text: text})
}

// Claim leases due subjects, deadlines first.
func (s *Store) Claim(_ context.Context, now time.Time, n int, lease time.Duration, channels []connector.ConnectionID) ([]connector.Work, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*row
	for _, r := range s.subjects {
		if r.claimable(now) && slices.Contains(channels, r.rec.Subject.Channel) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, before)
	var out []connector.Work
	for _, r := range due[:min(n, len(due))] {
		r.token++
		r.leaseUntil = now.Add(lease)
		out = append(out, connector.Work{Subject: r.rec.Subject, Revision: r.rec.Revision, Token: r.token,
			LeaseUntil: r.leaseUntil, Failures: r.failures})
	}
	return out, nil
}

func (r *row) claimable(now time.Time) bool {
	return !r.rec.NextAt.IsZero() && !r.rec.NextAt.After(now) && !r.leaseUntil.After(now)
}

func before(a, b *row) int {
	if az, bz := a.rec.DueAt.IsZero(), b.rec.DueAt.IsZero(); az != bz {
		if bz {
			return -1
		}
		return 1
	}
	if c := a.rec.DueAt.Compare(b.rec.DueAt); c != 0 {
		return c
	}
	if c := a.rec.NextAt.Compare(b.rec.NextAt); c != 0 {
		return c
	}
	return strings.Compare(a.rec.Subject.String(), b.rec.Subject.String())
}

// Load reads a record.
func (s *Store) Load(_ context.Context, sub connector.Subject) (connector.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.subjects[sub]
	if r == nil {
		return connector.Record{}, connector.ErrNotFound
	}
	rec := r.rec
	rec.Market, rec.Store, rec.Refunds = clone(rec.Market), clone(rec.Store), clone(rec.Refunds)
	rec.Holds = slices.Clone(rec.Holds)
	for _, e := range s.entries {
		if e.Subject == sub {
			rec.Entries = append(rec.Entries, *e)
		}
	}
	for _, w := range s.wishes {
		if w.Subject == sub {
			rec.Wishes = append(rec.Wishes, w)
		}
	}
	return rec, nil
}

func clone(s *connector.Snapshot) *connector.Snapshot {
	if s == nil {
		return nil
	}
	c := *s
	return &c
}

// Release ends a claim.
func (s *Store) Release(_ context.Context, w connector.Work, at time.Time, n connector.Next) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.subjects[w.Subject]
	if r == nil || r.token != w.Token || r.leaseUntil.IsZero() {
		return connector.ErrLeaseLost
	}
	due := r.rec.DueAt
	r.rec.NextAt, r.rec.DueAt, r.rec.Final = n.Wake, n.Due, n.Final
	if r.rec.Revision != w.Revision {
		r.rec.NextAt, r.rec.Final = at, false
		if !due.IsZero() && (n.Due.IsZero() || due.Before(n.Due)) {
			r.rec.DueAt = due
		}
	}
	r.leaseUntil = time.Time{}
	r.failures++
	if !n.Failed {
		r.failures = 0
	}
	r.rec.Summary = n.Summary
	if !n.Market.At.IsZero() {
		r.rec.LookMarket = n.Market
	}
	if !n.Shop.At.IsZero() {
		r.rec.LookShop = n.Shop
	}
	if !n.Money.At.IsZero() {
		r.rec.LookMoney = n.Money
	}
	s.holds(r, at, n.Holds)
	return nil
}

func (s *Store) holds(r *row, at time.Time, now []connector.Hold) {
	same := func(a connector.Hold) func(connector.Hold) bool {
		return func(b connector.Hold) bool { return a.Kind == b.Kind && a.About == b.About }
	}
	var kept []connector.Hold
	for _, h := range now {
		if slices.ContainsFunc(kept, same(h)) {
			continue
		}
		h.Since = at
		if i := slices.IndexFunc(r.rec.Holds, same(h)); i >= 0 {
			h.Since = r.rec.Holds[i].Since
		} else {
			s.note(r.rec.Subject, at, "system", "hold", "hold opened: "+h.Reason)
		}
		kept = append(kept, h)
	}
	for _, h := range r.rec.Holds {
		if !slices.ContainsFunc(kept, same(h)) {
			s.note(r.rec.Subject, at, "system", "hold", "hold cleared: "+h.Reason)
		}
	}
	r.rec.Holds = kept
}
