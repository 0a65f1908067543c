package payout

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsReadAlongsideIsTakenInItsOrder(t *testing.T) {
	broken := errors.New("broken")
	for _, n := range []int{0, 1, 499, 500, 501, 5000} {
		ended := false
		numbers := func(fail error) func(func(int) error) error {
			return func(yield func(int) error) error {
				defer func() { ended = true }()
				for i := range n {
					if err := yield(i); err != nil {
						return err
					}
				}
				return fail
			}
		}
		var got []int
		take := func(i int) error { got = append(got, i); return nil }
		require.NoError(t, alongside(numbers(nil), take))
		require.Len(t, got, n)
		for i, x := range got {
			require.Equal(t, i, x)
		}
		require.ErrorIs(t, alongside(numbers(broken), take), broken, "of reading")
		if n == 0 {
			continue
		}
		ended = false
		require.ErrorIs(t, alongside(numbers(nil), func(int) error { return broken }), broken, "of taking")
		require.True(t, ended, "the reading is over by then")
	}
}
