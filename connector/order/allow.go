package order

import (
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// step is what the ledger allows for a command that has an entry already.
type step int

const (
	nothing  step = iota // done, or nothing to do now
	wait                 // come back at the time given
	look                 // look at the side written to before deciding
	again                // may be sent once more with the same key
	answered             // refused: a person has to act
)

// allow is the table of what an entry's state permits. settle is how long the written side needs
// until a read shows every earlier write; seen is when that side was last read.
//
//	state                       native, natural     none
//	sent past deadline, unknown send again          wait for the window, look, send if absent
//	retry                       send at its time    send at its time
//	refused                     a person            a person
//	done, proven                never again         never again
//
// Absence of the effect in the look itself is the caller's to establish.
func allow(e connector.Entry, class marketplace.RepeatClass, settle time.Duration, seen, now time.Time) (step, time.Time) {
	switch e.State {
	case connector.Retry:
		if now.Before(e.RetryAt) {
			return wait, e.RetryAt
		}
		return again, time.Time{}
	case connector.Refused:
		return answered, time.Time{}
	case connector.Sent, connector.Unknown:
		if now.Before(e.Deadline) && e.State == connector.Sent {
			return wait, e.Deadline
		}
		if class != marketplace.RepeatNone && class != "" {
			at := e.IntendedAt.Add(pace(e, e.IntendedAt))
			if e.RetryAt.After(at) { // the other side asked for more
				at = e.RetryAt
			}
			if now.Before(at) {
				return wait, at
			}
			return again, time.Time{}
		}
		end := e.Deadline.Add(settle)
		if now.Before(end) {
			return wait, end
		}
		if seen.Before(end) {
			return look, end
		}
		return again, time.Time{}
	}
	return nothing, time.Time{}
}

// pace is how long to wait after an entry's latest attempt, and never longer than a tenth of the
// time left to its deadline.
func pace(e connector.Entry, now time.Time) time.Duration {
	return within(resend(e.Attempts), e.Due, now)
}

// within cuts a pause to a tenth of the time left to a deadline, but not below a second.
func within(d time.Duration, due, now time.Time) time.Duration {
	if left := due.Sub(now); !due.IsZero() && left > 0 {
		return min(d, max(left/10, time.Second))
	}
	return d
}

// resend is how long to wait after the n-th attempt before repeating one that may be repeated.
func resend(n int) time.Duration {
	return min(5*time.Second<<min(max(n-1, 0), 8), 10*time.Minute)
}
