package rig

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"channelbridge/shopadmin/shopify/shopifyfake"
)

// Findings are what is wrong, in words. None is what every test wants.
type Findings []string

func (f *Findings) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// String shows the first of each kind.
func (f Findings) String() string {
	if len(f) > 30 {
		return strings.Join(f[:30], "\n") + fmt.Sprintf("\n… and %d more", len(f)-30)
	}
	return strings.Join(f, "\n")
}

// Lost finds acknowledged pushes that are not in the database.
func (w *World) Lost(ctx context.Context) (Findings, error) {
	var f Findings
	for _, connection := range []string{MarketID, ShopID} {
		acked := w.Out.Acknowledged(connection)
		ids := make([]string, 0, len(acked))
		for id := range acked {
			ids = append(ids, id)
		}
		for part := range slices.Chunk(ids, 10_000) {
			rows, err := w.DB.QueryContext(ctx, `select given.id from unnest($1::text[]) as given (id) where not exists (
				select from deliveries d where d.connection = $2 and d.delivery_id = given.id and d.verdict <> 'rejected')`, pq.Array(part), connection)
			if err != nil {
				return nil, err
			}
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); err != nil {
					return nil, err
				}
				f.add("lost: %s acknowledged %s and does not have it", connection, id)
			}
			if err := rows.Err(); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// Mirrors finds orders of the channel that are not in the store exactly once, or not tagged.
func (w *World) Mirrors(ids []string) Findings {
	var f Findings
	by := w.mirrors()
	for _, id := range ids {
		found := by[MarketID+":"+id]
		if len(found) != 1 {
			f.add("order %s is %d times in the store", id, len(found))
		}
		for _, o := range found {
			if !slices.Contains(o.Tags, "Bazaar") {
				f.add("order %s is not tagged: %v", id, o.Tags)
			}
		}
	}
	return f
}

func (w *World) mirrors() map[string][]shopifyfake.Order {
	by := map[string][]shopifyfake.Order{}
	for _, o := range w.Shop.Orders() {
		if m := o.Mark(); m != "" {
			by[m] = append(by[m], o)
		}
	}
	return by
}

// Parcels finds shipments of the store that the channel does not count exactly once, and
// shipments at the channel that nobody made.
func (w *World) Parcels() Findings {
	var f Findings
	for mark, orders := range w.mirrors() {
		id, ours := strings.CutPrefix(mark, MarketID+":")
		if !ours {
			continue
		}
		at := map[string]int{}
		for _, s := range w.Market.Shipments(id) {
			at[s.Tracking]++
		}
		for _, o := range orders {
			for _, made := range o.Fulfillments {
				number := made.Tracking[0].Number
				if at[number] != 1 {
					f.add("parcel %s of order %s is %d times at the channel", number, id, at[number])
				}
				delete(at, number)
			}
		}
		for number := range at {
			f.add("the channel counts parcel %s of order %s that the store never sent", number, id)
		}
	}
	if c := w.Market.Counts(); c.Doubled+c.Keyless+c.Conflicts > 0 {
		f.add("the channel counts %d doubled references, %d without a key, %d keys used for something else", c.Doubled, c.Keyless, c.Conflicts)
	}
	return f
}

// Stuck finds ledger entries without a known end on orders that no hold explains, and orders
// that are due and not worked on.
func (w *World) Stuck(ctx context.Context) (Findings, error) {
	var f Findings
	rows, err := w.DB.QueryContext(ctx, `
		select s.ref, e.verb || ' ' || e.state || ' ' || e.reason from effects e join subjects s on s.id = e.subject
		where e.state not in ('done', 'proven') and not (e.state = 'refused' and e.class = 'withdrawn') and not exists (select from holds h where h.subject = s.id and h.cleared_at is null)
		union all select ref, 'due since ' || next_at || ', leased until ' || coalesce(lease_until::text, '-') from subjects where next_at < now() - interval '2 s'`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var ref, what string
		if err := rows.Scan(&ref, &what); err != nil {
			return nil, err
		}
		f.add("order %s: %s", ref, what)
	}
	return f, rows.Err()
}

// Calm waits until every push is acknowledged and nothing is wrong, and returns what still is
// when patience ends.
func (w *World) Calm(ctx context.Context, ids []string, patience time.Duration) (Findings, error) {
	for end := time.Now().Add(patience); ; {
		var f Findings
		if n := w.Out.Open(); n > 0 {
			f.add("%d pushes are not acknowledged", n)
		}
		stuck, err := w.Stuck(ctx)
		f = append(f, stuck...)
		if err != nil {
			f.add("asking the database: %v", err)
		}
		late := time.Now().After(end)
		if len(f) == 0 || late {
			f = append(append(f, w.Mirrors(ids)...), w.Parcels()...)
			f = append(append(f, w.GivenBack()...), w.till(ctx)...)
		}
		if len(f) == 0 || late {
			return f, nil
		}
		select {
		case <-ctx.Done():
			return f, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// Explain tells all the database knows of an order, for people.
func (w *World) Explain(ctx context.Context, id string) string {
	var text string
	err := w.DB.QueryRowContext(ctx, `
		select row_to_json(s)::text || coalesce((select string_agg(e'\n  effect ' || (to_jsonb(e) - 'body')::text, '' order by id) from effects e where e.subject = s.id), '')
			|| coalesce((select string_agg(e'\n  hold ' || row_to_json(h)::text, '' order by id) from holds h where h.subject = s.id), '')
			|| coalesce((select string_agg(e'\n  snapshot ' || side || ' ' || version || ' read ' || observed_at, '') from snapshots x where x.subject = s.id), '')
			|| coalesce((select string_agg(e'\n  note ' || at || ' ' || text, '' order by id) from timeline n where n.subject = s.id), '')
		from subjects s where ref = $1`, id).Scan(&text)
	if err != nil {
		return fmt.Sprintf("order %s: %v", id, err)
	}
	for _, o := range append(w.mirrors()[MarketID+":"+id], w.mirrors()[AmazonID+":"+id]...) {
		text += fmt.Sprintf("\n  in the store %s, updated %s, %d fulfillments %v", o.ID, o.UpdatedAt, len(o.Fulfillments), o.Fulfillments)
	}
	return fmt.Sprintf("%s\n  at the channel %v", text, w.Market.Shipments(id))
}

// Orders are the channel's order numbers that stand in the findings.
func (f Findings) Orders() []string {
	var ids []string
	for _, text := range f {
		for word := range strings.FieldsSeq(text) {
			word = strings.TrimRight(word, ":,")
			if (strings.HasPrefix(word, "G-") || strings.HasPrefix(word, "114-")) && !slices.Contains(ids, word) {
				ids = append(ids, word)
			}
		}
	}
	return ids
}
