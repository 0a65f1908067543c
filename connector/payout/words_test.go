package payout

import (
	"cmp"
	"slices"
	"testing"
	"time"

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

func TestAnInstantLiesWhereEveryFormCanWriteIt(t *testing.T) {
	east, west := time.FixedZone("", 14*3600), time.FixedZone("", -12*3600)
	for text, place := range map[string]*time.Location{"0001-01-01T00:00:00Z": nil, "0001-01-01T07:00:00+07:00": nil, "0000-12-31": time.UTC, "0001-01-01": east,
		"9999-12-31T23:00:00-02:00": nil} {
		_, err := ReadInstant(text, cmp.Or(place, time.UTC))
		require.ErrorIs(t, err, ErrYears, text)
	}
	for text, place := range map[string]*time.Location{"0001-01-01T00:00:01Z": nil, "9999-12-31": west, "0001-01-01": west, "9999-12-31T23:59:59Z": nil} {
		at, err := ReadInstant(text, cmp.Or(place, time.UTC))
		require.NoError(t, err, text)
		_, err = at.MarshalJSON()
		require.NoError(t, err)
	}
	at, err := ReadInstant("", time.UTC)
	require.NoError(t, err)
	require.True(t, at.IsZero())
}
