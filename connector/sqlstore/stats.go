package sqlstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Stats counts what gauges show; see connector.Reader. Duplicates are repeats, and refused
// deliveries count whether they were kept or not.
func (s *Store) Stats(ctx context.Context, now time.Time) (connector.Stats, error) {
	out := connector.Stats{
		Entries: map[connector.EntryState]int{}, Holds: map[string]int{}, Deliveries: map[connector.Verdict]int{},
		Batches: map[connector.BatchState]int{},
	}
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		if err := countSubjects(ctx, tx, now, &out); err != nil {
			return err
		}
		if err := countShipments(ctx, tx, now, &out); err != nil {
			return err
		}
		if err := countWaiting(ctx, tx, now, &out); err != nil {
			return err
		}
		if err := countEvents(ctx, tx, now, &out); err != nil {
			return err
		}
		for _, err := range []error{
			tally(ctx, tx, out.Batches, `select state as name, count(*) as n from batches
				where state not in ('done', 'lost', 'dropped') group by state`),
			tally(ctx, tx, out.Entries, `select state as name, count(*) as n from effects group by state`),
			tally(ctx, tx, out.Holds, `select kind as name, count(*) as n from holds where cleared_at is null group by kind`),
			// Accepted ones are the rest: three counts that indexes answer, instead of one that reads every row.
			tally(ctx, tx, out.Deliveries, `
				select 'quarantined' as name, count(*) as n from deliveries where verdict = 'quarantined'
				union all select 'accepted', (select count(*) from deliveries)
					- (select count(*) from deliveries where verdict = 'quarantined')
					- (select count(*) from deliveries where verdict = 'rejected')
				union all select 'rejected', coalesce(sum(total), 0) from rejections
				union all select 'duplicate', coalesce(sum(repeats), 0) from deliveries where repeats > 0`),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func countSubjects(ctx context.Context, tx *sqlx.Tx, now time.Time, out *connector.Stats) error {
	var c struct {
		Subjects  int   `db:"subjects"`
		Deadlines int   `db:"deadlines"`
		Due       int   `db:"due"`
		Oldest    stamp `db:"oldest"`
	}
	err := get(ctx, tx, &c, `
		select
			(select count(*) from subjects where kind = 'order') as subjects,
			(select count(*) from subjects where kind = 'order' and due_at < ?) as deadlines,
			count(*) as due, min(next_at) as oldest
		from subjects where kind = 'order' and next_at <= ? and (lease_until is null or lease_until <= ?)`,
		stamped(now), stamped(now), stamped(now))
	out.Subjects, out.Deadlines, out.Due = c.Subjects, c.Deadlines, c.Due
	if !c.Oldest.IsZero() {
		out.OldestDue = now.Sub(c.Oldest.Time)
	}
	return err
}

// countWaiting looks at what waits in lanes and for the chain of the audit record.
func countWaiting(ctx context.Context, tx *sqlx.Tx, now time.Time, out *connector.Stats) error {
	var c struct {
		Unsealed int   `db:"unsealed"`
		Oldest   stamp `db:"oldest"`
	}
	err := get(ctx, tx, &c, `
		select (select count(*) from audit where place is null) as unsealed, min(intended_at) as oldest
		from effects where state = 'queued'`)
	out.Unsealed = c.Unsealed
	if !c.Oldest.IsZero() {
		out.OldestQueued = now.Sub(c.Oldest.Time)
	}
	return err
}

// countShipments looks at commands that had to be done by the end of a day of the last seven:
// done by then, or done later or still missing.
func countShipments(ctx context.Context, tx *sqlx.Tx, now time.Time, out *connector.Stats) error {
	var c struct {
		SameDay int `db:"same_day"`
		Late    int `db:"late"`
	}
	err := get(ctx, tx, &c, `
		select
			count(*) filter (where state in ('done', 'proven') and settled_at <= due) as same_day,
			count(*) filter (where case when state in ('done', 'proven') then settled_at > due else due < ? end) as late
		from effects where due >= ?`, stamped(now), stamped(now.AddDate(0, 0, -7)))
	out.SameDay, out.Late = c.SameDay, c.Late
	return err
}

// tally fills a count by name.
func tally[K ~string](ctx context.Context, tx *sqlx.Tx, into map[K]int, query string) error {
	var rows []struct {
		Name string `db:"name"`
		N    int    `db:"n"`
	}
	err := selects(ctx, tx, &rows, query)
	for _, r := range rows {
		if r.N > 0 {
			into[K(r.Name)] = r.N
		}
	}
	return err
}

// Completeness counts orders by the day they were placed; see connector.Reader. Mirrored ones
// count among the expected only, so that one too many cannot hide one too few.
func (s *Store) Completeness(ctx context.Context, channel connector.ConnectionID, from time.Time, zone *time.Location) ([]connector.DayCount, error) {
	year, month, day := from.In(zone).Date()
	var rows []struct {
		PlacedAt stamp `db:"placed_at"`
		Expected bool  `db:"expected"`
		Mirrored bool  `db:"mirrored"`
	}
	if err := s.reader.SelectContext(ctx, &rows, s.reader.Rebind(`
		select placed_at, expected, mirrored from subjects where kind = 'order' and channel = ? and placed_at >= ?`),
		string(channel), version(time.Date(year, month, day, 0, 0, 0, 0, zone))); err != nil {
		return nil, err
	}
	days := map[string]connector.DayCount{}
	for _, r := range rows {
		day := r.PlacedAt.In(zone).Format(time.DateOnly)
		d := days[day]
		d.Day = day
		d.Seen++
		if r.Expected {
			d.Expected++
		}
		if r.Expected && r.Mirrored {
			d.Mirrored++
		}
		days[day] = d
	}
	return slices.SortedFunc(maps.Values(days), func(a, b connector.DayCount) int { return cmp.Compare(a.Day, b.Day) }), nil
}

// sortedKeys is called for every push: it takes the room for all keys at once.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := slices.AppendSeq(make([]K, 0, len(m)), maps.Keys(m))
	slices.Sort(keys)
	return keys
}
