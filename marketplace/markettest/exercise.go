package markettest

import (
	"context"
	"slices"
	"testing"
	"time"
)

type chapter struct {
	name string
	tell func(*story)
}

// Exercise runs the whole story. Chapters share one channel and place their own orders, so an
// adapter that leaks state from one into the next is noticed.
func Exercise(t *testing.T, h Harness) {
	t.Helper()
	if h.Limit == 0 {
		h.Limit = 3 * time.Second
	}
	if h.Missing == "" {
		h.Missing = "no-such-order"
	}
	for _, part := range [][]chapter{reading, shipping, instructing, paying, pushing, failing} {
		for _, c := range part {
			t.Run(c.name, func(t *testing.T) {
				if slices.Contains(h.Missed, c.name) {
					t.Skip(h.Reason)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				c.tell(&story{T: t, h: h, ctx: ctx})
			})
		}
	}
}
