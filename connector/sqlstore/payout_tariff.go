package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

type tariffRow struct {
	ID      int64  `db:"id"`
	Account string `db:"account"`
	Key     string `db:"key"`
	KnownAt stamp  `db:"known_at"`
	Author  string `db:"author"`
	Body    []byte `db:"body"`
}

func (r tariffRow) tariff() connector.Tariff {
	return connector.Tariff{ID: r.ID, Account: connector.ConnectionID(r.Account), Key: r.Key, KnownAt: r.KnownAt.Time,
		Author: r.Author, Body: r.Body}
}

const tariffColumns = `id, account, key, known_at, author, body`

// KeepTariff adds a tariff; see connector.Payouts.
func (s *Store) KeepTariff(ctx context.Context, t connector.Tariff) (connector.Tariff, error) {
	var row tariffRow
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		return get(ctx, tx, &row, `
			insert into tariffs (account, key, known_at, author, body) values (?, ?, ?, ?, ?) returning `+tariffColumns,
			string(t.Account), clean(t.Key), stamped(t.KnownAt), clean(t.Author), bytesOf(t.Body))
	})
	if err != nil {
		return connector.Tariff{}, fmt.Errorf("keep tariff %s of %s: %w", t.Key, t.Account, err)
	}
	return row.tariff(), nil
}

// Tariffs lists tariffs; see connector.Payouts.
func (s *Store) Tariffs(ctx context.Context, account connector.ConnectionID, asOf time.Time) ([]connector.Tariff, error) {
	known, args := knownBy(asOf)
	var rows []tariffRow
	if err := s.reader.SelectContext(ctx, &rows, s.reader.Rebind(`
		select `+tariffColumns+` from (
			select *, row_number() over (partition by key order by known_at desc, id desc) as age
			from tariffs where account = ?`+known+`) t
		where age = 1 order by key`), append([]any{string(account)}, args...)...); err != nil {
		return nil, fmt.Errorf("tariffs of %s: %w", account, err)
	}
	out := make([]connector.Tariff, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.tariff())
	}
	return out, nil
}
