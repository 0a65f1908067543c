package pgtest

import (
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/lib/pq"
)

// shared starts the one cluster of this test process.
var shared = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("TEST_DATABASE_URL"); given != "" {
		return given, nil
	}
	c, err := Start(Options{})
	if err != nil {
		return "", err
	}
	return c.URL(), nil
})

// URL gives the test a new, empty database, dropped when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatalf("this test needs PostgreSQL: %v", err)
	}
	return Database(t, server)
}

// Database creates an empty database on the server at the address given, dropped when the test
// ends.
func Database(t testing.TB, server string) string {
	t.Helper()
	admin, err := sql.Open("postgres", server)
	if err != nil {
		t.Fatalf("open %s: %v", redact(server), err)
	}
	admin.SetMaxIdleConns(0)
	name := "test_" + strings.ToLower(rand.Text()[:16])
	if _, err := admin.Exec("create database " + pq.QuoteIdentifier(name)); err != nil {
		t.Fatalf("create a test database on %s: %v", redact(server), err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("drop database if exists " + pq.QuoteIdentifier(name) + " with (force)"); err != nil {
			t.Logf("drop test database %s: %v", name, err)
		}
		_ = admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("TEST_DATABASE_URL is not a URL")
	}
	u.Path = "/" + name
	return u.String()
}

func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the test server"
	}
	return u.Redacted()
}
