// Package sqlstore keeps what the bridge knows, in PostgreSQL or SQLite. It is the one package
// with SQL, written by hand next to the method that runs it.
//
// One method is one transaction. Instants are passed in; the database is never asked for the
// time. Rows are locked in one order, a subject before what hangs on it and subjects by their
// key, so that two transactions wait for each other instead of dying. What still dies of a
// deadlock or a failed serialization is tried again inside the method.
//
// Both engines run the same statements. The differences are one small struct, dialect.
package sqlstore
