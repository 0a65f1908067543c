package amazonfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"channelbridge/internal/money"
)

// entry is one movement of money as Finances shows it.
type entry struct {
	id, order string
	at        time.Time
	late      time.Duration // before it shows, and before its release does
	reason    string        // why its money is held back until deferral is over; empty: it is not
	doc       map[string]any
}

// deferral is how long money is held back where Options or an OrderSpec say so.
const deferral = 7 * 24 * time.Hour

// byDelivery is Amazon's reason for holding money until a week after the delivery.
const byDelivery = "DD7"

func (s *Server) book(o *order, doc map[string]any) {
	s.serial++
	e := entry{id: fmt.Sprintf("txn-%06d", s.serial), order: o.spec.ID, at: s.now(), late: s.opt.RefundDelay, reason: o.spec.Deferred, doc: doc}
	if doc["transactionType"] == "Refund" {
		e.reason = ""
		if s.opt.Deferred {
			e.reason = byDelivery
		}
	}
	if lag := s.faults.MoneyLag; lag > 0 {
		e.late += time.Duration(s.opt.Rand.Int64N(int64(lag)))
	}
	s.entries = append(s.entries, e)
}

// held reports whether money of an order's sales is held back now.
func (s *Server) held(o *order) bool {
	return o.spec.Deferred != "" && slices.ContainsFunc(s.entries, func(e entry) bool {
		return e.order == o.spec.ID && e.reason != "" && s.now().Before(e.at.Add(deferral))
	})
}

func amountOf(m money.Money) map[string]any {
	return map[string]any{"currencyAmount": json.Number(m.Decimal()), "currencyCode": m.Currency}
}

func node(name string, m money.Money, inner ...map[string]any) map[string]any {
	n := map[string]any{"breakdownType": name, "breakdownAmount": amountOf(m), "breakdowns": []any{}}
	if len(inner) > 0 {
		n["breakdowns"] = inner
	}
	return n
}

// leaves are Finances' names of components, and the group they stand in.
var leaves = map[string][2]string{
	"Principal": {"ProductCharges", "OurPricePrincipal"}, "Tax": {"Tax", "OurPriceTax"},
	"Shipping": {"Shipping", "ShippingPrincipal"}, "ShippingTax": {"Tax", "ShippingTax"},
	"GiftWrap": {"Giftwrap", "GiftwrapPrincipal"}, "GiftWrapTax": {"Tax", "GiftwrapTax"},
	"COD": {"ProductCharges", "CODPrincipal"}, "Goodwill": {"ProductCharges", "GoodwillPrincipal"},
	"RestockingFee": {"ProductCharges", "RestockingDeductionPrincipal"}, "RestockingFeeTax": {"Tax", "RestockingDeductionTax"},
}

// commission is what Amazon keeps of a sale and returns of it with a refund, less a fee.
func commission(m money.Money) money.Money { return money.New(m.Minor*15/100, m.Currency) }

// refundEntry is a refund as Finances shows it: charges to the buyer negative, the commission
// returned, and the tax Amazon had collected taken back by it.
func refundEntry(o *order, r Refund) map[string]any {
	zero := money.New(0, o.spec.Currency)
	total, items := zero, []any{}
	for _, it := range r.Items {
		groups, sums := map[string][]map[string]any{}, map[string]money.Money{}
		sum, tax := zero, zero
		for _, name := range slices.Sorted(maps.Keys(it.Parts)) {
			m := it.Parts[name].Neg()
			leaf := leaves[name]
			groups[leaf[0]] = append(groups[leaf[0]], node(leaf[1], m))
			sums[leaf[0]] = must(must(zero.Add(sums[leaf[0]])).Add(m))
			sum = must(sum.Add(m))
			if isTax(name) {
				tax = must(tax.Add(m))
			}
		}
		breakdowns := []map[string]any{}
		for _, g := range slices.Sorted(maps.Keys(groups)) {
			breakdowns = append(breakdowns, node(g, sums[g], groups[g]...))
		}
		if o.spec.TaxByAmazon && !tax.IsZero() {
			breakdowns = append(breakdowns, node("MarketplaceFacilitatorTax-Principal", tax.Neg()))
			sum = must(sum.Sub(tax))
		}
		back := commission(it.Parts["Principal"])
		back.Currency = o.spec.Currency
		kept := money.New(-back.Minor/5, back.Currency)
		fees := must(back.Add(kept))
		breakdowns = append(breakdowns, node("AmazonFees", fees, node("Commission", back, node("Base", back)), node("RefundCommission", kept)))
		sum = must(sum.Add(fees))
		total = must(total.Add(sum))
		items = append(items, map[string]any{"description": "item", "totalAmount": amountOf(sum), "breakdowns": breakdowns,
			"relatedIdentifiers": []any{map[string]string{"itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID", "itemRelatedIdentifierValue": r.ID + "-" + it.ID}},
			"contexts":           []any{}})
	}
	doc := transactionDoc(o, "Refund", "Refund Order", total)
	doc["items"] = items
	doc["relatedIdentifiers"] = append(doc["relatedIdentifiers"].([]map[string]string),
		map[string]string{"relatedIdentifierName": "REFUND_ID", "relatedIdentifierValue": r.ID})
	return doc
}

