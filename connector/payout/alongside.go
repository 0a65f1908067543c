package payout

import "errors"

// errEnded ends a reading nobody listens to any more.
var errEnded = errors.New("nobody listens")

// alongside reads while what was read before is taken: reading waits for a database, taking thinks.
// take is called by the caller's goroutine, in the order of reading; its error ends the reading and
// is returned.
func alongside[T any](read func(yield func(T) error) error, take func(T) error) error {
	const most = 500
	parts, over := make(chan []T, 2), make(chan struct{})
	var failed error // may be read once parts is closed
	go func() {
		defer close(parts)
		part := make([]T, 0, most)
		hand := func() error {
			select {
			case parts <- part:
				part = make([]T, 0, most)
				return nil
			case <-over:
				return errEnded
			}
		}
		failed = read(func(x T) error {
			if part = append(part, x); len(part) < most {
				return nil
			}
			return hand()
		})
		if failed == nil {
			failed = hand()
		}
	}()
	defer func() { // the reading has ended when this has
		close(over)
		for range parts {
		}
	}()
	for part := range parts {
		for _, x := range part {
			if err := take(x); err != nil {
				return err
			}
		}
	}
	return failed
}
