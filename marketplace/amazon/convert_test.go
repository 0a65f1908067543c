package amazon

import (
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

const plainOrder = `{"orderId":"114-1","createdTime":"2026-11-20T14:00:00Z","lastUpdatedTime":"2026-11-20T14:30:00Z",
 "salesChannel":{"channelName":"AMAZON","marketplaceId":"ATVPDKIKX0DER"},
 "proceeds":{"grandTotal":{"amount":"40.00","currencyCode":"USD"}},
 "fulfillment":{"fulfillmentStatus":"UNSHIPPED","fulfilledBy":"MERCHANT"},
 "orderItems":[{"orderItemId":"I1","quantityOrdered":2,"product":{"sellerSku":"S"},
  "proceeds":{"breakdowns":[{"type":"ITEM","subtotal":{"amount":"40.00","currencyCode":"USD"}}]},
  "fulfillment":{"quantityFulfilled":0,"quantityUnfulfilled":2}}]}`

func item(t *testing.T, patch string) string {
	return `{"orderItems":[` + string(edit(t, `{"orderItemId":"I1","quantityOrdered":2,"product":{"sellerSku":"S"},
  "proceeds":{"breakdowns":[{"type":"ITEM","subtotal":{"amount":"40.00","currencyCode":"USD"}}]},
  "fulfillment":{"quantityFulfilled":0,"quantityUnfulfilled":2}}`, patch)) + `]}`
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, by string
		life       marketplace.Lifecycle
		holds      []string
		problem    string
	}{
		{"PENDING", "MERCHANT", marketplace.Pending, nil, ""},
		{"PENDING_AVAILABILITY", "MERCHANT", marketplace.Pending, []string{"preorder"}, ""},
		{"UNSHIPPED", "MERCHANT", marketplace.Open, nil, ""},
		{"PARTIALLY_SHIPPED", "MERCHANT", marketplace.Open, nil, ""},
		{"SHIPPED", "AMAZON", marketplace.Closed, nil, ""},
		{"CANCELLED", "MERCHANT", marketplace.Cancelled, nil, ""},
		{"UNFULFILLABLE", "AMAZON", marketplace.Open, []string{"service"}, ""},
		{"InvoiceUnconfirmed", "MERCHANT", marketplace.Open, []string{"invoice"}, ""},
		{"UpComing", "MERCHANT", marketplace.Unmapped, nil, problemState},
		{"", "MERCHANT", marketplace.Unmapped, nil, problemState},
		{"UNSHIPPED", "PARTNER", marketplace.Unmapped, nil, problemState},
		{"UNSHIPPED", "", marketplace.Unmapped, nil, problemMissing},
		{"SHIPPED", "", marketplace.Closed, nil, problemMissing},
	} {
		o, err := convert(edit(t, plainOrder, `{"fulfillment":{"fulfillmentStatus":"`+c.status+`","fulfilledBy":"`+c.by+`"}}`), nil)
		require.NoError(t, err)
		require.Equal(t, c.life, o.Lifecycle, c.status)
		require.Equal(t, c.holds, o.Holds, c.status)
		require.Equal(t, c.status, o.External)
		requireProblem(t, o, c.problem)
	}
	o, err := convert(edit(t, plainOrder, `{"fulfillment":null}`), []string{"FULFILLMENT"})
	require.NoError(t, err)
	require.Equal(t, marketplace.Unmapped, o.Lifecycle)
	requireProblem(t, o, problemMissing)
}

func requireProblem(t *testing.T, o marketplace.Order, kind string) {
	t.Helper()
	if kind == "" {
		require.Empty(t, o.Problems)
		return
	}
	require.NotEmpty(t, o.Problems)
	require.Equal(t, kind, o.Problems[0].Kind)
}

func usd(minor int64) money.Money { return money.New(minor, "USD") }

