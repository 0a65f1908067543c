package sqlstore_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/money"
)

func payoutFile(name string, keptAt time.Time) connector.PayoutSource {
	return connector.PayoutSource{Account: channel, Name: name, Origin: "folder", KeptAt: keptAt}
}

// several is a file of more than one chunk.
func several(fill byte) []byte { return bytes.Repeat([]byte{fill}, 600<<10) }

func count(t *testing.T, s *sqlstore.Store, query string) (n int) {
	t.Helper()
	require.NoError(t, s.DB().Get(&n, query))
	return n
}

// TestAFileThatACrashCutOffIsSweptAway plants what a crash leaves: chunks whose file never ended.
func TestAFileThatACrashCutOffIsSweptAway(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		for i, began := range []time.Time{noon.Add(-25 * time.Hour), noon.Add(-23 * time.Hour)} {
			_, err := s.DB().Exec(s.DB().Rebind(`insert into payout_sources (account, state, kept_at) values ('amazon-de', 'arriving', ?)`),
				began.Format("2006-01-02T15:04:05.000000Z"))
			require.NoError(t, err)
			_, err = s.DB().Exec(s.DB().Rebind(`insert into payout_source_chunks (source, chunk, body) values (?, 1, 'half')`), i+1)
			require.NoError(t, err)
		}
		_, fresh, err := s.KeepSource(t.Context(), payoutFile("whole", noon), bytes.NewReader(several(1)))
		require.NoError(t, err)
		require.True(t, fresh)
		all, err := s.PayoutSources(t.Context(), "", 0)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, 1, count(t, s, `select count(*) from payout_sources where state = 'arriving'`), "the young one may still be coming")
		require.Equal(t, 1+3, count(t, s, `select count(*) from payout_source_chunks`))
	})
}

// TestAFileThatWasSweptAwayIsNotKept shows that one that comes for days is refused, not torn.
func TestAFileThatWasSweptAwayIsNotKept(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		for _, after := range [][]byte{nil, several(3)} {
			r, w := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				_, _, err := s.KeepSource(t.Context(), payoutFile("slow", noon), r)
				_ = r.Close()
				ended <- err
			}()
			_, err := w.Write(several(2))
			require.NoError(t, err)
			_, _, err = s.KeepSource(t.Context(), payoutFile("next day", noon.Add(25*time.Hour)), bytes.NewReader(append(several(1), after...)))
			require.NoError(t, err)
			_, _ = w.Write(after)
			require.NoError(t, w.Close())
			require.Error(t, <-ended)
			require.Zero(t, count(t, s, `select count(*) from payout_sources where name = 'slow'`))
		}
	})
}

func TestAFailedOrRepeatedFileLeavesNoChunks(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		body := several(1)
		_, _, err := s.KeepSource(t.Context(), payoutFile("cut", noon), io.MultiReader(bytes.NewReader(body), cutOff{}))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Zero(t, count(t, s, `select count(*) from payout_source_chunks`))
		for range 2 {
			_, _, err = s.KeepSource(t.Context(), payoutFile("whole", noon), bytes.NewReader(body))
			require.NoError(t, err)
		}
		require.Equal(t, 3, count(t, s, `select count(*) from payout_source_chunks`))
		require.Equal(t, 1, count(t, s, `select count(*) from payout_sources`))
	})
}

type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestALostChunkIsAnErrorAndNoShorterFile(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		kept, _, err := s.KeepSource(t.Context(), payoutFile("f", noon), bytes.NewReader(several(1)))
		require.NoError(t, err)
		_, err = s.DB().Exec(`delete from payout_source_chunks where chunk = 3`)
		require.NoError(t, err)
		r, err := s.OpenSource(t.Context(), channel, kept.Hash)
		require.NoError(t, err)
		_, err = io.ReadAll(r)
		require.ErrorContains(t, err, "chunk 3")
	})
}

// TestAnImportLeavesNoLinesOfWhatItTookBack looks beneath the lists.
func TestAnImportLeavesNoLinesOfWhatItTookBack(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		fill := func(fail error) func(func(connector.Payout) error, func(connector.PayoutLine) error) error {
			return func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
				require.NoError(t, head(connector.Payout{Account: channel, External: "P", Currency: "EUR", State: connector.PayoutOpen}))
				for range 50 {
					require.NoError(t, line(connector.PayoutLine{Amount: money.New(1, "EUR")}))
				}
				return fail
			}
		}
		_, _, err := s.ImportPayout(t.Context(), func() time.Time { return noon }, fill(io.ErrUnexpectedEOF))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Zero(t, count(t, s, `select count(*) from payout_lines`))
		for range 2 {
			_, _, err = s.ImportPayout(t.Context(), func() time.Time { return noon }, fill(nil))
			require.NoError(t, err)
		}
		require.Equal(t, 50, count(t, s, `select count(*) from payout_lines`))
		require.Equal(t, 1, count(t, s, `select count(*) from payouts where superseded_at is null`))
	})
}
