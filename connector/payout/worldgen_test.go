package payout

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// world is a channel account of random orders that the channel pays as expected, tariff by tariff,
// until inject makes it err. What the books should say is worked out here by other means than
// package payout has.
type world struct {
	*rapid.T
	account  Account
	currency string
	tol      int64 // the default tolerance of the currency
	tariffs  []Tariff
	sales    []*sale
	batches  []*batch
	byItem   bool // lines name the order's items
	now      time.Time
}

// sale is one order and what the channel pays of it.
type sale struct {
	id    string
	facts *Facts // nil: nobody here knows it
	lines []*entry
	due   bool
	want  want
	erred bool
}

// want is what the books should say of an order.
type want struct {
	outcome  Outcome
	causes   map[CauseCode]int64
	foreign  int64 // in the other currency
	excused  bool  // it may be absent: nothing was expected and nothing came
	notStore bool
}

// batch is one payout.
type batch struct {
	external       string
	at             time.Time
	opening, close int64
	lines          []*entry
	order          []int // in which its lines stand
	lost           int64
	declared       bool
	again          bool // an earlier revision lacked some of its lines
}

// entry is one line; batch < 0: the channel has not settled it yet.
type entry struct {
	connector.PayoutLine
	batch      int
	lost       bool // of the file: counted in what was paid, and not there
	unnumbered bool // it lacks its order's number
	foreign    bool
	no         int
}

var start = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

func (w *world) chance(percent int, label string) bool {
	return rapid.IntRange(0, 99).Draw(w.T, label) < percent
}

func (w *world) between(lo, hi int64, label string) int64 {
	return rapid.Int64Range(lo, hi).Draw(w.T, label)
}

func newWorld(t *rapid.T) *world {
	w := &world{T: t, now: start.Add(60 * 24 * time.Hour)}
	w.currency = rapid.SampledFrom([]string{"VND", "JPY", "THB", "USD", "KWD"}).Draw(t, "currency")
	if w.tol = 1; w.currency == "VND" {
		w.tol = 100
	}
	w.byItem = w.chance(75, "by item")
	w.account = Account{ID: "acct", Zone: "Asia/Ho_Chi_Minh", Terms: Terms{Wait: 7 * 24 * time.Hour, Every: 24 * time.Hour}}
	w.rules()
	for i := range w.between(1, 4, "payouts") {
		w.batches = append(w.batches, &batch{external: fmt.Sprintf("ST-%d", i), at: start.Add(time.Duration(20+i) * 24 * time.Hour), opening: w.balance("opening"), close: w.balance("closing"), declared: w.chance(50, "declared")})
	}
	for i := range w.between(1, 6, "orders") {
		w.sales = append(w.sales, w.sale(fmt.Sprintf("N-%02d", i)))
	}
	return w
}

func (w *world) balance(label string) int64 {
	if w.chance(60, label+" zero") {
		return 0
	}
	return w.between(-1_000_000, 1_000_000, label)
}

// rules draws the tariffs. A commission is always among them, and from half time on another.
func (w *world) rules() {
	half := start.Add(24 * time.Hour)
	maybe := func(percent int, t Tariff) {
		if !w.chance(percent, t.Key) {
			return
		}
		t.RateBP = w.between(0, 1500, t.Key+" rate")
		if t.From.IsZero() {
			t.From = start.Add(-1000 * 24 * time.Hour)
		}
		if w.chance(30, t.Key+" by line") {
			t.Round = PerLine
		}
		if w.chance(20, t.Key+" at shipment") {
			t.Instant = AtShipment
		}
		if w.chance(25, t.Key+" bounds") {
			t.Currency, t.Fixed, t.Minimum = w.currency, w.between(0, 500, "fixed"), w.between(0, 700, "minimum")
			t.Maximum = t.Minimum + w.between(0, 5000, "maximum")
		}
		if w.chance(30, t.Key+" base") {
			t.Base = []marketplace.Category{marketplace.Principal, marketplace.ShippingCharged}
		}
		if t.Category == marketplace.FeeRefund || t.Category == marketplace.RefundAdminFee {
			t.Base = []marketplace.Category{marketplace.RefundPrincipal}
		}
		w.tariffs = append(w.tariffs, t)
	}
	maybe(100, Tariff{Key: "commission", Category: marketplace.Commission})
	maybe(60, Tariff{Key: "commission-new", Category: marketplace.Commission, From: half})
	maybe(70, Tariff{Key: "payment", Category: marketplace.PaymentFee})
	maybe(30, Tariff{Key: "service", Category: marketplace.ServiceFee})
	maybe(60, Tariff{Key: "vat", Category: marketplace.WithheldVAT})
	maybe(40, Tariff{Key: "income", Category: marketplace.WithheldIncome})
	maybe(30, Tariff{Key: "fee-refund", Category: marketplace.FeeRefund})
	maybe(20, Tariff{Key: "admin", Category: marketplace.RefundAdminFee})
}

