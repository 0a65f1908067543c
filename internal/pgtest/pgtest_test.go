package pgtest_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/pgtest"
)

func TestURLGivesEachTestItsOwnDatabase(t *testing.T) {
	one, two := open(t, pgtest.URL(t)), open(t, pgtest.URL(t))
	_, err := one.Exec("create table only_here (id int)")
	require.NoError(t, err)
	_, err = two.Exec("select * from only_here")
	require.ErrorContains(t, err, "only_here")
}

func TestKilledClusterComesBackWithWhatWasCommitted(t *testing.T) {
	c, err := pgtest.Start(pgtest.Options{Fsync: true})
	require.NoError(t, err)
	t.Cleanup(c.Stop)
	db := open(t, c.URL())
	_, err = db.Exec("create table kept (id int); insert into kept values (7)")
	require.NoError(t, err)
	before := c.Pid()

	require.NoError(t, c.Kill())
	require.Error(t, db.Ping())
	require.NoError(t, c.Restart())

	require.NotEqual(t, before, c.Pid())
	var id int
	require.NoError(t, db.QueryRow("select id from kept").Scan(&id))
	require.Equal(t, 7, id)
}

func open(t *testing.T, url string) *sql.DB {
	db, err := sql.Open("postgres", url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
