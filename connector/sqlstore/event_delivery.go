package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// claimedEvent is a delivery that was just leased, with its event.
type claimedEvent struct {
	eventRow
	Attempts int   `db:"attempts"`
	Token    int64 `db:"token"`
	NextAt   stamp `db:"next_at"`
}

// ClaimEvents leases deliveries to an endpoint; see connector.Events. A row that another claim holds
// at this moment is passed over.
func (s *Store) ClaimEvents(ctx context.Context, now time.Time, n int, lease time.Duration, endpoint string) (work []connector.EventWork, next time.Time, err error) {
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		rows, err := s.claimEvents(ctx, tx, now, max(n, 0), lease, endpoint)
		if err != nil {
			return err
		}
		work = nil
		for _, r := range rows {
			work = append(work, connector.EventWork{Event: r.event(), Endpoint: endpoint, Attempt: r.Attempts, Token: r.Token})
		}
		next, err = nextEvent(ctx, tx, endpoint)
		return err
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("claim events for %s: %w", endpoint, err)
	}
	return work, next, nil
}

func (s *Store) claimEvents(ctx context.Context, tx *sqlx.Tx, now time.Time, n int, lease time.Duration, endpoint string) ([]claimedEvent, error) {
	var rows []claimedEvent
	err := selects(ctx, tx, &rows, `
		with picked as (
			select event from event_deliveries
			where endpoint = ? and state = 'waiting' and next_at <= ? and (lease_until is null or lease_until <= ?)
			order by next_at, event limit ?`+s.dialect.skip+`
		)
		update event_deliveries set lease_until = ?, token = token + 1, attempts = attempts + 1
		where endpoint = ? and event in (select event from picked)
		returning event as id, attempts, token, next_at`,
		endpoint, stamped(now), stamped(now), n, stamped(now.Add(lease)), endpoint)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b claimedEvent) int { return cmp.Or(a.NextAt.Compare(b.NextAt.Time), cmp.Compare(a.ID, b.ID)) })
	return rows, withEvents(ctx, tx, rows)
}

// withEvents fills in what the deliveries tell.
func withEvents(ctx context.Context, tx *sqlx.Tx, rows []claimedEvent) error {
	byID := map[int64]eventRow{}
	for part := range slices.Chunk(rows, 300) {
		var ids []any
		for _, r := range part {
			ids = append(ids, r.ID)
		}
		var events []eventRow
		if err := selects(ctx, tx, &events, `select `+eventColumns+` from events where id in `+list(len(ids)), ids...); err != nil {
			return err
		}
		for _, e := range events {
			byID[e.ID] = e
		}
	}
	for i := range rows {
		rows[i].eventRow = byID[rows[i].ID]
	}
	return nil
}

// nextEvent is when the next of what waits for an endpoint falls due, or its lease ends.
func nextEvent(ctx context.Context, tx *sqlx.Tx, endpoint string) (time.Time, error) {
	var next stamp
	err := get(ctx, tx, &next, `
		select min(case when lease_until > next_at then lease_until else next_at end)
		from event_deliveries where endpoint = ? and state = 'waiting'`, endpoint)
	return next.Time, err
}

// SettleEvent ends a claim; see connector.Events.
func (s *Store) SettleEvent(ctx context.Context, w connector.EventWork, at time.Time, o connector.EventOutcome) error {
	next := stamp{}
	if o.State == connector.EventWaiting {
		next = stamped(o.NextAt)
	}
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		var id int64
		return get(ctx, tx, &id, `
			update event_deliveries set state = ?, next_at = ?, lease_until = null, tried_at = ?, status = ?, reason = ?
			where event = (select id from events where event_id = ?) and endpoint = ? and token = ? and lease_until is not null
			returning event`,
			string(o.State), next, stamped(at), o.Status, clean(o.Reason), w.Event.ID, w.Endpoint, w.Token)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = connector.ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("settle event %s for %s: %w", w.Event.ID, w.Endpoint, err)
	}
	return nil
}

// GiveUpEvents gives up what waits for an endpoint; see connector.Events.
func (s *Store) GiveUpEvents(ctx context.Context, endpoint string, at time.Time, reason string) (int, error) {
	n, err := s.changeEvents(ctx, `
		update event_deliveries set state = 'given_up', next_at = null, lease_until = null, reason = ?
		where endpoint = ? and state = 'waiting' and (lease_until is null or lease_until <= ?)`,
		clean(reason), endpoint, stamped(at))
	if err != nil {
		return 0, fmt.Errorf("give up the events for %s: %w", endpoint, err)
	}
	return n, nil
}

// ReplayEvents makes deliveries due again; see connector.Events.
func (s *Store) ReplayEvents(ctx context.Context, id, endpoint string, at time.Time) (int, error) {
	where, args := `state = 'given_up'`, []any{stamped(at), stamped(at)}
	if id != "" {
		where, args = `event = (select id from events where event_id = ?)`, append(args, id)
	}
	n, err := s.changeEvents(ctx, `
		update event_deliveries set state = 'waiting', attempts = 0, next_at = ?, lease_until = null
		where (lease_until is null or lease_until <= ?) and `+where+` and (? = '' or endpoint = ?)`, append(args, endpoint, endpoint)...)
	if err == nil && n == 0 && id != "" {
		err = s.eventGoesTo(ctx, id, endpoint)
	}
	if err != nil {
		return 0, fmt.Errorf("send events %s again: %w", id, err)
	}
	return n, nil
}

// eventGoesTo is ErrNotFound when an event has no delivery to the endpoint, or to any.
func (s *Store) eventGoesTo(ctx context.Context, id, endpoint string) error {
	var n int
	err := s.reader.GetContext(ctx, &n, s.reader.Rebind(`
		select count(*) from event_deliveries
		where event = (select id from events where event_id = ?) and (? = '' or endpoint = ?)`), id, endpoint, endpoint)
	if err == nil && n == 0 {
		return connector.ErrNotFound
	}
	return err
}

// changeEvents runs one statement and says how many rows it changed.
func (s *Store) changeEvents(ctx context.Context, query string, args ...any) (int, error) {
	var n int64
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, tx.Rebind(query), args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return int(n), err
}

// countEvents looks at what has not reached its endpoint; no map without any.
func countEvents(ctx context.Context, tx *sqlx.Tx, now time.Time, out *connector.Stats) error {
	var rows []struct {
		Endpoint string `db:"endpoint"`
		Waiting  int    `db:"waiting"`
		GivenUp  int    `db:"given_up"`
		Oldest   stamp  `db:"oldest"`
	}
	// Two counts that partial indexes answer, instead of one that reads every delivery.
	err := selects(ctx, tx, &rows, `
		select d.endpoint, count(*) as waiting, 0 as given_up, min(e.happened_at) as oldest
		from event_deliveries d join events e on e.id = d.event where d.state = 'waiting' group by d.endpoint
		union all
		select endpoint, 0, count(*), null from event_deliveries where state = 'given_up' group by endpoint`)
	for _, r := range rows {
		if out.Events == nil {
			out.Events = map[string]connector.EventCount{}
		}
		c := out.Events[r.Endpoint]
		c.Waiting, c.GivenUp = c.Waiting+r.Waiting, c.GivenUp+r.GivenUp
		if !r.Oldest.IsZero() {
			c.Oldest = max(c.Oldest, now.Sub(r.Oldest.Time))
		}
		out.Events[r.Endpoint] = c
	}
	return err
}
