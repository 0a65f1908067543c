package sqlstore

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// members are the locked entries of a batch and the orders they are of.
type members struct {
	orders map[int64]*anchor
	rows   []entryRow
}

func (s *Store) members(ctx context.Context, tx *sqlx.Tx, batch int64) (members, error) {
	m := members{orders: map[int64]*anchor{}}
	var orders []anchor
	if err := selects(ctx, tx, &orders, `
		select id, kind, channel, ref, shop_store, shop_id from subjects
		where id in (select subject from effects where batch = ?)
		order by kind, channel, ref`+s.dialect.lock, batch); err != nil {
		return m, err
	}
	for i := range orders {
		m.orders[orders[i].ID] = &orders[i]
	}
	err := selects(ctx, tx, &m.rows, `select `+entryColumns+` from effects where batch = ? order by id`+s.dialect.lock, batch)
	return m, err
}

func (m members) entries() []connector.Entry {
	out := make([]connector.Entry, 0, len(m.rows))
	for _, r := range m.rows {
		out = append(out, r.entry(m.orders[r.Subject].subject()))
	}
	return out
}

// settleMembers writes the outcomes of a step and makes the orders concerned due.
func (s *Store) settleMembers(ctx context.Context, tx *sqlx.Tx, m members, st connector.BatchStep) (all written, err error) {
	var due []int64
	var observed []event
	for _, r := range m.rows {
		o, told := st.Outcomes[r.ID]
		if !told {
			continue
		}
		done, err := settle(ctx, tx, m.orders[r.Subject], r, o)
		if err != nil {
			return all, err
		}
		all.notes, all.lines = append(all.notes, done.notes...), append(all.lines, done.lines...)
		due = append(due, r.Subject)
		if o.Observed != nil {
			observed = append(observed, observations(o.At, []connector.Observation{*o.Observed})...)
		}
	}
	slices.Sort(due)
	if err := wake(ctx, tx, st.At, slices.Compact(due)...); err != nil {
		return all, err
	}
	if len(observed) > 0 {
		_, err = s.take(ctx, tx, observed)
	}
	return all, err
}
