package amazon

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// Lanes, which are the two feed types the adapter hands in.
const (
	laneAcknowledgement = "acknowledgement"
	laneAdjustment      = "adjustment"
)

const (
	feedsPath       = "/feeds/2021-06-30/feeds"
	documentsPath   = "/feeds/2021-06-30/documents"
	feedContentType = "text/xml; charset=UTF-8"
	maxFeed         = 10 << 20            // Amazon's advice
	feedsKept       = 90 * 24 * time.Hour // getFeeds lists no older ones
	maxFeedPages    = 20
)

// lane is one feed type and what it carries.
type lane struct {
	feedType, messageType string
	ops                   []marketplace.Operation
}

var lanes = map[string]lane{
	laneAcknowledgement: {"POST_ORDER_ACKNOWLEDGEMENT_DATA", "OrderAcknowledgement", []marketplace.Operation{marketplace.OpCancel}},
	laneAdjustment:      {"POST_PAYMENT_ADJUSTMENT_DATA", "OrderAdjustment", []marketplace.Operation{marketplace.OpCancelUnits, marketplace.OpRefund}},
}

// Lane names the feed an instruction goes into; empty for what is no instruction.
func (a *Adapter) Lane(op marketplace.Operation) string {
	for name, l := range lanes {
		if slices.Contains(l.ops, op) {
			return name
		}
	}
	return ""
}

// Prepare writes the feed and uploads it to the address Amazon gives for it. The document that
// is left behind when nobody hands it in ends by itself after two days.
func (a *Adapter) Prepare(ctx context.Context, name string, batch []marketplace.Message) (string, error) {
	body, err := a.write(name, batch)
	if err != nil {
		return "", &fault.Error{Class: fault.Refused, Err: fault.Wrap(err, "writing a feed for lane %s", name)}
	}
	var place struct{ FeedDocumentID, URL string }
	_, err = a.api.read(ctx, request{op: opCreateFeedDocument, method: http.MethodPost, path: documentsPath, repeat: true,
		body: map[string]string{"contentType": feedContentType}}, &place)
	if err == nil && place.FeedDocumentID == "" {
		err = fault.New(fault.Temporary, "amazon %s: the answer names no document", opCreateFeedDocument)
	}
	if err != nil {
		return "", fault.Wrap(err, "preparing a feed")
	}
	if err := a.api.upload(ctx, place.URL, feedContentType, body); err != nil {
		return "", fault.Wrap(err, "uploading a feed")
	}
	return place.FeedDocumentID, nil
}

// Writable says whether an instruction can be written as a message of its feed.
func (a *Adapter) Writable(lane string, m marketplace.Message) error {
	_, err := a.write(lane, []marketplace.Message{m})
	return err
}

// write checks a batch and makes its document. It does not call out.
func (a *Adapter) write(name string, batch []marketplace.Message) ([]byte, error) {
	l, known := lanes[name]
	if !known {
		return nil, fault.New(fault.Refused, "there is no such lane")
	}
	if len(batch) == 0 {
		return nil, fault.New(fault.Refused, "the batch is empty")
	}
	orders, numbers := map[marketplace.OrderID]bool{}, map[int]bool{}
	messages := make([]feedMessage, 0, len(batch))
	for _, m := range batch {
		switch {
		case !slices.Contains(l.ops, m.Op):
			return nil, fault.New(fault.Refused, "%s does not go this way", m.Op)
		case m.Site == "" || m.Site != batch[0].Site:
			return nil, fault.New(fault.Refused, "order %s is of site %q, the batch of %q", m.Order, m.Site, batch[0].Site)
		case orders[m.Order]:
			return nil, fault.New(fault.Refused, "order %s has two messages in one batch", m.Order)
		case numbers[m.Number]:
			return nil, fault.New(fault.Refused, "message number %d occurs twice", m.Number)
		}
		orders[m.Order], numbers[m.Number] = true, true
		out, err := message(m, a.cfg.taxStrategy(m.Site))
		if err != nil {
			return nil, fault.Wrap(err, "%s of order %s", m.Op, m.Order)
		}
		messages = append(messages, out)
	}
	body, err := document(a.cfg.SellerID, l.messageType, messages)
	if err == nil && len(body) > maxFeed {
		err = fault.New(fault.Refused, "%d bytes are more than Amazon advises", len(body))
	}
	return body, err
}

// Submit hands a prepared document in. Amazon has no idempotency for it: it is sent once, and an
// answer that does not come, a server error or an answer without a feed id are Unknown.
func (a *Adapter) Submit(ctx context.Context, name, site, document string) (string, error) {
	l, known := lanes[name]
	if !known || site == "" || document == "" {
		return "", fault.New(fault.Refused, "amazon %s: lane %q, site %q and document %q must be given", opCreateFeed, name, site, document)
	}
	ans, err := a.api.send(ctx, request{op: opCreateFeed, method: http.MethodPost, path: feedsPath, body: map[string]any{
		"feedType": l.feedType, "marketplaceIds": []string{site}, "inputFeedDocumentId": document}})
	if fault.Is(err, fault.NotFound) { // of the document; nothing was taken on
		err = &fault.Error{Class: fault.Refused, Err: err}
	}
	if err != nil {
		return "", fault.Wrap(err, "handing in a feed")
	}
	var body struct{ FeedID string }
	if err := json.Unmarshal(ans.Body, &body); err != nil || body.FeedID == "" {
		e := fault.New(fault.Unknown, "amazon %s: taken on, but the answer names no feed", opCreateFeed)
		e.Ref = ans.Header.Get(requestID)
		return "", e
	}
	return body.FeedID, nil
}
