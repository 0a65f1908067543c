package sqlstore

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

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
	in := s.intake(tx)
	fresh, err := in.insert(ctx, jobs, kept)
	if err != nil {
		return nil, err
	}
	var events []event
	for _, i := range fresh {
		verdicts[i] = jobs[i].d.Verdict
		events = append(events, jobs[i].events...)
	}
	if len(events) > 0 {
		if err := in.take(ctx, events); err != nil {
			return nil, err
		}
	}
	return verdicts, keepRefused(ctx, tx, jobs, refused)
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
	args, n := make([]any, 0, len(deliveryKinds)*len(places)), 0
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
	return exec(ctx, tx, `insert into deliveries (`+deliveryColumns+`) values `+values(n, len(deliveryKinds)), args...)
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
		_, err = s.take(ctx, tx, eventsOf(at, touch, observed))
		return err
	})
}