// sale draws an order and settles it as expected.
func (w *world) sale(id string) *sale {
	f := &Facts{Order: id, Store: "gid-" + id, Name: "#" + id, Currency: w.currency, PlacedAt: start.Add(time.Duration(w.between(0, 48, "placed")) * time.Hour)}
	f.ShippedAt = f.PlacedAt.Add(30 * time.Hour)
	s := &sale{id: id, facts: f, due: true, want: want{outcome: Matched, causes: map[CauseCode]int64{}}}
	byChannel := w.chance(50, "tax by channel")
	taxed := w.chance(50, "taxed")
	for i := range w.between(1, 3, "items") {
		f.Items = append(f.Items, w.item(fmt.Sprintf("%s-%d", id, i+1), taxed, byChannel))
	}
	if w.chance(40, "shipping") {
		f.Charges = append(f.Charges, Part{marketplace.ShippingCharged, w.price("shipping price")})
	}
	if w.chance(25, "alias") {
		f.Aliases = []string{"M-" + id}
	}
	if w.chance(25, "refunded") {
		w.giveBack(f)
	}
	split := w.byItem && len(w.batches) > 1 && w.chance(40, "split")
	w.settle(s, split)
	if len(f.Refunds) == 0 && w.chance(25, "deferred") {
		w.postpone(s)
	}
	if s.due && w.chance(15, "a fee without a tariff") {
		w.stray(s)
	}
	return s
}

// price is an amount well above every tolerance.
func (w *world) price(label string) int64 {
	if w.chance(3, label+" huge") {
		return w.between(1e12, 1e14, label)
	}
	return w.between(2000, 2_000_000, label)
}

func (w *world) item(id string, taxed, byChannel bool) Item {
	i := Item{ID: id, SKU: "SKU-" + id, Units: int(w.between(1, 3, "units"))}
	p := w.price("price")
	i.Parts = append(i.Parts, Part{marketplace.Principal, p})
	if w.chance(30, "discount") {
		i.Parts = append(i.Parts, Part{marketplace.SellerDiscount, -w.between(500, p/2, "discount amount")})
	}
	if taxed {
		tax := w.between(300, p/3, "tax")
		i.Parts = append(i.Parts, Part{marketplace.TaxCharged, tax})
		if byChannel {
			i.Parts = append(i.Parts, Part{marketplace.TaxByChannelCollected, -tax})
		}
	}
	return i
}

// giveBack refunds a part of an order once or twice.
func (w *world) giveBack(f *Facts) {
	left := w.captured(f)
	for i := range w.between(1, 2, "refunds") {
		most := max(left/2, 1)
		r := w.between(min(500, most), most, "refund")
		left -= r
		f.Refunds = append(f.Refunds, Refund{Ref: fmt.Sprintf("R-%s-%d", f.Order, i), At: f.ShippedAt.Add(time.Hour), Amount: r})
	}
}

// captured is what the seller had of an order's buyer.
func (w *world) captured(f *Facts) int64 {
	var sum int64
	f.parts(func(_ string, p Part) { sum += p.Amount })
	return sum
}

// stray is a fee for which there is no tariff: it is told and no variance.
func (w *world) stray(s *sale) {
	fee := -w.between(1, 5000, "stray fee")
	s.lines = append(s.lines, &entry{PayoutLine: w.line(s.id, marketplace.AffiliateFee, fee), batch: s.lines[0].batch})
	s.want.causes[CauseUnknown] += fee
}

