package feedschema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// element is one place in a sequence: a name or several to choose from, how often, and what is
// inside.
type element struct {
	names string // "A|B": one of them
	min   int
	max   int // 0: no limit
	in    []element
	text  check
	attrs map[string]check // all of them required, no others allowed besides namespaces
}

type check func(string) error

func one(names string, text check, in ...element) element { return element{names, 1, 1, in, text, nil} }
func maybe(names string, text check, in ...element) element {
	return element{names, 0, 1, in, text, nil}
}
func many(names string, in ...element) element { return element{names, 1, 0, in, nil, nil} }
func some(names string, in ...element) element { return element{names, 0, 0, in, nil, nil} }

func matches(pattern string) check {
	re := regexp.MustCompile(pattern)
	return func(s string) error {
		if !re.MatchString(s) {
			return fmt.Errorf("%q is not %s", s, pattern)
		}
		return nil
	}
}

func oneOf(list string) check {
	values := strings.Fields(list)
	return func(s string) error {
		if !slices.Contains(values, s) {
			return fmt.Errorf("%q is not one of the values", s)
		}
		return nil
	}
}

var (
	text50     = matches(`^\S.{0,49}$`)
	code14     = matches(`^[0-9]{14}$`)
	orderID    = matches(`^[0-9]{3}-[0-9]{7}-[0-9]{7}$`)
	positive   = matches(`^[1-9][0-9]*$`)
	currency   = matches(`^[A-Z]{3}$`)
	decimal    = matches(`^-?[0-9]+(\.[0-9]{1,2})?$`)
	cancelled  = oneOf("NoInventory ShippingAddressUndeliverable CustomerExchange BuyerCanceled GeneralAdjustment CarrierCreditDecision RiskAssessmentInformationNotValid CarrierCoverageFailure CustomerReturn MerchandiseNotReceived CannotVerifyInformation PricingError RejectOrder WeatherDelay")
	adjusted   = oneOf("NoInventory CustomerReturn GeneralAdjustment CouldNotShip DifferentItem Abandoned CustomerCancel PriceError ProductOutofStock CustomerAddressIncorrect Exchange Other CarrierCreditDecision RiskAssessmentInformationNotValid CarrierCoverageFailure TransactionRecord Undeliverable RefusedDelivery")
	components = oneOf("Principal Shipping Tax ShippingTax RestockingFee RestockingFeeTax GiftWrap GiftWrapTax Surcharge ReturnShipping Goodwill ExportCharge COD CODTax Other FreeReplacementReturnShipping")
)

var amount = element{"Amount", 1, 1, nil, decimal, map[string]check{"currency": currency}}

var component = many("Component", one("Type", components), amount)

var acknowledgement = one("OrderAcknowledgement", nil,
	one("AmazonOrderID|MerchantOrderID", orderID),
	one("StatusCode", oneOf("Success Failure")),
	some("Item",
		one("AmazonOrderItemCode", code14),
		maybe("MerchantOrderItemID", text50),
		maybe("CancelReason", cancelled),
		maybe("Quantity", positive)))

var adjustment = one("OrderAdjustment", nil,
	one("AmazonOrderID|MerchantOrderID", orderID),
	maybe("ActionType", oneOf("Refund Cancel")),
	maybe("CODCollectionMethod", oneOf("DirectPayment")),
	many("AdjustedItem",
		one("AmazonOrderItemCode|MerchantOrderItemID", code14),
		maybe("MerchantAdjustmentItemID", text50),
		one("AdjustmentReason", adjusted),
		maybe("ItemPriceAdjustments", nil, component),
		some("PromotionAdjustments", one("PromotionClaimCode|MerchantPromotionID", text50),
			many("Component", one("Type", oneOf("Principal Shipping")), amount)),
		maybe("DirectPaymentAdjustments", nil, component),
		maybe("QuantityCancelled", positive),
		maybe("Quantity", positive)))

var envelope = one("AmazonEnvelope", nil,
	one("Header", nil, one("DocumentVersion", oneOf("1.01")), one("MerchantIdentifier", matches(`^A[A-Z0-9]+$`))),
	one("MessageType", oneOf("OrderAcknowledgement OrderAdjustment")),
	many("Message", one("MessageID", positive), element{"OrderAcknowledgement|OrderAdjustment", 1, 1, nil, nil, nil}))

// fits checks a node against its place.
func (e element) fits(n *Node) error {
	wrong := func(err error) error { return fmt.Errorf("%s: %w", n.Name, err) }
	for name, c := range e.attrs {
		if err := c(n.Attrs[name]); err != nil {
			return wrong(err)
		}
	}
	if e.text != nil {
		if len(n.Children) > 0 {
			return wrong(fmt.Errorf("elements inside a text"))
		}
		if err := e.text(n.Text); err != nil {
			return wrong(err)
		}
	}
	if e.in == nil {
		return nil
	}
	rest := n.Children
	for _, place := range e.in {
		count := 0
		for len(rest) > 0 && (place.max == 0 || count < place.max) && slices.Contains(strings.Split(place.names, "|"), rest[0].Name) {
			if err := place.fits(rest[0]); err != nil {
				return wrong(err)
			}
			rest, count = rest[1:], count+1
		}
		if count < place.min {
			return wrong(fmt.Errorf("%s is missing where it must stand", place.names))
		}
	}
	if len(rest) > 0 {
		return wrong(fmt.Errorf("%s stands where it may not", rest[0].Name))
	}
	return nil
}
