package amazon

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The wire types name what the adapter reads; everything else Amazon sends is left alone.

type searchAnswer struct {
	Orders            []json.RawMessage `json:"orders"`
	Pagination        struct{ NextToken string }
	LastUpdatedBefore instant `json:"lastUpdatedBefore"`
}

type wireOrder struct {
	OrderID          string  `json:"orderId"`
	CreatedTime      instant `json:"createdTime"`
	LastUpdatedTime  instant `json:"lastUpdatedTime"`
	OrderAliases     []struct{ AliasID string }
	Programs         []string
	AssociatedOrders []struct{ OrderID, AssociationType string }
	SalesChannel     struct{ ChannelName, MarketplaceID, MarketplaceName string }
	Buyer            struct{ BuyerName, BuyerCompanyName, BuyerPurchaseOrderNumber string }
	Recipient        struct{ DeliveryAddress *wireAddress }
	Proceeds         struct {
		GrandTotal *amount
		Breakdowns []breakdown
	}
	Fulfillment *wireFulfillment
	OrderItems  []wireItem
	Packages    []wirePackage
}

type wireAddress struct {
	Name, CompanyName, AddressLine1, AddressLine2, AddressLine3 string
	City, DistrictOrCounty, StateOrRegion, Municipality         string
	PostalCode, CountryCode, Phone                              string
}

type wireFulfillment struct {
	FulfillmentStatus       string
	FulfilledBy             string
	FulfillmentServiceLevel string
	ShipByWindow            window
	DeliverByWindow         window
}

type window struct{ EarliestDateTime, LatestDateTime instant }

type wireItem struct {
	OrderItemID     string `json:"orderItemId"`
	QuantityOrdered *int   `json:"quantityOrdered"`
	Product         struct {
		ASIN, Title, SellerSKU string
		Price                  struct{ UnitPrice *amount }
	}
	Proceeds struct {
		ProceedsTotal *amount
		Breakdowns    []breakdown
	}
	Cancellation struct {
		CancellationRequest   *struct{ Requester, CancelReason string }
		CancellationExecution *struct{ CancelledBy, CancelReason string }
	}
	Fulfillment *struct{ QuantityFulfilled, QuantityUnfulfilled int }
	Tax         struct {
		TaxCollections []struct{ Model string }
	}
}

type breakdown struct {
	Type               string
	Subtotal           *amount
	DetailedBreakdowns []struct {
		Subtype string
		Value   *amount
	}
}

type wirePackage struct {
	PackageReferenceID string `json:"packageReferenceId"`
	PackageStatus      struct{ Status string }
	Carrier            string
	ShipTime           instant
	TrackingNumber     string
	PackageItems       []struct {
		OrderItemID string `json:"orderItemId"`
		Quantity    int    `json:"quantity"`
	}
}

type amount struct {
	Amount       decimal `json:"amount"`
	CurrencyCode string  `json:"currencyCode"`
}

// decimal is the text of an amount, whether it came as a JSON string or a JSON number.
// It never passes through a float.
type decimal string

// UnmarshalJSON keeps the digits as they were sent.
func (d *decimal) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		return nil
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*d = decimal(s)
		return nil
	case len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9'):
		*d = decimal(b)
		return nil
	}
	return fmt.Errorf("amount %.20q is neither text nor number", b)
}

// instant is a point in time that may be null or empty.
type instant struct{ time.Time }

// UnmarshalJSON reads ISO 8601 with a zone.
func (i *instant) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("time: %w", err)
	}
	if s == nil || *s == "" {
		return nil
	}
	t, err := parseTime(*s)
	if err != nil {
		return err
	}
	i.Time = t
	return nil
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	if err != nil {
		return time.Time{}, fmt.Errorf("time %.40q is not ISO 8601 with a zone", s)
	}
	return t.UTC(), nil
}

// stamp writes an instant the way Amazon takes it without trouble: UTC, seconds, Z.
func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }
