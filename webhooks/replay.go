package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Why a delivery cannot be replayed.
var (
	errUnknown = errors.New("no such connection")
	// ErrNeedsForce: it was refused, and only a person may insist.
	ErrNeedsForce = errors.New("the delivery was refused; it is replayed only when forced")
	// ErrNotAuthentic: its signature was wrong or cannot be checked any more. Nobody can insist.
	ErrNotAuthentic = errors.New("the delivery is not known to be authentic")
	// ErrNotKept: its body is not there any more, or never was.
	ErrNotKept = errors.New("the body of the delivery was not kept")
)

// Replay reads a kept delivery again, usually after the receiver has learned something, and
// touches what it names. Quarantined and accepted deliveries may be replayed as often as wanted.
// An error that wraps marketplace.ErrMalformed or shopadmin.ErrMalformed means that it is still
// not understood; it then stays as it was.
func (s *Server) Replay(ctx context.Context, store connector.Store, row int64) error {
	return s.replay(ctx, store, row, false)
}

// ReplayForced also takes a delivery that was refused for another reason than its signature.
// It is authenticated again, at the time it claims.
func (s *Server) ReplayForced(ctx context.Context, store connector.Store, row int64) error {
	return s.replay(ctx, store, row, true)
}

func (s *Server) replay(ctx context.Context, store connector.Store, row int64, force bool) error {
	d, err := store.Delivery(ctx, row)
	if err != nil {
		return fmt.Errorf("replaying delivery %d: %w", row, err)
	}
	src, ok := s.source(d.Connection)
	if !ok {
		return fmt.Errorf("replaying delivery %d of %s: %w", row, d.Connection, errUnknown)
	}
	ds, err := s.again(src, d, force)
	if err != nil {
		return fmt.Errorf("replaying delivery %d of %s: %w", row, d.Connection, err)
	}
	var touch []connector.Touch
	var observed []connector.Observation
	for _, k := range ds {
		if k.Verdict == connector.Quarantined {
			return fmt.Errorf("replaying delivery %d of %s: %w: %s", row, d.Connection, marketplace.ErrMalformed, k.Reason)
		}
		touch, observed = append(touch, k.Touch...), append(observed, k.Observed...)
	}
	if err := store.Replayed(ctx, row, s.cfg.Clock(), touch, observed); err != nil {
		return fmt.Errorf("replaying delivery %d of %s: keeping the result: %w", row, d.Connection, err)
	}
	s.cfg.Nudge()
	return nil
}

// again reads a delivery the way its verdict allows.
func (s *Server) again(src Source, d connector.Delivery, force bool) (ds []kept, err error) {
	if len(d.Body) != d.Size {
		return nil, ErrNotKept
	}
	at := d.ReceivedAt
	if d.Verdict == connector.Rejected {
		if at, err = forced(d, force); err != nil {
			return nil, err
		}
	}
	defer func() {
		if r := recover(); r != nil {
			ds, err = nil, fmt.Errorf("the receiver panicked: %s", clean(fmt.Sprint(r), maxReason))
		}
	}()
	p := push{src: src, at: at, header: headerOf(d.Header), body: d.Body, size: d.Size}
	hints, err := p.reread(d.Verdict != connector.Rejected)
	if err != nil {
		return nil, err
	}
	return hints, nil
}

// reread runs the receiver again; trusted bodies need no second verification where the receiver
// can do without.
func (p push) reread(trusted bool) ([]kept, error) {
	if p.src.Role == connector.RoleStore {
		in := shopadmin.Inbound{Header: p.header, Body: p.body}
		read := func() (shopadmin.Hint, error) { return p.src.Store.Receive(p.at, in) }
		if u, ok := p.src.Store.(StoreUnwrapper); ok && trusted {
			read = func() (shopadmin.Hint, error) { return u.Unwrap(in) }
		}
		h, err := read()
		if err != nil {
			return nil, err
		}
		return p.ofStore(h), nil
	}
	read := func() ([]marketplace.Hint, error) {
		return p.src.Channel.Receive(p.at, marketplace.Inbound{Header: p.header, Body: p.body})
	}
	if u, ok := p.src.Channel.(Unwrapper); ok && trusted {
		read = func() ([]marketplace.Hint, error) { return u.Unwrap(p.body) }
	}
	hints, err := read()
	if err != nil {
		return nil, err
	}
	return p.ofChannel(hints), nil
}

// forced decides whether a refused delivery may be read again, and as of when. A stale one is
// read at the time it claims: its signature covers that claim and is checked again.
func forced(d connector.Delivery, force bool) (time.Time, error) {
	code, _, _ := strings.Cut(d.Reason, ":")
	switch {
	case code == codeSignature:
		return time.Time{}, ErrNotAuthentic
	case !force:
		return time.Time{}, fmt.Errorf("%w (%s)", ErrNeedsForce, d.Reason)
	case code != codeStale:
		return d.ReceivedAt, nil
	}
	sec, err := strconv.ParseInt(headerOf(d.Header).Get("Webhook-Timestamp"), 10, 64)
	if err != nil {
		return time.Time{}, ErrNotAuthentic
	}
	return time.Unix(sec, 0), nil
}

func headerOf(kept map[string][]string) http.Header {
	h := http.Header{}
	for name, values := range kept {
		for _, v := range values {
			h.Add(name, v)
		}
	}
	return h
}
