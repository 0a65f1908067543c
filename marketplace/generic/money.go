package generic

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"channelbridge/marketplace"
)

// Moments at which a channel charges the buyer.
const (
	CaptureOrder    = "order"    // with the order: what has not shipped can be refunded
	CaptureShipment = "shipment" // unit by unit as they ship
)

// Instructed is a channel that takes instructions and shows its refunds.
type Instructed struct{ *Adapter }

var (
	_ marketplace.Instructor   = Instructed{}
	_ marketplace.RefundReader = Instructed{}
)

// Channel is the adapter with exactly the abilities that were configured: without instructions it
// is no marketplace.RefundReader, so that nobody waits for refunds that cannot be read.
func (a *Adapter) Channel() marketplace.Adapter {
	if a.takesMoney() {
		return Instructed{a}
	}
	return a
}

func (a *Adapter) takesMoney() bool { return len(a.cfg.Instructions) > 0 }

// checkMoney names what cannot be of the configured instructions.
func (cfg Config) checkMoney() (bad []error) {
	known := []marketplace.Operation{marketplace.OpCancel, marketplace.OpCancelUnits, marketplace.OpRefund}
	for _, op := range cfg.Instructions {
		if !slices.Contains(known, op) {
			bad = append(bad, fmt.Errorf("generic: instructions: %.40q is none of %v", string(op), known))
		}
	}
	if len(cfg.Instructions) > 0 && cfg.Base == "" {
		bad = append(bad, errors.New("generic: instructions: without a base address none can be given"))
	}
	if !slices.Contains([]string{CaptureOrder, CaptureShipment}, cmp.Or(cfg.Capture, CaptureOrder)) {
		bad = append(bad, fmt.Errorf("generic: capture: %.40q is neither %s nor %s", cfg.Capture, CaptureOrder, CaptureShipment))
	}
	return bad
}

// moneyTraits adds what the channel does with money. The required Idempotency-Key makes
// repetition native.
func (cfg Config) moneyTraits(t *marketplace.Traits) {
	if len(cfg.Instructions) == 0 {
		return
	}
	t.Instructions = slices.Clone(cfg.Instructions)
	t.CaptureOnShip = cfg.Capture == CaptureShipment
	t.Reasons = cfg.Reasons
	t.RefundsIn = cfg.SettleIn
	for _, op := range cfg.Instructions {
		t.Repeat[op] = marketplace.RepeatNative
	}
	if cfg.WholeOnly {
		t.WholeOnly = []marketplace.Operation{marketplace.OpRefund}
	}
}
