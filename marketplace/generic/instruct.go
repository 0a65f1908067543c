package generic

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Instruct gives one instruction. The ledger's key goes along as Idempotency-Key, so that a
// repetition acts once. Only an answer with the channel's own reference counts as done.
func (c Instructed) Instruct(ctx context.Context, key string, in marketplace.Instruction) (marketplace.Receipt, error) {
	r, err := c.instruct(ctx, key, in)
	return r, fault.Wrap(err, "%s of order %s", clean(string(in.Op)), clean(string(in.Order)))
}

func (a *Adapter) instruct(ctx context.Context, key string, in marketplace.Instruction) (marketplace.Receipt, error) {
	if err := a.refuses(key, in); err != nil {
		return marketplace.Receipt{}, err
	}
	body, err := json.Marshal(instruction(in))
	if err != nil {
		return marketplace.Receipt{}, fault.New(fault.Refused, "writing it: %w", err)
	}
	ans, err := a.api.instruct(ctx, in.Order, key, body)
	if err != nil && ans.Status != http.StatusConflict {
		return marketplace.Receipt{}, err
	}
	return receipt(ans, err)
}

// receipt reads the answer to an instruction that was taken, now or before: a conflict with the
// reference of what was done earlier under this key is as good as the first answer. Without one
// nobody knows what was done.
func receipt(ans httpx.Answer, conflict error) (marketplace.Receipt, error) {
	var r wireReceipt
	if err := json.Unmarshal(ans.Body, &r); err == nil && r.ID != "" {
		return marketplace.Receipt{Ref: clean(string(r.ID))}, nil
	}
	e := fault.New(fault.Unknown, "the channel took it, but gave no reference")
	if conflict != nil {
		e = fault.New(fault.Unknown, "the channel knows the key already and does not say what it did: %w", conflict)
	}
	e.Ref = clean(ans.Header.Get("X-Request-Id"))
	e.Hint = "Look at the channel whether the money was given back; its support knows the request by its key."
	return marketplace.Receipt{}, e
}

// refuses finds what the channel cannot take before anything is sent.
func (a *Adapter) refuses(key string, in marketplace.Instruction) error {
	switch {
	case !slices.Contains(a.cfg.Instructions, in.Op):
		e := fault.New(fault.Refused, "this channel does not take it")
		e.Hint = "If the channel can do it, add it to the connection's instructions."
		return e
	case !sendable(key):
		return fault.New(fault.Refused, "the key cannot be sent")
	case !addressable(in.Order):
		return fault.New(fault.Refused, "the order has no usable id")
	case len(in.Lines) == 0:
		return fault.New(fault.Refused, "it names no lines")
	case !money.ValidCode(in.Amount.Currency) || in.Amount.Minor < 0:
		return fault.New(fault.Refused, "%s is no amount to give back", in.Amount)
	case in.Op != marketplace.OpRefund:
		return nil
	case in.Amount.Minor == 0:
		return fault.New(fault.Refused, "a refund of nothing")
	}
	sum, err := worth(in.Lines)
	if err != nil {
		return fault.New(fault.Refused, "adding up its parts: %w", err)
	}
	if sum != in.Amount {
		return fault.New(fault.Refused, "its parts come to %s, not to %s", sum, in.Amount)
	}
	return nil
}

// worth is what instructed lines come to, tax included.
func worth(lines []marketplace.InstructionLine) (sum money.Money, err error) {
	for _, l := range lines {
		for _, p := range l.Parts {
			if sum, err = money.Sum(sum, p.Amount, p.Tax); err != nil {
				return sum, err
			}
		}
	}
	return sum, nil
}

// instruction writes an instruction in the channel's words.
func instruction(in marketplace.Instruction) wireInstruction {
	w := wireInstruction{Op: string(in.Op), Reason: in.Reason, Currency: in.Amount.Currency, Amount: amount(in.Amount.Decimal())}
	for _, l := range in.Lines {
		out := wireInstructed{Line: ident(l.Line), Quantity: l.Quantity}
		for _, p := range l.Parts {
			part := wirePart{Kind: string(p.Kind), Amount: amount(p.Amount.Decimal())}
			if p.Tax.Minor != 0 {
				part.Tax = amount(p.Tax.Decimal())
			}
			out.Parts = append(out.Parts, part)
		}
		w.Lines = append(w.Lines, out)
	}
	return w
}
