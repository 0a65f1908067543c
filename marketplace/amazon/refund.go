package amazon

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

var (
	orderNumber = regexp.MustCompile(`^[0-9]{3}-[0-9]{7}-[0-9]{7}$`)
	itemCode    = regexp.MustCompile(`^[0-9]{14}$`)
	plainRef    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]*$`)
)

// maxRef bounds MerchantAdjustmentItemID. The schema's texts of this kind hold 50 characters.
const maxRef = 50

// message writes one instruction as a message of its feed, refusing what Amazon would refuse or,
// worse, would take.
func message(m marketplace.Message, tax TaxStrategy) (feedMessage, error) {
	switch {
	case m.Number <= 0:
		return feedMessage{}, fmt.Errorf("message number %d is not positive", m.Number)
	case !orderNumber.MatchString(string(m.Order)):
		return feedMessage{}, fmt.Errorf("order id %q is not of Amazon's form", m.Order)
	case len(m.Lines) == 0:
		return feedMessage{}, errors.New("the instruction names no items")
	case !slices.Contains(validReasons[m.Op], m.Reason):
		return feedMessage{}, fmt.Errorf("reason %q is not one Amazon knows for %s", m.Reason, m.Op)
	}
	m.Lines = onItems(m.Lines)
	seen := map[string]bool{}
	for _, l := range m.Lines {
		switch {
		case !itemCode.MatchString(l.Line):
			return feedMessage{}, fmt.Errorf("item %q is not of Amazon's form, 14 digits", l.Line)
		case seen[l.Line]:
			return feedMessage{}, fmt.Errorf("item %s occurs twice", l.Line)
		}
		seen[l.Line] = true
	}
	out, err := feedMessage{ID: m.Number}, error(nil)
	switch m.Op {
	case marketplace.OpCancel:
		out.Acknowledgement = failure(m)
	case marketplace.OpCancelUnits:
		out.Adjustment, err = cancelUnits(m)
	default:
		out.Adjustment, err = refund(m, tax)
	}
	return out, err
}

// onItems writes charges of the whole order on the first item: Amazon takes amounts by item.
func onItems(lines []marketplace.InstructionLine) []marketplace.InstructionLine {
	whole := slices.IndexFunc(lines, func(l marketplace.InstructionLine) bool { return l.Line == "" })
	if whole < 0 || len(lines) == 1 {
		return lines
	}
	out := slices.Delete(slices.Clone(lines), whole, whole+1)
	out[0].Parts = slices.Concat(out[0].Parts, lines[whole].Parts)
	return out
}

// failure cancels a whole order. All of its items are named with the reason.
func failure(m marketplace.Message) *acknowledgement {
	a := &acknowledgement{Order: string(m.Order), Status: "Failure"}
	for _, l := range m.Lines {
		a.Items = append(a.Items, acknowledgedItem{l.Line, m.Reason})
	}
	return a
}

func cancelUnits(m marketplace.Message) (*adjustment, error) {
	a := &adjustment{Order: string(m.Order), Action: "Cancel"}
	for _, l := range m.Lines {
		if l.Quantity <= 0 {
			return nil, fmt.Errorf("item %s: %d units cannot be cancelled", l.Line, l.Quantity)
		}
		a.Items = append(a.Items, adjustedItem{Code: l.Line, Reason: m.Reason, Cancelled: l.Quantity})
	}
	return a, nil
}

// refund gives money back. Amounts are totals for all units. The parts must come to the
// instruction's own amount, so that a unit price never passes for a total or the other way round.
func refund(m marketplace.Message, tax TaxStrategy) (*adjustment, error) {
	a := &adjustment{Order: string(m.Order), Action: "Refund"}
	var written money.Money
	whole, err := promised(m.Lines)
	if err != nil {
		return nil, err
	}
	if whole != m.Amount {
		return nil, fmt.Errorf("the parts come to %s, the instruction to %s", whole, m.Amount)
	}
	for i, l := range m.Lines {
		sums, err := tax.spread(l.Parts)
		if err != nil {
			return nil, fmt.Errorf("item %s: %w", l.Line, err)
		}
		prices, sum, err := components(sums)
		if err != nil {
			return nil, fmt.Errorf("item %s: %w", l.Line, err)
		}
		if prices == nil {
			continue // nothing of it is given back
		}
		if written, err = written.Add(sum); err != nil {
			return nil, err
		}
		a.Items = append(a.Items, adjustedItem{Code: l.Line, Ref: adjustmentRef(m.Key, i+1), Reason: m.Reason, Prices: prices})
	}
	if written.Minor <= 0 {
		return nil, fmt.Errorf("the message comes to %s; Amazon refuses what is not above zero", written)
	}
	return a, nil
}

// promised is what the buyer gets, tax included.
func promised(lines []marketplace.InstructionLine) (money.Money, error) {
	var all []money.Money
	for _, l := range lines {
		for _, p := range l.Parts {
			all = append(all, p.Amount, p.Tax)
		}
	}
	return money.Sum(all...)
}

// components writes amounts in the fixed order; nil when all of them are zero.
func components(sums map[string]money.Money) (*priceAdjustments, money.Money, error) {
	var out priceAdjustments
	var total money.Money
	for _, name := range componentOrder {
		m := sums[name]
		if m.IsZero() {
			continue
		}
		if money.Exponent(m.Currency) > 2 {
			return nil, total, fmt.Errorf("%s: Amazon takes at most two decimals", m)
		}
		var err error
		if total, err = total.Add(m); err != nil {
			return nil, total, err
		}
		out.Components = append(out.Components, feedComponent{name, feedAmount{m.Currency, m.Decimal()}})
	}
	if len(out.Components) == 0 {
		return nil, total, nil
	}
	return &out, total, nil
}

// adjustmentRef is the seller's own number of an adjusted item: the ledger's key and the place of
// the line in the instruction, or a hash of both when that is too long or has unusual characters.
// The same key always gives the same number. Amazon does not detect repetitions by it.
func adjustmentRef(key string, place int) string {
	ref := fmt.Sprintf("%s-%d", key, place)
	if len(ref) <= maxRef && plainRef.MatchString(ref) {
		return ref
	}
	sum := sha256.Sum256([]byte(ref))
	return "cb-" + hex.EncodeToString(sum[:20])
}
