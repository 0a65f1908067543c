package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"channelbridge/connector"
)

// sender names a delivery among those that were believed.
type sender struct {
	connection string
	id         string
}

// group is the deliveries of one batch that carry the same id: the first counts.
type group struct {
	sender
	jobs  []int // places in the batch
	known bool  // the id came before this batch
}

// repeats is how often the id came again within the batch.
func (g *group) repeats() int { return len(g.jobs) - 1 }

// grouped sorts the jobs in these places by sender and id, the order in which rows are locked, and
// finds those that carry an id by it.
func grouped(jobs []*job, places []int) (sorted []*group, byID map[sender]*group) {
	sorted, byID = make([]*group, 0, len(places)), make(map[sender]*group, len(places))
	for _, i := range places {
		j := jobs[i]
		key := sender{connection: string(j.d.Connection)}
		if id := storedID(j.d.ID); id != nil {
			key.id = *id
			if g := byID[key]; g != nil {
				g.jobs = append(g.jobs, i)
				continue
			}
		}
		g := &group{sender: key, jobs: []int{i}}
		if sorted = append(sorted, g); key.id != "" {
			byID[key] = g
		}
	}
	slices.SortStableFunc(sorted, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.connection, b.connection), cmp.Compare(a.id, b.id))
	})
	return sorted, byID
}

// The longest columns come last: the driver's buffer grows as they are put into it.
var deliveryKinds = []column{{"repeats", "bigint"}, {"connection", "text"}, {"delivery_id", "text"}, {"event_id", "text"}, {"topic", "text"},
	{"received_at", "timestamptz"}, {"verdict", "text"}, {"reason", "text"}, {"size", "bigint"}, {"header", "text"}, {"body", "bytea"}}

var deliveryColumns = listed(deliveryKinds)

// deliveryArgs is a delivery's columns; how often it came again is not known before it is written.
func deliveryArgs(d *connector.Delivery) []any {
	return []any{0, string(d.Connection), nullable(storedID(d.ID)), clean(d.EventID), clean(d.Topic), version(d.ReceivedAt),
		string(d.Verdict), clean(d.Reason), d.Size, storedHeader(d.Header), bytesOf(d.Body)}
}

// bodies is room for the columns of a group on their way to PostgreSQL, bodies above all. A group
// takes some hundred kilobytes, many times a second.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// insert writes one row per id and counts repeats on the rows that exist. It takes the jobs in the
// places given and returns the places of the fresh ones, in order. PostgreSQL looks the mirrors up
// that the jobs touch in the same statement: the way there and back costs more than the work.
func (in *intake) insert(ctx context.Context, jobs []*job, places []int) ([]int, error) {
	if len(places) == 0 {
		return nil, nil
	}
	sorted, byID := grouped(jobs, places)
	given, touched := make([][]any, 0, len(sorted)), []event(nil)
	for _, g := range sorted {
		j := jobs[g.jobs[0]]
		j.row[0] = g.repeats()
		given, touched = append(given, j.row), append(touched, j.events...)
	}
	room := bodies.Get().(*[]byte)
	defer bodies.Put(room)
	source, args, err := in.source(deliveryKinds, given, room)
	if err != nil {
		return nil, err
	}
	text := `
		insert into deliveries (` + deliveryColumns + `) ` + source + `
		on conflict (connection, delivery_id) where verdict <> 'rejected'
		do update set repeats = deliveries.repeats + excluded.repeats + 1
		returning connection, coalesce(delivery_id, '') as id, repeats, '' as kind, '' as channel, '' as order_ref`
	if in.arrays {
		asked, mirrors, more, err := in.lookup(in.unknown(touched))
		if err != nil {
			return nil, err
		}
		text, args = `with kept as (`+text+`), `+asked+` select * from kept where repeats > 0 union all `+mirrors, append(args, more...)
	}
	if err := in.read(ctx, text, args, func(id sender, repeats int) {
		if g := byID[id]; g != nil && repeats != g.repeats() {
			g.known = true
		}
	}); err != nil {
		return nil, err
	}
	fresh := make([]int, 0, len(sorted))
	for _, g := range sorted {
		if !g.known {
			fresh = append(fresh, g.jobs[0])
		}
	}
	slices.Sort(fresh)
	return fresh, nil
}

// read reads an answer that tells of deliveries with their repeats and of store orders with what
// they are mirrors of.
func (in *intake) read(ctx context.Context, text string, args []any, delivery func(sender, int)) error {
	rows, err := in.tx.QueryContext(ctx, in.tx.Rebind(text), args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var connection, id, kind, channel, order string
		var repeats int
		if err := rows.Scan(&connection, &id, &repeats, &kind, &channel, &order); err != nil {
			return err
		}
		if kind == "" {
			delivery(sender{connection, id}, repeats)
			continue
		}
		in.refs[connector.ShopRef{Store: connector.ConnectionID(connection), ID: id}] =
			connector.Subject{Kind: connector.Kind(kind), Channel: connector.ConnectionID(channel), ID: order}
	}
	return rows.Err()
}
