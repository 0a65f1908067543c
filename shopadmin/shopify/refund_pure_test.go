package shopify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// The key of a write is the same in every process and after every update.
func TestIdempotencyKeys(t *testing.T) {
	dns := [16]byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	require.Equal(t, "2ed6657d-e927-568b-95e1-2665a8aea6a2", uuid5(dns, "www.example.com"), "the example of RFC 9562")
	first := idempotencyKey("record-refund/amazon-us/113-1/R-9", 0)
	require.Equal(t, "cd574c9d-3683-5872-bce1-ab0acfc49795", first, "a key that changes could refund twice")
	require.Equal(t, first, idempotencyKey("record-refund/amazon-us/113-1/R-9", 0))
	require.NotEqual(t, first, idempotencyKey("record-refund/amazon-us/113-1/R-8", 0))
	require.NotEqual(t, first, idempotencyKey("record-refund/amazon-us/113-1/R-9", 1))
}

func TestAboutKey(t *testing.T) {
	for text, want := range map[string]struct {
		class  fault.Class
		failed bool
	}{
		"IDEMPOTENCY_CONCURRENT_REQUEST":      {fault.Unknown, false},
		"IDEMPOTENCY_KEY_PARAMETER_MISMATCH":  {fault.Refused, false},
		"IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": {fault.Refused, true},
		"the idempotency key is odd":          {fault.Unknown, false},
		"Refund amount is too high":           {fault.Refused, false},
	} {
		err := userErrors("CreateRefund", []userError{{Message: text}})
		require.Equal(t, want.failed, aboutKey(err), text)
		require.Equal(t, want.class.String(), fault.Of(err).String(), text)
		coded := fault.New(fault.Unknown, "no")
		coded.Code = text
		require.Equal(t, want.failed, aboutKey(coded), "as the code of an error on top")
	}
}

func TestCarries(t *testing.T) {
	for _, c := range []struct {
		note, mark string
		want       bool
	}{
		{"bridge:op-1", "bridge:op-1", true}, {" bridge:op-1\n", "bridge:op-1", true}, {"refunded by us bridge:op-1 today", "bridge:op-1", true},
		{"bridge:op-10", "bridge:op-1", false}, {"xbridge:op-1", "bridge:op-1", false}, {"", "bridge:op-1", false}, {"anything", "", false},
		{"Amazon refund\nbridge:op-1", "Amazon refund bridge:op-1", true}, {"bridge:op-1", "bridge:op-1 more", false},
	} {
		require.Equal(t, c.want, carries(c.note, c.mark), "%q in %q", c.mark, c.note)
	}
}

func sale(id, amount string) transactionNode {
	return transactionNode{ID: id, Kind: "SALE", Status: "SUCCESS", Gateway: "amazon", AmountSet: bagOf(amount)}
}

func of(parent, status, amount string) transactionNode {
	t := giveBack(status, amount)
	t.Parent = &idNode{parent}
	return t
}

