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

// names is whom an event concerns, as far as it says so: a subject, or a store's order.
func (e event) names() (connector.Subject, connector.ShopRef) {
	if e.touch != nil {
		return e.touch.Subject, e.touch.Shop
	}
	return e.observed.Subject, e.observed.Shop
}

// eventsOf is what a delivery brings.
func eventsOf(at time.Time, touch []connector.Touch, observed []connector.Observation) []event {
	return append(touches(at, touch), observations(at, observed)...)
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
	refs map[connector.ShopRef]connector.Subject // whose mirror a store order is, of those looked up
	rows map[connector.Subject]*anchor           // locked subjects
	due  map[connector.Subject]*nudge            // what is to be written to the subjects
	news int
}

// intake begins to take events in. Subjects that are locked already are given with it.
func (s *Store) intake(tx *sqlx.Tx, locked ...*anchor) *intake {
	in := &intake{
		tx: tx, dialect: s.dialect,
		refs: map[connector.ShopRef]connector.Subject{},
		rows: map[connector.Subject]*anchor{},
		due:  map[connector.Subject]*nudge{},
	}
	for _, a := range locked {
		in.rows[a.subject()] = a
	}
	return in
}

// take takes events in and returns how many observations were news.
func (s *Store) take(ctx context.Context, tx *sqlx.Tx, events []event, locked ...*anchor) (int, error) {
	in := s.intake(tx, locked...)
	err := in.take(ctx, events)
	return in.news, err
}

func (in *intake) take(ctx context.Context, events []event) error {
	if err := in.resolve(ctx, events); err != nil {
		return err
	}
	if slices.ContainsFunc(events, event.needsRow) {
		if err := in.hold(ctx, events); err != nil {
			return err
		}
		if err := in.observe(ctx, events); err != nil {
			return err
		}
	}
	for _, e := range events {
		if e.touch != nil {
			in.touched(e.at, *e.touch)
		}
	}
	return in.write(ctx)
}

// subject says whom an event concerns; false when it concerns nobody we know.
func (in *intake) subject(e event) (connector.Subject, bool) {
	sub, shop := e.names()
	if sub.ID == "" {
		sub = in.refs[shop]
	}
	return sub, sub.ID != ""
}

// resolve finds the subjects behind the store's order ids.
func (in *intake) resolve(ctx context.Context, events []event) error {
	for part := range slices.Chunk(in.unknown(events), 500) {
		asked, mirrors, args, err := in.lookup(part)
		if err != nil {
			return err
		}
		if err := in.read(ctx, `with `+asked+` `+mirrors, args, nil); err != nil {
			return err
		}
	}
	return nil
}

// unknown is the store orders that have not been looked up yet, for a caller who does it now: from
// here on they are nobody's mirrors until they are found.
func (in *intake) unknown(events []event) (refs [][]any) {
	for _, e := range events {
		sub, ref := e.names()
		if _, seen := in.refs[ref]; seen || sub.ID != "" || !ref.Set() {
			continue
		}
		in.refs[ref] = connector.Subject{}
		refs = append(refs, []any{clean(string(ref.Store)), clean(ref.ID)})
	}
	return refs
}

// lookup asks for the subjects whose mirrors store orders are; of most there are none. Each column
// is looked up by itself, through the index and never by joining: a plan that was made while the
// table was small would read all of it for every push. The answer is for read.
func (in *intake) lookup(refs [][]any) (asked, mirrors string, args []any, err error) {
	source, args, err := in.source([]column{{"store", "text"}, {"ref", "text"}}, refs, new([]byte))
	column := func(name string) string {
		return `(select s.` + name + ` from subjects s where s.shop_store = a.store and s.shop_id = a.ref)`
	}
	return `asked (store, ref) as (` + source + `)`,
		`select a.store, a.ref, 0, ` + column("kind") + `, ` + column("channel") + `, ` + column("ref") + ` from asked a where ` + column("kind") + ` is not null`, args, err
}

// bySubject orders subjects the way rows are locked.
func bySubject(a, b connector.Subject) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.ID, b.ID))
}
