package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/httpapi"
	"channelbridge/internal/money"
)

// asking are the flags of everything that moves money.
type asking struct {
	dry, yes bool
	key      string
}

func (q *asking) flags(c *cobra.Command) {
	c.Flags().BoolVar(&q.dry, "dry-run", false, "only say what would follow; keep nothing")
	c.Flags().BoolVarP(&q.yes, "yes", "y", false, "do not ask for confirmation")
	c.Flags().StringVar(&q.key, "key", "", "name of this request: asked again with the same key, it is not done again")
}

// refundFlags are what a refund is made of, as text.
type refundFlags struct {
	lines            []string
	shipping, amount string
	restock          bool
	reason, note     string
}

func newOrdersRefund(a *app) *cobra.Command {
	var f refundFlags
	var q asking
	c := &cobra.Command{
		Use:   "refund ORDER",
		Short: "Give money back on both sides, the channel first",
		Long: `Give money back on both sides, the channel first. Both sides are read, and exactly what would
follow is printed; after a confirmation the request is kept, and a running server carries it out.

Name lines and shipping, or an amount that belongs to no line. Amounts are in the order's currency
and include tax. Units that have not shipped are cancelled instead of refunded.

It is refused with exit code 5, and nothing is kept, with one of these codes: already_refunded,
above_refundable, amount_zero, locked_by_request, whole_only, currency_differs, not_captured,
channel_not_active, held, unknown_line, no_capability.`,
		Example: `  channelbridge orders refund amazon-us/112-1234567-1234567 --line 11498765431234=1 --reason customer
  channelbridge orders refund '#1001' --shipping 4.99 --dry-run
  channelbridge orders refund '#1001' --amount 10.00 --yes --key ticket-4711`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			lines, err := f.check()
			if err != nil {
				return err
			}
			return a.moveMoney(cmd.Context(), args[0], q, connector.Wish{Kind: connector.WishRefund, Reason: f.reason}, func(currency string) (any, error) {
				return f.request(lines, currency)
			})
		},
	}
	c.Flags().StringArrayVar(&f.lines, "line", nil, "the channel's line and how many units, LINE=QUANTITY; may be given more than once")
	c.Flags().StringVar(&f.shipping, "shipping", "", "how much of shipping and other charges")
	c.Flags().StringVar(&f.amount, "amount", "", "how much in all, instead of lines and shipping")
	c.Flags().BoolVar(&f.restock, "restock", false, "put the goods back into the store's stock")
	c.Flags().StringVar(&f.reason, "reason", "", "in the store's words: customer, inventory, fraud, declined, staff, other")
	c.Flags().StringVar(&f.note, "note", "", "for those who see the refund in the store")
	q.flags(c)
	return c
}

// check reads the lines and refuses what no order could make right.
func (f *refundFlags) check() ([]httpapi.RefundLine, error) {
	if f.amount != "" && (f.shipping != "" || len(f.lines) > 0) {
		return nil, usage("--amount stands instead of --line and --shipping, not beside them")
	}
	if f.amount == "" && f.shipping == "" && len(f.lines) == 0 {
		return nil, usage("say what is given back: --line, --shipping or --amount")
	}
	var out []httpapi.RefundLine
	for _, text := range f.lines {
		i := strings.LastIndex(text, "=")
		n, err := strconv.Atoi(text[i+1:])
		if i < 1 || err != nil || n < 1 {
			return nil, usage("--line %q: write LINE=QUANTITY, such as 11498765431234=1", text)
		}
		if slices.ContainsFunc(out, func(l httpapi.RefundLine) bool { return l.Line == text[:i] }) {
			return nil, usage("--line %s is given twice", text[:i])
		}
		out = append(out, httpapi.RefundLine{Line: text[:i], Quantity: n})
	}
	return out, nil
}

func (f *refundFlags) request(lines []httpapi.RefundLine, currency string) (httpapi.RefundRequest, error) {
	r := httpapi.RefundRequest{Lines: lines, Restock: f.restock, Reason: f.reason, Note: f.note}
	var err error
	if r.Shipping, err = amountOf("--shipping", f.shipping, currency); err != nil {
		return r, err
	}
	r.Amount, err = amountOf("--amount", f.amount, currency)
	return r, err
}

// amountOf reads "12.50" or "12.50 EUR"; nil without text.
func amountOf(flag, text, currency string) (*money.Money, error) {
	if text == "" {
		return nil, nil
	}
	number, code, _ := strings.Cut(strings.TrimSpace(text), " ")
	m, err := money.Parse(number, or(strings.TrimSpace(code), currency))
	if err != nil {
		return nil, usage("%s %q: %w", flag, text, err)
	}
	if m.Minor <= 0 {
		return nil, usage("%s %q is not above zero", flag, text)
	}
	return &m, nil
}

