package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/lib/pq"
	lite "modernc.org/sqlite"
)

// ErrClosed says that the store was closed.
var ErrClosed = errors.New("the store is closed")

// errHangs says that a delivery could not be kept in time.
var errHangs = fmt.Errorf("the database does not answer: %w", context.DeadlineExceeded)

// The result codes of SQLite that matter here, without their extension.
const (
	liteBusy       = 5
	liteLocked     = 6
	liteTooBig     = 18
	liteConstraint = 19
	liteMismatch   = 20
	liteRange      = 25
)

// errRace says that two transactions reached for the same free thing; the second must look again.
var errRace = errors.New("another transaction was faster")

// again reports an error after which the same transaction may simply be run once more.
func again(err error) bool {
	if errors.Is(err, errRace) {
		return true
	}
	if e, ok := errors.AsType[*pq.Error](err); ok {
		return e.Code == "40001" || e.Code == "40P01"
	}
	if e, ok := errors.AsType[*lite.Error](err); ok {
		code := e.Code() & 0xff
		return code == liteBusy || code == liteLocked
	}
	return false
}

// rowFault reports an error that one row of a batch may have caused for all: bad data, a broken
// constraint, a limit. Everything else concerns the database and not the row.
func rowFault(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if e, ok := errors.AsType[*pq.Error](err); ok {
		switch e.Code.Class() {
		case "21", "22", "23", "42", "54":
			return true
		}
		return false
	}
	if e, ok := errors.AsType[*lite.Error](err); ok {
		switch e.Code() & 0xff {
		case liteTooBig, liteConstraint, liteMismatch, liteRange:
			return true
		}
		return false
	}
	return errors.Is(err, errBadRow)
}

// errBadRow marks what we refuse ourselves before the database would.
var errBadRow = errors.New("cannot be stored")
