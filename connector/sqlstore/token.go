package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

type tokenRow struct {
	ID        string `db:"id"`
	Name      string `db:"name"`
	Hash      []byte `db:"hash"`
	Scopes    string `db:"scopes"`
	Accounts  string `db:"accounts"`
	CreatedAt stamp  `db:"created_at"`
	ExpiresAt stamp  `db:"expires_at"`
	RevokedAt stamp  `db:"revoked_at"`
	UsedAt    stamp  `db:"used_at"`
}

const tokenColumns = `id, name, hash, scopes, accounts, created_at, expires_at, revoked_at, used_at`

func (r tokenRow) token() (connector.Token, error) {
	t := connector.Token{ID: r.ID, Name: r.Name, Hash: r.Hash, CreatedAt: r.CreatedAt.Time,
		ExpiresAt: r.ExpiresAt.Time, RevokedAt: r.RevokedAt.Time, UsedAt: r.UsedAt.Time}
	if err := json.Unmarshal([]byte(r.Scopes), &t.Scopes); err != nil {
		return connector.Token{}, fmt.Errorf("the scopes of token %s: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(r.Accounts), &t.Accounts); err != nil {
		return connector.Token{}, fmt.Errorf("the accounts of token %s: %w", r.ID, err)
	}
	return t, nil
}

// PutToken adds or replaces a token; see connector.Tokens.
func (s *Store) PutToken(ctx context.Context, t connector.Token) error {
	scopes, err := json.Marshal(t.Scopes)
	if err != nil {
		return err
	}
	accounts, err := json.Marshal(t.Accounts)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *sqlx.Tx) error {
		if err := exec(ctx, tx, `
			insert into tokens (`+tokenColumns+`) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
			on conflict (id) do update set name = excluded.name, hash = excluded.hash, scopes = excluded.scopes, accounts = excluded.accounts, created_at = excluded.created_at,
				expires_at = excluded.expires_at, revoked_at = excluded.revoked_at, used_at = excluded.used_at`,
			t.ID, clean(t.Name), bytesOf(t.Hash), clean(string(scopes)), clean(string(accounts)), stamped(t.CreatedAt), stamped(t.ExpiresAt), stamped(t.RevokedAt), stamped(t.UsedAt)); err != nil {
			return err
		}
		return writeAudit(ctx, tx, connector.TokenLine(connector.ActorOf(ctx, connector.Operator), "put", t, t.CreatedAt))
	})
}

// Token reads a token; see connector.Tokens.
func (s *Store) Token(ctx context.Context, id string) (connector.Token, error) {
	var r tokenRow
	err := s.reader.GetContext(ctx, &r, s.reader.Rebind(`select `+tokenColumns+` from tokens where id = ?`), id)
	if errors.Is(err, sql.ErrNoRows) {
		return connector.Token{}, connector.ErrNotFound
	}
	if err != nil {
		return connector.Token{}, err
	}
	return r.token()
}

// Tokens lists all tokens by name; see connector.Tokens.
func (s *Store) Tokens(ctx context.Context) ([]connector.Token, error) {
	var rows []tokenRow
	if err := s.reader.SelectContext(ctx, &rows, `select `+tokenColumns+` from tokens order by name, id`); err != nil {
		return nil, err
	}
	var out []connector.Token
	for _, r := range rows {
		t, err := r.token()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// RevokeToken ends a token; see connector.Tokens. The first time counts.
func (s *Store) RevokeToken(ctx context.Context, id string, at time.Time, actor string) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		var r tokenRow
		err := get(ctx, tx, &r, `select `+tokenColumns+` from tokens where id = ?`+s.dialect.lock, id)
		if errors.Is(err, sql.ErrNoRows) {
			return connector.ErrNotFound
		}
		if err != nil || !r.RevokedAt.IsZero() {
			return err
		}
		t, err := r.token()
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, `update tokens set revoked_at = ? where id = ?`, stamped(at), id); err != nil {
			return err
		}
		return writeAudit(ctx, tx, connector.TokenLine(actor, "revoke", t, at))
	})
}

// TokenUsed remembers the hour of use; see connector.Tokens. It writes once an hour.
func (s *Store) TokenUsed(ctx context.Context, id string, at time.Time) error {
	at = at.UTC().Truncate(time.Hour)
	t, err := s.Token(ctx, id)
	if errors.Is(err, connector.ErrNotFound) || err == nil && !at.After(t.UsedAt) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *sqlx.Tx) error {
		return exec(ctx, tx, `update tokens set used_at = ? where id = ? and (used_at is null or used_at < ?)`, stamped(at), id, stamped(at))
	})
}
