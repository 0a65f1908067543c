package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

type wishRow struct {
	ID      int64  `db:"id"`
	Subject int64  `db:"subject"`
	Kind    string `db:"kind"`
	About   string `db:"about"`
	Body    []byte `db:"body"`
	Actor   string `db:"actor"`
	Reason  string `db:"reason"`
	At      stamp  `db:"at"`
	Key     string `db:"key"`
}

const wishColumns = `id, subject, kind, about, body, actor, reason, at, key`

func (r wishRow) wish(sub connector.Subject) connector.Wish {
	return connector.Wish{ID: r.ID, Subject: sub, Kind: connector.WishKind(r.Kind), About: r.About, Body: r.Body,
		Actor: r.Actor, Reason: r.Reason, At: r.At.Time, Key: r.Key}
}

// wishesOf reads a subject's wishes, oldest first.
func wishesOf(ctx context.Context, tx *sqlx.Tx, sub connector.Subject, id int64) ([]connector.Wish, error) {
	var rows []wishRow
	err := selects(ctx, tx, &rows, `select `+wishColumns+` from wishes where subject = ? order by id`, id)
	var out []connector.Wish
	for _, r := range rows {
		out = append(out, r.wish(sub))
	}
	return out, err
}

// Wish keeps what a person asked for; see connector.Wishes.
func (s *Store) Wish(ctx context.Context, w connector.Wish) (kept connector.Wish, fresh bool, err error) {
	w.About, w.Actor, w.Reason = clean(w.About), clean(w.Actor), clean(w.Reason)
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		r, err := subject(ctx, tx, w.Subject, s.dialect.lock)
		if err != nil {
			return err
		}
		var row wishRow
		err = get(ctx, tx, &row, `
			insert into wishes (subject, kind, about, body, actor, reason, at, key) values (?, ?, ?, ?, ?, ?, ?, ?)
			on conflict (key) do nothing returning `+wishColumns,
			r.ID, string(w.Kind), w.About, []byte(w.Body), w.Actor, w.Reason, version(w.At), w.Key)
		if errors.Is(err, sql.ErrNoRows) {
			fresh = false
			kept, err = earlierWish(ctx, tx, w)
			return err
		}
		if err != nil {
			return err
		}
		kept, fresh = row.wish(w.Subject), true
		if err := wake(ctx, tx, w.At, r.ID); err != nil {
			return err
		}
		done := written{notes: []note{{r.ID, w.At, w.Actor, "wish", w.Line()}}, lines: []connector.AuditEntry{connector.WishLine(kept)}}
		return done.write(ctx, tx)
	})
	if err != nil {
		return connector.Wish{}, false, err
	}
	return kept, fresh, nil
}

// earlierWish is the one that used the key before, if it asked for the same.
func earlierWish(ctx context.Context, tx *sqlx.Tx, w connector.Wish) (connector.Wish, error) {
	var row struct {
		wishRow
		anchorKey
	}
	if err := get(ctx, tx, &row, `
		select w.id, w.subject, w.kind, w.about, w.body, w.actor, w.reason, w.at, w.key,
			s.kind as of_kind, s.channel as of_channel, s.ref as of_ref
		from wishes w join subjects s on s.id = w.subject where w.key = ?`, w.Key); err != nil {
		return connector.Wish{}, err
	}
	old := row.wish(row.subject())
	if !old.Same(w) {
		return connector.Wish{}, connector.ErrKeyReused
	}
	return old, nil
}
