package sqlstore_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/pgtest"
)

// BenchmarkRecord measures durable receiving: 64 senders, bodies of 3 KB, one order each, and
// flushing to disk switched on.
func BenchmarkRecord(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { recordMany(b, open(b, "sqlite:"+filepath.Join(b.TempDir(), "bridge.db"))) })
	b.Run("postgres", func(b *testing.B) {
		c, err := pgtest.Start(pgtest.Options{Fsync: true})
		require.NoError(b, err)
		b.Cleanup(c.Stop)
		recordMany(b, open(b, c.URL()))
	})
}

func recordMany(b *testing.B, s *sqlstore.Store) {
	body := bytes.Repeat([]byte(`{"OrderId":"028-1234567-1234567","ItemPrice":{"Amount":"19.90","CurrencyCode":"EUR"}},`), 36)
	var n atomic.Int64
	b.SetParallelism(32) // times two cores
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			d := push(fmt.Sprint("d", i), fmt.Sprint("o", i))
			d.Body = body
			if v, err := s.Record(context.Background(), d); err != nil || v != connector.Accepted {
				b.Error(v, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}
