package sqlstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// anchor is as much of a subject's row as others hang on.
type anchor struct {
	ID        int64   `db:"id"`
	Kind      string  `db:"kind"`
	Channel   string  `db:"channel"`
	Ref       string  `db:"ref"`
	ShopStore *string `db:"shop_store"`
	ShopID    *string `db:"shop_id"`
}

func (a anchor) subject() connector.Subject {
	return connector.Subject{Kind: connector.Kind(a.Kind), Channel: connector.ConnectionID(a.Channel), ID: a.Ref}
}

func (a anchor) shop() connector.ShopRef {
	if a.ShopStore == nil || a.ShopID == nil {
		return connector.ShopRef{}
	}
	return connector.ShopRef{Store: connector.ConnectionID(*a.ShopStore), ID: *a.ShopID}
}

// hold locks the subjects of all events in the order of their keys and makes rows for those
// that a touch or the channel's side names for the first time.
func (in *intake) hold(ctx context.Context, events []event) error {
	first := map[connector.Subject]time.Time{} // zero: only to be locked, not to be made
	for _, e := range events {
		sub, ok := in.subject(e)
		if !ok || in.rows[sub] != nil {
			continue
		}
		old := first[sub]
		if e.makesRow() {
			old = earlier(old, e.at)
		}
		first[sub] = old
	}
	subs := make([]connector.Subject, 0, len(first))
	for sub := range first {
		subs = append(subs, sub)
	}
	slices.SortFunc(subs, bySubject)
	for part := range slices.Chunk(subs, 300) {
		if err := in.lockRows(ctx, part); err != nil {
			return err
		}
	}
	missing := slices.DeleteFunc(subs, func(sub connector.Subject) bool {
		return in.rows[sub] != nil || first[sub].IsZero()
	})
	for part := range slices.Chunk(missing, 300) {
		if err := in.makeRows(ctx, part, first); err != nil {
			return err
		}
	}
	return nil
}

func (in *intake) lockRows(ctx context.Context, subs []connector.Subject) error {
	args := make([]any, 0, 3*len(subs))
	for _, sub := range subs {
		args = append(args, string(sub.Kind), string(sub.Channel), sub.ID)
	}
	return in.keep(ctx, `
		select id, kind, channel, ref, shop_store, shop_id from subjects
		where (kind, channel, ref) in (values `+values(len(subs), 3)+`)
		order by kind, channel, ref`+in.lock, args)
}

// makeRows inserts subjects. One that somebody made a moment ago is locked instead.
func (in *intake) makeRows(ctx context.Context, subs []connector.Subject, first map[connector.Subject]time.Time) error {
	args := make([]any, 0, 4*len(subs))
	for _, sub := range subs {
		args = append(args, string(sub.Kind), string(sub.Channel), sub.ID, stamped(first[sub]))
	}
	return in.keep(ctx, `
		insert into subjects (kind, channel, ref, first_seen) values `+values(len(subs), 4)+`
		on conflict (kind, channel, ref) do update set revision = subjects.revision
		returning id, kind, channel, ref, shop_store, shop_id`, args)
}

func (in *intake) keep(ctx context.Context, query string, args []any) error {
	var found []anchor
	if err := selects(ctx, in.tx, &found, query, args...); err != nil {
		return err
	}
	for i := range found {
		in.rows[found[i].subject()] = &found[i]
	}
	return nil
}

// attach ties a locked subject to its store order if it has none and the order is nobody
// else's. It reports whether the reference is the subject's now.
func attach(ctx context.Context, tx *sqlx.Tx, a *anchor, ref connector.ShopRef) (bool, error) {
	if !ref.Set() {
		return true, nil
	}
	store, id := clean(string(ref.Store)), clean(ref.ID)
	if a.ShopID != nil {
		return *a.ShopStore == store && *a.ShopID == id, nil
	}
	var free []int64
	err := selects(ctx, tx, &free, `
		update subjects set shop_store = ?, shop_id = ?
		where id = ? and not exists (select 1 from subjects where shop_store = ? and shop_id = ?) returning id`, store, id, a.ID, store, id)
	if rowFault(err) {
		return false, errors.Join(errRace, err) // taken between our look and our write
	}
	if err != nil || len(free) == 0 {
		return false, err
	}
	a.ShopStore, a.ShopID = &store, &id
	return true, nil
}
