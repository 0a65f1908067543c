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

// keep writes deliveries and what the fresh ones touch, and says of each what became of it.
func (s *Store) keep(ctx context.Context, tx *sqlx.Tx, jobs []*job) ([]connector.Verdict, error) {
	verdicts := make([]connector.Verdict, len(jobs))
	var kept, refused []int
	for i, j := range jobs {
		if verdicts[i] = connector.Duplicate; j.d.Verdict == connector.Rejected {
			verdicts[i] = connector.Rejected
			refused = append(refused, i)
		} else {
			kept = append(kept, i)
		}
	}
	fresh, err := s.insertDeliveries(ctx, tx, jobs, kept)
	if err != nil {
		return nil, err
	}
	var events []event
	for _, i := range fresh {
		d := &jobs[i].d
		verdicts[i] = d.Verdict
		events = append(events, touches(d.ReceivedAt, d.Touch)...)
		events = append(events, observations(d.ReceivedAt, d.Observed)...)
	}
	if len(events) > 0 {
		if _, err := s.take(ctx, tx, events); err != nil {
			return nil, err
		}
	}
	return verdicts, keepRefused(ctx, tx, jobs, refused)
}

// grouped sorts the jobs in these places by sender and id, the order in which rows are locked.
func grouped(jobs []*job, places []int) []group {
	known := map[sender]int{}
	var out []group
	for _, i := range places {
		j := jobs[i]
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

// deliveryArgs is a delivery's columns; how often it came again is not known before it is written.
func deliveryArgs(d *connector.Delivery) []any {
	return []any{string(d.Connection), nullable(storedID(d.ID)), clean(d.EventID), clean(d.Topic), version(d.ReceivedAt),
		string(d.Verdict), clean(d.Reason), storedHeader(d.Header), bytesOf(d.Body), d.Size, 0}
}

// insertDeliveries writes one row per id and counts repeats on the rows that exist. A row is
// fresh when it comes back with just the repeats it was written with. It takes the jobs in the
// places given and returns the places of the fresh ones, in order.
func (s *Store) insertDeliveries(ctx context.Context, tx *sqlx.Tx, jobs []*job, places []int) ([]int, error) {
	if len(places) == 0 {
		return nil, nil
	}
	given := make([][]any, 0, len(places))
	first, again := map[sender]int{}, map[sender]int{}
	var fresh []int
	for _, g := range grouped(jobs, places) {
		row, repeats := jobs[g.jobs[0]].row, len(g.jobs)-1
		row[len(row)-1] = repeats
		given = append(given, row)
		if g.id == "" {
			fresh = append(fresh, g.jobs[0])
			continue
		}
		first[g.sender], again[g.sender] = g.jobs[0], repeats
	}
	source, args, err := s.dialect.source(deliveryKinds, given)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, tx.Rebind(`
		insert into deliveries (`+deliveryColumns+`) `+source+`
		on conflict (connection, delivery_id) where verdict <> 'rejected'
		do update set repeats = deliveries.repeats + excluded.repeats + 1
		returning connection, coalesce(delivery_id, ''), repeats`), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key sender
		var repeats int
		if err := rows.Scan(&key.connection, &key.id, &repeats); err != nil {
			return nil, err
		}
		if key.id != "" && repeats == again[key] {
			fresh = append(fresh, first[key])
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	slices.Sort(fresh)
	return fresh, nil
}

// keepRefused counts the refused deliveries in the places given and keeps the newest of each
// connection.
func keepRefused(ctx context.Context, tx *sqlx.Tx, jobs []*job, places []int) error {
	total, keep := map[string]int{}, map[string]int{}
	for _, i := range places {
		id := string(jobs[i].d.Connection)
		total[id]++
		keep[id] = jobs[i].keep
	}
	for _, id := range sortedKeys(total) {
		// The counter's row is locked first, so the bound holds among several processes.
		if err := exec(ctx, tx, `
			insert into rejections (connection, total) values (?, ?)
			on conflict (connection) do update set total = rejections.total + excluded.total`, id, total[id]); err != nil {
			return err
		}
	}
	if err := insertRefused(ctx, tx, jobs, places, keep); err != nil {
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
}

func insertRefused(ctx context.Context, tx *sqlx.Tx, jobs []*job, places []int, keep map[string]int) error {
	args, n := make([]any, 0, 11*len(places)), 0
	for _, i := range places {
		if keep[string(jobs[i].d.Connection)] == 0 {
			continue
		}
		args = append(args, jobs[i].row...)
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
