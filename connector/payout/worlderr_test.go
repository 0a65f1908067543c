package payout

import (
	"maps"
	"slices"

	"pgregory.net/rapid"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// errors are the ways in which a channel errs about one order. Each says whether the order lends
// itself to it.
var channelErrors = map[string]func(*world, *sale) bool{
	"wrong commission":            (*world).wrongCommission,
	"withheld tax":                (*world).wrongTax,
	"price":                       (*world).wrongPrice,
	"not settled":                 (*world).notSettled,
	"not in the store":            (*world).notInStore,
	"unknown here":                (*world).unknownHere,
	"paid twice":                  (*world).paidTwice,
	"refund in the store alone":   (*world).refundInStore,
	"refund at the channel alone": (*world).refundAtChannel,
	"refund of another amount":    (*world).refundDiffers,
	"refund beyond what was paid": (*world).refundTooLarge,
	"charged back":                (*world).chargedBack,
	"charged back and reversed":   (*world).reversed,
	"line lost":                   (*world).lineLost,
	"line without a number":       (*world).lineUnnumbered,
	"line in another currency":    (*world).lineForeign,
	"a little less":               (*world).aLittle,
}

// inject lets the channel err about some orders, once each.
func (w *world) inject() {
	for _, s := range w.sales {
		if !s.due || !w.chance(50, "errs") {
			continue
		}
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(channelErrors))).Draw(w.T, "how")
		s.erred = channelErrors[name](w, s)
	}
}

// delta is a difference beyond the tolerance.
func (w *world) delta() int64 {
	d := w.between(w.tol+1, w.tol+1500, "by")
	if w.chance(50, "less") {
		return -d
	}
	return d
}

// first is an order's first line of one of some categories.
func (s *sale) first(of ...marketplace.Category) *entry {
	for _, c := range of {
		for _, e := range s.lines {
			if e.Category == string(c) {
				return e
			}
		}
	}
	return nil
}

// off changes a line, which makes an outcome.
func (s *sale) off(e *entry, by int64, o Outcome, c CauseCode) bool {
	if e == nil {
		return false
	}
	e.Amount.Minor += by
	s.blame(o, c, by)
	return true
}

func (s *sale) blame(o Outcome, c CauseCode, by int64) {
	s.want.outcome = o
	s.want.causes[c] += by
}

func (w *world) wrongCommission(s *sale) bool {
	return s.off(s.first(marketplace.Commission), w.delta(), FeeVariance, CauseCommission)
}

func (w *world) wrongTax(s *sale) bool {
	return s.off(s.first(marketplace.WithheldVAT, marketplace.WithheldIncome), w.delta(), TaxVariance, CauseWithheld)
}

func (w *world) wrongPrice(s *sale) bool {
	return s.off(s.first(marketplace.Principal), w.delta(), AmountDiffers, CausePrice)
}

func (w *world) aLittle(s *sale) bool {
	return s.off(s.first(marketplace.Principal), w.between(1, w.tol, "a little"), WithinTolerance, CauseRounding)
}

func (w *world) notSettled(s *sale) bool {
	var sum int64
	for _, n := range w.expects(s.facts) {
		sum += n
	}
	s.lines, s.want.excused = nil, sum == 0
	s.want.causes = map[CauseCode]int64{}
	s.blame(MissingInSettlement, CauseNotYet, -sum)
	return true
}

// notInStore is an order that is known here and was never mirrored.
func (w *world) notInStore(s *sale) bool {
	s.facts.Store = ""
	s.want.causes, s.want.notStore = map[CauseCode]int64{}, true
	s.blame(MissingInStore, CauseUnknown, s.sum())
	return true
}

// unknownHere is an order nobody here has heard of; then its other numbers mean nothing either.
func (w *world) unknownHere(s *sale) bool {
	for _, e := range s.lines {
		e.Order, e.Alias = s.id, ""
	}
	w.notInStore(s)
	s.facts = nil
	return true
}

func (s *sale) sum() (n int64) {
	for _, e := range s.lines {
		n += e.Amount.Minor
	}
	return n
}

// paidTwice settles everything a second time, perhaps in another payout.
func (w *world) paidTwice(s *sale) bool {
	if len(s.facts.Refunds) > 0 {
		return false
	}
	at := int(w.between(0, int64(len(w.batches)-1), "again in"))
	for _, e := range slices.Clone(s.lines) {
		twin := *e
		twin.batch = at
		s.lines = append(s.lines, &twin)
		cause := CauseDuplicate
		if e.Category == string(marketplace.AffiliateFee) {
			cause = CauseUnknown
		}
		s.blame(DuplicateSettlement, cause, e.Amount.Minor)
	}
	return true
}

// withRefund gives an order of which nothing was refunded its refund, on both sides.
func (w *world) refundOf(s *sale) (sum int64) {
	for _, r := range s.facts.Refunds {
		sum += r.Amount
	}
	return sum
}

