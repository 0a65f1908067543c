package connector

import "time"

// Clock tells the time. Nothing in the core calls time.Now.
type Clock func() time.Time

// ConnectionID names one configured connection, of a channel or of a store.
type ConnectionID string

// Kind is a kind of thing that is kept in agreement.
type Kind string

const (
	// KindOrder is an order of a sales channel and its mirror in the store.
	KindOrder Kind = "order"
	// KindLane is a line of a channel in which commands wait to be sent in batches; its subject's
	// ID is the lane's name.
	KindLane Kind = "lane"
)

// Subject is one thing that is kept in agreement. It has one row, one lease and one history.
type Subject struct {
	Kind    Kind         `json:"kind"`
	Channel ConnectionID `json:"channel"`
	ID      string       `json:"id"` // the channel's own order number
}

// String is "channel/order".
func (s Subject) String() string { return string(s.Channel) + "/" + s.ID }

// ShopRef names an order in a store.
type ShopRef struct {
	Store ConnectionID `json:"store"`
	ID    string       `json:"id"`
}

// Set reports whether the reference names anything.
func (r ShopRef) Set() bool { return r.Store != "" && r.ID != "" }

// Side is one of the two outside systems, or what the channel's finance side says of an order,
// which is read apart and lags behind. Nothing is written to Money.
type Side string

const (
	Market Side = "market"
	Shop   Side = "shop"
	Money  Side = "money"
)

// Snapshot is what one side said at one moment. Body is the adapter contract's order as JSON,
// or, with Fault set, the raw bytes that could not be understood.
type Snapshot struct {
	Version    time.Time // the side's own update time
	ObservedAt time.Time // when we read it
	Body       []byte
	Fault      string
}

// Observation is a snapshot on its way into the store. The subject is named by Subject, or for
// the shop side by Shop alone when only the store's order id is known.
type Observation struct {
	Subject Subject
	Shop    ShopRef
	Side    Side
	Snapshot
	Note string // timeline text if this is news; "" writes none
}

// Heard is the newest change a side has told us of, and when it told us.
type Heard struct {
	Version time.Time
	At      time.Time
}

// Look is the last time a side was read by itself, and what kept that read from being used.
type Look struct {
	At      time.Time
	Trouble string // refused, not found, not to be understood; "" when it was read
}

// Touch says "look at this". The subject is named like an Observation's.
type Touch struct {
	Subject Subject
	Shop    ShopRef
	Side    Side
	Heard   time.Time // the side's update time if the hint gave one; zero asks for a fresh look
	Urgent  bool      // concerns a shipment: leads the queue at once
}

// Work is a claimed subject. Token rises with every claim; a holder whose token is not the
// newest can neither write to the ledger nor release.
type Work struct {
	Subject    Subject
	Revision   int64
	Token      int64
	LeaseUntil time.Time
	Failures   int // looks in a row that ended in an error
}

// Next says when to look again if nobody calls, by when it matters, and what is shown to people.
type Next struct {
	Wake    time.Time // zero: only when touched
	Due     time.Time // zero: no deadline
	Holds   []Hold    // all that are open now; others of the subject are closed
	Final   bool
	Failed  bool // the look ended in an error; counts towards back-off
	Market  Look // how the channel was read this time; a zero time changes nothing
	Shop    Look // and the store
	Money   Look // and the channel's finance side
	Summary Summary
}

// Summary is what lists and counts show of a subject; it is derived, never decided by.
type Summary struct {
	Lifecycle   string    // channel's lifecycle
	Fulfillment string    // unfulfilled, partially_fulfilled, fulfilled, not_applicable
	FulfilledBy string    // merchant, channel
	Number      string    // the store's order name once mirrored
	PlacedAt    time.Time // when the buyer bought
	ShipBy      time.Time
	Mirrored    bool
	Expected    bool // a mirror should exist (counts for completeness)
}

// Level says whether a hold stops work or only warns.
type Level string

const (
	Blocks Level = "blocks"
	Warns  Level = "warns"
)

// Hold is something a person should see: why a thing does not go on, or will go wrong soon.
type Hold struct {
	Kind   string    `json:"kind"`            // stable code
	About  string    `json:"about,omitempty"` // what within the subject, e.g. a fulfillment id
	Level  Level     `json:"level"`
	Reason string    `json:"reason"` // what happened and why
	Hint   string    `json:"hint"`   // what to do
	Since  time.Time `json:"since"`
}

// Note is one line of a subject's append-only timeline.
type Note struct {
	ID    int64     `json:"id"`
	At    time.Time `json:"at"`
	Actor string    `json:"actor"` // system, channel, store, operator
	Kind  string    `json:"kind"`
	Text  string    `json:"text"`
}
