package genericfake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers the API, after the switches have had their say.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	c.mu.Lock()
	denied := c.denied || c.cfg.Token.Set() && token != c.cfg.Token.Reveal()
	throttled := !denied && c.throttle > 0
	if throttled {
		c.throttle--
	}
	c.mu.Unlock()
	switch {
	case denied:
		fail(w, http.StatusUnauthorized, "unauthorized")
	case throttled:
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "too_many_requests")
	default:
		c.mux.ServeHTTP(w, r)
	}
}

// LoseNextInstruction carries out the next instruction and then drops the connection.
func (c *Channel) LoseNextInstruction() { c.set(func() { c.fates = append(c.fates, hangUp) }) }

// BreakNextInstruction carries out the next instruction; a 502 is answered in its place.
func (c *Channel) BreakNextInstruction() { c.set(func() { c.fates = append(c.fates, breakDown) }) }

// LoseNextAnswer carries out the next shipment and then drops the connection.
func (c *Channel) LoseNextAnswer() { c.set(func() { c.lose++ }) }

// ThrottleNext refuses the next call with 429.
func (c *Channel) ThrottleNext() { c.set(func() { c.throttle++ }) }

// Deny refuses every call with 401 until it is told otherwise.
func (c *Channel) Deny(yes bool) { c.set(func() { c.denied = yes }) }

func (c *Channel) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *Channel) read(w http.ResponseWriter, r *http.Request) {
	o, ok := c.Order(r.PathValue("id"))
	if !ok {
		fail(w, http.StatusNotFound, "no_such_order")
		return
	}
	reply(w, http.StatusOK, o)
}

// list pages through orders by time of change. The token is the last change given and the id of
// its order, so that a change between two pages moves nothing out of sight.
func (c *Channel) list(w http.ResponseWriter, r *http.Request) {
	since, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("updated_after"))
	if err != nil {
		fail(w, http.StatusBadRequest, "updated_after")
		return
	}
	if t := r.URL.Query().Get("page_token"); t != "" {
		nano, err := strconv.ParseInt(t, 10, 64)
		if err != nil {
			fail(w, http.StatusBadRequest, "page_token")
			return
		}
		since = time.Unix(0, nano+1)
	}
	c.mu.Lock()
	var found []Order
	for _, rec := range c.sequence {
		if !rec.order.UpdatedAt.Before(since) {
			found = append(found, rec.view())
		}
	}
	c.mu.Unlock()
	slices.SortFunc(found, func(a, b Order) int { return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.ID, b.ID)) })
	page := struct {
		Orders []Order `json:"orders"`
		Next   string  `json:"next_page_token,omitempty"`
	}{Orders: found}
	if len(found) > c.cfg.PageSize {
		page.Orders = found[:c.cfg.PageSize]
		page.Next = strconv.FormatInt(page.Orders[c.cfg.PageSize-1].UpdatedAt.UnixNano(), 10)
	}
	reply(w, http.StatusOK, page)
}

func (c *Channel) ship(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var s Shipment
	if err != nil || json.Unmarshal(body, &s) != nil {
		fail(w, http.StatusBadRequest, "unreadable")
		return
	}
	s.ID, s.Key = "", r.Header.Get("Idempotency-Key")
	status, code, id, lost := c.confirm(r.PathValue("id"), s, string(body))
	switch {
	case lost:
		panic(http.ErrAbortHandler)
	case code != "":
		fail(w, status, code)
	default:
		reply(w, status, map[string]string{"id": id})
	}
}

// confirm carries a shipment out, once per key.
func (c *Channel) confirm(order string, s Shipment, body string) (status int, code, id string, lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.byKey[s.Key]; ok && s.Key != "" {
		if old.order != order || old.body != body {
			c.counts.Conflicts++
			return http.StatusConflict, "key_used_for_something_else", "", false
		}
		c.counts.Replayed++
		return http.StatusCreated, "", old.id, c.losing()
	}
	rec := c.orders[order]
	if rec == nil {
		return http.StatusNotFound, "no_such_order", "", false
	}
	if code := rec.refuse(s); code != "" {
		return http.StatusUnprocessableEntity, code, "", false
	}
	if s.Key == "" {
		c.counts.Keyless++
	}
	if slices.ContainsFunc(rec.list, func(o Shipment) bool { return o.Ref == s.Ref }) {
		c.counts.Doubled++
	}
	c.counts.Shipments++
	s.ID = fmt.Sprintf("S%d", c.counts.Shipments)
	rec.take(s, c.tick())
	if s.Key != "" {
		c.byKey[s.Key] = answered{order, body, s.ID}
	}
	return http.StatusCreated, "", s.ID, c.losing()
}

func (c *Channel) losing() bool {
	if c.lose == 0 {
		return false
	}
	c.lose--
	return true
}

// refuse says why the parcel cannot be: an unknown line, more than is left, a closed order.
func (r *record) refuse(s Shipment) string {
	if r.order.Status != "open" {
		return "order_not_open"
	}
	for _, p := range s.Lines {
		i := slices.IndexFunc(r.order.Lines, func(l Line) bool { return l.ID == p.Line })
		switch {
		case i < 0:
			return "no_such_line"
		case p.Quantity <= 0 || p.Quantity > r.order.Lines[i].left():
			return "quantity"
		}
	}
	return ""
}

// take counts the pieces as shipped and closes the order with the last one.
func (r *record) take(s Shipment, at time.Time) {
	r.list = append(r.list, s)
	lines := append([]Line(nil), r.order.Lines...)
	for i, l := range lines {
		for _, p := range s.Lines {
			if p.Line == l.ID {
				lines[i].Shipped += p.Quantity
			}
		}
	}
	r.settle(lines, at)
}

// settle takes over the lines and closes the order when nothing is left to ship.
func (r *record) settle(lines []Line, at time.Time) {
	open, shipped := 0, 0
	for _, l := range lines {
		open, shipped = open+l.left(), shipped+l.Shipped
	}
	r.order.Lines, r.order.UpdatedAt = lines, at
	switch {
	case open == 0 && shipped == 0:
		r.order.Status = "cancelled"
	case open == 0:
		r.order.Status = "closed"
	}
}

// left is how many units are still to ship.
func (l Line) left() int { return l.Quantity - l.Cancelled - l.Shipped }

func fail(w http.ResponseWriter, status int, code string) {
	reply(w, status, map[string]string{"code": code})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}
