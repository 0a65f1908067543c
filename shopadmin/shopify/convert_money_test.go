package shopify

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

func usd(minor int64) money.Money { return money.New(minor, "USD") }

func bagOf(amount string) moneyBag { return moneyBag{moneyInput{amount, "USD"}} }

func giveBack(status, amount string) transactionNode {
	return transactionNode{ID: "t", Kind: "REFUND", Status: status, AmountSet: bagOf(amount)}
}

func lineOf(id string, n int, restock, net, tax string) refundLineNode {
	return refundLineNode{Quantity: n, RestockType: restock, LineItem: idNode{id}, SubtotalSet: bagOf(net), TotalTaxSet: bagOf(tax)}
}

// What a refund records, what its parts come to, and what money moved are three things.
func TestToRefund(t *testing.T) {
	const at = "2026-11-20T10:00:00Z"
	when := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		in   refundNode
		want shopadmin.Refund
	}{
		"lines and money": {refundNode{Note: "broken",
			Lines:        connection[refundLineNode]{Nodes: []refundLineNode{lineOf("a", 2, "RETURN", "20.00", "1.65"), lineOf("b", 1, "CANCEL", "5.00", "0.00")}},
			Transactions: connection[transactionNode]{Nodes: []transactionNode{giveBack("SUCCESS", "26.65")}}},
			shopadmin.Refund{Note: "broken", Lines: []shopadmin.RefundLine{{Line: "a", Quantity: 2, Restock: shopadmin.RestockReturn, Amount: usd(2000), Tax: usd(165)},
				{Line: "b", Quantity: 1, Restock: shopadmin.RestockCancel, Amount: usd(500), Tax: usd(0)}}, Moved: usd(2665)}},
		"money without lines": {refundNode{Adjustments: connection[adjustmentNode]{Nodes: []adjustmentNode{{"REFUND_DISCREPANCY"}, {"DAMAGE"}}},
			Transactions: connection[transactionNode]{Nodes: []transactionNode{giveBack("SUCCESS", "3.00"), giveBack("SUCCESS", "1.50")}}},
			shopadmin.Refund{Reason: "damage", Moved: usd(450)}},
		"shipping alone, with the adjustment that says it again": {refundNode{
			Shipping:     connection[refundShippingNode]{Nodes: []refundShippingNode{{bagOf("5.00"), bagOf("0.40")}, {bagOf("1.00"), bagOf("0.00")}}},
			Adjustments:  connection[adjustmentNode]{Nodes: []adjustmentNode{{""}}},
			Transactions: connection[transactionNode]{Nodes: []transactionNode{giveBack("SUCCESS", "6.40")}}},
			shopadmin.Refund{Shipping: usd(600), ShipTax: usd(40), Moved: usd(640)}},
		"another amount than the parts": {refundNode{Lines: connection[refundLineNode]{Nodes: []refundLineNode{lineOf("a", 1, "NO_RESTOCK", "10.00", "0.83")}},
			Transactions: connection[transactionNode]{Nodes: []transactionNode{giveBack("SUCCESS", "4.00")}}},
			shopadmin.Refund{Lines: []shopadmin.RefundLine{{Line: "a", Quantity: 1, Restock: shopadmin.RestockNone, Amount: usd(1000), Tax: usd(83)}}, Moved: usd(400)}},
		"pending": {refundNode{Transactions: connection[transactionNode]{Nodes: []transactionNode{giveBack("PENDING", "4.00"), giveBack("AWAITING_RESPONSE", "1.00"), giveBack("SUCCESS", "2.00")}}},
			shopadmin.Refund{Moved: usd(200), Pending: usd(500)}},
		"a state not heard of may move money": {refundNode{Transactions: connection[transactionNode]{Nodes: []transactionNode{giveBack("DREAMING", "4.00")}}},
			shopadmin.Refund{Pending: usd(400)}},
		"failed": {refundNode{Transactions: connection[transactionNode]{Nodes: []transactionNode{giveBack("FAILURE", "4.00"), giveBack("ERROR", "4.00")}}},
			shopadmin.Refund{}},
		"goods alone": {refundNode{Lines: connection[refundLineNode]{Nodes: []refundLineNode{lineOf("a", 1, "RETURN", "10.00", "0.00")}}},
			shopadmin.Refund{Lines: []shopadmin.RefundLine{{Line: "a", Quantity: 1, Restock: shopadmin.RestockReturn, Amount: usd(1000), Tax: usd(0)}}}},
		"restocks of old and new kinds": {refundNode{Lines: connection[refundLineNode]{Nodes: []refundLineNode{lineOf("a", 1, "LEGACY_RESTOCK", "0", "0"), lineOf("b", 1, "BEAMED_UP", "0", "0")}}},
			shopadmin.Refund{Lines: []shopadmin.RefundLine{{Line: "a", Quantity: 1, Restock: shopadmin.RestockReturn, Amount: usd(0), Tax: usd(0)},
				{Line: "b", Quantity: 1, Restock: "beamed_up", Amount: usd(0), Tax: usd(0)}}}},
		"a sale among its transactions gives nothing back": {refundNode{Transactions: connection[transactionNode]{Nodes: []transactionNode{{Kind: "SALE", Status: "SUCCESS", AmountSet: bagOf("9.00")}}}},
			shopadmin.Refund{}},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.ID, c.in.CreatedAt = "gid://shopify/Refund/1", at
			c.want.ID, c.want.CreatedAt = "gid://shopify/Refund/1", when
			got, err := toRefund(c.in)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestRefundsThatCannotBeUnderstood(t *testing.T) {
	for name, spoil := range map[string]func(*refundNode){
		"no id":           func(n *refundNode) { n.ID = "" },
		"no instant":      func(n *refundNode) { n.CreatedAt = "" },
		"line of nothing": func(n *refundNode) { n.Lines.Nodes = []refundLineNode{lineOf("", 1, "RETURN", "1.00", "0")} },
		"odd net":         func(n *refundNode) { n.Lines.Nodes = []refundLineNode{lineOf("a", 1, "RETURN", "1.005", "0")} },
		"odd tax":         func(n *refundNode) { n.Lines.Nodes = []refundLineNode{lineOf("a", 1, "RETURN", "1.00", "")} },
		"odd shipping":    func(n *refundNode) { n.Shipping.Nodes = []refundShippingNode{{bagOf("x"), bagOf("0")}} },
		"odd money":       func(n *refundNode) { n.Transactions.Nodes = []transactionNode{giveBack("SUCCESS", "1e2")} },
		"two currencies": func(n *refundNode) {
			euros := giveBack("SUCCESS", "1.00")
			euros.AmountSet.ShopMoney.CurrencyCode = "EUR"
			n.Transactions.Nodes = []transactionNode{giveBack("SUCCESS", "1.00"), euros}
		},
	} {
		n := refundNode{ID: "gid://shopify/Refund/1", CreatedAt: "2026-11-20T10:00:00Z"}
		spoil(&n)
		_, err := toRefunds([]refundNode{n})
		require.Error(t, err, name)
	}
}

func TestRefundsComeOldestFirst(t *testing.T) {
	got, err := toRefunds([]refundNode{{ID: "b", CreatedAt: "2026-11-21T10:00:00Z"}, {ID: "a", CreatedAt: "2026-11-20T10:00:00Z"}})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, []string{got[0].ID, got[1].ID})
}

