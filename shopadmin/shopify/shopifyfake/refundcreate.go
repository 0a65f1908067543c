package shopifyfake

import (
	"encoding/json"
	"fmt"
	"time"

	"channelbridge/internal/money"
)

// keyLife is how long an idempotency key is remembered.
const keyLife = 24 * time.Hour

// remembered is what the store knows of a key.
type remembered struct {
	at     time.Time
	input  string
	refund string // "": the attempt failed
}

// refundCreate demands a key and remembers it for a day: the same request again is answered with
// the first one's refund, another one is refused, and a failed one asks for another key.
func (s *Server) refundCreate(r *run, args map[string]any) any {
	in := args["input"].(map[string]any)
	d, given := r.directive("idempotent")
	key, _ := d["key"].(string)
	if !given || key == "" {
		return refused{"The @idempotent directive is required for this mutation but was not provided.", "BAD_REQUEST", nil}
	}
	o := s.order(str(in, "orderId"))
	if o == nil {
		return noRefund("Order does not exist", "orderId")
	}
	raw, err := json.Marshal(in)
	if err != nil {
		panic(err) // only decoded JSON gets here
	}
	if m, ok := s.world.remembered[key]; ok && s.cfg.Clock().Sub(m.at) < keyLife && !s.cfg.Forgetful {
		return s.replay(o, m, string(raw))
	}
	made, err := s.refundAsked(o, in)
	s.world.remembered[key] = remembered{s.cfg.Clock(), string(raw), made.ID}
	if err != nil {
		return noRefund(err.Error(), "input")
	}
	return obj{"refund": refundObj(o, made), "order": s.orderObj(o), "userErrors": []obj{}}
}

func noRefund(message string, path ...string) obj {
	out := no("refund", "", message, path...)
	out["order"] = nil
	return out
}

func (s *Server) replay(o *Order, m remembered, input string) any {
	switch {
	case m.input != input:
		return noRefund("IDEMPOTENCY_KEY_PARAMETER_MISMATCH: the key was used with other parameters")
	case m.refund == "":
		return noRefund("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED: the previous attempt failed, use another key")
	}
	for _, r := range o.Refunds {
		if r.ID == m.refund {
			return obj{"refund": refundObj(o, r), "order": s.orderObj(o), "userErrors": []obj{}}
		}
	}
	panic("shopifyfake: a remembered refund is gone")
}

// refundAsked makes the refund the app asks for.
func (s *Server) refundAsked(o *Order, in map[string]any) (Refund, error) {
	g := giving{status: "SUCCESS", note: str(in, "note"), reason: str(in, "discrepancyReason"), shipping: money.New(0, o.Currency)}
	g.unlimited, _ = in["allowOverRefunding"].(bool)
	for _, l := range objects(in, "refundLineItems") {
		n, _ := toInt(l["quantity"])
		g.lines = append(g.lines, RefundQty{str(l, "lineItemId"), n, str(l, "restockType"), str(l, "locationId")})
	}
	if ship, ok := in["shipping"].(map[string]any); ok {
		full, _ := ship["fullRefund"].(bool)
		g.shipping, _ = o.shippingLeft()
		if a, given := ship["amount"]; given {
			var err error
			if g.shipping, err = money.Parse(fmt.Sprint(a), o.Currency); err != nil {
				return Refund{}, err
			}
		} else if !full {
			g.shipping = money.New(0, o.Currency)
		}
	}
	for _, t := range objects(in, "transactions") {
		m, err := money.Parse(fmt.Sprint(t["amount"]), o.Currency)
		if err != nil {
			return Refund{}, err
		}
		if str(t, "kind") != "REFUND" || str(t, "orderId") != o.ID {
			return Refund{}, fmt.Errorf("transactions kind must be a refund of the order")
		}
		g.payments = append(g.payments, Transaction{Parent: str(t, "parentId"), Gateway: str(t, "gateway"), Amount: m})
	}
	if err := s.check(o, g); err != nil {
		return Refund{}, err
	}
	r := s.give(o, g)
	if notify, _ := in["notify"].(bool); notify {
		s.tell(o, "refund notification")
	}
	s.touch(o)
	event := s.event()
	s.tellRefund(event, o, r)
	s.push(event, "ORDERS_UPDATED", s.restOrder(o))
	return r, nil
}
