package migrations_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/migrations"
)

const noon = "2026-03-28T12:00:00.000000Z"

// before is a database at step 1 with a row in every table that step 2 changes.
func before(t *testing.T, dialect string) *sql.DB {
	db := open(t, dialect)
	if dialect == migrations.SQLite {
		db.SetMaxOpenConns(1)
		_, err := db.Exec(`pragma foreign_keys = on`) // as the program has it
		require.NoError(t, err)
	}
	require.NoError(t, migrations.UpTo(t.Context(), db, dialect, 1))
	for _, row := range []string{
		`insert into connections (id, platform, role, store, state, reason, changed_at, since, settings)
			values ('amazon-de', 'amazon', 'sales_channel', 'shopify', 'paused', 'holidays', '` + noon + `', '` + noon + `', 'sealed')`,
		`insert into subjects (kind, channel, ref, revision, shop_store, shop_id, first_seen) values ('order', 'amazon-de', 'A', 3, 'shopify', 'gid/1', '` + noon + `')`,
		`insert into snapshots (subject, side, version, observed_at, body, fault) values (1, 'market', '` + noon + `', '` + noon + `', 'one', 'odd')`,
		`insert into effects (subject, key, verb, side, about, amount_minor, currency, due, body, why, state, attempts,
				intended_at, deadline, settled_at, retry_at, ref, class, reason, planned_on)
			values (1, 'k1', 'create-mirror', 'shop', 'x', 1990, 'EUR', '` + noon + `', '{}', 'because', 'retry', 2,
				'` + noon + `', '` + noon + `', '` + noon + `', '` + noon + `', 'r-1', 'temporary', 'busy', 'hash')`,
		`insert into effects (subject, key, verb, side, state, attempts, intended_at, deadline)
			values (1, 'k2', 'confirm-shipment', 'market', 'sent', 1, '` + noon + `', '` + noon + `')`,
		`insert into holds (subject, kind, level, since) values (1, 'carrier', 'warns', '` + noon + `')`,
		`insert into timeline (subject, at, actor, kind, text) values (1, '` + noon + `', 'system', 'seen', 'placed')`,
	} {
		_, err := db.Exec(row)
		require.NoError(t, err)
	}
	return db
}

// kept reads every column of step 1 of the rows above.
func kept(t *testing.T, db *sql.DB) []string {
	var out []string
	for _, query := range []string{
		`select id || platform || role || store || state || reason || cast(changed_at as text) || cast(since as text) || cast(length(settings) as text) from connections`,
		`select kind || channel || ref || cast(revision as text) || shop_store || shop_id from subjects`,
		`select cast(subject as text) || side || cast(version as text) || cast(observed_at as text) || cast(length(body) as text) || fault from snapshots`,
		`select cast(id as text) || cast(subject as text) || key || verb || side || about || coalesce(cast(amount_minor as text), '-') || coalesce(currency, '-')
			|| coalesce(cast(due as text), '-') || cast(coalesce(length(body), 0) as text) || why || state || cast(attempts as text)
			|| cast(intended_at as text) || cast(deadline as text) || coalesce(cast(settled_at as text), '-') || coalesce(cast(retry_at as text), '-')
			|| ref || class || reason || planned_on from effects order by id`,
		`select kind || level from holds`,
		`select text from timeline`,
	} {
		rows, err := db.Query(query)
		require.NoError(t, err)
		for rows.Next() {
			var text string
			require.NoError(t, rows.Scan(&text))
			out = append(out, text)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return out
}

func TestRowsOfTheFirstStepSurviveTheSecond(t *testing.T) {
	both(t, func(t *testing.T, dialect string) {
		db := before(t, dialect)
		rows := kept(t, db)
		require.Len(t, rows, 7)
		done, err := migrations.Up(t.Context(), db, dialect)
		require.NoError(t, err)
		require.Equal(t, "0002_money.sql", done[0].Name)
		require.Equal(t, rows, kept(t, db))

		var money, waiting int
		require.NoError(t, db.QueryRow(`select count(*) from effects where money or lane <> '' or batch is not null`).Scan(&money))
		require.Zero(t, money, "nothing that was sent before gave money back")
		require.NoError(t, db.QueryRow(`select count(*) from snapshots where kept_at is not null`).Scan(&waiting))
		require.Zero(t, waiting)
	})
}

func TestWhatTheSecondStepAllowsAndForbids(t *testing.T) {
	both(t, func(t *testing.T, dialect string) {
		db := before(t, dialect)
		_, err := migrations.Up(t.Context(), db, dialect)
		require.NoError(t, err)
		effect := func(key, columns, values string) string {
			return `insert into effects (subject, key, verb, side, attempts, intended_at, deadline` + columns + `)
				values (1, '` + key + `', 'refund', 'market', 1, '` + noon + `', '` + noon + `'` + values + `)`
		}
		batch := func(lane, state string) string {
			return `insert into batches (channel, lane, state, formed_at, changed_at) values ('amazon-de', '` + lane + `', '` + state + `', '` + noon + `', '` + noon + `')`
		}
		for _, c := range []struct {
			says, row string
			ok        bool
		}{
			{"a connection may be removed", `update connections set state = 'removed', removed_at = '` + noon + `'`, true},
			{"but not be in a state nobody knows", `update connections set state = 'gone'`, false},
			{"refunds have a snapshot of their own", `insert into snapshots (subject, side, version, observed_at, body) values (1, 'money', '` + noon + `', '` + noon + `', 'm')`, true},
			{"there is no fourth side", `insert into snapshots (subject, side, version, observed_at, body) values (1, 'bank', '` + noon + `', '` + noon + `', 'm')`, false},
			{"what waits in a lane has no outcome", effect("q1", ", state, lane", ", 'queued', 'feed'"), true},
			{"nothing waits without a lane", effect("q2", ", state", ", 'queued'"), false},
			{"what is settled says when", effect("q3", ", state", ", 'done'"), false},
			{"a key is spent for ever", effect("k1", ", state", ", 'sent'"), false},
			{"a lane has a batch", batch("feed", "formed"), true},
			{"and no second one beside it", batch("feed", "sending"), false},
			{"another lane has its own", batch("other", "formed"), true},
			{"an entry of a batch has a number", effect("q4", ", state, lane, batch", ", 'queued', 'feed', 1"), false},
			{"its own number", effect("q5", ", state, lane, batch, message", ", 'queued', 'feed', 1, 1"), true},
			{"not another's", effect("q6", ", state, lane, batch, message", ", 'queued', 'feed', 1, 1"), false},
			{"one that is over makes room", `update batches set state = 'lost' where lane = 'feed'`, true},
			{"for the next", batch("feed", "formed"), true},
			{"a sealed line has place and hash", `insert into audit (at, action, place) values ('` + noon + `', 'wish', 1)`, false},
		} {
			_, err := db.Exec(c.row)
			require.Equal(t, c.ok, err == nil, "%s: %v", c.says, err)
		}
	})
}
