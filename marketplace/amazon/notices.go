package amazon

import (
	"fmt"
	"slices"

	"channelbridge/marketplace"
)

// Notification types the bridge lives on.
const (
	orderChange       = "ORDER_CHANGE"
	transactionUpdate = "TRANSACTION_UPDATE"
	feedFinished      = "FEED_PROCESSING_FINISHED"
)

// notification is the envelope; Go's decoder takes both spellings Amazon uses.
type notification struct {
	NotificationType string
	EventTime        string
	Payload          struct {
		OrderChangeNotification            *orderNotice
		TransactionUpdateNotification      *transactionNotice
		FeedProcessingFinishedNotification *feedNotice
	}
	NotificationMetadata struct{ NotificationID string }
}

type orderNotice struct {
	SellerID           string
	AmazonOrderID      string
	OrderChangeTrigger struct{ TimeOfOrderChange string }
	Summary            struct{ MarketplaceID string }
}

type transactionNotice struct {
	SellingPartnerMetadata struct{ SellingPartnerID, MarketplaceID string }
	RelatedIdentifiers     list[relatedIdentifier]
	TransactionType        string
	PostedDate             string
}

type feedNotice struct {
	SellerID string
	FeedType string
}

// about reads the part of a notification that its type names.
func (a *Adapter) about(n notification, h *marketplace.Hint) error {
	switch n.NotificationType {
	case orderChange:
		return a.orderChanged(n, h)
	case transactionUpdate:
		return a.moneyMoved(n, h)
	case feedFinished:
		return a.feedDone(n, h)
	}
	h.Ignore = "notifications of this type are not used"
	return nil
}

func (a *Adapter) orderChanged(n notification, h *marketplace.Hint) error {
	c := n.Payload.OrderChangeNotification
	if c == nil || c.AmazonOrderID == "" {
		return fmt.Errorf("%s names no order", orderChange)
	}
	h.Order = marketplace.OrderID(c.AmazonOrderID)
	h.Heard = heard(c.OrderChangeTrigger.TimeOfOrderChange, n.EventTime)
	h.Ignore = a.foreign(c.SellerID, c.Summary.MarketplaceID)
	return nil
}

// moneyMoved is about refunds alone; other transactions change nothing here. A refund that names
// no order is found by listing.
func (a *Adapter) moneyMoved(n notification, h *marketplace.Hint) error {
	c := n.Payload.TransactionUpdateNotification
	if c == nil {
		return fmt.Errorf("%s says nothing", transactionUpdate)
	}
	t := transaction{TransactionType: c.TransactionType, RelatedIdentifiers: c.RelatedIdentifiers}
	h.Order = marketplace.OrderID(t.related("ORDER_ID"))
	h.Heard = heard(c.PostedDate, n.EventTime)
	h.Money = true
	switch {
	case !t.refunds():
		h.Ignore = "a transaction that is no refund"
	case h.Order == "":
		h.Ignore = "a refund that names no order"
	default:
		h.Ignore = a.foreign(c.SellingPartnerMetadata.SellingPartnerID, c.SellingPartnerMetadata.MarketplaceID)
	}
	return nil
}

// feedDone wakes the lane of a feed. What became of the feed is read from Amazon.
func (a *Adapter) feedDone(n notification, h *marketplace.Hint) error {
	c := n.Payload.FeedProcessingFinishedNotification
	if c == nil || c.FeedType == "" {
		return fmt.Errorf("%s names no feed type", feedFinished)
	}
	h.Heard = heard(n.EventTime)
	for name, l := range lanes {
		if l.feedType == c.FeedType {
			h.Lane = name
		}
	}
	h.Ignore = a.foreign(c.SellerID, "")
	if h.Lane == "" {
		h.Ignore = "a feed that is not ours"
	}
	return nil
}

// foreign says why a notification does not concern this account; empty when it does.
func (a *Adapter) foreign(seller, site string) string {
	switch {
	case seller != "" && seller != a.cfg.SellerID:
		return "another seller's"
	case site != "" && len(a.cfg.Sites) > 0 && !slices.Contains(a.cfg.Sites, site):
		return "a site that is not connected"
	}
	return ""
}
