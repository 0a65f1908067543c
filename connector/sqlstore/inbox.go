package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// sender names a delivery among those that were believed.
type sender struct {
	connection string
	id         string
}

// group is the deliveries of one batch that carry the same id: the first counts.
type group struct {
	sender
	jobs []int // places in the batch
}

// keepDeliveries writes accepted and quarantined deliveries and what the fresh ones touch.
func (s *Store) keepDeliveries(ctx context.Context, jobs []*job) ([]connector.Verdict, error) {
	groups := grouped(jobs)
	var out []connector.Verdict
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		out = make([]connector.Verdict, len(jobs))
		for i := range out {
			out[i] = connector.Duplicate
		}
		fresh, err := s.insertDeliveries(ctx, tx, jobs, groups)
		if err != nil {
			return err
		}
		slices.Sort(fresh)
		var events []event
		for _, i := range fresh {
			d := &jobs[i].d
			out[i] = d.Verdict
			events = append(events, touches(d.ReceivedAt, d.Touch)...)
			events = append(events, observations(d.ReceivedAt, d.Observed)...)
		}
		if len(events) == 0 {
			return nil
		}
		_, err = s.take(ctx, tx, events)
		return err
	})
	return out, err
}

// grouped sorts a batch by sender and id, the order in which rows are locked.
func grouped(jobs []*job) []group {
	known := map[sender]int{}
	var out []group
	for i, j := range jobs {
		key := sender{connection: string(j.d.Connection)}
		if id := storedID(j.d.ID); id != nil {
			key.id = *id
			if g, ok := known[key]; ok {
				out[g].jobs = append(out[g].jobs, i)
				continue
			}
			known[key] = len(out)
		}
		out = append(out, group{key, []int{i}})
	}
	slices.SortStableFunc(out, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.connection, b.connection), cmp.Compare(a.id, b.id))
	})
	return out
}

const deliveryColumns = `connection, delivery_id, event_id, topic, received_at, verdict, reason, header, body, size, repeats`

var deliveryKinds = []column{{"connection", "text"}, {"delivery_id", "text"}, {"event_id", "text"}, {"topic", "text"},
	{"received_at", "timestamptz"}, {"verdict", "text"}, {"reason", "text"}, {"header", "text"}, {"body", "bytea"},
	{"size", "bigint"}, {"repeats", "bigint"}}

func deliveryArgs(d *connector.Delivery, size, repeats int) []any {
	return []any{string(d.Connection), nullable(storedID(d.ID)), clean(d.EventID), clean(d.Topic), version(d.ReceivedAt),
		string(d.Verdict), clean(d.Reason), storedHeader(d.Header), bytesOf(d.Body), size, repeats}
}

// insertDeliveries writes one row per id and counts repeats on the rows that exist. A row is
// fresh when it comes back with just the repeats it was written with. It returns the places of
// the fresh ones.
func (s *Store) insertDeliveries(ctx context.Context, tx *sqlx.Tx, jobs []*job, groups []group) ([]int, error) {
	given := make([][]any, 0, len(groups))
	first, again := map[sender]int{}, map[sender]int{}
	var fresh []int
	for _, g := range groups {
		d := &jobs[g.jobs[0]].d
		given = append(given, deliveryArgs(d, len(d.Body), len(g.jobs)-1))
		if g.id == "" {
			fresh = append(fresh, g.jobs[0])
			continue
		}
		first[g.sender], again[g.sender] = g.jobs[0], len(g.jobs)-1
	}
	source, args, err := s.dialect.source(deliveryKinds, given)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Connection string  `db:"connection"`
		ID         *string `db:"delivery_id"`
		Repeats    int     `db:"repeats"`
	}
	if err := selects(ctx, tx, &rows, `
		insert into deliveries (`+deliveryColumns+`) `+source+`
		on conflict (connection, delivery_id) where verdict <> 'rejected'
		do update set repeats = deliveries.repeats + excluded.repeats + 1
		returning connection, delivery_id, repeats`, args...); err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.ID == nil {
			continue
		}
		if key := (sender{r.Connection, *r.ID}); r.Repeats == again[key] {
			fresh = append(fresh, first[key])
		}
	}
	return fresh, nil
}

// keepRefused counts refused deliveries and keeps the newest of each connection.
func (s *Store) keepRefused(ctx context.Context, jobs []*job) ([]connector.Verdict, error) {
	total, keep := map[string]int{}, map[string]int{}
	for _, j := range jobs {
		id := string(j.d.Connection)
		total[id]++
		keep[id] = j.keep
	}
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		for _, id := range sortedKeys(total) {
			// The counter's row is locked first, so the bound holds among several processes.
			if err := exec(ctx, tx, `
				insert into rejections (connection, total) values (?, ?)
				on conflict (connection) do update set total = rejections.total + excluded.total`, id, total[id]); err != nil {
				return err
			}
		}
		if err := insertRefused(ctx, tx, jobs, keep); err != nil {
			return err
		}
		for _, id := range sortedKeys(total) {
			if err := exec(ctx, tx, `
				delete from deliveries where verdict = 'rejected' and connection = ? and id <= (
					select id from deliveries where verdict = 'rejected' and connection = ?
					order by id desc limit 1 offset ?)`, id, id, keep[id]); err != nil {
				return err
			}
		}
		return nil
	})
	return slices.Repeat([]connector.Verdict{connector.Rejected}, len(jobs)), err
}

func insertRefused(ctx context.Context, tx *sqlx.Tx, jobs []*job, keep map[string]int) error {
	args, n := make([]any, 0, 11*len(jobs)), 0
	for _, j := range jobs {
		if keep[string(j.d.Connection)] == 0 {
			continue
		}
		args = append(args, deliveryArgs(&j.d, j.d.Size, 0)...)
		n++
	}
	if n == 0 {
		return nil
	}
	return exec(ctx, tx, `insert into deliveries (`+deliveryColumns+`) values `+values(n, 11), args...)
}

// Replayed marks a quarantined delivery as understood; see connector.Inbox. A refused one stays
// refused: to us it does not exist.
func (s *Store) Replayed(ctx context.Context, row int64, at time.Time, touch []connector.Touch, observed []connector.Observation) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		var ids []int64
		err := selects(ctx, tx, &ids, `
			update deliveries set verdict = 'accepted', reason = '', replayed_at = ?
			where id = ? and verdict <> 'rejected' returning id`, stamped(at), row)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return connector.ErrNotFound
		}
		_, err = s.take(ctx, tx, append(touches(at, touch), observations(at, observed)...))
		return err
	})
}
