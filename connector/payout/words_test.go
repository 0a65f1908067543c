package payout

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/marketplace"
)

func TestEveryCauseOfACategoryStandsInTheList(t *testing.T) {
	for c := range kinds {
		code := kind(string(c)).cause
		require.True(t, slices.Contains(CauseCodes(), code), "%s: %s", c, code)
		_, known := CategoryOf(string(c))
		require.True(t, known, c)
	}
	_, known := CategoryOf("gifts")
	require.False(t, known)
}

func TestARejectionNamesItsRow(t *testing.T) {
	row, blamed := (&RejectedError{Err: marketplace.BadRow(7, "amount", "x", "is no amount")}).Row()
	require.True(t, blamed)
	require.Equal(t, 7, row.Row)
	_, blamed = (&RejectedError{Err: marketplace.ErrMalformed}).Row()
	require.False(t, blamed)
}
