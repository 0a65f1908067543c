package migrations_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"channelbridge/internal/pgtest"
	"channelbridge/migrations"
)

func open(t *testing.T, dialect string) *sql.DB {
	driver, dsn := "postgres", ""
	if dialect == migrations.Postgres {
		dsn = pgtest.URL(t)
	} else {
		driver, dsn = "sqlite", "file:"+filepath.Join(t.TempDir(), "bridge.db")+"?_pragma=busy_timeout(10000)&_txlock=immediate"
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func both(t *testing.T, run func(t *testing.T, dialect string)) {
	for _, dialect := range []string{migrations.SQLite, migrations.Postgres} {
		t.Run(dialect, func(t *testing.T) { run(t, dialect) })
	}
}

func TestUpFromEmptyAndAgain(t *testing.T) {
	both(t, func(t *testing.T, dialect string) {
		ctx, db := context.Background(), open(t, dialect)
		first, err := migrations.Up(ctx, db, dialect)
		require.NoError(t, err)
		require.NotEmpty(t, first)

		second, err := migrations.Up(ctx, db, dialect)
		require.NoError(t, err)
		require.Empty(t, second)

		steps, err := migrations.Status(ctx, db, dialect)
		require.NoError(t, err)
		require.Len(t, steps, len(first))
		for _, s := range steps {
			require.True(t, s.Applied, s.Name)
		}
	})
}

func TestSeveralStartAtOnce(t *testing.T) {
	both(t, func(t *testing.T, dialect string) {
		db := open(t, dialect)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, err := migrations.Up(context.Background(), db, dialect)
				require.NoError(t, err)
			})
		}
		wg.Wait()
		pending, err := migrations.Pending(context.Background(), db, dialect)
		require.NoError(t, err)
		require.Zero(t, pending)
	})
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	both(t, func(t *testing.T, dialect string) {
		ctx, db := context.Background(), open(t, dialect)
		_, err := migrations.Up(ctx, db, dialect)
		require.NoError(t, err)
		_, err = db.Exec(`insert into schema_steps (version_id, is_applied) values (9999, true)`)
		require.NoError(t, err)

		_, err = migrations.Up(ctx, db, dialect)
		require.ErrorIs(t, err, migrations.ErrNewer)
		require.ErrorContains(t, err, "9999")
		_, err = migrations.Status(ctx, db, dialect)
		require.ErrorIs(t, err, migrations.ErrNewer)
	})
}

func TestAStepThatComesLateIsTaken(t *testing.T) {
	both(t, func(t *testing.T, dialect string) {
		ctx, db := context.Background(), open(t, dialect)
		step := func(table string) *fstest.MapFile {
			return &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table " + table + " (id bigint);\n")}
		}
		steps := fstest.MapFS{"0001_one.sql": step("one"), "0003_three.sql": step("three")}
		n, err := migrations.UpFrom(ctx, steps, db, dialect)
		require.NoError(t, err)
		require.Equal(t, 2, n, "a gap is no fault")
		steps["0002_two.sql"] = step("two")
		n, err = migrations.UpFrom(ctx, steps, db, dialect)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		_, err = db.Exec(`insert into two (id) values (1)`)
		require.NoError(t, err)
	})
}

func TestBothEnginesHaveTheSameTablesAndColumns(t *testing.T) {
	ctx := context.Background()
	pg, lite := open(t, migrations.Postgres), open(t, migrations.SQLite)
	_, err := migrations.Up(ctx, pg, migrations.Postgres)
	require.NoError(t, err)
	_, err = migrations.Up(ctx, lite, migrations.SQLite)
	require.NoError(t, err)

	ours := columns(t, pg, `select table_name, column_name from information_schema.columns
		where table_schema = current_schema() and table_name <> 'schema_steps' order by 1, ordinal_position`)
	require.NotEmpty(t, ours)
	require.Equal(t, ours, columns(t, lite, `select m.name, c.name from sqlite_master m, pragma_table_info(m.name) c
		where m.type = 'table' and m.name not like 'sqlite_%' and m.name <> 'schema_steps' order by m.name, c.cid`))

	indexes := columns(t, pg, `select tablename, indexname from pg_indexes
		where schemaname = current_schema() and indexname not like '%_pkey' and indexname not like '%_key' and tablename <> 'schema_steps' order by 2`)
	require.Equal(t, indexes, columns(t, lite, `select tbl_name, name from sqlite_master
		where type = 'index' and name not like 'sqlite_%' order by 2`))
}

func columns(t *testing.T, db *sql.DB, query string) [][2]string {
	rows, err := db.Query(query)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	var out [][2]string
	for rows.Next() {
		var pair [2]string
		require.NoError(t, rows.Scan(&pair[0], &pair[1]))
		out = append(out, pair)
	}
	require.NoError(t, rows.Err())
	return out
}
