package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

// till is a Money with rules of its own: every order is two lines of 10.00 and 5.00 USD, and
// refunds that were wished for are spent.
type till struct {
	store connector.Store
	mu    sync.Mutex
	says  map[string]Refusal // by order: refused whatever is asked
	calls int
}

func (t *till) left(ctx context.Context, s connector.Subject) (money.Money, error) {
	rec, err := t.store.Load(ctx, s)
	if err != nil {
		return money.Money{}, err
	}
	left := money.New(1500, "USD")
	for _, w := range rec.Wishes {
		switch w.Kind {
		case connector.WishCancel:
			return money.New(0, "USD"), nil
		case connector.WishRefund:
			var r RefundRequest
			if err := json.Unmarshal(w.Body, &r); err != nil {
				return left, err
			}
			asked, _ := total(r)
			left.Minor -= asked.Minor
		}
	}
	return left, nil
}

var prices = map[string]int64{"L1": 1000, "L2": 500}

func total(r RefundRequest) (money.Money, *Refusal) {
	sum := money.New(0, "USD")
	add := func(m *money.Money) *Refusal {
		if m == nil {
			return nil
		}
		var err error
		if sum, err = sum.Add(*m); err != nil {
			return &Refusal{Code: CurrencyDiffers, Reason: "The order is in USD."}
		}
		return nil
	}
	for _, l := range r.Lines {
		price, known := prices[l.Line]
		if !known {
			return sum, &Refusal{Code: UnknownLine, Reason: "The order has no line " + l.Line + ".", Line: l.Line}
		}
		m := l.Amount
		if m == nil {
			m = &money.Money{Minor: price * int64(l.Quantity), Currency: "USD"}
		}
		if no := add(m); no != nil {
			return sum, no
		}
	}
	if no := add(r.Shipping); no != nil {
		return sum, no
	}
	return sum, add(r.Amount)
}

func (t *till) Sheet(ctx context.Context, s connector.Subject) (any, error) {
	left, err := t.left(ctx, s)
	return map[string]any{"captured": money.New(1500, "USD"), "refundable": left}, err
}

func (t *till) Preview(ctx context.Context, s connector.Subject, r RefundRequest) (Preview, error) {
	sum, no := total(r)
	return t.preview(ctx, s, sum, no)
}

func (t *till) PreviewCancel(ctx context.Context, s connector.Subject, _ CancelRequest) (Preview, error) {
	left, err := t.left(ctx, s)
	if err != nil {
		return Preview{}, err
	}
	return t.preview(ctx, s, left, nil)
}

func (t *till) preview(ctx context.Context, s connector.Subject, sum money.Money, no *Refusal) (Preview, error) {
	t.mu.Lock()
	t.calls++
	fixed, always := t.says[s.ID]
	t.mu.Unlock()
	left, err := t.left(ctx, s)
	switch {
	case err != nil:
		return Preview{}, err
	case always:
		return Preview{Refusals: []Refusal{fixed}}, nil
	case no != nil:
		return Preview{Refusals: []Refusal{*no}}, nil
	case sum.Cmp(left) > 0:
		return Preview{Refusals: []Refusal{{Code: AboveRefundable, Reason: fmt.Sprintf("%s of %s is left.", left, money.New(1500, "USD"))}}}, nil
	}
	return Preview{Amount: sum, Commands: []PreviewCommand{
		{Side: connector.Market, Verb: "refund", Amount: sum, Lines: []PreviewLine{{Line: "L1", Quantity: 1}}},
		{Side: connector.Shop, Verb: "record-refund", Amount: sum}}}, nil
}

// harbour is a Channels over the store's connections.
type harbour struct {
	store connector.Store
	clock connector.Clock
	mu    sync.Mutex
	plan  []PlanOrder
	all   bool // the whole plan was approved
	by    []By
}

