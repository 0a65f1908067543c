package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

type eventRow struct {
	ID      int64  `db:"id"`
	EventID string `db:"event_id"`
	Type    string `db:"type"`
	At      stamp  `db:"happened_at"`
	Account string `db:"account"`
	Subject string `db:"subject"`
	Data    []byte `db:"data"`
}

const eventColumns = `id, event_id, type, happened_at, account, subject, data`

func (r eventRow) event() connector.Event {
	return connector.Event{ID: r.EventID, Type: r.Type, At: r.At.Time, Account: connector.ConnectionID(r.Account), Subject: r.Subject, Data: r.Data}
}

// Emit writes events and their deliveries; see connector.Events.
func (s *Store) Emit(ctx context.Context, endpoints []string, events ...connector.Event) (fresh int, err error) {
	if err := connector.CheckEvents(endpoints, events); err != nil {
		return 0, fmt.Errorf("emit events: %w", err)
	}
	endpoints = slices.Compact(slices.Sorted(slices.Values(endpoints)))
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		fresh = 0
		for _, e := range events {
			isNew, err := emit(ctx, tx, endpoints, e)
			if err != nil {
				return err
			}
			if isNew {
				fresh++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("emit %d events: %w", len(events), err)
	}
	return fresh, nil
}

func emit(ctx context.Context, tx *sqlx.Tx, endpoints []string, e connector.Event) (fresh bool, err error) {
	var id int64
	err = get(ctx, tx, &id, `
		insert into events (event_id, type, happened_at, account, subject, data) values (?, ?, ?, ?, ?, ?)
		on conflict (event_id) do nothing returning id`,
		e.ID, clean(e.Type), version(e.At), clean(string(e.Account)), clean(e.Subject), bytesOf(e.Data))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil || len(endpoints) == 0 {
		return err == nil, err
	}
	const width = 4
	args := make([]any, 0, width*len(endpoints))
	for _, name := range endpoints {
		args = append(args, id, name, string(connector.EventWaiting), version(e.At))
	}
	return true, exec(ctx, tx, `
		insert into event_deliveries (event, endpoint, state, next_at) values `+values(len(endpoints), width), args...)
}

// EventList lists events; see connector.Events.
func (s *Store) EventList(ctx context.Context, f connector.EventFilter) ([]connector.EventRecord, error) {
	out := []connector.EventRecord{}
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		where, args := eventsWanted(f)
		var rows []eventRow
		if err := selects(ctx, tx, &rows, `
			select `+eventColumns+` from events where `+where+` order by id desc limit ?`, append(args, limit(f.Limit))...); err != nil {
			return err
		}
		deliveries, err := deliveriesOf(ctx, tx, rows)
		for _, r := range rows {
			d := deliveries[r.ID]
			if d == nil {
				d = []connector.EventDelivery{}
			}
			out = append(out, connector.EventRecord{Row: r.ID, Event: r.event(), Deliveries: d})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return out, nil
}

// eventsWanted is the condition of a filter.
func eventsWanted(f connector.EventFilter) (where string, args []any) {
	all := []string{"true"}
	add := func(cond string, a ...any) { all, args = append(all, cond), append(args, a...) }
	if f.ID != "" {
		add("event_id = ?", f.ID)
	}
	if f.Type != "" {
		add("type = ?", f.Type)
	}
	if f.Before != 0 {
		add("id < ?", f.Before)
	}
	if len(f.Accounts) > 0 {
		var names []any
		for _, a := range f.Accounts {
			names = append(names, string(a))
		}
		add("account in "+list(len(names)), names...)
	}
	if f.Endpoint != "" || f.State != "" {
		add(`exists (select 1 from event_deliveries d where d.event = events.id and (? = '' or d.endpoint = ?) and (? = '' or d.state = ?))`,
			f.Endpoint, f.Endpoint, string(f.State), string(f.State))
	}
	return strings.Join(all, " and "), args
}

// deliveriesOf reads the deliveries of events, by endpoint.
func deliveriesOf(ctx context.Context, tx *sqlx.Tx, events []eventRow) (map[int64][]connector.EventDelivery, error) {
	out := map[int64][]connector.EventDelivery{}
	for part := range slices.Chunk(events, 300) {
		var ids []any
		for _, e := range part {
			ids = append(ids, e.ID)
		}
		var rows []struct {
			Event    int64  `db:"event"`
			Endpoint string `db:"endpoint"`
			State    string `db:"state"`
			Attempts int    `db:"attempts"`
			NextAt   stamp  `db:"next_at"`
			TriedAt  stamp  `db:"tried_at"`
			Status   int    `db:"status"`
			Reason   string `db:"reason"`
		}
		if err := selects(ctx, tx, &rows, `
			select event, endpoint, state, attempts, next_at, tried_at, status, reason from event_deliveries
			where event in `+list(len(ids))+` order by event, endpoint`, ids...); err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.Event] = append(out[r.Event], connector.EventDelivery{Endpoint: r.Endpoint, State: connector.EventState(r.State), Attempts: r.Attempts,
				NextAt: r.NextAt.Time, TriedAt: r.TriedAt.Time, Status: r.Status, Reason: r.Reason})
		}
	}
	return out, nil
}

// PurgeEvents deletes old events; see connector.Events. One that somebody asks for again meanwhile
// keeps its row.
func (s *Store) PurgeEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int64
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		n = 0
		var ids []int64
		if err := selects(ctx, tx, &ids, `
			select id from events where happened_at < ?
				and not exists (select 1 from event_deliveries d where d.event = events.id and d.state <> 'delivered')
			order by happened_at, id limit ?`, version(before), max(limit, 0)); err != nil || len(ids) == 0 {
			return err
		}
		old := make([]any, 0, len(ids))
		for _, id := range ids {
			old = append(old, id)
		}
		if err := exec(ctx, tx, `delete from event_deliveries where state = 'delivered' and event in `+list(len(old)), old...); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, tx.Rebind(`
			delete from events where id in `+list(len(old))+`
				and not exists (select 1 from event_deliveries d where d.event = events.id)`), old...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete events that happened before %s: %w", before.UTC().Format(time.RFC3339), err)
	}
	return int(n), nil
}
