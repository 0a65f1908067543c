package sqlstore

import (
	"database/sql"

	"channelbridge/migrations"
)

// dialect is everything the statements of this package differ by.
type dialect struct {
	name string
	// lock ends a select whose rows are about to be changed, share one whose rows must not
	// change before our commit, skip a claim that leaves locked rows to others. SQLite has one
	// writer and needs none of them.
	lock, share, skip string
	// alone waits for locks with names, one after the other, and holds them until the commit; ""
	// where there is one writer anyhow.
	alone string
	// snapshot is how a transaction is begun in which all reads see one moment.
	snapshot *sql.TxOptions
	arrays   bool // lists of rows travel as arrays
	// flushers is how many groups of deliveries are under way at once: one is written, others are
	// begun or wait for the disk.
	flushers int
}

var postgres = dialect{
	name:     migrations.Postgres,
	lock:     ` for no key update`,
	share:    ` for share`,
	skip:     ` for no key update skip locked`,
	alone:    `select pg_advisory_xact_lock(hashtextextended(name, 0)) from unnest(?::text[]) as name`,
	snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	arrays:   true,
	flushers: 2,
}

var sqlite = dialect{
	name:     migrations.SQLite,
	snapshot: &sql.TxOptions{ReadOnly: true},
	flushers: 1,
}