func (h *harbour) List(ctx context.Context) ([]Channel, error) {
	all, err := h.store.Connections(ctx)
	var out []Channel
	for _, c := range all {
		if c.Role == connector.RoleChannel {
			out = append(out, Channel{ID: c.ID, Platform: c.Platform, Store: c.Store, State: string(c.State), Reason: c.Reason,
				ChangedAt: c.ChangedAt.In(time.FixedZone("", 3600)), Since: c.Since, RemovedAt: c.RemovedAt, RejoinedAt: c.RejoinedAt})
		}
	}
	return out, err
}

func (h *harbour) Show(ctx context.Context, id connector.ConnectionID) (Channel, error) {
	all, err := h.List(ctx)
	if i := slices.IndexFunc(all, func(c Channel) bool { return c.ID == id }); err == nil && i >= 0 {
		all[i].Obligations = owed
		return all[i], nil
	}
	return Channel{}, connector.ErrNotFound
}

var owed = []Obligation{{Kind: "to_refund", Count: 2, Sums: []money.Money{money.New(700, "USD")}}, {Kind: "to_ship", Count: 1}}

func (h *harbour) to(ctx context.Context, id connector.ConnectionID, s connector.State, by By) error {
	h.mu.Lock()
	h.by = append(h.by, by)
	h.mu.Unlock()
	return h.store.SetState(ctx, id, s, by.Reason, h.clock())
}

func (h *harbour) Pause(ctx context.Context, id connector.ConnectionID, by By) error {
	return h.to(ctx, id, connector.Paused, by)
}

func (h *harbour) Resume(ctx context.Context, id connector.ConnectionID, by By) error {
	return h.to(ctx, id, connector.Active, by)
}

func (h *harbour) Remove(ctx context.Context, id connector.ConnectionID, dry bool, by By) ([]Obligation, error) {
	if _, err := h.Show(ctx, id); err != nil || dry {
		return owed, err
	}
	return owed, h.to(ctx, id, connector.Removed, by)
}

func (h *harbour) Reconnect(ctx context.Context, id connector.ConnectionID, by By) error {
	c, err := h.Show(ctx, id)
	if err != nil {
		return err
	}
	if c.State != string(connector.Removed) {
		return &Refusal{Code: "not_removed", Reason: "The channel is " + c.State + ".", Hint: "Only a removed channel is reconnected."}
	}
	return h.to(ctx, id, connector.Reconnecting, by)
}

func (h *harbour) ReconnectPlan(ctx context.Context, id connector.ConnectionID, after string, limit int) (ReconnectPlan, error) {
	if _, err := h.Show(ctx, id); err != nil {
		return ReconnectPlan{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := ReconnectPlan{Channel: id, State: "waiting", Policy: "ask", Totals: PlanTotals{Orders: len(h.plan)}}
	for _, o := range h.plan {
		if o.Order > after && len(p.Orders) < limit {
			p.Orders = append(p.Orders, o)
		}
	}
	return p, nil
}

func (h *harbour) ApprovePlan(_ context.Context, _ connector.ConnectionID, order string, _ By) error {
	return h.mark(order, "waiting")
}

func (h *harbour) HoldInPlan(_ context.Context, _ connector.ConnectionID, order string, _ By) error {
	return h.mark(order, "held")
}

func (h *harbour) mark(order, state string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if order == "" {
		h.all = true
		return nil
	}
	for i := range h.plan {
		if h.plan[i].Order == order {
			h.plan[i].State = state
			return nil
		}
	}
	return connector.ErrNotFound
}

// reader is a Replayer over the store's deliveries.
type reader struct{ store connector.Store }

func (r reader) Replay(ctx context.Context, row int64, force bool) error {
	d, err := r.store.Delivery(ctx, row)
	if err != nil {
		return err
	}
	if d.Verdict == connector.Rejected && !force {
		return &Refusal{Code: "needs_force", Reason: "The delivery was refused.", Hint: `Send {"force": true} to insist.`}
	}
	return r.store.Replayed(ctx, row, d.ReceivedAt.Add(time.Hour), nil, nil)
}
