package amazon

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

var update = flag.Bool("update", false, "rewrite the expected results of settlements")

// told is what a reading handed on.
type told struct {
	heads []marketplace.Statement
	lines []marketplace.Movement
}

func readSettlement(r io.Reader, zone *time.Location) (told, error) {
	var t told
	err := SettlementV2(zone).ReadStatement(r,
		func(st marketplace.Statement) error { t.heads = append(t.heads, st); return nil },
		func(m marketplace.Movement) error { t.lines = append(t.lines, m); return nil })
	return t, err
}

// transcript writes a reading for people: the head, each row, the sums and a digest of it all.
func (t told) transcript(detects bool, err error) string {
	var b strings.Builder
	when := func(at time.Time) string {
		if at.IsZero() {
			return "-"
		}
		return at.Format(time.RFC3339)
	}
	fmt.Fprintf(&b, "detected: %v\n", detects)
	if err != nil {
		fmt.Fprintf(&b, "refused: %v\n", err)
		return b.String()
	}
	st := t.heads[0]
	fmt.Fprintf(&b, "settlement %s, %s, %s to %s, %s %s, opening %s, closing %s\n", st.ID, st.Currency, when(st.Start), when(st.End), st.State, when(st.PaidAt), st.Opening, st.Closing)
	sum, sums := money.New(0, st.Currency), map[marketplace.Category]money.Money{}
	for _, m := range t.lines {
		fmt.Fprintf(&b, "%d | %s | %q %q | %s | %s", m.Row, m.Category, m.NativeType, m.NativeText, m.Amount, when(m.PostedAt))
		for _, x := range [][2]string{{"order", string(m.Order)}, {"alias", m.Alias}, {"item", m.Item}, {"refund", m.Refund}, {"shipment", m.Shipment}, {"sku", m.SKU}} {
			if x[1] != "" {
				fmt.Fprintf(&b, " | %s %q", x[0], x[1])
			}
		}
		if m.Quantity != 0 {
			fmt.Fprintf(&b, " | %d units", m.Quantity)
		}
		b.WriteByte('\n')
		sum, _ = sum.Add(m.Amount)
		sums[m.Category], _ = sums[m.Category].Add(m.Amount)
	}
	for _, c := range marketplace.Categories() {
		if s, some := sums[c]; some {
			fmt.Fprintf(&b, "sum of %s: %s\n", c, s)
		}
	}
	gap, _ := st.Paid.Sub(sum)
	fmt.Fprintf(&b, "rows %d, sum %s, total %s, gap %s\n", len(t.lines), sum, st.Paid, gap)
	fmt.Fprintf(&b, "sha256 %x\n", sha256.Sum256([]byte(b.String())))
	return b.String()
}

// Each file of testdata/settlements is one case, named for what is peculiar about it.
func TestSettlementFilesReadAsExpected(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/settlements/*.txt")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 60)
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(name)
			require.NoError(t, err)
			got, err := readSettlement(bytes.NewReader(raw), nil)
			var bad *marketplace.RowError
			require.True(t, err == nil || errors.As(err, &bad), "%v", err)
			text := got.transcript(SettlementV2(nil).Detects(raw), err)
			golden := strings.TrimSuffix(name, ".txt") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), text)

			slow, slowErr := readSettlement(iotest.OneByteReader(bytes.NewReader(raw)), nil)
			require.Equal(t, got, slow, "the same however the bytes arrive")
			require.Equal(t, bad == nil, slowErr == nil)
		})
	}
}
