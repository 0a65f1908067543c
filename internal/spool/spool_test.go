package spool_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/internal/spool"
)

// What was added stands where it was said to, whether it is in memory, in the file or in both, and
// the folder is empty all the while.
func TestWhatWasAddedCanBeReadAnywhere(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		s := spool.New(dir)
		defer func() { _ = s.Close() }()
		var all []byte
		random := rand.NewChaCha8([32]byte{byte(rapid.IntRange(0, 255).Draw(rt, "seed"))})
		for range rapid.IntRange(0, 30).Draw(rt, "pieces") {
			b := make([]byte, rapid.SampledFrom([]int{0, 1, 300, 100_000, 3_000_000}).Draw(rt, "length"))
			_, _ = random.Read(b)
			at, err := s.Add(b)
			require.NoError(rt, err)
			require.EqualValues(rt, len(all), at)
			all = append(all, b...)
		}
		require.EqualValues(rt, len(all), s.Size())
		for range 20 {
			at, n := rapid.IntRange(0, len(all)).Draw(rt, "at"), rapid.IntRange(1, 200_000).Draw(rt, "n")
			p := make([]byte, n)
			got, err := s.ReadAt(p, int64(at))
			want := all[at:min(at+n, len(all))]
			require.True(rt, bytes.Equal(want, p[:got]))
			require.Equal(rt, len(want) < n, err == io.EOF)
		}
		whole, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
		require.NoError(rt, err)
		require.True(rt, bytes.Equal(all, whole))
		names, err := os.ReadDir(dir)
		require.NoError(rt, err)
		require.Empty(rt, names, "the file has no name")
	})
}

func TestAFolderThatCannotBeIsAnErrorOnlyWhenItIsNeeded(t *testing.T) {
	file := t.TempDir() + "/file"
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	s := spool.New(file)
	_, err := s.Add(make([]byte, 1000))
	require.NoError(t, err)
	_, err = s.Add(make([]byte, 5<<20))
	require.ErrorContains(t, err, "does not fit into memory")
	s = spool.New(t.TempDir() + "/not there yet")
	_, err = s.Add(make([]byte, 5<<20))
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