func TestParts(t *testing.T) {
	t.Parallel()
	sub := func(kind, amount, more string) string {
		return `{"type":"` + kind + `","subtotal":{"amount":` + amount + `,"currencyCode":"USD"}` + more + `}`
	}
	detail := func(kind, amount string) string {
		return `{"subtype":"` + kind + `","value":{"amount":` + amount + `,"currencyCode":"USD"}}`
	}
	for _, c := range []struct {
		name, breakdowns, total string
		parts                   []marketplace.Component
		problem                 string
	}{
		{"plain", sub("ITEM", `"40.00"`, ""), `"40.00"`, []marketplace.Component{{Kind: marketplace.Item, Amount: usd(4000)}}, ""},
		{"amounts as JSON numbers", sub("ITEM", `40.10`, ""), `40.1`, []marketplace.Component{{Kind: marketplace.Item, Amount: usd(4010)}}, ""},
		{"all kinds", sub("ITEM", `"40"`, "") + `,` + sub("SHIPPING", `"5"`, "") + `,` + sub("GIFT_WRAP", `"2"`, "") + `,` + sub("COD_FEE", `"1"`, ""), `"48"`,
			[]marketplace.Component{{Kind: marketplace.Item, Amount: usd(4000)}, {Kind: marketplace.Shipping, Amount: usd(500)},
				{Kind: marketplace.GiftWrap, Amount: usd(200)}, {Kind: marketplace.Fee, Amount: usd(100)}}, ""},
		{"tax and discount by kind", sub("ITEM", `"40"`, "") + `,` + sub("SHIPPING", `"5"`, "") + `,` +
			sub("TAX", `"3.75"`, `,"detailedBreakdowns":[`+detail("ITEM", `"3.25"`)+`,`+detail("SHIPPING", `"0.50"`)+`]`) + `,` +
			sub("DISCOUNT", `"-6"`, `,"detailedBreakdowns":[`+detail("ITEM", `"-4"`)+`,`+detail("SHIPPING", `"-2"`)+`]`), `"42.75"`,
			[]marketplace.Component{{Kind: marketplace.Item, Amount: usd(4000), Tax: usd(325), Discount: usd(400)},
				{Kind: marketplace.Shipping, Amount: usd(500), Tax: usd(50), Discount: usd(200)}}, ""},
		{"a positive discount is the same", sub("ITEM", `"40"`, "") + `,` + sub("DISCOUNT", `"6"`, ""), `"34"`,
			[]marketplace.Component{{Kind: marketplace.Item, Amount: usd(4000), Discount: usd(600)}}, ""},
		{"unexplained tax falls to the item", sub("ITEM", `"40"`, "") + `,` + sub("TAX", `"3"`, `,"detailedBreakdowns":[`+detail("OTHER", `"3"`)+`]`), `"43"`,
			[]marketplace.Component{{Kind: marketplace.Item, Amount: usd(4000), Tax: usd(300)}}, ""},
		{"tax of a kind that has no price", sub("ITEM", `"40"`, "") + `,` + sub("TAX", `"1"`, `,"detailedBreakdowns":[`+detail("SHIPPING", `"1"`)+`]`), `"41"`,
			[]marketplace.Component{{Kind: marketplace.Item, Amount: usd(4000)}, {Kind: marketplace.Shipping, Amount: usd(0), Tax: usd(100)}}, ""},
		{"details that differ from their sum", sub("ITEM", `"40"`, "") + `,` + sub("TAX", `"3"`, `,"detailedBreakdowns":[`+detail("ITEM", `"2"`)+`]`), `"43"`,
			[]marketplace.Component{{Kind: marketplace.Item, Amount: usd(4000), Tax: usd(300)}}, problemDivergence},
		{"unknown type", sub("ITEM", `"40"`, "") + `,` + sub("MYSTERY", `"1"`, ""), `"41"`,
			[]marketplace.Component{{Kind: marketplace.Item, Amount: usd(4000)}, {Kind: marketplace.Adjustment, Amount: usd(100)}}, problemPart},
		{"sum differs from the grand total", sub("ITEM", `"40"`, ""), `"39.99"`,
			[]marketplace.Component{{Kind: marketplace.Item, Amount: usd(4000)}}, problemDivergence},
	} {
		doc := edit(t, plainOrder, item(t, `{"proceeds":{"breakdowns":[`+c.breakdowns+`]}}`))
		doc = edit(t, string(doc), `{"proceeds":{"grandTotal":{"amount":`+c.total+`}}}`)
		o, err := convert(doc, nil)
		require.NoError(t, err, c.name)
		require.Equal(t, c.parts, o.Lines[0].Parts, c.name)
		requireProblem(t, o, c.problem)
	}
}