func TestTheOrdersPayment(t *testing.T) {
	for name, c := range map[string]struct {
		list   []transactionNode
		amount int64
		want   string
		err    string
	}{
		"the first sale":          {[]transactionNode{sale("s1", "20.00"), sale("s2", "99.00")}, 2000, "s1", ""},
		"never another one":       {[]transactionNode{sale("s1", "20.00"), sale("s2", "99.00")}, 2001, "", "more than the 20.00"},
		"a failed sale is none":   {[]transactionNode{{ID: "s0", Kind: "SALE", Status: "FAILURE", AmountSet: bagOf("50.00")}, sale("s1", "20.00")}, 100, "s1", ""},
		"what is left":            {[]transactionNode{sale("s1", "20.00"), of("s1", "SUCCESS", "15.00")}, 501, "", "5.00"},
		"pending counts as given": {[]transactionNode{sale("s1", "20.00"), of("s1", "PENDING", "15.00")}, 501, "", "5.00"},
		"failed does not":         {[]transactionNode{sale("s1", "20.00"), of("s1", "FAILURE", "15.00"), of("s2", "SUCCESS", "9.00")}, 2000, "s1", ""},
		"nothing was paid":        {[]transactionNode{{Kind: "AUTHORIZATION", Status: "SUCCESS"}}, 1, "", "no payment"},
	} {
		got, err := payment(c.list, usd(c.amount))
		if c.err != "" {
			require.ErrorContains(t, err, c.err, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.want, got.ID, name)
	}
}

// A cancellation gives everything back; that is only safe while the channel paid for all of it.
func TestSeveralGateways(t *testing.T) {
	card := sale("s2", "5.00")
	card.Gateway = "visa"
	require.False(t, severalGateways(nil))
	require.False(t, severalGateways([]transactionNode{sale("s1", "20.00"), sale("s3", "1.00"), of("s1", "SUCCESS", "1.00")}))
	require.True(t, severalGateways([]transactionNode{sale("s1", "20.00"), card}))
	card.Status = "FAILURE"
	require.False(t, severalGateways([]transactionNode{sale("s1", "20.00"), card}))
}

// A refund nobody could record is refused before anything leaves.
func TestCheckRefund(t *testing.T) {
	good := shopadmin.NewRefund{Note: "bridge:op-1", Amount: usd(1000), Lines: []shopadmin.NewRefundLine{{Line: "a", Quantity: 1, Restock: shopadmin.RestockNone}}}
	require.NoError(t, checkRefund(good))
	for name, spoil := range map[string]func(*shopadmin.NewRefund){
		"no note":                func(r *shopadmin.NewRefund) { r.Note = " \n" },
		"negative":               func(r *shopadmin.NewRefund) { r.Amount = usd(-1) },
		"negative shipping":      func(r *shopadmin.NewRefund) { r.Shipping = usd(-1) },
		"nothing":                func(r *shopadmin.NewRefund) { r.Amount, r.Lines = usd(0), nil },
		"shipping without money": func(r *shopadmin.NewRefund) { r.Amount, r.Shipping = usd(0), usd(100) },
		"no units":               func(r *shopadmin.NewRefund) { r.Lines[0].Quantity = 0 },
		"no line":                func(r *shopadmin.NewRefund) { r.Lines[0].Line = "" },
		"odd restock":            func(r *shopadmin.NewRefund) { r.Lines[0].Restock = "beam_up" },
	} {
		r := good
		r.Lines = append([]shopadmin.NewRefundLine{}, good.Lines...)
		spoil(&r)
		require.Error(t, checkRefund(r), name)
	}
	b := refundBasis{ID: "o", Currency: "USD", PresentmentCurrency: "CAD", Transactions: []transactionNode{sale("s", "99.00")}}
	_, err := toRefundInput(good, b)
	require.ErrorIs(t, err, money.ErrMismatch, "the buyer paid in another currency")
	b.PresentmentCurrency = "USD"
	_, err = toRefundInput(shopadmin.NewRefund{Note: "n", Amount: money.New(1000, "EUR")}, b)
	require.ErrorIs(t, err, money.ErrMismatch)
}

// Goods go back to where they came from, or to the only place there is; never to a guess.
func TestPlaces(t *testing.T) {
	at := func(id string) *idNode { return &idNode{id} }
	fo := func(place *idNode, lines ...placedLineNode) placedOrderNode {
		n := placedOrderNode{Lines: connection[placedLineNode]{Nodes: lines}}
		n.Assigned.Location = place
		return n
	}
	line := func(id string, n int) placedLineNode {
		return placedLineNode{Remaining: n, Quantity: n, LineItem: idNode{id}}
	}
	orders := func(list ...placedOrderNode) connection[placedOrderNode] {
		return connection[placedOrderNode]{Nodes: list}
	}
	two := orderPlaces{FulfillmentOrders: orders(fo(at("here"), line("a", 1)), fo(at("there"), line("b", 2), line("a", 0))),
		Fulfillments: []placedFulfillmentNode{{Status: "CANCELLED", Location: at("here"), Lines: connection[placedLineNode]{Nodes: []placedLineNode{line("a", 1)}}},
			{Status: "SUCCESS", Location: at("there"), Lines: connection[placedLineNode]{Nodes: []placedLineNode{line("a", 1)}}}}}
	one := orderPlaces{FulfillmentOrders: orders(fo(at("only")))}
	none := orderPlaces{FulfillmentOrders: orders(fo(nil, line("a", 1)))}
	for name, c := range map[string]struct {
		places  orderPlaces
		line    string
		restock shopadmin.Restock
		want    string
	}{
		"not shipped":           {two, "a", shopadmin.RestockCancel, "here"},
		"not shipped, another":  {two, "b", shopadmin.RestockCancel, "there"},
		"shipped":               {two, "a", shopadmin.RestockReturn, "there"},
		"never shipped":         {two, "b", shopadmin.RestockReturn, ""},
		"beyond what was read":  {two, "z", shopadmin.RestockCancel, ""},
		"one place":             {one, "z", shopadmin.RestockReturn, "only"},
		"no place can be named": {none, "a", shopadmin.RestockCancel, ""},
	} {
		got, err := c.places.of(shopadmin.NewRefundLine{Line: c.line, Quantity: 1, Restock: c.restock})
		require.Equal(t, c.want, got, name)
		require.Equal(t, c.want == "", err != nil, name)
	}
}

func TestNoted(t *testing.T) {
	for _, c := range []struct{ have, add, want string }{
		{"", "late", "late"}, {"staff's", "late", "staff's\nlate"}, {"staff's\nlate", "late", ""}, {"staff's\r\nlate \r\nmore", "late", ""},
		{"later", "late", "later\nlate"}, {"staff's", " ", ""}, {" ", "late", "late"}, {"a\nb\nc", "b\nc", ""}, {"staff's\n", "late", "staff's\n\nlate"},
	} {
		require.Equal(t, c.want, noted(c.have, c.add), "%q and %q", c.have, c.add)
	}
}
