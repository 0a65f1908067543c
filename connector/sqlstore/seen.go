package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Seen keeps snapshots; see connector.Queue.
func (s *Store) Seen(ctx context.Context, at time.Time, o ...connector.Observation) (news int, err error) {
	if len(o) == 0 {
		return 0, nil
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		news, err = s.take(ctx, tx, observations(at, o))
		return err
	})
	return news, err
}

// place is where one snapshot is kept.
type place struct {
	subject int64
	side    connector.Side
}

// sighting is an observation whose place is known.
type sighting struct {
	place
	sub connector.Subject
	at  time.Time
	*connector.Observation
}

// observe keeps the snapshots among the events. Several of the same place are kept one after
// the other, as if they had come alone.
func (in *intake) observe(ctx context.Context, events []event) error {
	var rest []sighting
	for _, e := range events {
		if e.observed == nil {
			continue
		}
		sub, ok := in.subject(e)
		row := in.rows[sub]
		if !ok || row == nil {
			continue // an order of the store that mirrors nothing of ours
		}
		if e.observed.Side == connector.Shop {
			ours, err := attach(ctx, in.tx, row, e.observed.Shop)
			if err != nil {
				return err
			}
			if !ours {
				continue
			}
		}
		rest = append(rest, sighting{place{row.ID, e.observed.Side}, sub, e.at, e.observed})
	}
	for len(rest) > 0 {
		var later []sighting
		round := map[place]sighting{}
		for _, x := range rest {
			if _, taken := round[x.place]; taken {
				later = append(later, x)
			} else {
				round[x.place] = x
			}
		}
		if err := in.round(ctx, round); err != nil {
			return err
		}
		rest = later
	}
	return nil
}

// round keeps at most one snapshot per place.
func (in *intake) round(ctx context.Context, round map[place]sighting) error {
	all := make([]sighting, 0, len(round))
	for _, x := range round {
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b sighting) int { return bySubject(a.sub, b.sub) })
	for part := range slices.Chunk(all, 200) {
		if err := in.snapshots(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// snapshots writes one batch. What the statement returns was news; what it does not return was
// older, or the same read again.
func (in *intake) snapshots(ctx context.Context, part []sighting) error {
	args := make([]any, 0, 7*len(part))
	for _, x := range part {
		args = append(args, x.subject, string(x.side), version(x.Version), version(x.ObservedAt), bytesOf(x.Body), clean(x.Fault), version(x.at))
	}
	var fresh []struct {
		Subject int64  `db:"subject"`
		Side    string `db:"side"`
	}
	if err := selects(ctx, in.tx, &fresh, `
		insert into snapshots (subject, side, version, observed_at, body, fault, kept_at) values `+values(len(part), 7)+`
		on conflict (subject, side) do update set
			version = excluded.version, observed_at = excluded.observed_at,
			body = excluded.body, fault = excluded.fault, kept_at = excluded.kept_at
		where (snapshots.fault <> '' or excluded.fault = '')
			and (excluded.version > snapshots.version
				or excluded.version = snapshots.version and excluded.observed_at >= snapshots.observed_at
					and (excluded.body <> snapshots.body or excluded.fault <> snapshots.fault))
		returning subject, side`, args...); err != nil {
		return err
	}
	news := map[place]bool{}
	for _, f := range fresh {
		news[place{f.Subject, connector.Side(f.Side)}] = true
	}
	var notes []note
	for _, x := range part {
		if !news[x.place] {
			if err := in.readAgain(ctx, x); err != nil {
				return err
			}
			continue
		}
		in.news++
		in.nudge(x.sub, x.at)
		if x.Note != "" {
			notes = append(notes, note{x.subject, x.at, "system", "seen", x.Note})
		}
	}
	return writeNotes(ctx, in.tx, notes)
}

// readAgain moves the time of the last look forward: the side still says the same.
func (in *intake) readAgain(ctx context.Context, x sighting) error {
	return exec(ctx, in.tx, `
		update snapshots set observed_at = ?
		where subject = ? and side = ? and version = ? and observed_at < ? and body = ? and fault = ?`,
		version(x.ObservedAt), x.subject, string(x.side), version(x.Version), version(x.ObservedAt), bytesOf(x.Body), clean(x.Fault))
}