func TestTaxInsideThePrice(t *testing.T) {
	t.Parallel()
	patch := item(t, `{"proceeds":{"breakdowns":[{"type":"ITEM","subtotal":{"amount":"40","currencyCode":"USD"}},{"type":"TAX","subtotal":{"amount":"6","currencyCode":"USD"}}]},
	 "tax":{"taxCollections":[{"model":"MARKETPLACE_FACILITATOR"}]}}`)
	doc := string(edit(t, plainOrder, patch))
	for _, c := range []struct {
		site, total string
		included    bool
		problem     string
	}{
		{"A1PA6795UKMFR9", "40", true, ""},
		{"A1PA6795UKMFR9", "46", false, ""},
		{"ATVPDKIKX0DER", "46", false, ""},
		{"ATVPDKIKX0DER", "40", false, problemDivergence},
		{"A1PA6795UKMFR9", "41", true, problemDivergence},
	} {
		o, err := convert(edit(t, doc, `{"salesChannel":{"marketplaceId":"`+c.site+`"},"proceeds":{"grandTotal":{"amount":"`+c.total+`"}}}`), nil)
		require.NoError(t, err)
		p := o.Lines[0].Parts[0]
		require.Equal(t, c.included, p.TaxIncluded, "%+v", c)
		require.True(t, p.TaxByChannel)
		requireProblem(t, o, c.problem)
	}
}

func TestOrderLevelCharges(t *testing.T) {
	t.Parallel()
	money := func(kind, amount string) string {
		return `{"type":"` + kind + `","subtotal":{"amount":"` + amount + `","currencyCode":"USD"}}`
	}
	for _, total := range []string{"44", "41"} { // a tip may stand outside the total
		o, err := convert(edit(t, plainOrder, `{"proceeds":{"grandTotal":{"amount":"`+total+`"},"breakdowns":[`+
			money("ITEM", "40")+`,`+money("OTHER", "1")+`,`+money("DELIVERY_TIP", "3")+`]}}`), nil)
		require.NoError(t, err)
		require.Equal(t, []marketplace.Component{{Kind: marketplace.Adjustment, Amount: usd(100)}, {Kind: marketplace.Tip, Amount: usd(300)}}, o.Charges)
		require.Empty(t, o.Problems)
	}
	doc := edit(t, plainOrder, item(t, `{"proceeds":{"breakdowns":[`+money("ITEM", "40")+`,`+money("OTHER", "1")+`]}}`))
	o, err := convert(edit(t, string(doc), `{"proceeds":{"grandTotal":{"amount":"41"},"breakdowns":[`+money("OTHER", "1")+`]}}`), nil)
	require.NoError(t, err)
	require.Empty(t, o.Charges, "the order's figure is the sum of the items'")
	require.Empty(t, o.Problems)
}

func TestPricesThatAreMissing(t *testing.T) {
	t.Parallel()
	pending := `{"proceeds":null,"fulfillment":{"fulfillmentStatus":"PENDING"}}`
	o, err := convert(edit(t, string(edit(t, plainOrder, item(t, `{"proceeds":null}`))), pending), nil)
	require.NoError(t, err)
	require.Empty(t, o.Problems, "normal while pending")
	require.Empty(t, o.Lines[0].Parts)
	require.Nil(t, o.ShipTo)

	o, err = convert(edit(t, plainOrder, item(t, `{"proceeds":null,"product":{"price":{"unitPrice":{"amount":"20.00","currencyCode":"USD"}}}}`)), nil)
	require.NoError(t, err)
	require.Equal(t, usd(4000), o.Lines[0].Parts[0].Amount)
	requireProblem(t, o, problemMissing)

	o, err = convert(edit(t, plainOrder, item(t, `{"proceeds":null}`)), nil)
	require.NoError(t, err)
	requireProblem(t, o, problemMissing)
}

func TestQuantitiesAndCancellation(t *testing.T) {
	t.Parallel()
	o, err := convert(edit(t, plainOrder, item(t, `{"quantityOrdered":3,"fulfillment":{"quantityFulfilled":1,"quantityUnfulfilled":1},
	 "cancellation":{"cancellationExecution":{"cancelledBy":"MERCHANT"}}}`)), nil)
	require.NoError(t, err)
	require.Equal(t, []int{3, 1, 1}, []int{o.Lines[0].Ordered, o.Lines[0].Shipped, o.Lines[0].Cancelled})
	require.Nil(t, o.CancelRequest)

	o, err = convert(edit(t, plainOrder, item(t, `{"cancellation":{"cancellationRequest":{"requester":"BUYER","cancelReason":"late"}}}`)), nil)
	require.NoError(t, err)
	require.Equal(t, &marketplace.CancelRequest{Lines: []string{"I1"}, Reason: "late"}, o.CancelRequest)

	o, err = convert(edit(t, plainOrder, item(t, `{"cancellation":{"cancellationRequest":{"requester":"ROBOT"}}}`)), nil)
	require.NoError(t, err)
	require.Nil(t, o.CancelRequest)
	requireProblem(t, o, problemState)

	o, err = convert(edit(t, plainOrder, `{"fulfillment":{"fulfillmentStatus":"CANCELLED"}}`), nil)
	require.NoError(t, err)
	require.Equal(t, 2, o.Lines[0].Cancelled)

	o, err = convert(edit(t, plainOrder, item(t, `{"fulfillment":{"quantityFulfilled":2,"quantityUnfulfilled":2}}`)), nil)
	require.NoError(t, err)
	requireProblem(t, o, problemDivergence)
}

