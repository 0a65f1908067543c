package money

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text, currency string
		minor          int64
		err            error
	}{
		{"39.99", "USD", 3999, nil},
		{"10", "USD", 1000, nil},
		{"0.5", "USD", 50, nil},
		{"-0.05", "USD", -5, nil},
		{"19940", "JPY", 19940, nil},
		{"19940.00", "JPY", 19940, nil},
		{"1.234", "KWD", 1234, nil},
		{"62.5000", "TRY", 6250, nil},
		{"1.005", "USD", 0, ErrDigits},
		{"1.5", "VND", 0, ErrDigits},
		{"", "USD", 0, ErrSyntax},
		{".5", "USD", 0, ErrSyntax},
		{"5.", "USD", 0, ErrSyntax},
		{"1e3", "USD", 0, ErrSyntax},
		{"1,50", "USD", 0, ErrSyntax},
		{"+1", "USD", 0, ErrSyntax},
		{"1.00x", "USD", 0, ErrSyntax},
		{"NaN", "USD", 0, ErrSyntax},
		{"92233720368547758.07", "USD", math.MaxInt64, nil},
		{"92233720368547758.08", "USD", 0, ErrOverflow},
		{"99999999999999999999999", "JPY", 0, ErrOverflow},
		{"1.00", "usd", 0, ErrCurrency},
		{"1.00", "", 0, ErrCurrency},
	} {
		t.Run(c.text+c.currency, func(t *testing.T) {
			m, err := Parse(c.text, c.currency)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.minor, m.Minor)
		})
	}
}

func TestAddRefusesTwoCurrenciesAndOverflow(t *testing.T) {
	_, err := New(1, "USD").Add(New(1, "EUR"))
	require.ErrorIs(t, err, ErrMismatch)
	_, err = New(math.MaxInt64, "USD").Add(New(1, "USD"))
	require.ErrorIs(t, err, ErrOverflow)
	_, err = New(math.MinInt64, "USD").Sub(New(1, "USD"))
	require.ErrorIs(t, err, ErrOverflow)
	_, err = New(math.MaxInt64/2+1, "USD").Mul(2)
	require.ErrorIs(t, err, ErrOverflow)
}

func TestRoundTripAndSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"USD", "JPY", "KWD", "THB", "VND"}).Draw(t, "currency")
		m := New(rapid.Int64().Draw(t, "minor"), currency)
		if m.Minor == math.MinInt64 {
			return // its magnitude has no int64; Parse refuses it
		}
		back, err := Parse(m.Decimal(), currency)
		require.NoError(t, err)
		require.Equal(t, m, back)

		blob, err := json.Marshal(m)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(blob, &back))
		require.Equal(t, m, back)

		weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 9).Draw(t, "weights")
		sum, err := Sum(m.Split(weights...)...)
		require.NoError(t, err)
		require.Equal(t, m.Minor, sum.Minor)
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.00", "-1", "1e9", "", "0.001", "9999999999999999999.99"} {
		f.Add(s, "USD")
	}
	f.Fuzz(func(t *testing.T, text, currency string) {
		m, err := Parse(text, currency)
		if err != nil {
			return
		}
		back, err := Parse(m.Decimal(), currency)
		require.NoError(t, err)
		require.Equal(t, m, back)
	})
}
