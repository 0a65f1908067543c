package amazon

import "channelbridge/internal/money"

// buyer is what a transaction gives to the buyer, with and without tax. Where the breakdowns do
// not tell (clear is false), the amount is the larger of what they tell and the transaction's own
// total, which is too small by the fees Amazon returned; it is never less than nothing.
func (t transaction) buyer() (amount, untaxed money.Money, clear bool, err error) {
	g, told, err := t.given()
	if err != nil {
		return amount, untaxed, false, err
	}
	if amount, err = g.untaxed.Add(g.tax); err != nil {
		return amount, untaxed, false, err
	}
	if told && !g.unknown {
		return amount, g.untaxed, true, nil
	}
	total, err := t.TotalAmount.money()
	if err != nil {
		return amount, untaxed, false, err
	}
	if total = total.Neg(); amount.Currency == "" || total.Currency == amount.Currency && total.Minor > amount.Minor {
		amount = total
	}
	amount.Minor = max(amount.Minor, 0)
	return amount, money.Money{}, false, nil
}

// given reads the breakdowns of the items, or those of the whole where an item has none.
func (t transaction) given() (g given, told bool, err error) {
	told = len(t.Items) > 0
	for _, i := range t.Items {
		told = told && len(i.Breakdowns) > 0
	}
	if !told {
		err = g.addAll(t.Breakdowns, 0)
		return g, len(t.Breakdowns) > 0, err
	}
	for _, i := range t.Items {
		if err := g.addAll(i.Breakdowns, 0); err != nil {
			return g, told, err
		}
	}
	return g, told, nil
}
