package httpapi

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/money"
)

// readNarrow reads what narrows the rows.
func (a *reportAsk) readNarrow(q url.Values) error {
	for _, c := range q["currency"] {
		if !money.ValidCode(c) {
			return badParameter("currency", "It is a code such as VND.", "")
		}
	}
	a.query.Currencies, a.query.Text = q["currency"], q.Get("q")
	for _, v := range q["outcome"] {
		if !slices.Contains(payout.Outcomes(), payout.Outcome(v)) {
			return badParameter("outcome", "It is one of "+strings.Join(words(payout.Outcomes()), ", ")+".", "")
		}
		a.query.Outcomes = append(a.query.Outcomes, payout.Outcome(v))
	}
	for _, v := range q["cause"] {
		if !slices.Contains(payout.CauseCodes(), payout.CauseCode(v)) {
			return badParameter("cause", "It is one of "+strings.Join(words(payout.CauseCodes()), ", ")+".", "")
		}
		a.query.Causes = append(a.query.Causes, payout.CauseCode(v))
	}
	for _, v := range q["category"] {
		c, known := payout.CategoryOf(v)
		if !known {
			return badParameter("category", "It is no category of a payout's lines.", "See the documentation of categories.")
		}
		a.query.Categories = append(a.query.Categories, c)
	}
	for _, v := range q["workflow_state"] {
		if !slices.Contains(payout.States(), payout.State(v)) {
			return badParameter("workflow_state", "It is one of "+strings.Join(words(payout.States()), ", ")+".", "")
		}
		a.query.States = append(a.query.States, payout.State(v))
	}
	a.query.Assignees = q["assignee"]
	return a.readLeast(q.Get("min_difference"))
}

// least is a plain amount that every currency can hold.
var least = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,3})?$`)

// readLeast reads the least difference, which has to be an amount in every currency that is named.
func (a *reportAsk) readLeast(text string) error {
	if text == "" {
		return nil
	}
	fits := least.MatchString(text)
	for _, c := range a.query.Currencies {
		_, err := money.Parse(text, c)
		fits = fits && err == nil
	}
	if !fits {
		return badParameter("min_difference", "It is an amount such as 1000 or 12.50, with no more decimals than the currency has.", "")
	}
	a.query.MinDiff = text
	return nil
}

// readPayouts reads which payouts are meant, by the channel's numbers or by ours. Ours name one
// account's payout, whatever others have the same number.
func (a *reportAsk) readPayouts(c *call, ids []string) error {
	own := func(id string) bool { return strings.HasPrefix(id, "po_") }
	if !slices.ContainsFunc(ids, own) {
		a.query.Payouts = ids
		return nil
	}
	list, err := c.payoutsOf(a.accounts, connector.PayoutFilter{AsOf: a.query.AsOf})
	if err != nil {
		return err
	}
	var of []connector.ConnectionID
	for _, id := range ids {
		i := slices.IndexFunc(list, func(p connector.Payout) bool { return payout.ID(p) == id })
		switch {
		case i >= 0:
			a.query.Payouts, of = append(a.query.Payouts, payout.Named(list[i].Account, list[i].External)), append(of, list[i].Account)
		case own(id):
			return badParameter("payout_id", "There is no such payout, or another revision stands in its place.", "GET /v1/payouts lists those that count.")
		default:
			a.query.Payouts = append(a.query.Payouts, id)
		}
	}
	if len(of) == len(ids) {
		a.accounts = slices.DeleteFunc(slices.Clone(a.accounts), func(x payout.Account) bool { return !slices.Contains(of, x.ID) })
	}
	return nil
}