func TestCaptured(t *testing.T) {
	got, err := captured([]transactionNode{
		{Kind: "AUTHORIZATION", Status: "SUCCESS", AmountSet: bagOf("50.00")}, {Kind: "CAPTURE", Status: "SUCCESS", AmountSet: bagOf("30.00")},
		{Kind: "SALE", Status: "SUCCESS", AmountSet: bagOf("12.50")}, {Kind: "SALE", Status: "FAILURE", AmountSet: bagOf("99.00")},
		{Kind: "SALE", Status: "PENDING", AmountSet: bagOf("98.00")}, {Kind: "REFUND", Status: "SUCCESS", AmountSet: bagOf("5.00")},
	})
	require.NoError(t, err)
	require.Equal(t, usd(4250), got)
}

// restored reads a refund of a webhook or the old API as the node the new one gives.
func restored(t *testing.T, raw json.RawMessage) refundNode {
	t.Helper()
	type set struct {
		ShopMoney struct {
			Amount       string `json:"amount"`
			CurrencyCode string `json:"currency_code"`
		} `json:"shop_money"`
	}
	var r struct {
		GID       string `json:"admin_graphql_api_id"`
		CreatedAt string `json:"created_at"`
		Note      string `json:"note"`
		Lines     []struct {
			LineID   int64  `json:"line_item_id"`
			Quantity int    `json:"quantity"`
			Restock  string `json:"restock_type"`
			Subtotal set    `json:"subtotal_set"`
			Tax      set    `json:"total_tax_set"`
		} `json:"refund_line_items"`
		Shipping []struct {
			Subtotal set `json:"subtotal_amount_set"`
		} `json:"refund_shipping_lines"`
		Transactions []struct{ Kind, Status, Amount string } `json:"transactions"`
	}
	require.NoError(t, json.Unmarshal(raw, &r))
	bag := func(s set) moneyBag { return moneyBag{moneyInput{s.ShopMoney.Amount, s.ShopMoney.CurrencyCode}} }
	n := refundNode{ID: r.GID, CreatedAt: r.CreatedAt, Note: r.Note}
	for _, l := range r.Lines {
		n.Lines.Nodes = append(n.Lines.Nodes, refundLineNode{Quantity: l.Quantity, RestockType: strings.ToUpper(l.Restock),
			LineItem: idNode{"gid://shopify/LineItem/" + strconv.FormatInt(l.LineID, 10)}, SubtotalSet: bag(l.Subtotal), TotalTaxSet: bag(l.Tax)})
	}
	for _, s := range r.Shipping {
		n.Shipping.Nodes = append(n.Shipping.Nodes, refundShippingNode{bag(s.Subtotal), bagOf("0.00")})
	}
	for _, x := range r.Transactions {
		n.Transactions.Nodes = append(n.Transactions.Nodes, transactionNode{Kind: strings.ToUpper(x.Kind), Status: strings.ToUpper(x.Status), AmountSet: bagOf(x.Amount)})
	}
	return n
}

