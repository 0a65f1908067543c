package amazon

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"channelbridge/marketplace"
)

// transferStatuses are Amazon's words, by their letters.
//
// Source: PayoutStatusName of Transfers v2024-06-01.
var transferStatuses = map[string]marketplace.TransferStatus{"started": marketplace.TransferStarted, "intransit": marketplace.TransferInTransit,
	"paid": marketplace.TransferPaid, "failed": marketplace.TransferFailed, "cancelled": marketplace.TransferCancelled,
	"nopayout": marketplace.TransferNone}

// readPayouts converts what can be converted, leaving out the sites not worked on. The errors name
// the payouts that cannot be read.
func (a *Adapter) readPayouts(raw []json.RawMessage) (all []marketplace.Transfer, bad []error) {
	for i, r := range raw {
		var p wirePayout
		err := json.Unmarshal(r, &p)
		if err == nil && p.PartnerMetadata.MarketplaceID != "" && !a.mine([]string{p.PartnerMetadata.MarketplaceID}) {
			continue
		}
		var t marketplace.Transfer
		if err == nil {
			t, err = p.transfer()
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("payout %d of the page: %w", i+1, err))
			continue
		}
		all = append(all, t)
	}
	return all, bad
}

func (p wirePayout) transfer() (marketplace.Transfer, error) {
	if p.ID == "" {
		return marketplace.Transfer{}, errors.New("it has no id")
	}
	amount, err := p.Amount.money()
	if err != nil {
		return marketplace.Transfer{}, fmt.Errorf("payout %.40s: %w", p.ID, err)
	}
	t := marketplace.Transfer{ID: p.ID, Statement: p.settlement(), Status: marketplace.TransferUnknown, Word: p.CurrentStatus, Amount: amount,
		CreatedAt: p.CreationDate.Time, BankRef: p.TraceID, AccountTail: p.AccountTail, Start: p.Period.StartDate.Time, End: p.Period.EndDate.Time}
	if s, known := transferStatuses[letters(p.CurrentStatus)]; known {
		t.Status = s
	}
	t.ChangedAt, t.Reason = p.changed()
	if t.CreatedAt.IsZero() && len(p.StatusHistory) > 0 {
		t.CreatedAt = p.StatusHistory[0].LastUpdatedDate.Time
	}
	if t.ChangedAt.IsZero() {
		t.ChangedAt = t.CreatedAt
	}
	return t, nil
}

// changed is the time of the latest entry of the history, which is the status's own by Amazon's
// word, and what that entry says about a failure. An entry of another status gives no reason.
func (p wirePayout) changed() (at time.Time, reason string) {
	for _, h := range p.StatusHistory {
		if h.LastUpdatedDate.Before(at) {
			continue
		}
		at, reason = h.LastUpdatedDate.Time, ""
		if letters(h.Status) == letters(p.CurrentStatus) {
			reason = h.FailureReason
		}
	}
	return at, reason
}

// settlement is the number of the settlement a payout pays: the one it names. Of several nobody
// can say how the amount is shared out.
func (p wirePayout) settlement() string {
	found := ""
	for _, r := range p.RelatedIdentifiers {
		if letters(r.RelatedIdentifierName) != "settlementid" || r.RelatedIdentifierValue == "" || r.RelatedIdentifierValue == found {
			continue
		}
		if found != "" {
			return ""
		}
		found = r.RelatedIdentifierValue
	}
	return found
}
