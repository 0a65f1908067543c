package order

// Codes of refusals of what a person asks for. They are stable and documented.
const (
	AlreadyRefunded  = "already_refunded"   // the channel has given this money back itself
	AboveRefundable  = "above_refundable"   // more than is left
	AmountZero       = "amount_zero"        // nothing would be given back
	LockedByRequest  = "locked_by_request"  // other money of this order is under way
	WholeOnly        = "whole_only"         // the channel takes only the whole order
	CurrencyDiffers  = "currency_differs"   // not the order's currency
	NotCaptured      = "not_captured"       // the buyer was not charged yet
	ChannelNotActive = "channel_not_active" // nothing is sent to the channel now
	Held             = "held"               // something stops the whole order
	UnknownLine      = "unknown_line"       // the order has no such line
	NoCapability     = "no_capability"      // the channel cannot do this
)

// Refusal says why a wish would not be carried out. Its texts are for people.
type Refusal struct {
	Code   string
	Reason string
	Hint   string // what to do; "" leaves it to the code
	Line   string // the channel line concerned
}

// refusing maps holds about a wish to the code with which it is refused.
var refusing = map[string]string{
	"already_refunded": AlreadyRefunded, "above_refundable": AboveRefundable, "currency_differs": CurrencyDiffers,
	"whole_only": WholeOnly, "no_capability": NoCapability, "refund_waits": NotCaptured, "approval_needed": Held,
}

// stopping maps holds that stop all money of an order.
var stopping = map[string]string{
	"held_by_operator": Held, "unmapped_state": Held, "unreadable": Held, "not_found": Held, "mirror_missing": Held,
	"channel_refunds": NoCapability, "cancel_without_refund": Held, "cancel_refused": Held,
}
