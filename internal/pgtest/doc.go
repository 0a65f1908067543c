// Package pgtest gives tests a real PostgreSQL.
//
// It takes the server named by TEST_DATABASE_URL; without one it starts a throw-away cluster
// from installed server programs, one per test process; without those it installs Debian's
// package when it is root and may. A machine where none of that works fails the test with one
// sentence, it does not skip.
//
// A cluster lives under a small shell that waits on a pipe to this process. However this
// process ends, the pipe closes, the shell stops the server and removes its files.
package pgtest
