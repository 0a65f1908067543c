package sqlstore

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Orders lists orders, the newest first; see connector.Reader.
func (s *Store) Orders(ctx context.Context, f connector.OrderFilter) ([]connector.OrderRow, error) {
	where, args := []string{"true"}, []any{}
	if f.Channel != "" {
		where, args = append(where, "channel = ?"), append(args, string(f.Channel))
	}
	if f.Held {
		where = append(where, "exists (select 1 from holds h where h.subject = subjects.id and h.cleared_at is null)")
	}
	if f.Text != "" {
		like := "%" + likeEscaper.Replace(strings.ToLower(clean(f.Text))) + "%"
		where = append(where, `(lower(ref) like ? escape '\' or lower(number) like ? escape '\')`)
		args = append(args, like, like)
	}
	args = append(args, limit(f.Limit), max(f.Offset, 0))
	var out []connector.OrderRow
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		var rows []subjectRow
		if err := selects(ctx, tx, &rows, `
			select `+subjectColumns+` from subjects where `+strings.Join(where, " and ")+`
			order by (placed_at is null), placed_at desc, channel, ref, kind limit ? offset ?`, args...); err != nil {
			return err
		}
		ids := make([]int64, 0, len(rows))
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		open, err := openHolds(ctx, tx, ids)
		for _, r := range rows {
			out = append(out, connector.OrderRow{
				Subject: r.subject(), Shop: r.shop(), Summary: r.summary(),
				NextAt: r.NextAt.Time, DueAt: r.DueAt.Time, Holds: open[r.ID], Final: r.Final,
			})
		}
		return err
	})
	return out, err
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func limit(n int) int {
	if n <= 0 {
		return 50
	}
	return n
}