func newOrdersCancel(a *app) *cobra.Command {
	var r httpapi.CancelRequest
	var q asking
	c := &cobra.Command{
		Use:   "cancel ORDER",
		Short: "Cancel a whole order on both sides, the channel first",
		Long: `Cancel a whole order on both sides, the channel first, while nothing of it has shipped. Exactly
what would follow is printed; after a confirmation the request is kept, and a running server
carries it out. At a channel every order is tied to a payment, so an order without money to give
back is refused (amount_zero).

It is refused with exit code 5, and nothing is kept, with one of the codes of "orders refund".`,
		Example: "  channelbridge orders cancel amazon-us/112-1234567-1234567 --reason inventory --restock",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.moveMoney(cmd.Context(), args[0], q, connector.Wish{Kind: connector.WishCancel, Reason: r.Reason}, func(string) (any, error) { return r, nil })
		},
	}
	c.Flags().BoolVar(&r.Restock, "restock", false, "put the goods back into the store's stock")
	c.Flags().StringVar(&r.Reason, "reason", "", "in the store's words: customer, inventory, fraud, declined, staff, other")
	c.Flags().StringVar(&r.Note, "note", "", "for those who see the cancellation in the store")
	q.flags(c)
	return c
}

// moveMoney previews a request, asks for confirmation and keeps it.
func (a *app) moveMoney(ctx context.Context, name string, q asking, w connector.Wish, request func(currency string) (any, error)) error {
	return a.withBridge(ctx, func(b *bridge) error {
		ctx := connector.As(ctx, operator())
		rec, err := findOrder(ctx, b.store, name)
		if err != nil {
			return err
		}
		market, _, err := order.Decode(rec)
		if err != nil {
			return fmt.Errorf("order %s: stored snapshot: %w", rec.Subject, err)
		}
		currency := ""
		if market != nil {
			currency = market.Currency
		}
		r, err := request(currency)
		if err != nil {
			return err
		}
		w.Subject = rec.Subject
		if w.Body, err = json.Marshal(r); err != nil {
			return err
		}
		return a.previewAndKeep(ctx, b, rec, q, w, r)
	})
}

// movedMoney is what is printed for programs.
type movedMoney struct {
	Preview *httpapi.Preview `json:"preview,omitempty"` // not there when it was asked for before
	Wish    *keptWish        `json:"wish,omitempty"`    // not there when nothing was kept
}

func (a *app) previewAndKeep(ctx context.Context, b *bridge, rec connector.Record, q asking, w connector.Wish, request any) error {
	var p *httpapi.Preview
	known := slices.ContainsFunc(rec.Wishes, func(x connector.Wish) bool { return x.Key == wishKey(q.key) })
	if q.dry || !known { // what is kept already would stand in its own way
		v, err := moneyDesk{b}.either(ctx, rec.Subject, request)
		if err != nil {
			return fmt.Errorf("previewing %s of order %s: %w", w.Kind, rec.Subject, err)
		}
		p = &v
		if err := a.showPreview(rec.Subject, w.Kind, v, q.dry); err != nil {
			return err
		}
		if q.dry {
			return nil
		}
		if !q.yes {
			if err := a.confirm(fmt.Sprintf("%s %s?", w.Kind, v.Amount)); err != nil {
				return err
			}
		}
	}
	kept, err := a.keep(ctx, b.store, w, q.key)
	if err != nil {
		return err
	}
	if a.asJSON {
		return a.printJSON(movedMoney{Preview: p, Wish: &kept})
	}
	text := "kept as request w%d; a running server carries it out: channelbridge orders money %s\n"
	if !kept.Fresh {
		text = "this was asked for before as request w%d, and nothing new is done: channelbridge orders money %s\n"
	}
	_, err = fmt.Fprintf(a.stdout, text, kept.ID, rec.Subject)
	return err
}

// either previews a refund or a cancellation.
func (d moneyDesk) either(ctx context.Context, s connector.Subject, request any) (httpapi.Preview, error) {
	switch r := request.(type) {
	case httpapi.RefundRequest:
		return d.Preview(ctx, s, r)
	case httpapi.CancelRequest:
		return d.PreviewCancel(ctx, s, r)
	}
	return httpapi.Preview{}, fmt.Errorf("%T is no request about money", request)
}
