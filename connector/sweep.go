package connector

import (
	"context"
	"encoding/json"
	"time"

	"channelbridge/internal/fault"
)

// SweepPage is one page of a listing, already turned into observations.
type SweepPage struct {
	Observations []Observation
	Touches      []Touch   // orders that have to be looked at by themselves
	Next         []byte    // the adapter's cursor for the next page
	Watermark    time.Time // everything changed before this has been listed, once More is false
	More         bool
}

// Sweep is one repeated listing of what changed at a connection. Sweeps are the guarantee:
// they find whatever a push has lost.
type Sweep struct {
	Connection ConnectionID
	Name       string        // "changes" or "wide"
	Every      time.Duration // between the ends of two passes
	Overlap    time.Duration // how far a pass reaches back behind the last watermark
	Reach      time.Duration // how far the very first pass, or every wide pass, reaches back
	Wide       bool          // always reach back by Reach
	List       func(ctx context.Context, cursor []byte, since time.Time) (SweepPage, error)
}

// Sweeper runs sweeps. One process at a time holds a sweep's cursor.
type Sweeper struct {
	Store interface {
		Queue
		Cursors
	}
	Clock   Clock
	Lease   time.Duration                 // 0: 5 min
	Nudge   func()                        // called when a page held news
	Observe func(s Sweep, seen, news int) // told of every page
}

// position is what the cursor row holds between pages.
type position struct {
	Since time.Time       `json:"since,omitzero"` // where the running pass began
	Token json.RawMessage `json:"token,omitempty"`
}

// Pass runs the sweep from where it stands to its end if it is due. It returns when to come
// again. A crash between two pages repeats at most one page.
func (s *Sweeper) Pass(ctx context.Context, sw Sweep) (time.Time, error) {
	lease := s.Lease
	if lease == 0 {
		lease = 5 * time.Minute
	}
	now := s.Clock()
	c, ok, err := s.Store.TakeCursor(ctx, sw.Connection, sw.Name, now, lease)
	if err != nil || !ok {
		return now.Add(min(sw.Every, lease)), fault.Wrap(err, "sweep %s of %s: taking the cursor", sw.Name, sw.Connection)
	}
	var pos position
	if len(c.Value) > 0 {
		if err := json.Unmarshal(c.Value, &pos); err != nil {
			pos = position{}
		}
	}
	if len(pos.Token) == 0 {
		if next := c.RanAt.Add(sw.Every); !c.RanAt.IsZero() && next.After(now) {
			return next, s.Store.KeepCursor(context.WithoutCancel(ctx), c, c.RanAt, time.Time{})
		}
		pos.Since = s.since(sw, c, now)
	}
	return s.pages(ctx, sw, c, pos, lease)
}

// since is where a new pass begins.
func (s *Sweeper) since(sw Sweep, c Cursor, now time.Time) time.Time {
	if sw.Wide || c.Watermark.IsZero() {
		return now.Add(-sw.Reach)
	}
	return c.Watermark.Add(-sw.Overlap)
}

func (s *Sweeper) pages(ctx context.Context, sw Sweep, c Cursor, pos position, lease time.Duration) (time.Time, error) {
	for {
		page, err := sw.List(ctx, pos.Token, pos.Since)
		now := s.Clock()
		if err != nil {
			if fault.Is(err, fault.Refused) {
				c.Value = nil // the page token may have died: the next pass starts afresh
			}
			wait := max(fault.After(err), min(sw.Every, time.Minute))
			_ = s.Store.KeepCursor(context.WithoutCancel(ctx), c, c.RanAt, time.Time{}) // a process told to stop frees it for the next
			return now.Add(wait), fault.Wrap(err, "sweep %s of %s", sw.Name, sw.Connection)
		}
		news, err := s.Store.Seen(ctx, now, page.Observations...)
		if err == nil && len(page.Touches) > 0 {
			err = s.Store.Touch(ctx, now, page.Touches...)
		}
		if err != nil {
			_ = s.Store.KeepCursor(context.WithoutCancel(ctx), c, c.RanAt, time.Time{})
			return now.Add(time.Second), fault.Wrap(err, "sweep %s of %s: keeping a page", sw.Name, sw.Connection)
		}
		if s.Observe != nil {
			s.Observe(sw, len(page.Observations), news)
		}
		if news > 0 && s.Nudge != nil {
			s.Nudge()
		}
		if !page.More {
			c.Value, c.RanAt = nil, now
			if page.Watermark.After(c.Watermark) {
				c.Watermark = page.Watermark
			}
			return now.Add(sw.Every), s.Store.KeepCursor(context.WithoutCancel(ctx), c, now, time.Time{})
		}
		pos.Token = page.Next
		if c.Value, err = json.Marshal(pos); err != nil {
			return now, fault.Wrap(err, "sweep cursor")
		}
		if err := s.Store.KeepCursor(ctx, c, c.RanAt, now.Add(lease)); err != nil {
			return now.Add(sw.Every), fault.Wrap(err, "sweep %s of %s: keeping the cursor", sw.Name, sw.Connection)
		}
	}
}
