package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// event is one touch or one observation and the instant it came.
type event struct {
	at       time.Time
	touch    *connector.Touch
	observed *connector.Observation
}

// needsRow reports an event that must know whether its subject has a row.
func (e event) needsRow() bool {
	return e.observed != nil || e.touch.Side == connector.Money
}

// makesRow reports an event that makes a row for a subject nobody knew.
func (e event) makesRow() bool {
	if e.touch != nil {
		return e.touch.Side != connector.Money
	}
	return e.observed.Side == connector.Market
}

func touches(at time.Time, t []connector.Touch) []event {
	out := make([]event, 0, len(t))
	for i := range t {
		out = append(out, event{at: at, touch: &t[i]})
	}
	return out
}

func observations(at time.Time, o []connector.Observation) []event {
	out := make([]event, 0, len(o))
	for i := range o {
		out = append(out, event{at: at, observed: &o[i]})
	}
	return out
}

// intake takes the events of one transaction in, whoever sent them: a push, a sweep, or the
// answer to a write. Events of one subject are merged, so every row is written once.
type intake struct {
	tx   *sqlx.Tx
	lock string
	refs map[connector.ShopRef]connector.Subject // whose mirror a store order is
	rows map[connector.Subject]*anchor           // locked subjects
	due  map[connector.Subject]*nudge            // what is to be written to the subjects
	news int
}

// take does all of it and returns how many observations were news. Subjects that are locked
// already are given with it.
func (s *Store) take(ctx context.Context, tx *sqlx.Tx, events []event, locked ...*anchor) (int, error) {
	in := &intake{
		tx: tx, lock: s.dialect.lock,
		refs: map[connector.ShopRef]connector.Subject{},
		rows: map[connector.Subject]*anchor{},
		due:  map[connector.Subject]*nudge{},
	}
	for _, a := range locked {
		in.rows[a.subject()] = a
	}
	if err := in.resolve(ctx, events); err != nil {
		return 0, err
	}
	if slices.ContainsFunc(events, event.needsRow) {
		if err := in.hold(ctx, events); err != nil {
			return 0, err
		}
		if err := in.observe(ctx, events); err != nil {
			return 0, err
		}
	}
	for _, e := range events {
		if e.touch != nil {
			in.touched(e.at, *e.touch)
		}
	}
	return in.news, in.write(ctx)
}

// subject says whom an event concerns; false when it concerns nobody we know.
func (in *intake) subject(e event) (connector.Subject, bool) {
	sub, shop := connector.Subject{}, connector.ShopRef{}
	if e.touch != nil {
		sub, shop = e.touch.Subject, e.touch.Shop
	} else {
		sub, shop = e.observed.Subject, e.observed.Shop
	}
	if sub.ID != "" {
		return sub, true
	}
	sub, ok := in.refs[shop]
	return sub, ok
}

// resolve finds the subjects behind the store's order ids.
func (in *intake) resolve(ctx context.Context, events []event) error {
	wanted := map[connector.ShopRef]bool{}
	for _, e := range events {
		if e.touch != nil && e.touch.Subject.ID == "" && e.touch.Shop.Set() {
			wanted[e.touch.Shop] = true
		}
		if e.observed != nil && e.observed.Subject.ID == "" && e.observed.Shop.Set() {
			wanted[e.observed.Shop] = true
		}
	}
	refs := make([]connector.ShopRef, 0, len(wanted))
	for ref := range wanted {
		refs = append(refs, ref)
	}
	for part := range slices.Chunk(refs, 500) {
		var found []anchor
		args := make([]any, 0, 2*len(part))
		for _, r := range part {
			args = append(args, clean(string(r.Store)), clean(r.ID))
		}
		if err := selects(ctx, in.tx, &found, `
			select id, kind, channel, ref, shop_store, shop_id from subjects
			where shop_id is not null and (shop_store, shop_id) in (values `+values(len(part), 2)+`)`, args...); err != nil {
			return err
		}
		for _, a := range found {
			in.refs[a.shop()] = a.subject()
		}
	}
	return nil
}

// bySubject orders subjects the way rows are locked.
func bySubject(a, b connector.Subject) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.ID, b.ID))
}
