package shopify

// The shapes of answers and inputs, word for word. Inputs use omitempty everywhere: to Shopify
// an explicit null is not an absent field.

type moneyInput struct {
	Amount       string `json:"amount"`
	CurrencyCode string `json:"currencyCode"`
}

type moneyBagInput struct {
	ShopMoney moneyInput `json:"shopMoney"`
}

type attribute struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type metafieldInput struct {
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	Type      string `json:"type"`
	Value     string `json:"value"`
}

type orderInput struct {
	Currency         string             `json:"currency"`
	Name             string             `json:"name,omitempty"`
	ProcessedAt      string             `json:"processedAt,omitempty"`
	Tags             []string           `json:"tags,omitempty"`
	SourceName       string             `json:"sourceName,omitempty"`
	SourceIdentifier string             `json:"sourceIdentifier"`
	SourceURL        string             `json:"sourceUrl,omitempty"`
	Note             string             `json:"note,omitempty"`
	PONumber         string             `json:"poNumber,omitempty"`
	CustomAttributes []attribute        `json:"customAttributes,omitempty"`
	Metafields       []metafieldInput   `json:"metafields,omitempty"`
	ShippingAddress  *addressInput      `json:"shippingAddress,omitempty"`
	LineItems        []lineInput        `json:"lineItems"`
	ShippingLines    []shippingInput    `json:"shippingLines,omitempty"`
	DiscountCode     *discountInput     `json:"discountCode,omitempty"`
	Transactions     []transactionInput `json:"transactions,omitempty"`
	Test             bool               `json:"test,omitempty"`
}

type optionsInput struct {
	InventoryBehaviour     string `json:"inventoryBehaviour"`
	SendReceipt            bool   `json:"sendReceipt"`
	SendFulfillmentReceipt bool   `json:"sendFulfillmentReceipt"`
}

// addressInput has no phone: an address is for the parcel label only.
type addressInput struct {
	FirstName    string `json:"firstName,omitempty"`
	LastName     string `json:"lastName,omitempty"`
	Company      string `json:"company,omitempty"`
	Address1     string `json:"address1,omitempty"`
	Address2     string `json:"address2,omitempty"`
	City         string `json:"city,omitempty"`
	ProvinceCode string `json:"provinceCode,omitempty"`
	Province     string `json:"province,omitempty"` // for regions that are not codes
	Zip          string `json:"zip,omitempty"`
	CountryCode  string `json:"countryCode,omitempty"`
}

type lineInput struct {
	VariantID        string        `json:"variantId,omitempty"`
	Title            string        `json:"title,omitempty"`
	SKU              string        `json:"sku,omitempty"`
	Quantity         int           `json:"quantity"`
	PriceSet         moneyBagInput `json:"priceSet"`
	RequiresShipping bool          `json:"requiresShipping"`
	Taxable          bool          `json:"taxable"`
	TaxLines         []taxInput    `json:"taxLines,omitempty"`
	Properties       []property    `json:"properties,omitempty"`
}

type taxInput struct {
	Title         string        `json:"title"`
	Rate          string        `json:"rate"`
	ChannelLiable bool          `json:"channelLiable"`
	PriceSet      moneyBagInput `json:"priceSet"`
}

type shippingInput struct {
	Title    string        `json:"title"`
	Code     string        `json:"code,omitempty"`
	PriceSet moneyBagInput `json:"priceSet"`
	TaxLines []taxInput    `json:"taxLines,omitempty"`
}

type discountInput struct {
	ItemFixed fixedDiscount `json:"itemFixedDiscountCode"`
}

type fixedDiscount struct {
	Code      string        `json:"code"`
	AmountSet moneyBagInput `json:"amountSet"`
}

type transactionInput struct {
	Kind        string        `json:"kind"`
	Status      string        `json:"status"`
	Gateway     string        `json:"gateway,omitempty"`
	AmountSet   moneyBagInput `json:"amountSet"`
	ProcessedAt string        `json:"processedAt,omitempty"`
	Test        bool          `json:"test,omitempty"`
}

