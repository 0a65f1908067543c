package sqlstore_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/pgtest"
)

// A statement is prepared once per connection, and a schema that changed under it costs one
// error, not all later ones.
func TestStatementsAreKeptPrepared(t *testing.T) {
	ctx := context.Background()
	s := open(t, pgtest.URL(t))
	conn, err := s.DB().Connx(ctx)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(ctx, `create table shapes (id bigint, name bigint)`)
	require.NoError(t, err)
	const query = `select name from shapes where id = $1`
	read := func() error {
		rows, err := conn.QueryContext(ctx, query, 1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
		}
		return rows.Err()
	}
	for range 3 {
		require.NoError(t, read())
	}
	var n int
	require.NoError(t, conn.GetContext(ctx, &n, `select count(*) from pg_prepared_statements where statement like '%from shapes%'`))
	require.Equal(t, 1, n)

	_, err = conn.ExecContext(ctx, `alter table shapes alter column name type text`)
	require.NoError(t, err)
	require.Error(t, read(), "the kept statement returns another type")
	require.NoError(t, read(), "and is prepared afresh")
}
