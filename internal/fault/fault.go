// Package fault gives every error that leaves an adapter one of five meanings,
// so that the loop branches on meaning and never on text.
//
// The zero Class is Unknown: an adapter that forgets to classify is safe,
// because a write that ended in Unknown is looked for before it is repeated.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class is what an error means for the next step.
type Class uint8

const (
	Unknown   Class = iota // it may have happened; look before repeating
	Temporary              // it did not happen; it may be tried again after a while
	Refused                // it did not happen and never will as it stands
	Denied                 // credentials or permission: stop the whole connection
	NotFound               // the thing asked for is not there (never read as "cancelled")
)

var names = [...]string{"unknown", "temporary", "refused", "denied", "not_found"}

// String returns the class in the spelling of logs, metrics and the database.
func (c Class) String() string {
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// Error is a classified error. What happened stands in Err; Hint tells a person what to do.
type Error struct {
	Class Class
	After time.Duration // Temporary: not before this much time has passed; 0 leaves it to the caller
	Code  string        // the outside system's own code, verbatim, if it gave one
	Hint  string        // one sentence for a person: what to do about it
	Ref   string        // the outside system's request id, for its support
	Err   error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	} else {
		b.WriteString(e.Class.String())
	}
	if e.Code != "" && !strings.Contains(b.String(), e.Code) {
		fmt.Fprintf(&b, " [%s]", e.Code)
	}
	if e.Ref != "" {
		fmt.Fprintf(&b, " (request %s)", e.Ref)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// New makes a classified error from a format, as fmt.Errorf does.
func New(c Class, format string, args ...any) *Error {
	return &Error{Class: c, Err: fmt.Errorf(format, args...)}
}

// Wrap says what was being done and keeps the class of err.
func Wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// Of returns the class of err; an unclassified error is Unknown. Of(nil) is Unknown too:
// ask only about errors.
func Of(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Unknown
}

// Is reports whether err is an error of class c.
func Is(err error, c Class) bool { return err != nil && Of(err) == c }

// After returns how long a Temporary error asks to wait; 0 when it does not say.
func After(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.After
	}
	return 0
}

// Hint returns the sentence for a person that travels with err, if any.
func Hint(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Hint
	}
	return ""
}
