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
	// ErrNotKept: its body is not there any more, or was never kept whole.
	ErrNotKept = errors.New("the body of the delivery was not kept")
)

// Replay reads a kept delivery again, usually after the receiver has learned something, and
// touches what it names. Quarantined and accepted deliveries may be replayed as often as wanted.
// An error that wraps marketplace.ErrMalformed or shopadmin.ErrMalformed means that it is still
// not understood; it then stays as it was.
func (s *Server) Replay(ctx context.Context, store connector.Store, row int64) error {
	return s.replay(ctx, store, row, false)
}

// ReplayForced also takes a delivery that was refused for another reason than its signature. It
// is authenticated again, as of the time it claims, and kept as a delivery of its own under the
// sender's id; the refused row stays what it is.
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
		err = errUnknown
	} else if d.Verdict == connector.Rejected {
		err = s.replayRefused(ctx, src, d, force)
	} else {
		err = s.replayKept(ctx, store, src, d)
	}
	if err != nil {
		return fmt.Errorf("replaying delivery %d of %s: %w", row, d.Connection, err)
	}
	return nil
}

// replayKept reads an authentic delivery again and acts in its own row.
func (s *Server) replayKept(ctx context.Context, store connector.Store, src Source, d connector.Delivery) error {
	ds, err := s.again(src, d, d.ReceivedAt, true)
	if err != nil {
		return err
	}
	var touch []connector.Touch
	var observed []connector.Observation
	for _, k := range ds {
		touch, observed = append(touch, k.Touch...), append(observed, k.Observed...)
	}
	if err := store.Replayed(ctx, d.Row, s.cfg.Clock(), touch, observed); err != nil {
		return fmt.Errorf("keeping the result: %w", err)
	}
	if d.Verdict == connector.Quarantined {
		for _, k := range ds {
			s.lifecycle(ctx, src, k.life)
		}
	}
	s.cfg.Nudge()
	return nil
}

// replayRefused takes a refused delivery as if it had come now.
func (s *Server) replayRefused(ctx context.Context, src Source, d connector.Delivery, force bool) error {
	at, err := claimed(d, force)
	if err != nil {
		return err
	}
	ds, err := s.again(src, d, at, false)
	if err != nil {
		return err
	}
	return s.keep(ctx, src, ds)
}

// claimed decides whether a refused delivery may be read again, and as of when. A stale one is
// read at the time it claims: its signature covers that claim and is checked again.
func claimed(d connector.Delivery, force bool) (time.Time, error) {
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

// again reads a kept body; nothing that is still not understood comes back without an error.
func (s *Server) again(src Source, d connector.Delivery, at time.Time, trusted bool) (ds []kept, err error) {
	if len(d.Body) != d.Size {
		return nil, ErrNotKept
	}
	defer func() {
		if r := recover(); r != nil {
			ds, err = nil, fmt.Errorf("the receiver panicked: %s", clean(fmt.Sprint(r), maxReason))
		}
	}()
	p := push{src: src, at: d.ReceivedAt, latest: s.cfg.Clock().Add(maxFuture),
		header: headerOf(d.Header), body: d.Body, size: d.Size}
	if src.Role == connector.RoleStore {
		ds, err = p.rereadStore(at, trusted)
	} else {
		ds, err = p.rereadChannel(at, trusted)
	}
	for _, k := range ds {
		if k.Verdict == connector.Quarantined {
			return nil, fmt.Errorf("%w: %s", marketplace.ErrMalformed, k.Reason)
		}
	}
	return ds, err
}

// rereadStore runs a store's receiver again. A trusted body needs no second verification where
// the receiver can do without.
func (p push) rereadStore(at time.Time, trusted bool) ([]kept, error) {
	in := shopadmin.Inbound{Header: p.header, Body: p.body}
	u, ok := p.src.Store.(StoreUnwrapper)
	if ok && trusted {
		h, err := u.Unwrap(in)
		if err != nil {
			return nil, err
		}
		return p.ofStore(h), nil
	}
	h, err := p.src.Store.Receive(at, in)
	if err != nil {
		return nil, err
	}
	return p.ofStore(h), nil
}

// rereadChannel is the same for a channel.
func (p push) rereadChannel(at time.Time, trusted bool) ([]kept, error) {
	read := p.src.Channel.Receive
	if t := trusting(p.src.Channel); t != nil && trusted {
		read = t
	}
	hints, err := read(at, marketplace.Inbound{Header: p.header, Body: p.body})
	if err != nil {
		return nil, err
	}
	return p.ofChannel(hints), nil
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
