package amazon

import "encoding/json"

// The wire types of Transfers v2024-06-01, as far as the list of payouts needs them. The model
// knows no converted amount and no rate: a payout has one amount in one currency.

// payoutsAnswer has no payload around it.
type payoutsAnswer struct {
	Payouts   list[json.RawMessage]
	NextToken string
}

type wirePayout struct {
	ID                 string
	PartnerMetadata    struct{ MarketplaceID string }
	CurrentStatus      string
	StatusHistory      list[payoutStatus] // oldest first
	Amount             *finAmount         // null when nothing is sent
	AccountTail        string
	CreationDate       instant
	TraceID            string
	Period             struct{ StartDate, EndDate instant }
	RelatedIdentifiers list[relatedIdentifier]
}

type payoutStatus struct {
	Status          string
	LastUpdatedDate instant
	FailureReason   string
}
