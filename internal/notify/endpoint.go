package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"channelbridge/connector"
	"channelbridge/internal/signature"
)

// Endpoint is one address that events are told to.
type Endpoint struct {
	ID    string
	URL   string
	Keys  []signature.Key // all of them sign; the newest first
	Types []string        // those it is told; none: all
}

// Wants reports that the endpoint is told events of a type.
func (e Endpoint) Wants(eventType string) bool {
	return len(e.Types) == 0 || slices.Contains(e.Types, eventType)
}

// switchName is the switch that says that an endpoint wants no more. It holds for the address and
// the types as they are configured now: another configuration is another switch, which is not set.
func (e Endpoint) switchName() string {
	sum := sha256.Sum256([]byte(e.URL + "\n" + strings.Join(slices.Sorted(slices.Values(e.Types)), "\n")))
	return "events_off/" + e.ID + "/" + hex.EncodeToString(sum[:6])
}

// off reports that the endpoint has said that it wants no more, and what is told of that.
func (s *Sender) off(ctx context.Context, e Endpoint) (bool, string, error) {
	sw, err := s.cfg.Store.Switch(ctx, e.switchName())
	if err != nil {
		return false, "", fmt.Errorf("reading whether the endpoint %s is switched off: %w", e.ID, err)
	}
	return sw.On, sw.Reason, nil
}

// turn switches an endpoint off, or on again.
func (s *Sender) turn(ctx context.Context, e Endpoint, off bool, reason string) error {
	err := s.cfg.Store.SetSwitch(ctx, connector.Switch{Name: e.switchName(), On: off, Reason: reason, Actor: connector.ActorOf(ctx, "system"), At: s.cfg.Clock()})
	if err != nil {
		return fmt.Errorf("switching the endpoint %s: %w", e.ID, err)
	}
	return nil
}