// Amounts of published refunds, those of the webhook sample among them, are read as they stand.
func TestOfficialRefunds(t *testing.T) {
	for _, c := range []struct {
		file            []string
		path            string
		lines           int
		moved, shipping money.Money
		first           money.Money // the first line's net
	}{
		{[]string{"webhooks-2026-07", "refunds__create.json"}, "", 5, usd(8500), money.Money{}, usd(8999)},
		{[]string{"rest-2026-07", "refund__shipping_only_with_order_adjustment.json"}, "refund", 0, usd(500), usd(500), money.Money{}},
		{[]string{"rest-2026-07", "refund__line_item_no_restock.json"}, "refund", 1, usd(4194), money.Money{}, usd(0)},
	} {
		raw, err := os.ReadFile(official(t, c.file...))
		require.NoError(t, err)
		if c.path != "" {
			var wrapped map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(raw, &wrapped))
			raw = wrapped[c.path]
		}
		r, err := toRefund(restored(t, raw))
		require.NoError(t, err, c.file)
		require.Len(t, r.Lines, c.lines, c.file)
		require.Equal(t, c.moved, r.Moved, c.file)
		require.Equal(t, c.shipping, r.Shipping, "the negative adjustment is not counted as well: %s", c.file)
		if c.lines > 0 {
			require.Equal(t, c.first, r.Lines[0].Amount, c.file)
		}
	}
	raw, err := os.ReadFile(official(t, "rest-2026-07", "order__cancelled_with_refund.json"))
	require.NoError(t, err)
	var body struct {
		Order struct{ Refunds []json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(raw, &body))
	r, err := toRefund(restored(t, body.Order.Refunds[0]))
	require.NoError(t, err)
	require.Equal(t, usd(11000), r.Moved, "of two payments; the parts come to 199.64")
	require.Equal(t, usd(19566), r.Lines[0].Amount)
}

// Every value of the store's enums that we read or write is one it has.
func TestMoneyWordsAreOfficial(t *testing.T) {
	schema := officialSchema(t)
	for restock, word := range restockTypes {
		require.NotNil(t, schema.Types["RefundLineItemRestockType"].EnumValues.ForName(word), restock)
	}
	for _, v := range schema.Types["OrderCancelReason"].EnumValues {
		require.Equal(t, v.Name, cancelReason(strings.ToLower(v.Name)))
	}
	require.Equal(t, "OTHER", cancelReason("the weather"))
	for _, v := range schema.Types["RefundLineItemRestockType"].EnumValues {
		require.Contains(t, []shopadmin.Restock{shopadmin.RestockNone, shopadmin.RestockCancel, shopadmin.RestockReturn}, toRestock(v.Name))
	}
	codes := schema.Types["OrderCancelUserErrorCode"].EnumValues
	for code := range cancelHints {
		require.NotNil(t, codes.ForName(code), code)
	}
}

// Whatever a store answers, a refund is understood or refused, and never half of it.
func FuzzRefund(f *testing.F) {
	f.Add([]byte(`{"id":"gid://shopify/Refund/1","createdAt":"2026-11-20T10:00:00Z","note":null,"refundLineItems":{"nodes":[{"quantity":1,"restockType":"RETURN","lineItem":{"id":"a"},"subtotalSet":{"shopMoney":{"amount":"89.99","currencyCode":"USD"}},"totalTaxSet":{"shopMoney":{"amount":"0.0","currencyCode":"USD"}}}]}}`))
	f.Add([]byte(`{"id":"r","createdAt":"2026-11-20T10:00:00+01:00","refundShippingLines":{"nodes":[{"subtotalAmountSet":{"shopMoney":{"amount":"1","currencyCode":"JPY"}},"taxAmountSet":null}]},"transactions":{"nodes":[{"kind":"REFUND","status":"PENDING","amountSet":{"shopMoney":{"amount":"-1","currencyCode":"JPY"}}}]}}`))
	f.Add([]byte(`{"id":"r","createdAt":"x","transactions":{"nodes":[{"kind":"REFUND","status":"SUCCESS","amountSet":{"shopMoney":{"amount":9.5}}}]}}`))
	f.Add([]byte(`{"orderAdjustments":{"nodes":[null,{"reason":"DAMAGE"}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var n refundNode
		if json.Unmarshal(raw, &n) != nil {
			return
		}
		r, err := toRefund(n)
		if err != nil {
			return
		}
		require.NotEmpty(t, r.ID)
		require.False(t, r.CreatedAt.IsZero() && n.CreatedAt == "")
		require.Len(t, r.Lines, len(n.Lines.Nodes))
		for _, l := range r.Lines {
			require.NotEmpty(t, l.Line)
			require.True(t, money.ValidCode(l.Amount.Currency) && money.ValidCode(l.Tax.Currency))
		}
		again, err := toRefund(n)
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}
