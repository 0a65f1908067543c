package payout

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// paper is a payout as a file: its amounts are those of its lines, and what was paid.
func paper(t *testing.T, number string, paid int64, lines ...int64) []byte {
	t.Helper()
	vnd := func(n int64) money.Money { return money.New(n, "VND") }
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	require.NoError(t, enc.Encode(marketplace.Statement{ID: number, Currency: "VND", State: marketplace.StatementPaid, PaidAt: day, Opening: vnd(0), Closing: vnd(0), Paid: vnd(paid)}))
	for _, n := range lines {
		require.NoError(t, enc.Encode(marketplace.Movement{Category: marketplace.Advertising, Amount: vnd(n)}))
	}
	return out.Bytes()
}

func take(t *testing.T, i *Importer, body []byte) (Imported, error) {
	t.Helper()
	return i.Import(t.Context(), File{Account: shopee.ID, Name: "a", Body: bytes.NewReader(body)})
}

// A line cannot be taken out of the books again, so one that no report could add up does not get in.
func TestAPayoutBeyondAllMeasureIsRejected(t *testing.T) {
	most := make([]int64, 10)
	for i := range most {
		most[i] = mostAmount * int64(1-2*(i%2))
	}
	for name, row := range map[string]struct {
		body []byte
		why  string
	}{
		"a line":           {paper(t, "ST-1", 1, 1, mostAmount+1), "line 2: the amount 1000000000000001 VND is far beyond what a channel pays"},
		"a line below":     {paper(t, "ST-1", 1, -mostAmount-1), "line 1: the amount -1000000000000001 VND is far beyond what a channel pays"},
		"the largest":      {paper(t, "ST-1", 1, math.MaxInt64), "line 1: the amount 9223372036854775807 VND is far beyond what a channel pays"},
		"what was paid":    {paper(t, "ST-1", mostAmount+1), "the payout's amount 1000000000000001 VND is far beyond what a channel pays"},
		"all of its lines": {paper(t, "ST-1", 1, append(most, 1)...), "line 11: together the lines are far beyond what a channel pays"},
	} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New()
			_, err := take(t, importerOf(store), row.body)
			var bad *RejectedError
			require.ErrorAs(t, err, &bad)
			require.EqualError(t, bad.Err, row.why)
			src, err := store.Source(t.Context(), shopee.ID, bad.Hash)
			require.NoError(t, err)
			require.Equal(t, connector.SourceRejected, src.State, "its bytes are kept")
			require.Empty(t, made(t, store, Query{}).Payouts)
		})
	}
	_, err := take(t, importerOf(memstore.New()), paper(t, "ST-1", mostAmount, append([]int64{}, most...)...))
	require.NoError(t, err)
}
