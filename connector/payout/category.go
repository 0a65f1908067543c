package payout

import "channelbridge/marketplace"

// Group is how a report sums categories up.
type Group string

const (
	Gross    Group = "gross"
	Fees     Group = "fees"
	Withheld Group = "withheld_tax"
	Refunds  Group = "refunds"
	Other    Group = "other"
)

// CauseCode says why what came differs from what was expected. The list is closed.
type CauseCode string

const (
	CausePrice        CauseCode = "price"
	CauseDiscount     CauseCode = "discount"
	CauseShipping     CauseCode = "shipping"
	CauseTax          CauseCode = "tax"
	CauseCommission   CauseCode = "commission"
	CausePaymentFee   CauseCode = "payment_fee"
	CauseServiceFee   CauseCode = "service_fee"
	CauseShippingCost CauseCode = "shipping_cost"
	CauseWithheld     CauseCode = "withheld_tax"
	CauseRefund       CauseCode = "refund"
	CauseChargeback   CauseCode = "chargeback"
	CauseCompensation CauseCode = "compensation"
	CauseFX           CauseCode = "fx"
	CauseDuplicate    CauseCode = "duplicate"
	CauseNotYet       CauseCode = "not_yet_settled"
	CauseRounding     CauseCode = "rounding"
	CauseUnknown      CauseCode = "unknown"
)

// kindOf is what the rules need to know of a category.
type kindOf struct {
	group Group
	cause CauseCode
	// alone: it belongs to no order and is complete by itself.
	alone bool
	// told: it explains itself and is no variance of what was expected.
	told bool
}

var kinds = map[marketplace.Category]kindOf{
	marketplace.Principal:             {group: Gross, cause: CausePrice},
	marketplace.GiftWrapCharged:       {group: Gross, cause: CausePrice},
	marketplace.ShippingCharged:       {group: Gross, cause: CauseShipping},
	marketplace.TaxCharged:            {group: Gross, cause: CauseTax},
	marketplace.TaxByChannelCollected: {group: Gross, cause: CauseTax},
	marketplace.SellerDiscount:        {group: Gross, cause: CauseDiscount},
	marketplace.ChannelDiscount:       {group: Gross, cause: CauseDiscount},
	marketplace.RefundPrincipal:       {group: Refunds, cause: CauseRefund},
	marketplace.RefundShipping:        {group: Refunds, cause: CauseRefund},
	marketplace.RefundTax:             {group: Refunds, cause: CauseRefund},
	marketplace.Commission:            {group: Fees, cause: CauseCommission},
	marketplace.FeeRefund:             {group: Fees, cause: CauseCommission},
	marketplace.RefundAdminFee:        {group: Fees, cause: CauseCommission},
	marketplace.PaymentFee:            {group: Fees, cause: CausePaymentFee},
	marketplace.ServiceFee:            {group: Fees, cause: CauseServiceFee},
	marketplace.FixedFee:              {group: Fees, cause: CauseServiceFee},
	marketplace.FulfilmentFee:         {group: Fees, cause: CauseServiceFee},
	marketplace.AffiliateFee:          {group: Fees, cause: CauseServiceFee},
	marketplace.FeeTax:                {group: Fees, cause: CauseServiceFee},
	marketplace.Penalty:               {group: Fees, cause: CauseServiceFee},
	marketplace.ShippingCost:          {group: Fees, cause: CauseShippingCost},
	marketplace.ShippingRebate:        {group: Fees, cause: CauseShippingCost},
	marketplace.WithheldVAT:           {group: Withheld, cause: CauseWithheld},
	marketplace.WithheldIncome:        {group: Withheld, cause: CauseWithheld},
	marketplace.Chargeback:            {group: Other, cause: CauseChargeback},
	marketplace.ChargebackReversal:    {group: Other, cause: CauseChargeback},
	marketplace.ClaimReimbursement:    {group: Other, cause: CauseCompensation, told: true},
	marketplace.Compensation:          {group: Other, cause: CauseCompensation, told: true},
	marketplace.FXDifference:          {group: Other, cause: CauseFX, told: true},
	marketplace.Correction:            {group: Other, cause: CauseUnknown},
	marketplace.Unclassified:          {group: Other, cause: CauseUnknown},

	marketplace.StorageFee:      {group: Other, alone: true},
	marketplace.Advertising:     {group: Other, alone: true},
	marketplace.SubscriptionFee: {group: Other, alone: true},
	marketplace.Loan:            {group: Other, alone: true},
	marketplace.ReserveHold:     {group: Other, alone: true},
	marketplace.ReserveRelease:  {group: Other, alone: true},
	marketplace.BalanceTransfer: {group: Other, alone: true},
}

// kind looks a category up; one that nobody knows counts as unclassified.
func kind(category string) kindOf {
	if k, ok := kinds[marketplace.Category(category)]; ok {
		if k.cause == "" {
			k.cause = CauseUnknown
		}
		return k
	}
	return kinds[marketplace.Unclassified]
}

// bound reports a category that makes no sense without an order.
func bound(c marketplace.Category) bool {
	k := kind(string(c))
	return k.group == Gross || k.group == Refunds || k.cause == CauseCommission || k.cause == CauseChargeback
}

// reserve reports money that the channel keeps back, or lets go of again.
func reserve(category string) bool {
	return category == string(marketplace.ReserveHold) || category == string(marketplace.ReserveRelease)
}
