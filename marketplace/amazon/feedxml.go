package amazon

import "encoding/xml"

// The types of the order feeds, word for word. The schemas fix the order of elements, and
// encoding/xml writes fields as they stand here: do not rearrange them.

type envelope struct {
	XMLName  xml.Name      `xml:"AmazonEnvelope"`
	XSI      string        `xml:"xmlns:xsi,attr"`
	Schema   string        `xml:"xsi:noNamespaceSchemaLocation,attr"`
	Version  string        `xml:"Header>DocumentVersion"`
	Merchant string        `xml:"Header>MerchantIdentifier"`
	Type     string        `xml:"MessageType"`
	Messages []feedMessage `xml:"Message"`
}

type feedMessage struct {
	ID              int              `xml:"MessageID"`
	Acknowledgement *acknowledgement `xml:"OrderAcknowledgement"`
	Adjustment      *adjustment      `xml:"OrderAdjustment"`
}

type acknowledgement struct {
	Order  string             `xml:"AmazonOrderID"`
	Status string             `xml:"StatusCode"`
	Items  []acknowledgedItem `xml:"Item"`
}

type acknowledgedItem struct {
	Code   string `xml:"AmazonOrderItemCode"`
	Reason string `xml:"CancelReason"`
}

type adjustment struct {
	Order  string         `xml:"AmazonOrderID"`
	Action string         `xml:"ActionType"`
	Items  []adjustedItem `xml:"AdjustedItem"`
}

type adjustedItem struct {
	Code      string            `xml:"AmazonOrderItemCode"`
	Ref       string            `xml:"MerchantAdjustmentItemID,omitempty"`
	Reason    string            `xml:"AdjustmentReason"`
	Prices    *priceAdjustments `xml:"ItemPriceAdjustments"`
	Cancelled int               `xml:"QuantityCancelled,omitempty"`
}

type priceAdjustments struct {
	Components []feedComponent `xml:"Component"`
}

type feedComponent struct {
	Type   string     `xml:"Type"`
	Amount feedAmount `xml:"Amount"`
}

type feedAmount struct {
	Currency string `xml:"currency,attr"`
	Value    string `xml:",chardata"`
}

// document writes a feed of one message type.
func document(merchant, kind string, messages []feedMessage) ([]byte, error) {
	body, err := xml.MarshalIndent(envelope{XSI: "http://www.w3.org/2001/XMLSchema-instance", Schema: "amzn-envelope.xsd",
		Version: "1.01", Merchant: merchant, Type: kind, Messages: messages}, "", " ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), body...), nil
}
