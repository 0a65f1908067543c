package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"

	"channelbridge/connector"
	"channelbridge/internal/httpapi"
	"channelbridge/internal/money"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// refunds are the acts about money given back while both sides are connected.
func (p *player) refunds(ctx context.Context, o placed) error {
	p.title("6. The store refunds one unit: Amazon gives exactly that back, once, though every push comes twice")
	if err := p.partialRefund(ctx, o.lines); err != nil {
		return err
	}
	p.title("7. Amazon refunds an order first: the store is told, and the same refund there is not repeated")
	if err := p.refundedFirst(ctx, o.plain); err != nil {
		return err
	}
	p.title("8. Cancelling without money: every Amazon order is tied to a payment, so it is refused")
	return p.cancelWithoutMoney(ctx, o.wavering)
}

func (p *player) partialRefund(ctx context.Context, id string) error {
	p.Shop.SetFaults(shopifyfake.Faults{HookTwice: 1})
	defer p.Shop.SetFaults(shopifyfake.Faults{HookTwice: 0.3})
	m, _ := p.Mirror(id)
	given, err := p.giveBack(m, shopifyfake.StaffRefund{Lines: []shopifyfake.RefundQty{{Line: m.Lines[0].ID, Quantity: 1}}})
	if err != nil {
		return err
	}
	if err := p.until(ctx, "Amazon has refunded "+id, func() bool { return len(p.Amazon.Refunds(id)) > 0 }); err != nil {
		return err
	}
	if err := p.proven(ctx, id); err != nil {
		return err
	}
	all := p.Amazon.Refunds(id)
	if len(all) != 1 || all[0].Amount != given {
		p.fault("%s: the store gave %s back, Amazon %v", id, given, all)
	}
	p.say("bridge", "the refund shows in Amazon's finances, the entry is proven; handed in %d time(s)", p.messages(id))
	return nil
}

func (p *player) refundedFirst(ctx context.Context, id string) error {
	m, _ := p.Mirror(id)
	if _, err := p.Amazon.RefundByHand(id); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := p.until(ctx, m.Name+" is marked", func() bool { o, _ := p.Mirror(id); return slices.Contains(o.Tags, "Amazon refunded") }); err != nil {
		return err
	}
	o, _ := p.Mirror(id)
	p.say("store", "%s is tagged %q, its note says: %s", m.Name, "Amazon refunded", o.Note)
	if _, err := p.giveBack(m, shopifyfake.StaffRefund{Lines: []shopifyfake.RefundQty{{Line: m.Lines[0].ID, Quantity: 1}}}); err != nil {
		return err
	}
	h, err := p.notice(ctx, id, "already_refunded")
	if err != nil {
		return err
	}
	p.say("bridge", "refused: %s", h.Reason)
	p.say("bridge", "%s", h.Hint)
	return nil
}

// cancelWithoutMoney is refused here at once, and held when it comes from the store; with money
// it goes through.
func (p *player) cancelWithoutMoney(ctx context.Context, id string) error {
	free := p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-3000001", Items: []amazonfake.ItemSpec{{SKU: "KETTLE-1L", Title: "Kettle, a present", Quantity: 1, UnitPrice: "0.00"}}})
	if err := p.mirrored(ctx, free); err != nil {
		return err
	}
	if err := p.refused(ctx, "amount_zero", "orders", "cancel", free); err != nil {
		return err
	}
	m, _ := p.Mirror(id)
	if err := p.Shop.Cancel(m.ID, shopifyfake.Cancellation{Reason: "CUSTOMER"}); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	p.say("store", "%s, whose buyer wanted that, is cancelled without giving money back", m.Name)
	h, err := p.notice(ctx, id, "cancel_without_refund")
	if err != nil {
		return err
	}
	p.say("bridge", "held: %s", h.Reason)
	p.wholeSecond()
	if _, err := p.giveBack(m, shopifyfake.StaffRefund{Amount: m.Total}); err != nil {
		return err
	}
	return p.until(ctx, id+" is cancelled at Amazon", func() bool { s, _ := p.Amazon.Order(id); return s.Status == "CANCELLED" })
}

// giveBack is staff refunding an order; it returns what was given back.
func (p *player) giveBack(m shopifyfake.Order, r shopifyfake.StaffRefund) (money.Money, error) {
	p.wholeSecond()
	id, err := p.Shop.Refund(m.ID, r)
	if err != nil {
		return money.Money{}, fmt.Errorf("demo: %w", err)
	}
	o, _ := p.Shop.Order(m.ID)
	p.say("store", "%s: %s refunded", m.Name, o.Given(id))
	return o.Given(id), nil
}

// shown is what the command line tells of an order's money.
type shown struct {
	Ledger []connector.Entry
	Holds  []connector.Hold
}

func (p *player) shown(ctx context.Context, id string) (s shown) {
	out, err := p.Run(ctx, "orders", "show", id, "--json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &s)
	}
	if err != nil && ctx.Err() == nil {
		p.fault("orders show %s: %v", id, err)
	}
	return s
}

// notice waits for a hold and returns it.
func (p *player) notice(ctx context.Context, id, kind string) (h connector.Hold, err error) {
	err = p.until(ctx, id+" is held: "+kind, func() bool {
		for _, x := range p.shown(ctx, id).Holds {
			if x.Kind == kind {
				h = x
				return true
			}
		}
		return false
	})
	return h, err
}

// proven waits until everything the ledger began for an order has an end.
func (p *player) proven(ctx context.Context, id string) error {
	return p.until(ctx, "the ledger entry is proven", func() bool {
		return !slices.ContainsFunc(p.shown(ctx, id).Ledger, func(e connector.Entry) bool { return e.Counts() && e.State != connector.Proven })
	})
}

// refused runs a command that must be refused for the reason given.
func (p *player) refused(ctx context.Context, code string, args ...string) error {
	out, err := p.Run(ctx, append(args, "--yes", "--json")...)
	var answer struct{ Preview httpapi.Preview }
	if _, failed := errors.AsType[*exec.ExitError](err); !failed || json.Unmarshal([]byte(out), &answer) != nil || len(answer.Preview.Refusals) == 0 {
		return fmt.Errorf("demo: channelbridge %v was not refused: %s%w", args, out, err)
	}
	r := answer.Preview.Refusals[0]
	if r.Code != code {
		p.fault("channelbridge %v: refused with %s", args, r.Code)
	}
	p.say("bridge", "channelbridge %s: refused, %s: %s", args[0]+" "+args[1]+" "+args[2], r.Code, r.Reason)
	return nil
}
