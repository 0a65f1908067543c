package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"channelbridge/connector"
)

func (s *Server) listOrders(c *call) (reply, error) {
	q, p, err := c.pages("channel", "held", "text")
	if err != nil {
		return reply{}, err
	}
	f := connector.OrderFilter{Channel: connector.ConnectionID(q.Get("channel")), Text: q.Get("text"), Limit: p.limit, After: p.after}
	if h := q.Get("held"); h != "" && h != "true" {
		return reply{}, member("invalid_parameter", "held", "It is true or left out.", "")
	}
	f.Held = q.Get("held") == "true"
	rows, err := s.orders(c, f)
	if err != nil {
		return reply{}, err
	}
	return p.reply(views(rows, rowView), len(rows), lastOrder(rows))
}

// orders reads one page.
func (s *Server) orders(c *call, f connector.OrderFilter) ([]connector.OrderRow, error) {
	rows, err := s.store.Orders(c.ctx, f)
	if f.After != "" && errors.Is(err, connector.ErrNotFound) {
		return nil, member("invalid_cursor", "cursor", "The order it stands at is not kept any more.", "Begin again without a cursor.")
	}
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	return rows, nil
}

func lastOrder(rows []connector.OrderRow) string {
	if len(rows) == 0 {
		return ""
	}
	return rows[len(rows)-1].Subject.String()
}

// load reads the order the path names.
func (s *Server) load(c *call) (connector.Record, error) {
	sub, err := c.subject()
	if err != nil {
		return connector.Record{}, err
	}
	rec, err := s.store.Load(c.ctx, sub)
	if err != nil {
		return rec, fmt.Errorf("order %s: %w", sub, err)
	}
	return rec, nil
}

func (s *Server) showOrder(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	rec, err := s.load(c)
	if err != nil {
		return reply{}, err
	}
	return shown(recordView(rec, c.now))
}

func (s *Server) timeline(c *call) (reply, error) {
	_, p, err := c.pages()
	if err != nil {
		return reply{}, err
	}
	rec, err := s.load(c)
	if err != nil {
		return reply{}, err
	}
	all, err := s.store.Timeline(c.ctx, rec.Subject)
	if err != nil {
		return reply{}, fmt.Errorf("timeline of order %s: %w", rec.Subject, err)
	}
	notes := views(all, func(n connector.Note) connector.Note { n.At = n.At.UTC(); return n })
	slices.SortFunc(notes, func(a, b connector.Note) int { return cmp.Compare(a.ID, b.ID) })
	after := p.number()
	from, _ := slices.BinarySearchFunc(notes, after+1, func(n connector.Note, id int64) int { return cmp.Compare(n.ID, id) })
	notes = notes[from:min(from+p.limit, len(notes))]
	last := ""
	if len(notes) > 0 {
		last = strconv.FormatInt(notes[len(notes)-1].ID, 10)
	}
	return p.reply(notes, len(notes), last)
}

// heldItem is one hold of one order.
type heldItem struct {
	Channel connector.ConnectionID `json:"channel"`
	Order   string                 `json:"order"`
	Number  string                 `json:"number,omitempty"`
	connector.Hold
}

// listHolds lists the holds of orders. A page is bounded by its orders, so it may hold more items
// than the limit.
func (s *Server) listHolds(c *call) (reply, error) {
	q, p, err := c.pages("channel")
	if err != nil {
		return reply{}, err
	}
	rows, err := s.orders(c, connector.OrderFilter{Channel: connector.ConnectionID(q.Get("channel")), Held: true, Limit: p.limit, After: p.after})
	if err != nil {
		return reply{}, err
	}
	items := []heldItem{}
	for _, r := range rows {
		for _, h := range holdViews(r.Holds) {
			items = append(items, heldItem{r.Subject.Channel, r.Subject.ID, r.Summary.Number, h})
		}
	}
	return p.reply(items, len(rows), lastOrder(rows))
}
