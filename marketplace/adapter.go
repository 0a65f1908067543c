package marketplace

import (
	"context"
	"net/http"
	"time"
)

// Adapter is what every sales channel must do. All errors carry a fault class.
type Adapter interface {
	Traits() Traits
	// Order reads one order. fault.NotFound when the channel does not know it; a *FaultyError
	// when it answered something that cannot be understood.
	Order(ctx context.Context, id OrderID) (Order, error)
	// Changed lists orders changed since the cursor, oldest change first, one page a call.
	Changed(ctx context.Context, after Cursor) (Page, error)
	// ConfirmShipment tells the channel that a parcel has left. key is the ledger's; channels
	// with a native idempotency key send it.
	ConfirmShipment(ctx context.Context, key string, s Shipment) (Receipt, error)
}

// Checker is one cheap real call that proves credentials and reachability.
type Checker interface {
	Check(ctx context.Context) (Health, error)
}

// Health is what a check learned.
type Health struct {
	Account   string        // who we are there, for people
	Sites     []string      // the marketplaces or sites reachable
	ClockSkew time.Duration // theirs minus ours, from the Date header; 0 when unknown
	Warnings  []string
}

// Receiver authenticates a push and says which orders it is about. It must not call out.
// An error refuses the push: ErrSignature, ErrStale or ErrMalformed say why.
type Receiver interface {
	Receive(now time.Time, in Inbound) ([]Hint, error)
}

// Subscriber keeps the channel's pushes pointed at us.
type Subscriber interface {
	// Subscriptions compares what should exist with what does. With repair it also creates
	// what is missing and corrects what differs.
	Subscriptions(ctx context.Context, callback string, repair bool) ([]Subscription, error)
}

// Subscription is one wanted push and its state.
type Subscription struct {
	Topic   string
	Target  string
	State   string // ok, missing, different, created, repaired
	Details string
}

// Poller is a channel whose pushes are fetched from a queue.
type Poller interface {
	// Poll waits for messages and hands each to store. A message is deleted at the queue only
	// after store returned nil. It returns when ctx ends or the queue fails.
	Poll(ctx context.Context, store func(ctx context.Context, in Inbound) error) error
}

// Inbound is one push as it arrived.
type Inbound struct {
	Header http.Header
	Body   []byte // raw bytes, never re-encoded
}

// Hint is what a push says: look at these orders. One push may carry several, each with the
// delivery id that makes its repetition visible.
type Hint struct {
	DeliveryID string
	Topic      string
	Order      OrderID
	Heard      time.Time // the channel's own instant of the change; zero when it gave none
	Observed   *Order    // set when the push carries the whole order
	Body       []byte    // the part of the push this hint came from; nil: the whole body
	Ignore     string    // set: a valid push that concerns nothing here, with the reason
	Lane       string    // set: a batch of this lane has news; no order is named
	Money      bool      // it is about the order's refunds, which a read of the order does not show
}

// Cursor is where a listing goes on. The zero Token starts a new listing at Since.
type Cursor struct {
	Since time.Time `json:"since"`
	Token string    `json:"token,omitempty"`
}

// Page is one page of changed orders.
type Page struct {
	Orders []Order
	Faulty []Faulty
	Next   Cursor // where to go on; when !More: the watermark for the next listing
	More   bool
}

// Receipt says how much an answer proves.
type Receipt struct {
	Ref    string // the channel's own reference, if it gave one
	Ticket string // set: taken on, a verdict follows
}

// Operation names a write, for traits.
type Operation string

// OpConfirmShipment is the only write of the required contract. Further ones stand in instruction.go.
const OpConfirmShipment Operation = "confirm_shipment"

// RepeatClass says what a second send of the same write does.
type RepeatClass string

const (
	RepeatNone    RepeatClass = "none"    // a second send acts a second time
	RepeatNative  RepeatClass = "native"  // the remote drops a repeated key
	RepeatNatural RepeatClass = "natural" // a second one edits the first or is refused by its nature
)

// Traits are facts no method set can show.
type Traits struct {
	SettleIn  time.Duration             // after this, a read shows every earlier write
	Repeat    map[Operation]RepeatClass // absent means RepeatNone
	Carriers  map[string]Carrier        // store carrier name (lower case) → the channel's carrier
	NeedTrack bool                      // a shipment without tracking number is refused
	// Instructions are the money writes the channel takes, by Instructor or Submitter.
	Instructions []Operation
	// WholeOnly are the operations that take whole orders and no part of them.
	WholeOnly []Operation
	// CaptureOnShip: the buyer is charged when units ship. What has not shipped can be cancelled
	// but not refunded.
	CaptureOnShip bool
	// Reasons translates a store's reason into the channel's, by operation; "" is the default.
	// A buyer's cancellation request on record turns the reason "customer" into "customer_request".
	Reasons    map[Operation]map[string]string
	RefundsIn  time.Duration // after this, Refunds shows every refund
	SweepEvery time.Duration // how often Changed may be asked
	Overlap    time.Duration // how far a sweep reaches back behind its watermark
}
