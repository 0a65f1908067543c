package sqlstore

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // registers "sqlite"
)

// openSQLite opens one connection that writes and a few that read beside it.
func openSQLite(address string) (writer, reader *sqlx.DB, err error) {
	_, rest, _ := strings.Cut(address, ":")
	path, query, _ := strings.Cut(rest, "?")
	path = strings.TrimPrefix(path, "//")
	if path == "" || path == ":memory:" {
		return nil, nil, errors.New("SQLite needs a file: sqlite:path/to/bridge.db")
	}
	if err := private(path); err != nil {
		return nil, nil, err
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, nil, fmt.Errorf("database address %s: %w", path, err)
	}
	for _, pragma := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"} {
		q.Add("_pragma", pragma)
	}
	read := (&url.URL{Scheme: "file", Opaque: escape(path), RawQuery: q.Encode() + "&_pragma=query_only(1)"}).String()
	q.Set("_txlock", "immediate")
	write := (&url.URL{Scheme: "file", Opaque: escape(path), RawQuery: q.Encode()}).String()
	if writer, err = sqlx.Open("sqlite", write); err != nil {
		return nil, nil, err
	}
	if reader, err = sqlx.Open("sqlite", read); err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	writer.SetMaxOpenConns(1)
	reader.SetMaxOpenConns(4)
	reader.SetMaxIdleConns(4)
	return writer, reader, nil
}

// private makes the file if need be, readable by us alone: it holds people's addresses.
func private(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("database folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("database file: %w", err)
	}
	return f.Close()
}

// escape keeps characters of a path that mean something in an address.
func escape(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}
