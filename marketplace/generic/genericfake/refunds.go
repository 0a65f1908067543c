package genericfake

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"channelbridge/internal/money"
)

// Refund is money that was given back.
type Refund struct {
	ID       string    `json:"id"`
	Order    string    `json:"order"`
	PostedAt time.Time `json:"posted_at"`
	Currency string    `json:"currency"`
	Amount   string    `json:"amount"`
	Untaxed  string    `json:"untaxed,omitempty"`
	Kind     string    `json:"kind"`
	Key      string    `json:"key,omitempty"`
}

// GiveBack is a refund made at the channel itself: this much of a line's price. It reports
// whether there was that much.
func (c *Channel) GiveBack(id, line, amount string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.orders[id]
	if r == nil {
		return false
	}
	in := Instruction{Op: "refund", Currency: r.order.Currency, Amount: amount,
		Lines: []Instructed{{Line: line, Parts: []Part{{Kind: "item", Amount: amount}}}}}
	g, code := r.judge(in, c.cfg)
	if code != "" {
		return false
	}
	at := c.tick()
	r.give(g, Refund{ID: c.nextRefund(), PostedAt: at, Kind: "refund"})
	r.order.UpdatedAt = at
	return true
}

// Given is all money given back on an order, without any lag.
func (c *Channel) Given(id string) []Refund {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.orders[id]; r != nil {
		return slices.Clone(r.given)
	}
	return nil
}

func (c *Channel) nextRefund() string {
	c.refunds++
	return "R" + strconv.Itoa(c.refunds)
}

// give keeps a refund, unless it is of nothing.
func (r *record) give(g gift, x Refund) {
	if g.total <= 0 {
		return
	}
	for k, v := range g.parts {
		r.back[k] += v
	}
	cur := r.order.Currency
	x.Order, x.Currency, x.Amount = r.order.ID, cur, money.New(g.total, cur).Decimal()
	if g.untaxed > 0 {
		x.Untaxed = money.New(g.untaxed, cur).Decimal()
	}
	r.given = append(r.given, x)
}

func (c *Channel) orderRefunds(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	rec := c.orders[r.PathValue("id")]
	var found []Refund
	if rec != nil {
		found = c.showing(rec)
	}
	c.mu.Unlock()
	if rec == nil {
		fail(w, http.StatusNotFound, "no_such_order")
		return
	}
	c.pageOfRefunds(w, r, found)
}

func (c *Channel) allRefunds(w http.ResponseWriter, r *http.Request) {
	since, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("since"))
	if err != nil {
		fail(w, http.StatusBadRequest, "since")
		return
	}
	c.mu.Lock()
	var found []Refund
	for _, rec := range c.sequence {
		for _, x := range c.showing(rec) {
			if !x.PostedAt.Before(since) {
				found = append(found, x)
			}
		}
	}
	c.mu.Unlock()
	slices.SortFunc(found, func(a, b Refund) int { return cmp.Or(a.PostedAt.Compare(b.PostedAt), cmp.Compare(a.ID, b.ID)) })
	c.pageOfRefunds(w, r, found)
}

// showing is what can be seen by now of an order's refunds.
func (c *Channel) showing(r *record) []Refund {
	out := []Refund{}
	for _, x := range r.given {
		if !x.PostedAt.Add(c.cfg.RefundLag).After(c.cfg.Clock()) {
			out = append(out, x)
		}
	}
	return out
}

// pageOfRefunds answers one page. The token is the id of the last refund given.
func (c *Channel) pageOfRefunds(w http.ResponseWriter, r *http.Request, found []Refund) {
	if t := r.URL.Query().Get("page_token"); t != "" {
		i := slices.IndexFunc(found, func(x Refund) bool { return x.ID == t })
		if i < 0 {
			fail(w, http.StatusBadRequest, "page_token")
			return
		}
		found = found[i+1:]
	}
	page := struct {
		Refunds []Refund `json:"refunds"`
		Next    string   `json:"next_page_token,omitempty"`
	}{Refunds: append([]Refund{}, found...)}
	if len(found) > c.cfg.PageSize {
		page.Refunds = page.Refunds[:c.cfg.PageSize]
		page.Next = page.Refunds[c.cfg.PageSize-1].ID
	}
	reply(w, http.StatusOK, page)
}
