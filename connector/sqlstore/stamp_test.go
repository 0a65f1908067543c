package sqlstore

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestStampsSortAsInstantsDo(t *testing.T) {
	instants := rapid.Custom(func(t *rapid.T) time.Time {
		zone := time.FixedZone("", rapid.IntRange(-12*3600, 14*3600).Draw(t, "zone"))
		return time.UnixMicro(rapid.Int64Range(-62135596800_000_000+1, 253402300799_999_999).Draw(t, "micros")).In(zone)
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := instants.Draw(t, "a"), instants.Draw(t, "b")
		x, err := stamped(a).Value()
		require.NoError(t, err)
		y, err := stamped(b).Value()
		require.NoError(t, err)
		require.Equal(t, a.Compare(b), strings.Compare(x.(string), y.(string)))

		var back stamp
		require.NoError(t, back.Scan(x))
		require.True(t, back.Equal(a))
		require.NoError(t, back.Scan(a))
		require.True(t, back.Equal(a))
	})
}

func TestStampsAtTheEdges(t *testing.T) {
	none, err := stamped(time.Time{}).Value()
	require.NoError(t, err)
	require.Nil(t, none)
	require.Equal(t, never, version(time.Time{}))
	require.Equal(t, never, version(time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.Len(t, version(time.Date(123456, 1, 1, 0, 0, 0, 0, time.UTC)), len(never))

	var s stamp
	require.NoError(t, s.Scan(never))
	require.True(t, s.IsZero())
	require.NoError(t, s.Scan(nil))
	require.True(t, s.IsZero())
	require.Error(t, s.Scan("yesterday"))
	require.Error(t, s.Scan(42))
}

func TestStoredIDsStayDifferent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.OneOf(rapid.StringN(1, 20, -1), rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 800), func(b []byte) string { return string(b) }))
		a, b := ids.Draw(t, "a"), ids.Draw(t, "b")
		x, y := *storedID(a), *storedID(b)
		require.Equal(t, a == b, x == y)
		require.True(t, plain(x))
		require.LessOrEqual(t, len(x), longestID)
		require.True(t, plain(clean(a)))
	})
	require.Nil(t, storedID(""))
}
