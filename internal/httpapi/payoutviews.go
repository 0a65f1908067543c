package httpapi

import (
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/money"
)

// payoutView is one payout. Amounts are decimal text in its currency.
type payoutView struct {
	ID         string                 `json:"payout_id"`
	Account    connector.ConnectionID `json:"account"`
	External   string                 `json:"external_id"`
	Revision   int                    `json:"revision"`
	Currency   string                 `json:"currency"`
	State      connector.PayoutState  `json:"state"`
	Outcome    string                 `json:"outcome"` // proven, not_proven
	Gap        string                 `json:"proof_gap"`
	Start      time.Time              `json:"period_start,omitzero"`
	End        time.Time              `json:"period_end,omitzero"`
	PaidAt     time.Time              `json:"paid_at,omitzero"`
	Opening    string                 `json:"opening"`
	Sum        string                 `json:"lines_sum"`
	Closing    string                 `json:"closing"`
	Paid       string                 `json:"paid"`
	Lines      int                    `json:"lines"`
	Declared   int                    `json:"declared_line_count,omitempty"`
	BankRef    string                 `json:"bank_reference,omitempty"`
	Source     string                 `json:"source,omitempty"`
	ImportedAt time.Time              `json:"imported_at"`
	Superseded time.Time              `json:"superseded_at,omitzero"`
}

// payoutDetail is one payout and how it is made up.
type payoutDetail struct {
	payoutView
	Bridge *payout.SummaryJSON `json:"bridge,omitempty"`
}

func payoutOf(p connector.Payout) (payoutView, error) {
	gap, err := p.Gap()
	if err != nil {
		return payoutView{}, fmt.Errorf("payout %s: %w", p.External, err)
	}
	v := payoutView{ID: payout.ID(p), Account: p.Account, External: p.External, Revision: p.Revision, Currency: p.Currency, State: p.State,
		Outcome: "proven", Gap: gap.Decimal(), Start: p.Start.UTC(), End: p.End.UTC(), PaidAt: p.PaidAt.UTC(), Opening: p.Opening.Decimal(),
		Sum: p.Sum.Decimal(), Closing: p.Closing.Decimal(), Paid: p.Paid.Decimal(), Lines: p.Lines, Declared: p.Declared, BankRef: p.BankRef,
		Source: p.Source, ImportedAt: p.ImportedAt.UTC(), Superseded: p.SupersededAt.UTC()}
	if !p.Proven() {
		v.Outcome = "not_proven"
	}
	return v, nil
}

func payoutViews(all []connector.Payout) ([]payoutView, error) {
	out := make([]payoutView, 0, len(all))
	for _, p := range all {
		v, err := payoutOf(p)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// payoutLineView is one movement of a payout, in the channel's words and in ours.
type payoutLineView struct {
	ID         string    `json:"line_id"`
	No         int       `json:"line_no"`
	Category   string    `json:"category"`
	NativeType string    `json:"native_type,omitempty"`
	NativeText string    `json:"native_description,omitempty"`
	Currency   string    `json:"currency"`
	Amount     string    `json:"amount"`
	Order      string    `json:"channel_order_id,omitempty"`
	Alias      string    `json:"order_alias,omitempty"`
	Item       string    `json:"order_item_ref,omitempty"`
	Refund     string    `json:"refund_id,omitempty"`
	Shipment   string    `json:"shipment_ref,omitempty"`
	SKU        string    `json:"sku,omitempty"`
	Quantity   int       `json:"quantity,omitempty"`
	PostedAt   time.Time `json:"posted_at,omitzero"`
}

func payoutLineOf(p connector.Payout, l connector.PayoutLine) payoutLineView {
	return payoutLineView{ID: payout.LineID(p.Account, p.External, l), No: l.No, Category: l.Category, NativeType: l.NativeType, NativeText: l.NativeText,
		Currency: l.Amount.Currency, Amount: l.Amount.Decimal(), Order: l.Order, Alias: l.Alias, Item: l.Item, Refund: l.Refund, Shipment: l.Shipment,
		SKU: l.SKU, Quantity: l.Quantity, PostedAt: l.PostedAt.UTC()}
}

// decimal is minor units of a currency as text.
func decimal(minor int64, currency string) string { return money.New(minor, currency).Decimal() }
