package httpapi

import (
	"encoding/json"
	"fmt"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

func (s *Server) sheet(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	sub, err := c.subject()
	if err != nil {
		return reply{}, err
	}
	v, err := s.cfg.Money.Sheet(c.ctx, sub)
	if err != nil {
		return reply{}, fmt.Errorf("money of order %s: %w", sub, err)
	}
	return shown(v)
}

// moneyTaken is the answer to a refund or cancellation that was taken on.
type moneyTaken struct {
	Wish    wishView `json:"wish"`
	Preview *Preview `json:"preview,omitempty"` // not there when it had been taken on before
}

func (s *Server) refund(c *call, r RefundRequest) (reply, error) {
	if err := r.check(); err != nil {
		return reply{}, err
	}
	return s.moves(c, connector.Wish{Kind: connector.WishRefund, Reason: r.Reason}, r, r.DryRun, func(sub connector.Subject) (Preview, error) {
		return s.cfg.Money.Preview(c.ctx, sub, r)
	})
}

func (s *Server) cancel(c *call, r CancelRequest) (reply, error) {
	return s.moves(c, connector.Wish{Kind: connector.WishCancel, Reason: r.Reason}, r, r.DryRun, func(sub connector.Subject) (Preview, error) {
		return s.cfg.Money.PreviewCancel(c.ctx, sub, r)
	})
}

// moves previews, and unless that is all that is wanted or it is refused, keeps the wish. A wish
// that is kept already is not previewed again: it would stand in its own way.
func (s *Server) moves(c *call, w connector.Wish, body any, dry bool, preview func(connector.Subject) (Preview, error)) (reply, error) {
	rec, err := s.load(c)
	if err != nil {
		return reply{}, err
	}
	if w.Body, err = json.Marshal(body); err != nil {
		return reply{}, err
	}
	if !dry && wished(rec, c.key) {
		return s.wish(c, rec.Subject, w, nil)
	}
	p, err := preview(rec.Subject)
	if err != nil {
		return reply{}, fmt.Errorf("previewing %s of order %s: %w", w.Kind, rec.Subject, err)
	}
	p = p.complete()
	if dry {
		return shown(p)
	}
	if len(p.Refusals) > 0 {
		return reply{}, refused(p.Refusals...)
	}
	return s.wish(c, rec.Subject, w, &p)
}

func wished(rec connector.Record, key string) bool {
	for _, w := range rec.Wishes {
		if w.Key == key {
			return true
		}
	}
	return false
}

// complete refuses what would give nothing back and fills in what the rules left out.
func (p Preview) complete() Preview {
	if len(p.Refusals) == 0 && p.Amount.Minor <= 0 {
		p.Refusals = []Refusal{{Code: AmountZero, Reason: "There is nothing left on this order that could be given back."}}
	}
	p.Refusals = views(p.Refusals, func(r Refusal) Refusal { r.Hint = r.hint(); return r })
	p.Commands = views(p.Commands, func(c PreviewCommand) PreviewCommand { return c })
	return p
}

// check refuses what no order could make right.
func (r RefundRequest) check() error {
	if r.Amount != nil && (len(r.Lines) > 0 || r.Shipping != nil) {
		return member("invalid_member", "amount", "An amount stands instead of lines and shipping, not beside them.", "Leave out one of them.")
	}
	if r.Amount == nil && r.Shipping == nil && len(r.Lines) == 0 {
		return &Refusal{Code: AmountZero, Reason: "Neither lines nor shipping nor an amount is given."}
	}
	seen, currency := map[string]bool{}, ""
	for i, l := range r.Lines {
		if seen[l.Line] {
			return member("invalid_member", fmt.Sprintf("lines[%d].line", i), "This line stands there twice.", "Give every line once.")
		}
		seen[l.Line] = true
		if err := above(l.Amount, &currency, l.Line); err != nil {
			return err
		}
	}
	if err := above(r.Shipping, &currency, ""); err != nil {
		return err
	}
	return above(r.Amount, &currency, "")
}

// above refuses an amount that is not above zero or not of the currency of those before.
func above(m *money.Money, currency *string, line string) error {
	switch {
	case m == nil:
		return nil
	case m.Minor <= 0:
		return &Refusal{Code: AmountZero, Reason: m.String() + " is not above zero.", Line: line}
	case *currency != "" && m.Currency != *currency:
		return &Refusal{Code: CurrencyDiffers, Reason: "The request mixes " + *currency + " and " + m.Currency + ".", Line: line}
	}
	*currency = m.Currency
	return nil
}