func (w *world) line(order string, c marketplace.Category, minor int64) connector.PayoutLine {
	return connector.PayoutLine{Category: string(c), NativeType: "t-" + string(c), Amount: money.New(minor, w.currency), Order: order, PostedAt: start.Add(10 * 24 * time.Hour)}
}

// settle pays an order as expected, in one payout or item by item in several.
func (w *world) settle(s *sale, split bool) {
	home := int(w.between(0, int64(len(w.batches)-1), "payout"))
	at := map[string]int{"": home}
	places := []int{home}
	for _, i := range s.facts.Items {
		if at[i.ID] = home; split {
			at[i.ID] = int(w.between(0, int64(len(w.batches)-1), "payout of item"))
		}
		places = append(places, at[i.ID])
	}
	add := func(c marketplace.Category, minor int64, item string, batch int) {
		if minor == 0 {
			return
		}
		l := w.line(s.id, c, minor)
		if w.byItem && item != "" {
			l.Item, l.SKU = item, "SKU-"+item
		}
		s.lines = append(s.lines, &entry{PayoutLine: l, batch: batch})
	}
	sums := map[marketplace.Category]int64{}
	s.facts.parts(func(item string, p Part) {
		if w.byItem {
			add(p.Category, p.Amount, item, at[item])
			return
		}
		sums[p.Category] += p.Amount
	})
	fees := w.fees(*s.facts)
	for _, c := range marketplace.Categories() {
		add(c, sums[c], "", home)
		w.pieces(fees[c], places, func(minor int64, batch int) { add(c, minor, "", batch) })
	}
	w.settleRefunds(s, func(c marketplace.Category, minor int64) { add(c, minor, "", home) })
	w.nameOtherwise(s)
}

// pieces divides a fee over the payouts of an order as the channel likes.
func (w *world) pieces(fee int64, places []int, add func(minor int64, batch int)) {
	left := fee
	for i, b := range places {
		part := left
		if i < len(places)-1 {
			if part = 0; w.chance(40, "piece") {
				part = left / int64(w.between(1, 3, "part of the fee"))
			}
		}
		add(part, b)
		left -= part
	}
}

// settleRefunds pays an order's refunds as the channel divides them. Tax that the channel handed
// on comes back with the buyer's.
func (w *world) settleRefunds(s *sale, add func(marketplace.Category, int64)) {
	var back int64
	for _, r := range s.facts.Refunds {
		back += r.Amount
	}
	if back == 0 {
		return
	}
	var tax, kept int64
	s.facts.parts(func(_ string, p Part) {
		switch p.Category {
		case marketplace.TaxCharged:
			tax += p.Amount
		case marketplace.TaxByChannelCollected:
			kept += p.Amount
		}
	})
	t := w.between(0, min(tax, back/4), "tax given back")
	shipping := w.between(0, back/4, "shipping given back")
	add(marketplace.RefundTax, -t)
	add(marketplace.RefundShipping, -shipping)
	add(marketplace.RefundPrincipal, -(back - t - shipping))
	if kept != 0 {
		add(marketplace.TaxByChannelCollected, t)
	}
}

// nameOtherwise lets some lines name their order by another of its numbers.
func (w *world) nameOtherwise(s *sale) {
	for _, e := range s.lines {
		if len(s.facts.Aliases) == 0 || !w.chance(40, "by alias") {
			continue
		}
		if e.Alias, e.Order = s.facts.Aliases[0], ""; w.chance(50, "in the place of the number") {
			e.Order, e.Alias = e.Alias, ""
		}
	}
}

// postpone makes an order one that is not due, of which nothing or only some items have come.
func (w *world) postpone(s *sale) {
	s.due = false
	s.facts.ShippedAt = time.Time{}
	for _, t := range w.tariffs {
		if t.Instant == AtShipment { // then its fees are not known before it ships
			s.facts.ShippedAt = w.now.Add(-24 * time.Hour)
		}
	}
	w.resettle(s)
	items := map[string]bool{}
	for _, i := range s.facts.Items {
		items[i.ID] = w.chance(50, "has come")
	}
	some := w.byItem && w.chance(60, "some of it")
	for _, e := range s.lines {
		switch {
		case some && e.Item != "" && items[e.Item]:
		case some && e.Item == "" && e.batch == s.lines[0].batch && items[s.facts.Items[0].ID] && w.chance(50, "fee has come"):
		default:
			e.batch = -1
		}
	}
	s.want.outcome = w.deferred(s)
}

