package feedschema_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/marketplace/amazon/internal/feedschema"
)

const head = `<AmazonEnvelope><Header><DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>A1B2C3</MerchantIdentifier></Header>`

const cancel = head + `<MessageType>OrderAcknowledgement</MessageType><Message><MessageID>1</MessageID><OrderAcknowledgement>
<AmazonOrderID>113-0000001-0000001</AmazonOrderID><StatusCode>Failure</StatusCode>
<Item><AmazonOrderItemCode>12345678901234</AmazonOrderItemCode><CancelReason>NoInventory</CancelReason></Item></OrderAcknowledgement></Message></AmazonEnvelope>`

const refund = head + `<MessageType>OrderAdjustment</MessageType><Message><MessageID>1</MessageID><OrderAdjustment>
<AmazonOrderID>113-0000001-0000001</AmazonOrderID><ActionType>Refund</ActionType><AdjustedItem><AmazonOrderItemCode>12345678901234</AmazonOrderItemCode>
<MerchantAdjustmentItemID>r-1</MerchantAdjustmentItemID><AdjustmentReason>CustomerReturn</AdjustmentReason><ItemPriceAdjustments>
<Component><Type>Principal</Type><Amount currency="USD">2.50</Amount></Component><Component><Type>RestockingFee</Type><Amount currency="USD">-1.00</Amount></Component>
</ItemPriceAdjustments></AdjustedItem></OrderAdjustment></Message></AmazonEnvelope>`

const units = head + `<MessageType>OrderAdjustment</MessageType><Message><MessageID>1</MessageID><OrderAdjustment>
<AmazonOrderID>113-0000001-0000001</AmazonOrderID><ActionType>Cancel</ActionType><AdjustedItem><AmazonOrderItemCode>12345678901234</AmazonOrderItemCode>
<AdjustmentReason>NoInventory</AdjustmentReason><QuantityCancelled>1</QuantityCancelled></AdjustedItem></OrderAdjustment></Message></AmazonEnvelope>`

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, good := range []string{cancel, refund, units} {
		_, err := feedschema.Check([]byte(good))
		require.NoError(t, err)
	}
	for _, c := range [][3]string{
		{cancel, "<StatusCode>Failure</StatusCode>", ""},
		{cancel, "Failure", "Perhaps"},
		{cancel, "NoInventory", "CustomerCancel"},
		{cancel, "<CancelReason>NoInventory</CancelReason>", ""},
		{cancel, "12345678901234", "1234567890123"},
		{cancel, "113-0000001-0000001", "113"},
		{cancel, "<MessageID>1</MessageID>", "<MessageID>0</MessageID>"},
		{cancel, "<MessageType>OrderAcknowledgement", "<MessageType>OrderAdjustment"},
		{cancel, "</Message>", "</Message>" + cancel[strings.Index(cancel, "<Message>"):strings.Index(cancel, "</AmazonEnvelope>")]},
		{cancel, "</AmazonEnvelope>", ""},
		{refund, "<ActionType>Refund</ActionType>", ""} /* still a refund */, {refund, "2.50", "2.505"},
		{refund, "2.50", "0.50"}, {refund, "2.50", "1.00"}, {refund, `currency="USD">2.50`, `>2.50`},
		{refund, `currency="USD">2.50`, `currency="EUR">2.50`}, {refund, `"USD"`, `"JPY"`},
		{refund, "Principal", "Price"}, {refund, "CustomerReturn", "Because"},
		{refund, "<AdjustmentReason>CustomerReturn</AdjustmentReason><ItemPriceAdjustments>", "<ItemPriceAdjustments>"},
		{refund, "</ItemPriceAdjustments>", "</ItemPriceAdjustments><AdjustmentReason>CustomerReturn</AdjustmentReason>"},
		{refund, "</ItemPriceAdjustments>", "</ItemPriceAdjustments><QuantityCancelled>1</QuantityCancelled>"},
		{refund, "r-1", strings.Repeat("r", 51)},
		{units, "<QuantityCancelled>1</QuantityCancelled>", ""}, {units, ">1</Quantity", ">0</Quantity"},
		{units, "NoInventory", "GeneralAdjustment"},
	} {
		bad := strings.ReplaceAll(c[0], c[1], c[2])
		require.NotEqual(t, c[0], bad)
		_, err := feedschema.Check([]byte(bad))
		if c[1] == "<ActionType>Refund</ActionType>" {
			require.NoError(t, err, "ActionType may be left out")
			continue
		}
		require.Error(t, err, "%s → %s", c[1], c[2])
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{cancel, refund, units, "<a/>", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { _, _ = feedschema.Check(raw) })
}
