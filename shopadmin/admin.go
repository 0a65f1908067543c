package shopadmin

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Admin is what every store admin must do. All errors carry a fault class.
type Admin interface {
	Traits() Traits
	// Order reads one order with its lines, fulfillments and holds.
	Order(ctx context.Context, id OrderID) (Order, error)
	// FindByMark returns the orders that carry the mark. The store's index may lag: an empty
	// answer proves nothing before Traits.SettleIn has passed.
	FindByMark(ctx context.Context, m Mark) ([]Order, error)
	// Changed lists marked orders changed since the cursor, oldest change first. Orders without
	// a mark are not ours and are left out.
	Changed(ctx context.Context, after Cursor) (Page, error)
	// Create makes an order without any message to the customer and returns it as created.
	Create(ctx context.Context, key string, o NewOrder) (Order, error)
}

// Updater shows on a store order what the channel changed.
type Updater interface {
	Update(ctx context.Context, key string, id OrderID, u Update) error
}

// Holder can stop the shipping of an order in the store until a person lets it go.
type Holder interface {
	Hold(ctx context.Context, key string, id OrderID, reason string) error
}

// Checker is one cheap real call that proves credentials and reachability.
type Checker interface {
	Check(ctx context.Context) (Health, error)
}

// Health is what a check learned.
type Health struct {
	Account   string        // the shop's name, for people
	Zone      string        // the shop's IANA time zone
	Currency  string        // the shop's currency
	ClockSkew time.Duration // theirs minus ours; 0 when unknown
	Warnings  []string      // missing scopes, an unexpected API version, …
}

// Receiver authenticates a push and says which orders it is about. It must not call out.
type Receiver interface {
	Receive(now time.Time, in Inbound) (Hint, error)
}

// Inbound is one push as it arrived.
type Inbound struct {
	Header http.Header
	Body   []byte // raw bytes, never re-encoded
}

// Hint is what a push says: look at this order.
type Hint struct {
	DeliveryID  string    // names the delivery: equal on retries
	EventID     string    // names the action behind it: shared by its topics
	Topic       string    // as the store spells it
	Order       OrderID   // "" with Ignore
	Mark        Mark      // when the push carries it
	Heard       time.Time // the order's updated_at in the body; zero when it gave none
	TriggeredAt time.Time // when the action happened, if given
	Urgent      bool      // about a shipment: leads the queue
	Lifecycle   Lifecycle // not about an order but about the connection itself
	Privacy     *Privacy  // a demand about personal data
	Ignore      string    // set: a valid push that concerns nothing here, with the reason
}

// Lifecycle is a push about the connection itself.
type Lifecycle string

const (
	Uninstalled   Lifecycle = "uninstalled"
	ScopesChanged Lifecycle = "scopes_changed"
)

// Subscriber keeps the store's pushes pointed at us.
type Subscriber interface {
	// Subscriptions compares what should exist with what does; with repair it also creates what
	// is missing.
	Subscriptions(ctx context.Context, callback string, repair bool) ([]Subscription, error)
}

// Subscription is one wanted push and its state.
type Subscription struct {
	Topic   string
	Target  string
	State   string // ok, missing, different, created, repaired
	Details string
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

// Traits are facts no method set can show.
type Traits struct {
	SettleIn   time.Duration // after this, FindByMark and Changed show every earlier write
	SweepEvery time.Duration
	Overlap    time.Duration
}

// Why a push is refused.
var (
	ErrSignature = errors.New("signature does not match")
	ErrMissing   = errors.New("a required header is missing")
	ErrStale     = errors.New("timestamp outside the tolerance")
	ErrMalformed = errors.New("body is not what the store documents")
)
