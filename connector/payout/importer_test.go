package payout

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
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

// dying is a store whose process dies before it has noted what became of a file.
type dying struct {
	connector.Payouts
	now bool
}

var errDied = errors.New("the process has died")

func (d *dying) SettleSource(ctx context.Context, a connector.ConnectionID, hash string, state connector.SourceState, format, reason string) error {
	if d.now {
		return errDied
	}
	return d.Payouts.SettleSource(ctx, a, hash, state, format, reason)
}

// B17.4: an older file that comes again is known, also where the first time ended in a crash.
func TestAnOlderFileDoesNotSupersedeANewerOne(t *testing.T) {
	for name, reader := range map[string]func([]byte) io.Reader{
		"read twice": func(b []byte) io.Reader { return bytes.NewReader(b) },
		"read once":  func(b []byte) io.Reader { return bytes.NewBuffer(b) },
	} {
		t.Run(name, func(t *testing.T) {
			store := &dying{Payouts: memstore.New()}
			in := func(body []byte) (Imported, error) {
				return importerOf(store).Import(t.Context(), File{Account: shopee.ID, Name: "a", Body: reader(body)})
			}
			older, newer := paper(t, "ST-1", 100, 100), paper(t, "ST-1", 200, 200)
			store.now = true
			_, err := in(older)
			require.ErrorIs(t, err, errDied)
			store.now = false
			_, err = in(newer)
			require.NoError(t, err)
			for range 2 {
				got, err := in(older)
				require.NoError(t, err)
				require.False(t, got.Fresh)
				require.Equal(t, []any{1, connector.SourceImported, "json", ""}, []any{got.Payout.Revision, got.Source.State, got.Source.Format, got.Source.Reason})
				kept, err := store.Source(t.Context(), shopee.ID, got.Source.Hash)
				require.NoError(t, err)
				require.Equal(t, got.Source, kept)
			}
			list, err := store.PayoutList(t.Context(), connector.PayoutFilter{})
			require.NoError(t, err)
			require.Len(t, list, 1)
			require.Equal(t, money.New(200, "VND"), list[0].Paid, "what was issued last counts")
		})
	}
}

func TestAFileThatSaysTheSameAsAnOlderOneDoesNotSupersedeANewerOne(t *testing.T) {
	store := memstore.New()
	i := importerOf(store)
	older := paper(t, "ST-1", 100, 100)
	same := append(bytes.Clone(older), ' ')
	for n, body := range [][]byte{older, same, paper(t, "ST-1", 200, 200), same, same} {
		got, err := take(t, i, body)
		require.NoError(t, err)
		require.Equal(t, n == 0 || n == 2, got.Fresh)
	}
	list, err := store.PayoutList(t.Context(), connector.PayoutFilter{})
	require.NoError(t, err)
	require.Equal(t, money.New(200, "VND"), list[0].Paid)
}
