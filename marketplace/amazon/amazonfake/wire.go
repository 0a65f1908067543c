package amazonfake

// The wire types are Orders v2026-01-01, as far as the fake fills it.

type wireMoney struct {
	Amount   string `json:"amount"`
	Currency string `json:"currencyCode"`
}

type wireOrder struct {
	OrderID      string            `json:"orderId"`
	Aliases      []wireAlias       `json:"orderAliases,omitempty"`
	Created      string            `json:"createdTime"`
	Updated      string            `json:"lastUpdatedTime"`
	Programs     []string          `json:"programs,omitempty"`
	Associated   []wireAssociation `json:"associatedOrders,omitempty"`
	SalesChannel wireChannel       `json:"salesChannel"`
	Buyer        *wireBuyer        `json:"buyer,omitempty"`
	Recipient    *wireRecipient    `json:"recipient,omitempty"`
	Proceeds     *wireProceeds     `json:"proceeds,omitempty"`
	Fulfillment  *wireFulfillment  `json:"fulfillment,omitempty"`
	Items        []wireItem        `json:"orderItems"`
	Packages     []wirePackage     `json:"packages,omitempty"`
}

type wireAlias struct {
	ID   string `json:"aliasId"`
	Type string `json:"aliasType"`
}

type wireAssociation struct {
	OrderID string `json:"orderId"`
	Type    string `json:"associationType"`
}

type wireChannel struct {
	Name     string `json:"channelName"`
	Site     string `json:"marketplaceId"`
	SiteName string `json:"marketplaceName,omitempty"`
}

type wireBuyer struct {
	Name    string `json:"buyerName,omitempty"`
	Email   string `json:"buyerEmail,omitempty"`
	Company string `json:"buyerCompanyName,omitempty"`
	PO      string `json:"buyerPurchaseOrderNumber,omitempty"`
}

type wireRecipient struct {
	Address Address `json:"deliveryAddress"`
}

// Address is where a buyer wants an order.
type Address struct {
	Name       string `json:"name,omitempty"`
	Company    string `json:"companyName,omitempty"`
	Line1      string `json:"addressLine1,omitempty"`
	Line2      string `json:"addressLine2,omitempty"`
	Line3      string `json:"addressLine3,omitempty"`
	City       string `json:"city,omitempty"`
	Region     string `json:"stateOrRegion,omitempty"`
	PostalCode string `json:"postalCode,omitempty"`
	Country    string `json:"countryCode,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Type       string `json:"addressType,omitempty"`
}

type wireProceeds struct {
	Total      *wireMoney      `json:"grandTotal,omitempty"`
	ItemTotal  *wireMoney      `json:"proceedsTotal,omitempty"`
	Breakdowns []wireBreakdown `json:"breakdowns,omitempty"`
}

type wireBreakdown struct {
	Type     string       `json:"type"`
	Status   string       `json:"status,omitempty"`
	Subtotal wireMoney    `json:"subtotal"`
	Details  []wireDetail `json:"detailedBreakdowns,omitempty"`
}

type wireDetail struct {
	Subtype string    `json:"subtype"`
	Value   wireMoney `json:"value"`
}

type wireFulfillment struct {
	Status  string     `json:"fulfillmentStatus"`
	By      string     `json:"fulfilledBy,omitempty"`
	Service string     `json:"fulfillmentServiceLevel,omitempty"`
	ShipBy  wireWindow `json:"shipByWindow"`
	Deliver wireWindow `json:"deliverByWindow"`
}

type wireWindow struct {
	From string `json:"earliestDateTime"`
	To   string `json:"latestDateTime"`
}

type wireItem struct {
	ID           string            `json:"orderItemId"`
	Quantity     int               `json:"quantityOrdered"`
	Product      wireProduct       `json:"product"`
	Proceeds     *wireProceeds     `json:"proceeds,omitempty"`
	Promotion    *wirePromotion    `json:"promotion,omitempty"`
	Cancellation *wireCancellation `json:"cancellation,omitempty"`
	Fulfillment  *wireCounts       `json:"fulfillment,omitempty"`
	Tax          *wireTax          `json:"tax,omitempty"`
}

type wireProduct struct {
	ASIN  string     `json:"asin,omitempty"`
	Title string     `json:"title,omitempty"`
	SKU   string     `json:"sellerSku,omitempty"`
	Price *wirePrice `json:"price,omitempty"`
}

type wirePrice struct {
	Unit wireMoney `json:"unitPrice"`
}

type wirePromotion struct {
	Breakdowns []wirePromotionID `json:"breakdowns"`
}

type wirePromotionID struct {
	ID string `json:"promotionId"`
}

type wireCancellation struct {
	Request   *wireRequest   `json:"cancellationRequest,omitempty"`
	Execution *wireExecution `json:"cancellationExecution,omitempty"`
}

type wireRequest struct {
	Requester string `json:"requester"`
	Reason    string `json:"cancelReason,omitempty"`
}

type wireExecution struct {
	By     string `json:"cancelledBy"`
	Reason string `json:"cancelReason,omitempty"`
}

type wireCounts struct {
	Fulfilled   int `json:"quantityFulfilled"`
	Unfulfilled int `json:"quantityUnfulfilled"`
}

type wireTax struct {
	Collections []wireCollection `json:"taxCollections"`
}

type wireCollection struct {
	Model string `json:"model"`
	Party string `json:"responsibleParty,omitempty"`
}

type wirePackage struct {
	Ref     string            `json:"packageReferenceId"`
	Created string            `json:"createdTime"`
	Status  wireStatus        `json:"packageStatus"`
	Carrier string            `json:"carrier,omitempty"`
	Shipped string            `json:"shipTime"`
	Service string            `json:"shippingService,omitempty"`
	Track   string            `json:"trackingNumber,omitempty"`
	Items   []wirePackageItem `json:"packageItems"`
}

type wireStatus struct {
	Status string `json:"status"`
}

type wirePackageItem struct {
	ID       string `json:"orderItemId"`
	Quantity int    `json:"quantity"`
}

// include leaves out the data sets that were not asked for.
func (o wireOrder) include(sets map[string]bool) wireOrder {
	if !sets["BUYER"] {
		o.Buyer = nil
	}
	if !sets["RECIPIENT"] {
		o.Recipient = nil
	}
	if !sets["PROCEEDS"] {
		o.Proceeds = nil
	}
	if !sets["FULFILLMENT"] {
		o.Fulfillment = nil
	}
	if !sets["PACKAGES"] {
		o.Packages = nil
	}
	items := make([]wireItem, len(o.Items))
	for i, it := range o.Items {
		if !sets["PROCEEDS"] {
			it.Proceeds = nil
		}
		if !sets["PROMOTION"] {
			it.Promotion = nil
		}
		if !sets["CANCELLATION"] {
			it.Cancellation = nil
		}
		if !sets["FULFILLMENT"] {
			it.Fulfillment = nil
		}
		if !sets["TAX"] {
			it.Tax = nil
		}
		items[i] = it
	}
	o.Items = items
	return o
}
