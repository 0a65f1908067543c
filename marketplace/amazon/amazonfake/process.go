package amazonfake

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"channelbridge/internal/money"
	"channelbridge/marketplace/amazon/internal/feedschema"
)

// settle lets every feed come as far as its time allows. The lock is held.
func (s *Server) settle() {
	for _, f := range s.feeds {
		age := s.now().Sub(f.created)
		if f.status == "IN_QUEUE" && age >= s.opt.FeedDelay/2 {
			f.status = "IN_PROGRESS"
		}
		if f.status == "IN_PROGRESS" && f.messages == 0 && age >= s.opt.FeedDelay {
			s.process(f)
		}
	}
}

// verdict is what became of one message.
type verdict struct {
	message int
	order   string
	err     error
}

// process carries a feed out. The codes in reports are made up; Amazon's are not documented.
func (s *Server) process(f *feed) {
	if f.fate.Status == "CANCELLED" {
		f.messages, f.status = -1, "CANCELLED"
		s.announceFeed(f)
		return
	}
	root, err := feedschema.Check(s.documents[f.document].body)
	if err == nil && root.Value("MessageType") != map[string]string{typeAcknowledgement: "OrderAcknowledgement", typeAdjustment: "OrderAdjustment"}[f.kind] {
		err = fmt.Errorf("the message type is not that of the feed")
	}
	if err != nil {
		f.messages, f.status = -1, "FATAL"
		f.result = s.file([]byte(report(f.id, nil, []verdict{{0, "", err}}, nil))).id
		s.announceFeed(f)
		return
	}
	all := root.All("Message")
	f.messages = len(all)
	var done []verdict
	for i, m := range all {
		if f.fate.Status != "" && i >= f.fate.Apply {
			break
		}
		number, _ := strconv.Atoi(m.Value("MessageID"))
		body := m.Children[1]
		done = append(done, verdict{number, body.Value("AmazonOrderID"), s.carryOut(f, body)})
	}
	switch f.fate.Status {
	case "":
		f.status = "DONE"
		s.write(f, done)
	case "FATAL":
		f.status = "FATAL"
	default:
		return // in progress for good
	}
	s.announceFeed(f)
}

// carryOut does what one message says, or says why not.
func (s *Server) carryOut(f *feed, body *feedschema.Node) error {
	o := s.orders[body.Value("AmazonOrderID")]
	switch {
	case o == nil || !slices.Contains(f.sites, o.spec.Site):
		return fmt.Errorf("the order is not known in this marketplace")
	case o.spec.Amazon:
		return fmt.Errorf("the order is fulfilled by Amazon")
	case o.pending():
		return fmt.Errorf("the order is pending")
	case body.Name == "OrderAcknowledgement":
		return s.acknowledge(f, o, body)
	case o.status == "CANCELLED":
		return fmt.Errorf("the order is cancelled")
	case body.Value("ActionType") == "Cancel":
		return s.cancelUnits(o, body)
	}
	return s.refund(f, o, body)
}

// acknowledge with Failure cancels an order nothing of which has left. Once a unit has, it gives
// back everything: that is what the real one does, and why nobody may send it then.
func (s *Server) acknowledge(f *feed, o *order, body *feedschema.Node) error {
	if body.Value("StatusCode") != "Failure" {
		return nil
	}
	if o.status == "CANCELLED" {
		return fmt.Errorf("the order is cancelled already")
	}
	reason := ""
	for _, i := range body.All("Item") {
		if o.item(i.Value("AmazonOrderItemCode")) == nil {
			return fmt.Errorf("item %s is not part of the order", i.Value("AmazonOrderItemCode"))
		}
		reason = i.Value("CancelReason")
	}
	shipped := slices.ContainsFunc(o.items, func(it *item) bool { return it.fulfilled > 0 })
	for _, it := range o.items {
		it.cancelled, it.by, it.reason = it.spec.Quantity-it.fulfilled, "MERCHANT", reason
	}
	if !shipped {
		o.status, o.reason = "CANCELLED", reason
	} else {
		o.status = "SHIPPED"
		if all := o.everything(); len(all) > 0 {
			if _, err := s.giveBack(o, Refund{By: "acknowledgement", FeedID: f.id, Items: all}); err != nil {
				return err
			}
		}
	}
	s.touch(o)
	s.emit(o, changeStatus, "Order Canceled", nil)
	return nil
}

func (s *Server) cancelUnits(o *order, body *feedschema.Node) error {
	count := map[string]int{}
	for _, i := range body.All("AdjustedItem") {
		it := o.item(i.Value("AmazonOrderItemCode"))
		n, _ := strconv.Atoi(i.Value("QuantityCancelled"))
		if it == nil || n > it.spec.Quantity-it.fulfilled-it.cancelled-count[it.spec.ID] {
			return fmt.Errorf("item %s: %d units are not left to be cancelled", i.Value("AmazonOrderItemCode"), n)
		}
		count[it.spec.ID] += n
	}
	left, shipped := 0, 0
	for _, i := range body.All("AdjustedItem") {
		it := o.item(i.Value("AmazonOrderItemCode"))
		it.cancelled += count[it.spec.ID]
		delete(count, it.spec.ID)
		it.by, it.reason = "MERCHANT", i.Value("AdjustmentReason")
	}
	for _, it := range o.items {
		left += it.spec.Quantity - it.fulfilled - it.cancelled
		shipped += it.fulfilled
	}
	switch {
	case left == 0 && shipped == 0:
		o.status = "CANCELLED"
	case left == 0:
		o.status = "SHIPPED"
	}
	s.touch(o)
	s.emit(o, changeStatus, "Item Canceled", nil)
	return nil
}

// refund gives back what a message says. A line handed in again is paid again, as far as there is
// anything left: the seller's own number is not looked at.
func (s *Server) refund(f *feed, o *order, body *feedschema.Node) error {
	r := Refund{By: "feed", FeedID: f.id}
	for _, i := range body.All("AdjustedItem") {
		it := o.item(i.Value("AmazonOrderItemCode"))
		if it == nil {
			return fmt.Errorf("item %s is not part of the order", i.Value("AmazonOrderItemCode"))
		}
		want := map[string]money.Money{}
		for _, c := range i.Child("ItemPriceAdjustments").All("Component") {
			m, err := feedschema.Amount(c)
			if err != nil {
				return err
			}
			if want[c.Value("Type")], err = want[c.Value("Type")].Add(m); err != nil {
				return err
			}
		}
		parts, err := o.fill(it, want)
		if err != nil {
			return err
		}
		r.Items = append(r.Items, RefundedItem{it.spec.ID, parts})
		if ref := i.Value("MerchantAdjustmentItemID"); ref != "" {
			r.Refs = append(r.Refs, ref)
		}
	}
	_, err := s.giveBack(o, r)
	return err
}

// announceFeed tells of a feed that has come to its end.
func (s *Server) announceFeed(f *feed) {
	note := map[string]any{"sellerId": s.opt.SellerID, "accountId": "amzn1.merchant.o." + s.opt.SellerID, "feedId": f.id, "feedType": f.kind,
		"processingStatus": f.status}
	if f.result != "" {
		note["resultFeedDocumentId"] = f.result
	}
	s.announce(topicFeed, map[string]any{"feedProcessingFinishedNotification": note})
}

// readAll reads a request's body, bounded.
func readAll(req *http.Request) ([]byte, error) {
	var b bytes.Buffer
	_, err := b.ReadFrom(http.MaxBytesReader(nil, req.Body, maxFeed))
	return b.Bytes(), err
}

const maxFeed = 10 << 20
