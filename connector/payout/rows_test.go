package payout

import (
	"github.com/stretchr/testify/require"
)

// all reads every row.
func all[T any](t require.TestingT, rows Rows[T]) []T {
	out, err := rows.Part(0, rows.Len())
	require.NoError(t, err)
	return out
}

// whole is a level's table with all its rows.
func whole(t require.TestingT, r *Report, level string) Table {
	out, err := r.Table(level, 0, r.Len(level), "")
	require.NoError(t, err)
	return out
}
