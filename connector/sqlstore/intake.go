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
	tx *sqlx.Tx
	dialect
	refs map[connector.ShopRef]connector.Subject // whose mirror a store order is
	rows map[connector.Subject]*anchor           // locked subjects
	due  map[connector.Subject]*nudge            // what is to be written to the subjects
	news int
}

// take does all of it and returns how many observations were news. Subjects that are locked
// already are given with it.
func (s *Store) take(ctx context.Context, tx *sqlx.Tx, events []event, locked ...*anchor) (int, error) {
	in := &intake{
		tx: tx, dialect: s.dialect,
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
	refs := make([][]any, 0, len(wanted))
	for ref := range wanted {
		refs = append(refs, []any{clean(string(ref.Store)), clean(ref.ID)})
	}
	for part := range slices.Chunk(refs, 500) {
		if err := in.mirrored(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// mirrored looks store orders up whose mirrors they may be. Each column is looked up by itself,
// through the index and never by joining: a plan that was made while the table was small would
// read all of it for every push.
func (in *intake) mirrored(ctx context.Context, refs [][]any) error {
	source, args, err := in.source([]column{{"store", "text"}, {"ref", "text"}}, refs)
	if err != nil {
		return err
	}
	column := func(name string) string {
		return `(select s.` + name + ` from subjects s where s.shop_store = a.store and s.shop_id = a.ref)`
	}
	var found []struct {
		Store   string  `db:"store"`
		Ref     string  `db:"ref"`
		Kind    *string `db:"kind"` // null: nobody's mirror
		Channel *string `db:"channel"`
		Order   *string `db:"order_ref"`
	}
	if err := selects(ctx, in.tx, &found, `
		with asked (store, ref) as (`+source+`)
		select a.store, a.ref, `+column("kind")+` as kind, `+column("channel")+` as channel, `+column("ref")+` as order_ref
		from asked a`, args...); err != nil {
		return err
	}
	for _, f := range found {
		if f.Kind != nil && f.Channel != nil && f.Order != nil {
			in.refs[connector.ShopRef{Store: connector.ConnectionID(f.Store), ID: f.Ref}] =
				connector.Subject{Kind: connector.Kind(*f.Kind), Channel: connector.ConnectionID(*f.Channel), ID: *f.Order}
		}
	}
	return nil
}

// bySubject orders subjects the way rows are locked.
func bySubject(a, b connector.Subject) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.ID, b.ID))
}
