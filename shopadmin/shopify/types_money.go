package shopify

// The shapes of refunds, transactions and cancellations, word for word.

type transactionNode struct {
	ID        string   `json:"id"`
	Kind      string   `json:"kind"`
	Status    string   `json:"status"`
	Gateway   string   `json:"gateway"`
	AmountSet moneyBag `json:"amountSet"`
	Parent    *idNode  `json:"parentTransaction"`
}

type idNode struct {
	ID string `json:"id"`
}

type refundNode struct {
	ID           string                         `json:"id"`
	CreatedAt    string                         `json:"createdAt"`
	Note         string                         `json:"note"`
	Lines        connection[refundLineNode]     `json:"refundLineItems"`
	Shipping     connection[refundShippingNode] `json:"refundShippingLines"`
	Adjustments  connection[adjustmentNode]     `json:"orderAdjustments"`
	Transactions connection[transactionNode]    `json:"transactions"`
}

type refundLineNode struct {
	Quantity    int      `json:"quantity"`
	RestockType string   `json:"restockType"`
	LineItem    idNode   `json:"lineItem"`
	SubtotalSet moneyBag `json:"subtotalSet"`
	TotalTaxSet moneyBag `json:"totalTaxSet"`
}

type refundShippingNode struct {
	SubtotalAmountSet moneyBag `json:"subtotalAmountSet"`
	TaxAmountSet      moneyBag `json:"taxAmountSet"`
}

type adjustmentNode struct {
	Reason string `json:"reason"`
}

type refundInput struct {
	OrderID            string                   `json:"orderId"`
	Note               string                   `json:"note"`
	Notify             bool                     `json:"notify"`
	AllowOverRefunding bool                     `json:"allowOverRefunding"`
	Lines              []refundLineInput        `json:"refundLineItems,omitempty"`
	Shipping           *refundShippingInput     `json:"shipping,omitempty"`
	Transactions       []refundTransactionInput `json:"transactions,omitempty"`
}

type refundLineInput struct {
	LineItemID  string `json:"lineItemId"`
	Quantity    int    `json:"quantity"`
	RestockType string `json:"restockType"`
	LocationID  string `json:"locationId,omitempty"`
}

type refundShippingInput struct {
	Amount string `json:"amount"`
}

type refundTransactionInput struct {
	OrderID  string `json:"orderId"`
	ParentID string `json:"parentId"`
	Kind     string `json:"kind"`
	Gateway  string `json:"gateway"`
	Amount   string `json:"amount"`
}

type refundMethodInput struct {
	OriginalPaymentMethodsRefund bool `json:"originalPaymentMethodsRefund"`
}

type cancelJobNode struct {
	ID     string      `json:"id"`
	Done   bool        `json:"done"`
	Status string      `json:"status"`
	Errors []userError `json:"errors"`
}
