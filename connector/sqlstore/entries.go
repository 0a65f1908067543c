package sqlstore

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Entries lists ledger entries, newest first; see connector.Reader.
func (s *Store) Entries(ctx context.Context, f connector.EntryFilter) ([]connector.Entry, error) {
	where, args := []string{"true"}, []any{}
	if f.Channel != "" {
		where, args = append(where, "s.channel = ?"), append(args, string(f.Channel))
	}
	if f.State != "" {
		where, args = append(where, "e.state = ?"), append(args, string(f.State))
	}
	if f.Before != 0 {
		where, args = append(where, "e.id < ?"), append(args, f.Before)
	}
	args = append(args, limit(f.Limit))
	var out []connector.Entry
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		var err error
		out, err = entries(ctx, tx, "where "+strings.Join(where, " and ")+" order by e.id desc limit ?", args...)
		return err
	})
	return out, err
}
