package sqlstore

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Orders lists orders, the newest first; see connector.Reader.
func (s *Store) Orders(ctx context.Context, f connector.OrderFilter) ([]connector.OrderRow, error) {
	where, args := narrowed(f)
	var out []connector.OrderRow
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		if f.After != "" {
			last, err := subject(ctx, tx, named(f.After), "")
			if err != nil {
				return err
			}
			beyond, of := behind(last)
			where, args = append(where, beyond), append(args, of...)
		}
		var rows []subjectRow
		if err := selects(ctx, tx, &rows, `
			select `+subjectColumns+` from subjects where `+strings.Join(where, " and ")+`
			order by (placed_at is null), placed_at desc, channel, ref limit ? offset ?`,
			append(args, limit(f.Limit), max(f.Offset, 0))...); err != nil {
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

// named reads what Subject.String wrote of an order.
func named(text string) connector.Subject {
	channel, id, _ := strings.Cut(text, "/")
	return connector.Subject{Kind: connector.KindOrder, Channel: connector.ConnectionID(channel), ID: id}
}

// behind is the condition of rows that the list shows after the one given.
func behind(last *subjectRow) (string, []any) {
	if last.PlacedAt.IsZero() {
		return `placed_at is null and (channel, ref) > (?, ?)`, []any{last.Channel, last.Ref}
	}
	return `(placed_at is null or placed_at < ? or placed_at = ? and (channel, ref) > (?, ?))`,
		[]any{last.PlacedAt, last.PlacedAt, last.Channel, last.Ref}
}

// narrowed is what a filter asks of the rows.
func narrowed(f connector.OrderFilter) ([]string, []any) {
	where, args := []string{"kind = ?"}, []any{string(connector.KindOrder)}
	if f.Channel != "" {
		where, args = append(where, "channel = ?"), append(args, string(f.Channel))
	}
	if f.Held {
		where = append(where, "exists (select 1 from holds h where h.subject = subjects.id and h.cleared_at is null)")
	}
	if f.Open {
		where = append(where, "not final")
	}
	if f.Text != "" {
		like := "%" + likeEscaper.Replace(strings.ToLower(clean(f.Text))) + "%"
		where = append(where, `(lower(ref) like ? escape '\' or lower(number) like ? escape '\')`)
		args = append(args, like, like)
	}
	return where, args
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func limit(n int) int {
	if n <= 0 {
		return 50
	}
	return n
}
