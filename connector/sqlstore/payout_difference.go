package sqlstore

import (
	"context"
	"fmt"

	"channelbridge/connector"
)

// Difference compares two lists of lines by their keys; see connector.Payouts.
func (s *Store) Difference(ctx context.Context, older, newer int64) (connector.LineDifference, error) {
	var d struct {
		Added   int `db:"added"`
		Gone    int `db:"gone"`
		Changed int `db:"changed"`
	}
	lacking := func(of, in string) string {
		return `(select count(*) from ` + of + ` left join ` + in + ` on ` + in + `.key = ` + of + `.key where ` + in + `.key is null)`
	}
	if err := s.reader.GetContext(ctx, &d, s.reader.Rebind(`
		with older as (select key, amount_minor, currency, category from payout_lines where payout = ? and key <> ''),
			newer as (select key, amount_minor, currency, category from payout_lines where payout = ? and key <> '')
		select `+lacking("newer", "older")+` as added, `+lacking("older", "newer")+` as gone,
			(select count(*) from newer join older on older.key = newer.key
				where older.amount_minor <> newer.amount_minor or older.currency <> newer.currency or older.category <> newer.category) as changed`), older, newer); err != nil {
		return connector.LineDifference{}, fmt.Errorf("compare the lines of two payouts: %w", err)
	}
	return connector.LineDifference(d), nil
}