func TestPlaceAndRelations(t *testing.T) {
	t.Parallel()
	o, err := convert(edit(t, plainOrder, `{"salesChannel":{"marketplaceId":"NEW"},"associatedOrders":[{"orderId":"111-1","associationType":"REPLACEMENT_ORIGINAL_ID"}],
	 "orderAliases":[{"aliasId":"A","aliasType":"SELLER_ORDER_ID"}],"programs":["AMAZON_EASY_SHIP"],"recipient":{"deliveryAddress":{}}}`), nil)
	require.NoError(t, err)
	require.Equal(t, "UTC", o.Zone)
	requireProblem(t, o, problemMissing)
	require.Equal(t, marketplace.OrderID("111-1"), o.Replaces)
	require.Equal(t, []string{"A"}, o.Aliases)
	require.Contains(t, o.NoShip, "Easy Ship")
	require.Nil(t, o.ShipTo, "an empty address is none")
}

func TestPoison(t *testing.T) {
	t.Parallel()
	for name, patch := range map[string]string{
		"no id":              `{"orderId":""}`,
		"no time":            `{"createdTime":null}`,
		"time without zone":  `{"lastUpdatedTime":"2026-11-20T14:30:00"}`,
		"too many decimals":  `{"proceeds":{"grandTotal":{"amount":"1.234"}}}`,
		"decimals in yen":    `{"proceeds":{"grandTotal":{"amount":"19940.5","currencyCode":"JPY"}}}`,
		"locale text":        `{"proceeds":{"grandTotal":{"amount":"1.234,56"}}}`,
		"exponent":           `{"proceeds":{"grandTotal":{"amount":1e2}}}`,
		"overflow":           `{"proceeds":{"grandTotal":{"amount":"99999999999999999999"}}}`,
		"no currency":        `{"proceeds":{"grandTotal":{"currencyCode":"usd"}}}`,
		"two currencies":     `{"proceeds":{"grandTotal":{"currencyCode":"EUR"}}}`,
		"amount is a list":   `{"proceeds":{"grandTotal":{"amount":[1]}}}`,
		"negative quantity":  item(t, `{"quantityOrdered":-1}`),
		"half a unit":        item(t, `{"quantityOrdered":0.5}`),
		"no quantity":        item(t, `{"quantityOrdered":null}`),
		"item without id":    item(t, `{"orderItemId":""}`),
		"items are a string": `{"orderItems":"x"}`,
	} {
		raw := edit(t, plainOrder, patch)
		_, err := convert(raw, nil)
		var faulty *marketplace.FaultyError
		require.ErrorAs(t, err, &faulty, name)
		require.Equal(t, raw, faulty.Raw, name)
		require.Equal(t, fault.Refused, fault.Of(err), name)
	}
}

func FuzzConvertOrder(f *testing.F) {
	f.Add([]byte(plainOrder))
	f.Add([]byte(`{"orderId":"1","createdTime":"2026-01-01T00:00:00Z","lastUpdatedTime":"2026-01-01T00:00:00Z","orderItems":[{"orderItemId":"a","quantityOrdered":9223372036854775807,"product":{"price":{"unitPrice":{"amount":"92233720368547758","currencyCode":"USD"}}}}]}`))
	f.Add([]byte(`{"orderId":"1","packages":[{"packageItems":[{}]}],"orderItems":[null]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := convert(raw, nil)
		if err != nil {
			var faulty *marketplace.FaultyError
			require.ErrorAs(t, err, &faulty)
			return
		}
		require.NotEmpty(t, o.ID)
		require.NotEmpty(t, o.Zone)
		require.NotEmpty(t, o.Lifecycle)
		for _, l := range o.Lines {
			require.GreaterOrEqual(t, l.Cancelled, 0)
			for _, p := range l.Parts {
				require.GreaterOrEqual(t, p.Discount.Minor, int64(0))
			}
		}
	})
}