// resettle pays an order anew after its facts changed.
func (w *world) resettle(s *sale) {
	s.lines = nil
	w.settle(s, false)
}

// deferred works out the outcome of an order that is not due: a category that came short is still
// to come if it has no line, or while an item is missing.
func (w *world) deferred(s *sale) Outcome {
	came, missing := 0, map[CauseCode]int64{}
	lines, want, got := map[string]int{}, map[string]int64{}, map[string]int64{}
	items := map[string]bool{}
	for _, e := range s.lines {
		want[e.Category] += e.Amount.Minor
		if e.batch < 0 {
			continue
		}
		came++
		lines[e.Category]++
		got[e.Category] += e.Amount.Minor
		if e.Category == string(marketplace.Principal) {
			items[e.Item] = true
		}
	}
	complete, waits := len(items) == len(s.facts.Items), false
	for c, n := range want {
		if d := got[c] - n; d != 0 && (lines[c] == 0 || !complete) {
			missing[CauseNotYet] += d
			waits = true // though what is missing may come to nothing
		} else if d != 0 {
			missing["variance"] += d
		}
	}
	if missing["variance"] != 0 { // the rest of a fee after everything else: settle it too
		for _, e := range s.lines {
			if e.batch < 0 && lines[e.Category] > 0 {
				e.batch = s.lines[0].batch
				if e.batch < 0 {
					e.batch = 0
				}
			}
		}
		return w.deferred(s)
	}
	maps.DeleteFunc(missing, func(_ CauseCode, n int64) bool { return n == 0 })
	s.want.causes = missing
	var expected int64
	for _, n := range want {
		expected += n
	}
	s.want.excused = came == 0 && expected == 0
	switch {
	case came == 0:
		return AwaitingRelease
	case waits:
		return PartiallySettled
	}
	return Matched
}

// expects is what each category of an order should bring; refunds as one.
func (w *world) expects(f *Facts) map[marketplace.Category]int64 {
	out := w.fees(*f)
	f.parts(func(_ string, p Part) { out[p.Category] += p.Amount })
	for _, r := range f.Refunds {
		out[marketplace.RefundPrincipal] -= r.Amount
	}
	return out
}

// fees works out what the tariffs take, signed, with fractions instead of integers.
func (w *world) fees(f Facts) map[marketplace.Category]int64 {
	out, chosen := map[marketplace.Category]int64{}, map[marketplace.Category]Tariff{}
	for _, t := range w.tariffs {
		at := f.PlacedAt
		if t.Instant == AtShipment {
			at = f.ShippedAt
		}
		if at.Before(t.From) {
			continue
		}
		was, ok := chosen[t.Category]
		if !ok || t.Currency != "" && was.Currency == "" || (t.Currency == "") == (was.Currency == "") && t.From.After(was.From) {
			chosen[t.Category] = t
		}
	}
	for c, t := range chosen {
		out[c] = -w.fee(t, f)
		if c == marketplace.FeeRefund {
			out[c] = -out[c]
		}
	}
	return out
}

func (w *world) fee(t Tariff, f Facts) int64 {
	of := t.Base
	if of == nil {
		of = []marketplace.Category{marketplace.Principal, marketplace.SellerDiscount}
	}
	by := map[string]int64{}
	f.parts(func(item string, p Part) {
		if slices.Contains(of, p.Category) {
			by[item] += p.Amount
		}
	})
	if slices.Contains(of, marketplace.RefundPrincipal) {
		for _, r := range f.Refunds {
			by[r.Ref] += r.Amount
		}
	}
	var sum, fee int64
	for _, n := range by {
		sum += n
		fee += share(n, t.RateBP)
	}
	if t.Round != PerLine {
		fee = share(sum, t.RateBP)
	}
	if sum == 0 {
		return 0
	}
	if fee = max(fee+t.Fixed, t.Minimum); t.Maximum > 0 {
		fee = min(fee, t.Maximum)
	}
	return fee
}