type updateInput struct {
	ID               string        `json:"id"`
	Note             string        `json:"note,omitempty"`
	CustomAttributes []attribute   `json:"customAttributes,omitempty"`
	ShippingAddress  *addressInput `json:"shippingAddress,omitempty"`
}

type holdInput struct {
	Handle         string `json:"handle"`
	Reason         string `json:"reason"`
	ReasonNotes    string `json:"reasonNotes,omitempty"`
	NotifyMerchant bool   `json:"notifyMerchant"`
}

type definitionInput struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	Type      string `json:"type"`
	OwnerType string `json:"ownerType"`
}

type subscriptionInput struct {
	URI    string `json:"uri"`
	Format string `json:"format"`
}

// pageInfo is how every connection says whether it goes on.
type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

type connection[T any] struct {
	Nodes    []T      `json:"nodes"`
	PageInfo pageInfo `json:"pageInfo"`
}

type moneyBag struct {
	ShopMoney moneyInput `json:"shopMoney"`
}

type markField struct {
	Value string `json:"value"`
}

type orderHead struct {
	ID               string      `json:"id"`
	UpdatedAt        string      `json:"updatedAt"`
	SourceIdentifier string      `json:"sourceIdentifier"`
	CustomAttributes []attribute `json:"customAttributes"`
	Mark             *markField  `json:"mark"`
}

type orderNode struct {
	orderHead
	Name              string                           `json:"name"`
	CreatedAt         string                           `json:"createdAt"`
	CancelledAt       string                           `json:"cancelledAt"`
	CancelReason      string                           `json:"cancelReason"`
	Note              string                           `json:"note"`
	Test              bool                             `json:"test"`
	Tags              []string                         `json:"tags"`
	FinancialStatus   string                           `json:"displayFinancialStatus"`
	FulfillmentStatus string                           `json:"displayFulfillmentStatus"`
	TotalPriceSet     moneyBag                         `json:"totalPriceSet"`
	LineItems         connection[lineNode]             `json:"lineItems"`
	FulfillmentsCount *countNode                       `json:"fulfillmentsCount"`
	Fulfillments      []fulfillmentNode                `json:"fulfillments"`
	FulfillmentOrders connection[fulfillmentOrderNode] `json:"fulfillmentOrders"`
	TransactionsCount *countNode                       `json:"transactionsCount"`
	Transactions      []transactionNode                `json:"transactions"`
	Refunds           []refundNode                     `json:"refunds"`
}

type countNode struct {
	Count int `json:"count"`
}

type lineNode struct {
	ID                  string      `json:"id"`
	SKU                 string      `json:"sku"`
	Title               string      `json:"title"`
	Quantity            int         `json:"quantity"`
	CurrentQuantity     int         `json:"currentQuantity"`
	UnfulfilledQuantity int         `json:"unfulfilledQuantity"`
	CustomAttributes    []attribute `json:"customAttributes"`
}

type fulfillmentNode struct {
	ID           string                          `json:"id"`
	Name         string                          `json:"name"`
	Status       string                          `json:"status"`
	CreatedAt    string                          `json:"createdAt"`
	UpdatedAt    string                          `json:"updatedAt"`
	TrackingInfo []trackingNode                  `json:"trackingInfo"`
	LineItems    connection[fulfillmentLineNode] `json:"fulfillmentLineItems"`
}

type trackingNode struct {
	Company string `json:"company"`
	Number  string `json:"number"`
	URL     string `json:"url"`
}

type fulfillmentLineNode struct {
	Quantity *int `json:"quantity"`
	LineItem struct {
		ID string `json:"id"`
	} `json:"lineItem"`
}

type fulfillmentOrderNode struct {
	ID               string `json:"id"`
	Status           string `json:"status"`
	SupportedActions []struct {
		Action string `json:"action"`
	} `json:"supportedActions"`
	Holds []holdNode `json:"fulfillmentHolds"`
}

type holdNode struct {
	ID          string `json:"id"`
	Handle      string `json:"handle"`
	Ours        bool   `json:"heldByRequestingApp"`
	Reason      string `json:"reason"`
	ReasonNotes string `json:"reasonNotes"`
}

type userError struct {
	Code    string   `json:"code"`
	Field   []string `json:"field"`
	Message string   `json:"message"`
}
