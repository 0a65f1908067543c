package amazon

import (
	"fmt"
	"maps"
	"slices"

	"channelbridge/marketplace"
)

// Reasons of a store, as this adapter's tables know them. "customer_request" is a cancellation
// the buyer asked Amazon for, on record there; "" stands for every reason without a row.
//
// Amazon counts a cancellation against the seller unless the buyer asked for it, so BuyerCanceled
// and CustomerCancel stand nowhere else. NoInventory alone keeps the units out of the listing.
var defaultReasons = map[marketplace.Operation]map[string]string{
	marketplace.OpCancel: {
		"customer_request": "BuyerCanceled",
		"customer":         "GeneralAdjustment",
		"inventory":        "NoInventory",
		"fraud":            "RiskAssessmentInformationNotValid",
		"declined":         "CannotVerifyInformation",
		"staff":            "RejectOrder",
		"other":            "GeneralAdjustment",
		"":                 "GeneralAdjustment",
	},
	marketplace.OpCancelUnits: {
		"customer_request": "CustomerCancel",
		"customer":         "NoInventory",
		"inventory":        "NoInventory",
		"fraud":            "NoInventory",
		"declined":         "NoInventory",
		"staff":            "NoInventory",
		"other":            "NoInventory",
		"":                 "NoInventory",
	},
	marketplace.OpRefund: {
		"customer_request": "CustomerReturn",
		"customer":         "CustomerReturn",
		"inventory":        "CouldNotShip",
		"fraud":            "RiskAssessmentInformationNotValid",
		"declined":         "GeneralAdjustment",
		"staff":            "GeneralAdjustment",
		"other":            "GeneralAdjustment",
		"":                 "GeneralAdjustment",
	},
}

// validReasons are the values of Amazon's feeds: CancelReason of an acknowledgement, and
// AdjustmentReason of an adjustment, of which a cancellation of units takes two.
var validReasons = map[marketplace.Operation][]string{
	marketplace.OpCancel: {"NoInventory", "ShippingAddressUndeliverable", "CustomerExchange", "BuyerCanceled", "GeneralAdjustment",
		"CarrierCreditDecision", "RiskAssessmentInformationNotValid", "CarrierCoverageFailure", "CustomerReturn",
		"MerchandiseNotReceived", "CannotVerifyInformation", "PricingError", "RejectOrder", "WeatherDelay"},
	marketplace.OpCancelUnits: {"NoInventory", "CustomerCancel"},
	marketplace.OpRefund: {"NoInventory", "CustomerReturn", "GeneralAdjustment", "CouldNotShip", "DifferentItem", "Abandoned",
		"CustomerCancel", "PriceError", "ProductOutofStock", "CustomerAddressIncorrect", "Exchange", "Other",
		"CarrierCreditDecision", "RiskAssessmentInformationNotValid", "CarrierCoverageFailure", "TransactionRecord",
		"Undeliverable", "RefusedDelivery"},
}

// translations lays the operator's rows over the built-in ones; the result is the caller's.
func translations(over map[marketplace.Operation]map[string]string) map[marketplace.Operation]map[string]string {
	all := map[marketplace.Operation]map[string]string{}
	for op, rows := range defaultReasons {
		all[op] = maps.Clone(rows)
		maps.Copy(all[op], over[op])
	}
	return all
}

// checkReasons names every row Amazon would not take.
func checkReasons(over map[marketplace.Operation]map[string]string) (bad []error) {
	for op, rows := range over {
		valid, known := validReasons[op]
		if !known {
			bad = append(bad, fmt.Errorf("reasons for %q: Amazon takes no such instruction", op))
			continue
		}
		for from, to := range rows {
			if !slices.Contains(valid, to) {
				bad = append(bad, fmt.Errorf("reason %q for %s: Amazon does not know %q", from, op, to))
			}
		}
	}
	return bad
}
