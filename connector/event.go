package connector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Types of events: what is told to the operator's own systems.
const (
	EventPayoutImported    = "payout.imported"           // a payout, or a further revision of one, is in the books
	EventPayoutReconciled  = "payout.reconciled"         // everything in a payout is placed
	EventPayoutNotProven   = "payout.not_proven"         // its lines do not come to what was paid
	EventLinesUnclassified = "payout.lines_unclassified" // some of its lines say something nobody has mapped
	EventFindingOpened     = "finding.opened"
	EventFindingChanged    = "finding.changed"
	EventSettlementOverdue = "settlement.overdue" // an order's money has not come in time
	EventToleranceDrift    = "tolerance.drift"    // differences within the tolerance add up to too much
	EventCloseCreated      = "close.created"
	EventCloseUndone       = "close.undone"
	EventClaimSettled      = "claim.settled"
)

// EventTypes are all types of events.
var EventTypes = []string{
	EventPayoutImported, EventPayoutReconciled, EventPayoutNotProven, EventLinesUnclassified, EventFindingOpened, EventFindingChanged,
	EventSettlementOverdue, EventToleranceDrift, EventCloseCreated, EventCloseUndone, EventClaimSettled,
}

// Event is something that happened and is told to the operator's own systems.
type Event struct {
	ID      string          `json:"id"` // made of contents (EventID): the same thing told twice is one event
	Type    string          `json:"type"`
	At      time.Time       `json:"at"` // when it happened; its deliveries are due from then on
	Account ConnectionID    `json:"account,omitempty"`
	Subject string          `json:"subject,omitempty"` // what it is about, by its name outside, such as po_…
	Data    json.RawMessage `json:"data"`              // a JSON object; no personal data
}

// EventID makes an event's id of its type and of what makes it another event than others of that
// type: "evt_" and 32 hexadecimal digits, the same in every database.
func EventID(eventType string, contents ...string) string {
	h := sha256.New()
	for _, part := range append([]string{"event/1", eventType}, contents...) {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part)) // a hash takes everything
	}
	return "evt_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// longestEventID is well within what an index entry may hold.
const longestEventID = 100

// CheckEvents refuses what cannot be emitted: stores call it before they write. An id is of letters,
// digits, _ and -, because it stands between points in what is signed.
func CheckEvents(endpoints []string, events []Event) error {
	if slices.Contains(endpoints, "") {
		return errors.New("an endpoint needs a name")
	}
	for _, e := range events {
		switch {
		case !plainID(e.ID):
			return fmt.Errorf("event %q: the id is not of 1 to %d letters, digits, _ and -", e.ID, longestEventID)
		case e.Type == "" || e.At.IsZero():
			return fmt.Errorf("event %s: it needs a type and a time", e.ID)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(e.Data, &members); err != nil || members == nil {
			return fmt.Errorf("event %s: %w", e.ID, errNoObject)
		}
	}
	return nil
}

var errNoObject = errors.New("its data is not a JSON object")

func plainID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return id != "" && len(id) <= longestEventID
}

// EventState is where the delivery of an event to one endpoint stands.
type EventState string

const (
	EventWaiting   EventState = "waiting"   // to be sent, at once or again later
	EventDelivered EventState = "delivered" // the endpoint has said that it has it
	EventGivenUp   EventState = "given_up"  // it is not sent any more unless somebody asks for it
)

// EventDelivery is one event on its way to one endpoint.
type EventDelivery struct {
	Endpoint string     `json:"endpoint"`
	State    EventState `json:"state"`
	Attempts int        `json:"attempts"`          // begun since it was emitted, or asked for again
	NextAt   time.Time  `json:"next_at,omitzero"`  // while it waits: not before
	TriedAt  time.Time  `json:"tried_at,omitzero"` // when the last attempt ended
	Status   int        `json:"status,omitempty"`  // HTTP status of the last answer; 0: none came
	Reason   string     `json:"reason,omitempty"`  // why the last attempt failed
}

// EventRecord is an event as it is kept.
type EventRecord struct {
	Row int64 `json:"row"` // ours, for paging
	Event
	Deliveries []EventDelivery `json:"deliveries"` // by endpoint
}

// EventWork is a delivery that was claimed.
type EventWork struct {
	Event    Event
	Endpoint string
	Attempt  int   // from 1; this one
	Token    int64 // of the claim
}

// EventOutcome is what became of an attempt: delivered, given up, or waiting until NextAt.
type EventOutcome struct {
	State  EventState
	NextAt time.Time
	Status int
	Reason string // no secrets, no addresses, no bodies
}

// EventFilter narrows a list of events; zero fields do not. Events come newest first, by when they
// were emitted.
type EventFilter struct {
	ID       string
	Type     string
	Accounts []ConnectionID
	// Endpoint and State ask for events with such a delivery. All deliveries of an event are shown.
	Endpoint string
	State    EventState
	Limit    int   // 0: 50
	Before   int64 // only rows before this one; 0: all
}

// EventCount is how an endpoint stands.
type EventCount struct {
	Waiting int
	GivenUp int
	Oldest  time.Duration // since the oldest event that waits happened
}

// Events is the outbox of what is told to the operator's own systems. Each event has a delivery to
// each endpoint it was emitted for; deliveries are independent of each other. The order in which
// events reach an endpoint is not promised, and after a crash one may reach it twice.
type Events interface {
	// Emit writes the events whose ids are not kept yet, and for each of them a delivery to every
	// endpoint named, in one transaction. It returns how many were new. A known id changes nothing,
	// whatever else is said: a new endpoint is not told of what was told before.
	Emit(ctx context.Context, endpoints []string, events ...Event) (fresh int, err error)
	// ClaimEvents leases up to n deliveries to one endpoint that are due, those due the longest
	// first, and says when the next of those left falls due; zero: none waits. A lease that is over
	// makes the delivery due again: whoever had it may have sent it.
	ClaimEvents(ctx context.Context, now time.Time, n int, lease time.Duration, endpoint string) (work []EventWork, next time.Time, err error)
	// SettleEvent ends a claim; ErrLeaseLost if somebody else took the delivery meanwhile.
	SettleEvent(ctx context.Context, w EventWork, at time.Time, o EventOutcome) error
	// GiveUpEvents gives up everything that waits for an endpoint and is not being sent now.
	GiveUpEvents(ctx context.Context, endpoint string, at time.Time, reason string) (int, error)
	// ReplayEvents makes deliveries due at once, as if they had never been tried: with an id those of
	// that event, whatever became of them, else those given up; of one endpoint unless it is "". Those
	// being sent now are left alone. It returns how many; ErrNotFound when an id has no such delivery.
	ReplayEvents(ctx context.Context, id, endpoint string, at time.Time) (int, error)
	// EventList lists events with their deliveries.
	EventList(ctx context.Context, f EventFilter) ([]EventRecord, error)
	// PurgeEvents deletes up to limit events that happened before the instant and have reached every
	// endpoint. It returns how many.
	PurgeEvents(ctx context.Context, before time.Time, limit int) (int, error)
}