func transactionDoc(o *order, kind, text string, total money.Money) map[string]any {
	return map[string]any{
		"sellingPartnerMetadata": map[string]string{"sellingPartnerId": DefaultSeller, "accountType": "Standard Orders", "marketplaceId": o.spec.Site},
		"relatedIdentifiers":     []map[string]string{{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": o.spec.ID}},
		"transactionType":        kind, "description": text, "totalAmount": amountOf(total),
		"items": []any{}, "contexts": []any{}, "breakdowns": []any{},
	}
}

// shipmentEntry is the sale of the units that have just shipped, without its details: what a
// settlement will pay for them, fees taken off.
func (o *order) shipmentEntry(units map[string]int) map[string]any {
	total := money.New(0, o.spec.Currency)
	for _, it := range o.items {
		for _, r := range o.saleRows(it, it.fulfilled-units[it.spec.ID], it.fulfilled, time.Time{}) {
			total = must(total.Add(o.amount(r.Amount)))
		}
	}
	return transactionDoc(o, "Shipment", "Order Payment", total)
}

// show writes what Finances shows of an entry now: one document, and after a deferral two, of
// which the second is as late as the first.
func (s *Server) show(e entry) []map[string]any {
	base := func(id, status string, at time.Time, link ...string) map[string]any {
		doc := maps.Clone(e.doc)
		doc["transactionId"], doc["transactionStatus"], doc["postedDate"] = id, status, stamp(at)
		if len(link) > 0 {
			doc["relatedIdentifiers"] = append(slices.Clone(doc["relatedIdentifiers"].([]map[string]string)),
				map[string]string{"relatedIdentifierName": link[0], "relatedIdentifierValue": link[1]})
		}
		return doc
	}
	until := e.at.Add(deferral)
	switch {
	case s.now().Before(e.at.Add(e.late)):
		return nil
	case e.reason == "":
		return []map[string]any{base(e.id, "RELEASED", e.at)}
	case s.now().Before(until):
		return []map[string]any{heldBack(base(e.id, "DEFERRED", e.at), e.reason, until)}
	}
	first := heldBack(base(e.id, "DEFERRED_RELEASED", e.at, "RELEASE_TRANSACTION_ID", e.id+"-r"), e.reason, until)
	if s.now().Before(until.Add(e.late)) {
		return []map[string]any{first}
	}
	return []map[string]any{first, base(e.id+"-r", "RELEASED", until, "DEFERRED_TRANSACTION_ID", e.id)}
}

// heldBack adds why and until when the money is held.
func heldBack(doc map[string]any, reason string, until time.Time) map[string]any {
	doc["contexts"] = append(slices.Clone(doc["contexts"].([]any)),
		map[string]any{"contextType": "DeferredContext", "deferralReason": reason, "maturityDate": stamp(until)})
	return doc
}

// moneyPage is the rest of a listing of transactions or transfers. An empty page comes before each
// full one where Options.EmptyPages says so.
type moneyPage struct {
	params string
	rest   []map[string]any
	full   bool
}

func (s *Server) listTransactions(c *call) result {
	q := c.URL.Query()
	token := q.Get("nextToken")
	q.Del("nextToken")
	if token != "" {
		p, known := s.moneyPages[token]
		if !known || p.params != q.Encode() {
			return badInput("nextToken is invalid or the other parameters have changed")
		}
		return s.transactionsPage(p)
	}
	name, value := q.Get("relatedIdentifierName"), q.Get("relatedIdentifierValue")
	after, errAfter := time.Parse(time.RFC3339, q.Get("postedAfter"))
	before := s.now().Add(-settled)
	if text := q.Get("postedBefore"); text != "" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || t.After(before) || !t.After(after) {
			return badInput("postedBefore is no date-time, lies before postedAfter or is younger than two minutes")
		}
		before = t
	}
	switch {
	case name != "" && name != "ORDER_ID" || name != "" && value == "":
		return badInput("relatedIdentifierName %q is not supported", name)
	case name == "" && (errAfter != nil || after.After(s.now().Add(-settled))):
		return badInput("Start date cannot be null")
	}
	page := moneyPage{params: q.Encode()}
	for _, e := range s.entries {
		if name != "" && e.order != value {
			continue
		}
		for _, doc := range s.show(e) {
			at, _ := time.Parse(time.RFC3339, doc["postedDate"].(string))
			tooWide := before.Sub(after) > 180*24*time.Hour
			if name == "" && (at.Before(after) || !at.Before(before) || tooWide) {
				continue
			}
			page.rest = append(page.rest, doc)
		}
	}
	return s.transactionsPage(page)
}

func (s *Server) transactionsPage(p moneyPage) result {
	return ok(map[string]any{"payload": s.turn(p, "transactions", s.opt.TransactionPage)})
}

// turn takes the next page off a listing and names the token of the one that follows.
func (s *Server) turn(p moneyPage, name string, size int) map[string]any {
	next := p
	if s.opt.EmptyPages && !p.full && len(p.rest) > 0 {
		size = 0
	}
	now := p.rest[:min(size, len(p.rest))]
	next.rest, next.full = p.rest[len(now):], size == 0
	page := map[string]any{name: now}
	if len(now) == 0 {
		page[name] = []any{}
	}
	if len(next.rest) > 0 {
		s.serial++
		token := fmt.Sprintf("mp%06d", s.serial)
		s.moneyPages[token] = next
		page["nextToken"] = token
	}
	return page
}

// transactionUpdate is the payload of a notification about a movement.
func (s *Server) transactionUpdate(o *order, kind string, total money.Money) map[string]any {
	return map[string]any{"TransactionUpdateNotification": map[string]any{
		"SellingPartnerMetadata": map[string]string{"SellingPartnerId": s.opt.SellerID, "MarketplaceId": o.spec.Site, "AccountType": "Standard Orders"},
		"RelatedIdentifiers":     []any{map[string]string{"RelatedIdentifierName": "OrderId", "RelatedIdentifierValue": o.spec.ID}},
		"TransactionType":        kind, "PostedDate": stamp(s.now()),
		"TotalAmount": map[string]any{"CurrencyAmount": json.Number(total.Decimal()), "CurrencyCode": total.Currency}}}
}