// dropRefunds takes the channel's refund lines away, and tax that came back with them.
func (s *sale) dropRefunds() {
	kept := false
	s.lines = slices.DeleteFunc(s.lines, func(e *entry) bool {
		c := marketplace.Category(e.Category)
		kept = kept || c == marketplace.TaxByChannelCollected
		return c == marketplace.RefundPrincipal || c == marketplace.RefundShipping || c == marketplace.RefundTax || c == marketplace.TaxByChannelCollected && e.Amount.Minor > 0
	})
}

func (w *world) refundInStore(s *sale) bool {
	back := w.refundOf(s)
	if back <= w.tol {
		return false
	}
	s.dropRefunds()
	s.blame(RefundMismatch, CauseRefund, back)
	return true
}

func (w *world) refundAtChannel(s *sale) bool {
	if len(s.facts.Refunds) > 0 {
		return false
	}
	back := w.delta()
	back = max(back, -back)
	w.extra(s, marketplace.RefundPrincipal, -back)
	s.blame(RefundMismatch, CauseRefund, -back)
	return true
}

func (w *world) refundDiffers(s *sale) bool {
	if w.refundOf(s) <= w.tol {
		return false
	}
	return s.off(s.first(marketplace.RefundPrincipal), w.delta(), RefundMismatch, CauseRefund)
}

// refundTooLarge is a refund at the channel of more than the buyer paid.
func (w *world) refundTooLarge(s *sale) bool {
	if len(s.facts.Refunds) > 0 {
		return false
	}
	back := w.captured(s.facts) + w.between(1, 100000, "too much")
	w.extra(s, marketplace.RefundPrincipal, -back)
	s.blame(RefundMismatch, CauseRefund, -back)
	return true
}

// extra adds a line of an order.
func (w *world) extra(s *sale, c marketplace.Category, minor int64) *entry {
	e := &entry{PayoutLine: w.line(s.id, c, minor), batch: int(w.between(0, int64(len(w.batches)-1), "in"))}
	s.lines = append(s.lines, e)
	return e
}

func (w *world) chargedBack(s *sale) bool {
	n := w.between(1, 100000, "charged back")
	w.extra(s, marketplace.Chargeback, -n)
	s.blame(RefundMismatch, CauseChargeback, -n)
	return true
}

// reversed is a chargeback the channel decided for the seller: nothing is left of it.
func (w *world) reversed(s *sale) bool {
	n := w.between(1, 100000, "charged back")
	w.extra(s, marketplace.Chargeback, -n)
	w.extra(s, marketplace.ChargebackReversal, n)
	return true
}

// telling are the outcomes and causes of lines that are missing, by category.
var telling = map[marketplace.Category]struct {
	Outcome
	CauseCode
}{
	marketplace.Principal:       {AmountDiffers, CausePrice},
	marketplace.ShippingCharged: {AmountDiffers, CauseShipping},
	marketplace.SellerDiscount:  {AmountDiffers, CauseDiscount},
	marketplace.TaxCharged:      {AmountDiffers, CauseTax},
	marketplace.RefundPrincipal: {RefundMismatch, CauseRefund},
	marketplace.Commission:      {FeeVariance, CauseCommission},
	marketplace.PaymentFee:      {FeeVariance, CausePaymentFee},
	marketplace.WithheldVAT:     {TaxVariance, CauseWithheld},
	marketplace.WithheldIncome:  {TaxVariance, CauseWithheld},
}

// missing picks a line of an order that will not count for it. Something else of the order stays.
func (w *world) missing(s *sale) *entry {
	var fit []*entry
	for _, e := range s.lines {
		if _, ok := telling[marketplace.Category(e.Category)]; ok && max(e.Amount.Minor, -e.Amount.Minor) > w.tol {
			fit = append(fit, e)
		}
	}
	if len(fit) == 0 || len(s.lines) < 2 {
		return nil
	}
	e := rapid.SampledFrom(fit).Draw(w.T, "line")
	is := telling[marketplace.Category(e.Category)]
	s.blame(is.Outcome, is.CauseCode, -e.Amount.Minor)
	return e
}

func (w *world) lineLost(s *sale) bool {
	e := w.missing(s)
	if e == nil {
		return false
	}
	e.lost = true
	w.batches[e.batch].lost += e.Amount.Minor
	return true
}

func (w *world) lineUnnumbered(s *sale) bool {
	e := w.missing(s)
	if e == nil {
		return false
	}
	e.unnumbered = true
	return true
}

// lineForeign is a line of the order in a currency it was never sold in.
func (w *world) lineForeign(s *sale) bool {
	n := w.between(1, 100000, "foreign")
	e := w.extra(s, marketplace.Compensation, n)
	e.foreign, e.Amount = true, money.New(n, "EUR")
	s.want.outcome, s.want.foreign = CurrencyMismatch, n
	return true
}
