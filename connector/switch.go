package connector

import (
	"context"
	"time"
)

// Switch is something an operator can turn for the whole bridge.
type Switch struct {
	Name   string    `json:"name"`
	On     bool      `json:"on"`
	Reason string    `json:"reason,omitempty"`
	Actor  string    `json:"actor,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// StopWrites is the switch that keeps every outside write from being intended.
const StopWrites = "stop_writes"

// Switches keeps them. One that was never set is off.
type Switches interface {
	Switch(ctx context.Context, name string) (Switch, error)
	// SetSwitch waits for intents that are being committed, so nothing is intended after
	// StopWrites was set.
	SetSwitch(ctx context.Context, s Switch) error
}
