package httpapi

// Codes of refusals of refunds and cancellations. They are stable and documented.
const (
	AlreadyRefunded  = "already_refunded"   // the channel has given this money back itself
	AboveRefundable  = "above_refundable"   // more than is left
	AmountZero       = "amount_zero"        // nothing would be given back
	LockedByRequest  = "locked_by_request"  // another request for the same is under way
	WholeOnly        = "whole_only"         // the channel takes only the whole order
	CurrencyDiffers  = "currency_differs"   // not the order's currency
	NotCaptured      = "not_captured"       // the buyer was not charged yet
	ChannelNotActive = "channel_not_active" // paused, disconnected, removed or reconnecting
	OrderHeld        = "held"               // a person holds the order
	UnknownLine      = "unknown_line"       // the order has no such line
	NoCapability     = "no_capability"      // the channel cannot do this at all
)

// Refusal says why something is not done. As an error of one of the interfaces here it is
// answered with 422 and its code. Its texts are shown to people as they are: no personal data.
type Refusal struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`         // why
	Hint   string `json:"hint,omitempty"` // what to do
	Line   string `json:"line,omitempty"` // the channel line concerned
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Reason }

// hints say what to do where whoever refused does not.
var hints = map[string]string{
	AlreadyRefunded:  "Look at the refunds of both sides; if the store does not show it, record it there without sending it.",
	AboveRefundable:  "Ask for no more than the sheet shows as refundable: GET …/refunds.",
	AmountZero:       "Ask for an amount above zero. An order is tied to a payment, so cancelling it needs money to give back.",
	LockedByRequest:  "Wait until the open request has its outcome, or resolve its ledger entry when it is in doubt.",
	WholeOnly:        "Refund or cancel the whole order.",
	CurrencyDiffers:  "Give amounts in the currency of the order.",
	NotCaptured:      "Cancel what has not shipped instead, or wait until the buyer was charged.",
	ChannelNotActive: "Resume or reconnect the channel first: GET /v1/channels/{id} says how it stands.",
	OrderHeld:        "Release the order first: POST …/release.",
	UnknownLine:      "Use the channel's line ids, as the sheet shows them: GET …/refunds.",
	NoCapability:     "Do it at the channel itself; the bridge will see it there.",
}

func (r Refusal) hint() string {
	if r.Hint != "" {
		return r.Hint
	}
	return hints[r.Code]
}
