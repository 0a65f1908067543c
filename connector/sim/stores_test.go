package sim

import (
	"context"
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/pgtest"
)

var dbSeeds = flag.Int("dbseeds", 50, "how many seeds to play on each database")

func open(t *testing.T, url string) connector.Store {
	s, err := sqlstore.Open(context.Background(), url, sqlstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// rarely sweeps less often: most of a run's time on a database are its sweeps.
func rarely(sw *connector.Sweep) {
	if !sw.Wide {
		sw.Every, sw.Overlap = 30*time.Minute, 40*time.Minute
	}
}

// TestEverySeedEndsAlikeOnEveryStore plays the same worlds on memory, SQLite and PostgreSQL: no
// promise may be broken, and both sides must look the same at the end.
func TestEverySeedEndsAlikeOnEveryStore(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "sim.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range *dbSeeds {
				cfg := Config{Seed: uint64(*from + i), Orders: 5, Short: true, Sweep: rarely}
				cfg.Store = memstore.New()
				want := Run(cfg)
				one := t.Run("", func(t *testing.T) {
					cfg.Store = open(t, url(t))
					got := Run(cfg)
					require.Empty(t, got.Broken, "seed %d", cfg.Seed)
					require.Equal(t, want.Digest(), got.Digest(), "seed %d", cfg.Seed)
				})
				if !one {
					return
				}
			}
		})
	}
}
