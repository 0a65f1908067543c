package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/money"
	"channelbridge/internal/pgtest"
)

// benchLines is how many lines the payout of the benchmarks has.
const benchLines = 1_000_000

// BenchmarkImportPayout measures how fast one large payout gets into the books and out again, in
// the order of a report, and the memory that this takes, with flushing to disk switched on.
func BenchmarkImportPayout(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { importLarge(b, open(b, "sqlite:"+filepath.Join(b.TempDir(), "bridge.db"))) })
	b.Run("postgres", func(b *testing.B) {
		c, err := pgtest.Start(pgtest.Options{Fsync: true})
		require.NoError(b, err)
		b.Cleanup(c.Stop)
		importLarge(b, open(b, c.URL()))
	})
}

func importLarge(b *testing.B, s *sqlstore.Store) {
	peak, stop := watchHeap()
	defer stop()
	var in, out time.Duration
	for b.Loop() {
		began := time.Now()
		p, fresh, err := s.ImportPayout(b.Context(), func() time.Time { return noon }, largePayout(fmt.Sprint("P", began.UnixNano())))
		require.NoError(b, err)
		require.True(b, fresh)
		in += time.Since(began)

		began = time.Now()
		n := 0
		require.NoError(b, s.PayoutLines(b.Context(), connector.LineFilter{Payouts: []int64{p.ID}}, func(connector.PayoutLine) error { n++; return nil }))
		require.Equal(b, benchLines, n)
		out += time.Since(began)
	}
	b.ReportMetric(benchLines*float64(b.N)/in.Seconds(), "lines-in/s")
	b.ReportMetric(benchLines*float64(b.N)/out.Seconds(), "lines-out/s")
	b.ReportMetric(float64(peak.Load())/(1<<20), "MB-peak")
}

func largePayout(id string) func(func(connector.Payout) error, func(connector.PayoutLine) error) error {
	return func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
		if err := head(connector.Payout{Account: channel, External: id, Currency: "EUR", State: connector.PayoutPaid}); err != nil {
			return err
		}
		for i := range benchLines {
			l := connector.PayoutLine{Key: fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15), Category: "principal", NativeType: "ItemPrice",
				NativeText: "Principal", Amount: money.New(int64(i%5000), "EUR"), Order: fmt.Sprintf("028-%07d-%07d", i*7919%300_007, i%300_007),
				Item: fmt.Sprint(40_000_000_000 + i), SKU: "MUG-BLUE", Quantity: 1, PostedAt: noon}
			if err := line(l); err != nil {
				return err
			}
		}
		return nil
	}
}

// watchHeap keeps the largest heap seen.
func watchHeap() (peak *atomic.Uint64, stop func()) {
	peak = &atomic.Uint64{}
	done := make(chan struct{})
	go func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse+m.StackInuse))
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return peak, func() { close(done) }
}
