package httpapi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector/payout"
)

// Two questions may have one snapshot, such as the same as of an instant: each keeps its own answer,
// and is asked anew when its own is outdated.
func TestOneSnapshotOfTwoQuestionsIsKeptForEach(t *testing.T) {
	k := newKeptReports()
	k.size = func(*payout.Report) int64 { return 1 }
	live := &payout.Report{Snapshot: "rs_1", At: noon, Until: noon.Add(10 * time.Second)}
	asOf := &payout.Report{Snapshot: "rs_1", At: noon.Add(-time.Hour), Query: payout.Query{AsOf: noon.Add(-time.Hour)}}
	k.keep(live, "live", noon)
	k.keep(asOf, "as of", noon.Add(time.Second))
	r, warm := k.warm("live", noon.Add(2*time.Second))
	require.True(t, warm)
	require.Same(t, live, r)
	r, warm = k.warm("as of", noon.Add(20*time.Second))
	require.True(t, warm)
	require.Same(t, asOf, r)
	_, warm = k.warm("live", noon.Add(20*time.Second))
	require.False(t, warm, "something fell due ten seconds ago")
}
