package shopify

import (
	"context"
	"encoding/json"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

const (
	listAtOnce    = 25 // entries of one page of the cheap listing
	detailsAtOnce = 4  // whole orders in one query; keeps its cost under the store's limit
)

// rawNode keeps an order as it came, so that one odd order does not spoil its page.
type rawNode struct{ json json.RawMessage }

func (r *rawNode) UnmarshalJSON(b []byte) error {
	r.json = append(json.RawMessage(nil), b...)
	return nil
}

func (r rawNode) absent() bool {
	return len(r.json) == 0 || string(r.json) == "null" || string(r.json) == "{}"
}

func (r rawNode) order() (*orderNode, error) {
	var n orderNode
	if err := json.Unmarshal(r.json, &n); err != nil {
		return nil, fault.New(fault.Refused, "reading: %w", err)
	}
	return &n, nil
}

// token is what Cursor.Token holds: the store's cursor and the newest change seen on the way.
type token struct {
	After string    `json:"a"`
	Seen  time.Time `json:"s"`
}

// Changed lists marked orders changed since the cursor. The listing itself is cheap and holds
// only what tells whether an order is ours; whole orders are read for those alone.
func (a *Admin) Changed(ctx context.Context, after shopadmin.Cursor) (shopadmin.Page, error) {
	t, _ := parseToken(after.Token) // an unreadable token starts the listing again, which repeats and loses nothing
	list, err := a.listChanged(ctx, after.Since, t.After)
	if t.After != "" && fault.Is(err, fault.Refused) {
		a.cfg.Log.Info("the store refused a listing's cursor; listing again", "since", after.Since, "err", err)
		t = token{}
		list, err = a.listChanged(ctx, after.Since, "")
	}
	if err != nil {
		return shopadmin.Page{}, err
	}
	var ours []orderHead
	for _, h := range list.Nodes {
		if at, err := instant("updatedAt", h.UpdatedAt); err == nil && at.After(t.Seen) {
			t.Seen = at
		}
		if markOf(h).Set() {
			ours = append(ours, h)
		}
	}
	page := shopadmin.Page{Next: shopadmin.Cursor{Since: after.Since}}
	if page.Orders, page.Faulty, err = a.ordersByID(ctx, ours); err != nil {
		return shopadmin.Page{}, err
	}
	if list.PageInfo.HasNextPage && list.PageInfo.EndCursor != "" {
		t.After = list.PageInfo.EndCursor
		page.More, page.Next.Token = true, t.String()
	} else if t.Seen.After(after.Since) {
		page.Next.Since = t.Seen
	}
	return page, nil
}

func (a *Admin) listChanged(ctx context.Context, since time.Time, after string) (connection[orderHead], error) {
	query := "updated_at:>=" + quote(since.UTC().Format(time.RFC3339))
	if a.cfg.SearchTag != "" {
		query += " AND tag:" + quote(a.cfg.SearchTag)
	}
	vars := a.markVars(map[string]any{"query": query, "first": listAtOnce})
	if after != "" {
		vars["after"] = after
	}
	var out struct{ Orders connection[orderHead] }
	err := a.client.do(ctx, docSearchOrders, vars, &out)
	return out.Orders, err
}

func (t token) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		return "" // two plain fields always encode
	}
	return string(b)
}

func parseToken(s string) (token, bool) {
	var t token
	if s == "" || json.Unmarshal([]byte(s), &t) != nil {
		return token{}, false
	}
	return t, true
}
