package sqlstore

import (
	"database/sql"
	"fmt"
	"net/url"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// defaults are connection settings an address may override: a silent server is noticed, and a
// client that died with a lock in its hand loses it.
var defaults = map[string]string{
	"application_name":                    "channelbridge",
	"connect_timeout":                     "5",
	"idle_in_transaction_session_timeout": "60000",
}

func openPostgres(address string, opts Options) (*sqlx.DB, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("the database address is not a URL") // the cause would print the password
	}
	q := u.Query()
	for name, value := range defaults {
		if !q.Has(name) {
			q.Set(name, value)
		}
	}
	q.Set("binary_parameters", "yes") // bytes travel as they are; lists of rows rely on it
	u.RawQuery = q.Encode()
	c, err := pq.NewConnector(u.String())
	if err != nil {
		return nil, fmt.Errorf("database address %s: %w", u.Redacted(), err)
	}
	c.Dialer(dialer{})
	db := sqlx.NewDb(sql.OpenDB(preparing{c}), "postgres")
	conns := opts.MaxConns
	if conns <= 0 {
		conns = 16
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}
