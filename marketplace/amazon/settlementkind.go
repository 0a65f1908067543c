package amazon

import (
	"strings"

	"channelbridge/marketplace"
)

// saleKinds are the transaction types whose rows take a buyer's price apart. Amazon spells them
// in several ways.
var saleKinds = map[string]struct{ refund, chargeback bool }{
	"order":                   {},
	"order_retrocharge":       {},
	"refund":                  {refund: true},
	"refund_retrocharge":      {refund: true},
	"a-to-z guarantee refund": {refund: true},
	"a-to-z guarantee claim":  {refund: true},
	"chargeback refund":       {refund: true, chargeback: true},
	"chargeback":              {refund: true, chargeback: true},
}

// salePart is a part of a price, a fee or a tax: what its row is in a sale, and what in a refund. In a
// refund everything the buyer gets back is a refund of the goods, of shipping or of tax, so that
// the three come to what he got.
type salePart struct{ sale, refund marketplace.Category }

var (
	goodsPart    = salePart{marketplace.Principal, marketplace.RefundPrincipal}
	shippingPart = salePart{marketplace.ShippingCharged, marketplace.RefundShipping}
	giftPart     = salePart{marketplace.GiftWrapCharged, marketplace.RefundPrincipal}
	taxPart      = salePart{marketplace.TaxCharged, marketplace.RefundTax}
	ownTaxPart   = salePart{marketplace.TaxByChannelCollected, marketplace.TaxByChannelCollected}
	fulfilPart   = salePart{marketplace.FulfilmentFee, marketplace.FeeRefund}
	fixedPart    = salePart{marketplace.FixedFee, marketplace.FeeRefund}
	servicePart  = salePart{marketplace.ServiceFee, marketplace.FeeRefund}
)

// saleParts are the rows of sales and refunds, by amount-type and amount-description in lower
// case. A star stands for the rest of a name.
var saleParts = map[string]map[string]salePart{
	"itemprice": {
		"principal": goodsPart, "tax": taxPart, "shipping": shippingPart, "shippingtax": taxPart, "giftwrap": giftPart, "giftwraptax": taxPart,
		// Only in refunds; in a sale nobody has seen them.
		"goodwill":         {marketplace.Unclassified, marketplace.RefundPrincipal},
		"restockingfee":    {marketplace.Unclassified, marketplace.RefundPrincipal},
		"restockingfeetax": {marketplace.Unclassified, marketplace.RefundTax},
		"returnshipping":   {marketplace.Unclassified, marketplace.RefundShipping},
	},
	"itemfees": {
		"commission":                 {marketplace.Commission, marketplace.FeeRefund},
		"refundcommission":           {marketplace.RefundAdminFee, marketplace.RefundAdminFee},
		"shippinghb":                 {marketplace.Commission, marketplace.FeeRefund},
		"paymentmethodfee":           {marketplace.PaymentFee, marketplace.FeeRefund},
		"fixedclosingfee":            fixedPart,
		"variableclosingfee":         fixedPart,
		"fba*":                       fulfilPart,
		"fbacustomerreturn*":         {marketplace.FulfilmentFee, marketplace.FulfilmentFee}, // charged for the return
		"shippingchargeback":         fulfilPart,                                             // the buyer's shipping, taken by Amazon that ships
		"giftwrapchargeback":         fulfilPart,
		"digitalservicesfee*":        servicePart,
		"salestaxservicefee":         servicePart,
		"salestaxcollectionfee":      servicePart,
		"regulatoryfee":              servicePart,
		"highvolumelistingfee":       servicePart,
		"amazonexclusivesprogramfee": servicePart,
	},
	"itemwithheldtax": {
		"marketplacefacilitatortax*": ownTaxPart,
		"marketplacefacilitatorvat*": ownTaxPart,
		"lowvaluegoodstax*":          ownTaxPart,
		"tcs*":                       {marketplace.WithheldVAT, marketplace.WithheldVAT},
		"tds*":                       {marketplace.WithheldIncome, marketplace.WithheldIncome},
	},
	"promotion": {
		"principal": {marketplace.SellerDiscount, marketplace.RefundPrincipal},
		"shipping":  {marketplace.SellerDiscount, marketplace.RefundShipping},
	},
}

