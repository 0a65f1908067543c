package httpapi

import (
	"errors"
	"fmt"
	"strconv"

	"channelbridge/connector"
)

// errFull ends the reading of lines once a page is full.
var errFull = errors.New("the page is full")

// listPayoutLines lists the lines of a payout by order. A revision's lines never change, so a
// position is how many come before.
func (s *Server) listPayoutLines(c *call) (reply, error) {
	q, page, err := c.pages("order")
	if err != nil {
		return reply{}, err
	}
	p, _, err := s.payout(c)
	if err != nil {
		return reply{}, err
	}
	order, before := q.Get("order"), page.number()
	rows, passed := []payoutLineView{}, int64(0)
	err = c.paid.Store().PayoutLines(c.ctx, connector.LineFilter{Payouts: []int64{p.ID}}, func(l connector.PayoutLine) error {
		if order != "" && l.Order != order && l.Alias != order {
			return nil
		}
		if passed++; passed <= before {
			return nil
		}
		if rows = append(rows, payoutLineOf(p, l)); len(rows) == page.limit {
			return errFull
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFull) {
		return reply{}, fmt.Errorf("the lines of payout %s: %w", p.External, err)
	}
	return page.reply(rows, len(rows), strconv.FormatInt(passed, 10))
}
