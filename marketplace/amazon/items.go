package amazon

import (
	"slices"
	"strings"

	"channelbridge/marketplace"
)

// line converts one item: quantities, cancellation and money.
func (b *builder) line(w *wireItem) {
	if w.OrderItemID == "" || w.QuantityOrdered == nil || *w.QuantityOrdered < 0 {
		b.fail("order %s: item %q has no id or no usable quantity", b.w.OrderID, w.OrderItemID)
		return
	}
	l := marketplace.Line{ID: w.OrderItemID, SKU: w.Product.SellerSKU, CatalogID: w.Product.ASIN,
		Title: w.Product.Title, Ordered: *w.QuantityOrdered}
	if slices.ContainsFunc(b.o.Lines, func(o marketplace.Line) bool { return o.ID == l.ID }) {
		b.fail("order %s: item %q occurs twice", b.w.OrderID, l.ID)
		return
	}
	b.quantities(&l, w)
	b.cancelRequest(&l, w)
	l.Parts = b.parts(w)
	b.o.Lines = append(b.o.Lines, l)
}

// quantities: Amazon gives no cancelled count; what is neither shipped nor left was cancelled.
func (b *builder) quantities(l *marketplace.Line, w *wireItem) {
	if f := w.Fulfillment; f != nil {
		gone := l.Ordered - f.QuantityFulfilled - f.QuantityUnfulfilled
		if f.QuantityFulfilled < 0 || f.QuantityUnfulfilled < 0 || gone < 0 {
			b.problem(problemDivergence, "item %s: %d ordered, but %d shipped and %d left", l.ID, l.Ordered, f.QuantityFulfilled, f.QuantityUnfulfilled)
			gone = 0
		}
		l.Shipped, l.Cancelled = max(f.QuantityFulfilled, 0), gone
	}
	if b.o.Lifecycle == marketplace.Cancelled {
		l.Cancelled = max(l.Ordered-l.Shipped, 0)
	}
	if x := w.Cancellation.CancellationExecution; x != nil && l.Cancelled == 0 && l.Ordered > 0 {
		b.problem(problemDivergence, "item %s was cancelled by %s, but no quantity says so", l.ID, x.CancelledBy)
	}
}

// cancelRequest keeps a buyer's wish as long as nobody has decided it.
func (b *builder) cancelRequest(l *marketplace.Line, w *wireItem) {
	r := w.Cancellation.CancellationRequest
	if r == nil || w.Cancellation.CancellationExecution != nil || b.o.Lifecycle == marketplace.Cancelled || b.o.Lifecycle == marketplace.Closed {
		return
	}
	if r.Requester != "BUYER" {
		b.problem(problemState, "item %s: cancellation requester %q is not known", l.ID, r.Requester)
		return
	}
	if b.o.CancelRequest == nil {
		b.o.CancelRequest = &marketplace.CancelRequest{}
	}
	b.o.CancelRequest.Lines = append(b.o.CancelRequest.Lines, l.ID)
	b.o.CancelRequest.Reason = or(b.o.CancelRequest.Reason, strings.TrimSpace(r.CancelReason))
}

func (b *builder) packages() {
	for _, w := range b.w.Packages {
		p := marketplace.Package{Ref: w.PackageReferenceID, Carrier: w.Carrier, Tracking: w.TrackingNumber,
			ShippedAt: w.ShipTime.Time, Status: w.PackageStatus.Status, Lines: map[string]int{}}
		for _, i := range w.PackageItems {
			p.Lines[i.OrderItemID] += i.Quantity
		}
		b.o.Packages = append(b.o.Packages, p)
	}
}
