package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"channelbridge/internal/httpapi"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// away removes the channel, cancels an order that was shipped and one that was not, and connects
// the channel again.
func (p *player) away(ctx context.Context, shipped string) error {
	p.title("9. The channel is removed; two orders are cancelled in the store; the channel is connected again")
	open := p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-4000001", Items: []amazonfake.ItemSpec{{SKU: "ECHO-POP", Title: "Echo Pop", Quantity: 1, UnitPrice: "39.99"}}})
	if err := p.mirrored(ctx, open); err != nil {
		return err
	}
	p.wholeSecond()
	if _, err := p.Run(ctx, "channels", "remove", Channel, "--yes", "--reason", "a holiday"); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	p.say("bridge", "channelbridge channels remove %s: nothing is sent any more, what the store says is still recorded", Channel)
	feeds := len(p.Amazon.Feeds())
	for _, id := range []string{open, shipped} {
		m, _ := p.Mirror(id)
		if err := p.Shop.Cancel(m.ID, shopifyfake.Cancellation{Reason: "CUSTOMER", Restock: true, Refund: true, TakeBack: id == shipped}); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		o, _ := p.Mirror(id)
		p.say("store", "%s (%s) is cancelled, %s refunded", m.Name, map[bool]string{true: "was shipped", false: "not shipped"}[id == shipped], o.Refunded())
	}
	if err := p.planned(ctx, 2); err != nil {
		return err
	}
	if n := len(p.Amazon.Feeds()); n != feeds {
		p.fault("%d feeds were handed in while the channel was removed", n-feeds)
	}
	return p.back(ctx, open, shipped)
}

// planned waits until the plan of the reconnection holds n orders, and shows it.
func (p *player) planned(ctx context.Context, n int) error {
	var plan httpapi.ReconnectPlan
	err := p.until(ctx, "both orders stand in the plan", func() bool {
		plan = p.plan(ctx, "reconnect", Channel, "--dry-run")
		return plan.Totals.Orders == n
	})
	if err != nil {
		return err
	}
	p.say("bridge", "channelbridge channels reconnect %s --dry-run", Channel)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range plan.Orders {
		fmt.Fprintf(p.out, "                    %s (%s)  %s  cancelled %s  fulfilled: %s  %s\n", o.Order, o.Number, o.Amount,
			o.CancelledAt.UTC().Format(time.TimeOnly), map[bool]string{true: "yes", false: "no"}[o.Fulfilled], o.State)
	}
	return nil
}

// back connects the channel again and waits for what follows by itself.
func (p *player) back(ctx context.Context, open, shipped string) error {
	p.pause()
	if _, err := p.Run(ctx, "channels", "reconnect", Channel); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	p.say("bridge", "channelbridge channels reconnect %s: both sides are read from before the removal, then the plan runs", Channel)
	if err := p.until(ctx, open+" is cancelled at Amazon", func() bool { s, _ := p.Amazon.Order(open); return s.Status == "CANCELLED" }); err != nil {
		return err
	}
	if err := p.until(ctx, shipped+" is refunded at Amazon", func() bool { return len(p.Amazon.Refunds(shipped)) > 0 }); err != nil {
		return err
	}
	if err := p.until(ctx, "the plan is done", func() bool { return p.plan(ctx, "plan", Channel).State == "done" }); err != nil {
		return err
	}
	for _, id := range []string{open, shipped} {
		if n := p.messages(id); n != 1 {
			p.fault("%s was handed in %d times", id, n)
		}
	}
	p.say("bridge", "the plan is done: each order once")
	return nil
}

// plan is the plan as the command line tells it.
func (p *player) plan(ctx context.Context, args ...string) (plan httpapi.ReconnectPlan) {
	out, err := p.Run(ctx, append(append([]string{"channels"}, args...), "--json")...)
	if err == nil {
		err = json.Unmarshal([]byte(out), &plan)
	}
	if err != nil && ctx.Err() == nil {
		p.fault("channels %v: %v", args, err)
	}
	return plan
}

// messages counts the messages about an order in all feeds Amazon was handed.
func (p *player) messages(id string) (n int) {
	for _, f := range p.Amazon.Feeds() {
		n += strings.Count(string(f.Document), "<AmazonOrderID>"+id+"</AmazonOrderID>")
	}
	return n
}

// wholeSecond waits until the store's clock, which has whole seconds, has moved on.
func (p *player) wholeSecond() { time.Sleep(1100 * time.Millisecond) }