// share is n × bp / 10000, half to even.
func share(n, bp int64) int64 {
	r := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(n), big.NewInt(bp)), big.NewInt(10000))
	whole := new(big.Int).Div(r.Num(), r.Denom())
	rest := new(big.Rat).Sub(r, new(big.Rat).SetInt(whole))
	switch rest.Cmp(big.NewRat(1, 2)) {
	case 1:
		whole.Add(whole, big.NewInt(1))
	case 0:
		whole.Add(whole, big.NewInt(int64(whole.Bit(0))))
	}
	return whole.Int64()
}

// fill puts the lines of orders into payouts, and others that belong to no order.
func (w *world) fill() {
	for _, s := range w.sales {
		for _, e := range s.lines {
			if e.batch >= 0 {
				w.batches[e.batch].lines = append(w.batches[e.batch].lines, e)
			}
		}
	}
	alone := []marketplace.Category{marketplace.Advertising, marketplace.SubscriptionFee, marketplace.StorageFee, marketplace.Loan, marketplace.BalanceTransfer,
		marketplace.ReserveHold, marketplace.ReserveRelease, marketplace.Unclassified}
	for _, b := range w.batches {
		for range w.between(0, 3, "other lines") {
			b.lines = append(b.lines, &entry{PayoutLine: w.line("", rapid.SampledFrom(alone).Draw(w.T, "kind"), w.between(-100000, 100000, "amount"))})
		}
		b.order = rapid.Permutation(indexes(len(b.lines))).Draw(w.T, "order of lines")
		b.again = len(b.lines) > 0 && w.chance(20, "issued again")
	}
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// head is a payout as the channel declares it, whatever its file lacks.
func (w *world) head(b *batch) connector.Payout {
	p := connector.Payout{Account: w.account.ID, External: b.external, Currency: w.currency, State: connector.PayoutPaid, PaidAt: b.at,
		Opening: money.New(b.opening, w.currency), Closing: money.New(b.close, w.currency)}
	paid := b.opening - b.close
	for _, e := range b.lines {
		if !e.foreign {
			paid += e.Amount.Minor
		}
	}
	p.Paid = money.New(paid, w.currency)
	if b.declared {
		p.Declared = len(b.lines)
	}
	return p
}

// file is a payout's lines as they stand in its file, of which an earlier issue lacked the last.
func (b *batch) file(first bool) []connector.PayoutLine {
	var out []connector.PayoutLine
	for _, i := range b.order {
		e := b.lines[i]
		if e.lost || first && i == b.order[len(b.order)-1] {
			continue
		}
		l := e.PayoutLine
		if e.unnumbered {
			l.Order, l.Alias = "", ""
		}
		l.Key = keyOf(l)
		out = append(out, l)
		e.no = len(out)
	}
	return out
}

// write imports one issue of a payout.
func (w *world) write(store connector.Payouts, b *batch, first bool, at time.Time) (connector.Payout, bool) {
	p, fresh, err := store.ImportPayout(context.Background(), func() time.Time { return at }, func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
		if err := head(w.head(b)); err != nil {
			return err
		}
		for _, l := range b.file(first) {
			if err := line(l); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(w.T, err)
	return p, fresh
}

func (w *world) know(store connector.Payouts, s *sale, at time.Time) {
	if s.facts == nil {
		return
	}
	_, err := store.KeepFacts(context.Background(), []connector.PayoutFacts{{Account: w.account.ID, Order: s.id, Store: s.facts.Store, KnownAt: at, Body: s.facts.Encode()}})
	require.NoError(w.T, err)
}

func (w *world) rule(store connector.Payouts, t Tariff, at time.Time) {
	require.NoError(w.T, t.Check())
	body, err := t.Encode()
	require.NoError(w.T, err)
	_, err = store.KeepTariff(context.Background(), connector.Tariff{Account: w.account.ID, Key: t.Key, KnownAt: at, Author: "anna", Body: body})
	require.NoError(w.T, err)
}

// load writes the whole world into a store.
func (w *world) load(store connector.Payouts) {
	for _, t := range w.tariffs {
		w.rule(store, t, start)
	}
	for _, s := range w.sales {
		w.know(store, s, start)
	}
	for _, b := range w.batches {
		if b.again {
			w.write(store, b, true, start.Add(time.Hour))
		}
		w.write(store, b, false, start.Add(2*time.Hour))
	}
}
