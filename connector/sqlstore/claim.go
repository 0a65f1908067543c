package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// claimed is a subject that was just leased.
type claimed struct {
	Kind     string `db:"kind"`
	Channel  string `db:"channel"`
	Ref      string `db:"ref"`
	Revision int64  `db:"revision"`
	Token    int64  `db:"token"`
	Until    stamp  `db:"lease_until"`
	Failures int    `db:"failures"`
	DueAt    stamp  `db:"due_at"`
	NextAt   stamp  `db:"next_at"`
}

// part is one half of the queue; each half has its index.
type part struct{ where, order string }

var parts = []part{
	{`due_at is not null`, `due_at, next_at, channel, ref, kind`},
	{`due_at is null`, `next_at, channel, ref, kind`},
}

// Claim leases due subjects, those with a deadline first; see connector.Queue.
func (s *Store) Claim(ctx context.Context, now time.Time, n int, lease time.Duration, channels []connector.ConnectionID) ([]connector.Work, error) {
	if n <= 0 || len(channels) == 0 {
		return nil, nil
	}
	var out []connector.Work
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		out = nil
		for _, p := range parts {
			rows, err := s.claim(ctx, tx, p, now, n-len(out), lease, channels)
			if err != nil {
				return err
			}
			for _, r := range rows {
				out = append(out, r.work())
			}
			if len(out) == n {
				break
			}
		}
		return nil
	})
	return out, err
}

// claim leases from one part of the queue. A row that another claim holds at this moment is
// passed over.
func (s *Store) claim(ctx context.Context, tx *sqlx.Tx, p part, now time.Time, n int, lease time.Duration, channels []connector.ConnectionID) ([]claimed, error) {
	args := make([]any, 0, len(channels)+5)
	args = append(args, stamped(now), stamped(now))
	for _, c := range channels {
		args = append(args, string(c))
	}
	args = append(args, n, stamped(now.Add(lease)))
	var rows []claimed
	err := selects(ctx, tx, &rows, `
		with picked as (
			select id from subjects
			where `+p.where+` and next_at is not null and next_at <= ?
				and (lease_until is null or lease_until <= ?) and channel in `+list(len(channels))+`
			order by `+p.order+` limit ?`+s.dialect.skip+`
		)
		update subjects set lease_until = ?, token = token + 1
		where id in (select id from picked)
		returning kind, channel, ref, revision, token, lease_until, failures, due_at, next_at`, args...)
	slices.SortFunc(rows, func(a, b claimed) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt.Time), a.NextAt.Compare(b.NextAt.Time),
			cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Kind, b.Kind))
	})
	return rows, err
}

func (c claimed) work() connector.Work {
	return connector.Work{
		Subject:  connector.Subject{Kind: connector.Kind(c.Kind), Channel: connector.ConnectionID(c.Channel), ID: c.Ref},
		Revision: c.Revision, Token: c.Token, LeaseUntil: c.Until.Time, Failures: c.Failures,
	}
}
