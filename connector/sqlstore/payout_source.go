package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

type sourceRow struct {
	ID      int64          `db:"id"`
	Account string         `db:"account"`
	Hash    sql.NullString `db:"hash"`
	Name    string         `db:"name"`
	Origin  string         `db:"origin"`
	By      string         `db:"brought_by"`
	Format  string         `db:"format"`
	Size    int64          `db:"size"`
	State   string         `db:"state"`
	Reason  string         `db:"reason"`
	KeptAt  stamp          `db:"kept_at"`
}

const sourceColumns = `id, account, hash, name, origin, brought_by, format, size, state, reason, kept_at`

func (r sourceRow) source() connector.PayoutSource {
	return connector.PayoutSource{Hash: r.Hash.String, Account: connector.ConnectionID(r.Account), Name: r.Name, Origin: r.Origin,
		By: r.By, Format: r.Format, Size: r.Size, State: connector.SourceState(r.State), Reason: r.Reason, KeptAt: r.KeptAt.Time}
}

// sourceArriving is the state of a file whose last byte has not come. Nobody sees it.
const sourceArriving = "arriving"

// insertSource writes the row of a file; without a hash it is arriving.
func insertSource(ctx context.Context, tx *sqlx.Tx, p connector.PayoutSource) (row sourceRow, err error) {
	var hash any
	state := sourceArriving
	if p.Hash != "" {
		hash, state = p.Hash, string(connector.SourceKept)
	}
	err = get(ctx, tx, &row, `
		insert into payout_sources (account, hash, name, origin, brought_by, format, size, state, kept_at)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning `+sourceColumns,
		string(p.Account), hash, p.Name, p.Origin, p.By, p.Format, p.Size, state, stamped(p.KeptAt))
	return row, err
}

// sourceOf reads the row of a file that is kept; sql.ErrNoRows.
func sourceOf(ctx context.Context, q sqlx.ExtContext, account connector.ConnectionID, hash string) (row sourceRow, err error) {
	err = sqlx.GetContext(ctx, q, &row, sqlx.Rebind(sqlx.BindType(q.DriverName()), `
		select `+sourceColumns+` from payout_sources where account = ? and hash = ?`), string(account), hash)
	return row, err
}

// Source is a file as it stands; see connector.Payouts.
func (s *Store) Source(ctx context.Context, account connector.ConnectionID, hash string) (connector.PayoutSource, error) {
	row, err := sourceOf(ctx, s.reader, account, hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = connector.ErrSourceMissing
	}
	if err != nil {
		return connector.PayoutSource{}, fmt.Errorf("payout file %s of %s: %w", hash, account, err)
	}
	return row.source(), nil
}

// SettleSource says what became of a file; see connector.Payouts.
func (s *Store) SettleSource(ctx context.Context, account connector.ConnectionID, hash string, state connector.SourceState, format, reason string) error {
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		var id int64
		return get(ctx, tx, &id, `
			update payout_sources set state = ?, format = ?, reason = ? where account = ? and hash = ? returning id`,
			string(state), clean(format), clean(reason), string(account), hash)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = connector.ErrSourceMissing
	}
	if err != nil {
		return fmt.Errorf("settle payout file %s of %s: %w", hash, account, err)
	}
	return nil
}

// PayoutSources lists files; see connector.Payouts.
func (s *Store) PayoutSources(ctx context.Context, account connector.ConnectionID, limit int) ([]connector.PayoutSource, error) {
	if limit <= 0 {
		limit = 50
	}
	var rows []sourceRow
	if err := s.reader.SelectContext(ctx, &rows, s.reader.Rebind(`
		select `+sourceColumns+` from payout_sources where state <> ? and (? = '' or account = ?)
		order by kept_at desc, id desc limit ?`), sourceArriving, string(account), string(account), limit); err != nil {
		return nil, fmt.Errorf("list payout files: %w", err)
	}
	out := make([]connector.PayoutSource, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.source())
	}
	return out, nil
}
