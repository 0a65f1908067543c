package main

import (
	"context"
	"errors"
	"net/http"

	"channelbridge/connector"
	"channelbridge/internal/httpapi"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
	"channelbridge/webhooks"
)

// api is the HTTP API, with everything of the bridge it speaks to.
func (b *bridge) api() (http.Handler, error) {
	api, err := httpapi.New(httpapi.Config{Store: b.store, Money: moneyDesk{b}, Channels: channels{b}, Deliveries: replayer{b}, Payouts: books{b}, Events: eventDesk{b},
		Clock: b.clock, Log: b.log, Nudge: b.loop.Nudge, Limits: httpapi.Limits{Rate: b.cfg.API.Rate}})
	if err != nil {
		return nil, err
	}
	return api.Handler(), nil
}

// replayer reads kept deliveries again for the API.
type replayer struct{ b *bridge }

// Replay reads a delivery again; what cannot be read is refused with its reason.
func (r replayer) Replay(ctx context.Context, row int64, force bool) error {
	read := r.b.door.Replay
	if force {
		read = r.b.door.ReplayForced
	}
	err := read(ctx, r.b.store, row)
	refuse := func(code, reason, hint string) error { return &httpapi.Refusal{Code: code, Reason: reason, Hint: hint} }
	switch {
	case err == nil, errors.Is(err, connector.ErrNotFound):
		return err
	case errors.Is(err, webhooks.ErrNeedsForce):
		return refuse("needs_force", "The delivery was refused.", "Send force to insist.")
	case errors.Is(err, webhooks.ErrNotAuthentic):
		return refuse("not_authentic", "The delivery is not known to be authentic.", "Nobody can insist; the sweeps bring what it would have said.")
	case errors.Is(err, webhooks.ErrNotKept):
		return refuse("not_kept", "The body of the delivery is not there any more.", "The sweeps bring what it said.")
	case errors.Is(err, marketplace.ErrMalformed), errors.Is(err, shopadmin.ErrMalformed):
		return refuse("not_understood", "The delivery is still not understood.", "Update the bridge, then replay it.")
	}
	return err
}