// otherRows are the rows that belong to no sale. The name is looked for in amount-description,
// then in amount-type, then in transaction-type, in lower case.
var otherRows = map[string]marketplace.Category{
	"previous reserve amount balance": marketplace.ReserveRelease,
	"current reserve amount":          marketplace.ReserveHold,

	"cost of advertising":    marketplace.Advertising,
	"refund for advertiser":  marketplace.Advertising,
	"lightning deal fee":     marketplace.Advertising,
	"vine enrollment fee":    marketplace.Advertising,
	"couponredemptionfee":    marketplace.Advertising,
	"coupon redemption fee*": marketplace.Advertising,

	"subscription fee":          marketplace.SubscriptionFee,
	"storage fee":               marketplace.StorageFee,
	"fba storage fee":           marketplace.StorageFee,
	"fba inventory storage fee": marketplace.StorageFee,
	"fba long-term storage fee": marketplace.StorageFee,
	"long term storage fee":     marketplace.StorageFee,
	"storagerenewalbilling":     marketplace.StorageFee,

	"shipping label purchase*":           marketplace.ShippingCost,
	"carrier shipping label adjustments": marketplace.ShippingCost,

	"inbound transportation fee":         marketplace.FulfilmentFee,
	"inbound transportation program fee": marketplace.FulfilmentFee,
	"fba inbound*":                       marketplace.FulfilmentFee,
	"fbainbound*":                        marketplace.FulfilmentFee,
	"fbacustomerreturn*":                 marketplace.FulfilmentFee,
	"fba removal*":                       marketplace.FulfilmentFee,
	"fba disposal*":                      marketplace.FulfilmentFee,
	"removalcomplete":                    marketplace.FulfilmentFee,
	"disposalcomplete":                   marketplace.FulfilmentFee,

	"fba inventory reimbursement*": marketplace.ClaimReimbursement,
	"safe-t reimbursement":         marketplace.ClaimReimbursement,
	"a-to-z guarantee recovery":    marketplace.ClaimReimbursement,

	"transfer*":         marketplace.BalanceTransfer, // "Transfer of funds unsuccessful: …"
	"payable to amazon": marketplace.BalanceTransfer,
	"successful charge": marketplace.BalanceTransfer,
	"micro deposit":     marketplace.BalanceTransfer,

	"balanceadjustment":     marketplace.Correction,
	"nonsubscriptionfeeadj": marketplace.Correction,
	"fee adjustment":        marketplace.Correction,
}

// settlementCategory translates a row's three names. What is not in the tables is Unclassified.
func settlementCategory(transaction, amountType, description string) marketplace.Category {
	transaction, amountType, description = plainName(transaction), plainName(amountType), plainName(description)
	if parts, priced := saleParts[amountType]; priced {
		kind, known := saleKinds[transaction]
		p, found := lookUp(parts, description)
		switch {
		case !known || !found:
			return marketplace.Unclassified
		case kind.chargeback && (amountType == "itemprice" || amountType == "promotion"):
			return marketplace.Chargeback
		case kind.refund:
			return p.refund
		}
		return p.sale
	}
	for _, name := range []string{description, amountType, transaction} {
		if c, found := lookUp(otherRows, name); found {
			return c
		}
	}
	return marketplace.Unclassified
}

func plainName(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// longestStem bounds the beginnings tried. The tables have shorter ones.
const longestStem = 40

// lookUp looks a name up, whole or by the longest beginning that ends in a star.
func lookUp[V any](table map[string]V, name string) (v V, found bool) {
	if v, found = table[name]; found {
		return v, true
	}
	for i := min(len(name), longestStem); i > 0; i-- {
		if v, found = table[name[:i]+"*"]; found {
			return v, true
		}
	}
	return v, false
}
