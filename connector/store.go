package connector

import (
	"context"
	"time"
)

// Queue is the rows of all subjects, which are the work queue and the outbox at once.
type Queue interface {
	// Touch marks subjects due at once and remembers what was heard. Hints about store orders
	// that mirror nothing are dropped.
	Touch(ctx context.Context, at time.Time, t ...Touch) error
	// Seen keeps snapshots. A snapshot is news when its version is newer than the kept one, or
	// equal with other contents; news makes the subject due. An older one is dropped, and so is one
	// that cannot be understood where a readable one is kept. It returns how many were news.
	Seen(ctx context.Context, at time.Time, o ...Observation) (news int, err error)
	// Claim leases up to n subjects of the given channels that are due, deadlines first.
	Claim(ctx context.Context, now time.Time, n int, lease time.Duration, channels []ConnectionID) ([]Work, error)
	// Load reads all that is known of a subject.
	Load(ctx context.Context, s Subject) (Record, error)
	// Release ends a claim. If the revision moved meanwhile the subject is due at once.
	Release(ctx context.Context, w Work, at time.Time, n Next) error
}

// Record is all that is known of one subject.
type Record struct {
	Subject  Subject
	Revision int64
	Shop     ShopRef
	Market   *Snapshot
	Store    *Snapshot
	Refunds  *Snapshot // of Money: the refunds the channel shows
	// HeardMarket, HeardShop and HeardMoney are the newest change each side has told us of.
	HeardMarket, HeardShop, HeardMoney Heard
	// LookMarket, LookShop and LookMoney are the last reads of each side by itself.
	LookMarket, LookShop, LookMoney Look

	Entries       []Entry // oldest first
	Wishes        []Wish  // oldest first
	Holds         []Hold
	FirstSeen     time.Time
	NextAt, DueAt time.Time
	Summary       Summary
	Final         bool
	RedactedAt    time.Time // when personal data was last taken out; zero: never
}

// Cursor is where a sweep of one connection stands.
type Cursor struct {
	Connection ConnectionID
	Name       string
	Value      []byte // the adapter's cursor as JSON; empty at the very start
	Watermark  time.Time
	RanAt      time.Time // when it last finished a page
	Token      int64
}

// Cursors lets one process at a time sweep a connection.
type Cursors interface {
	// TakeCursor leases the cursor; ok is false while another holder's lease lasts.
	TakeCursor(ctx context.Context, conn ConnectionID, name string, now time.Time, lease time.Duration) (c Cursor, ok bool, err error)
	// KeepCursor stores the position and renews the lease until the given time (zero frees it);
	// ErrLeaseLost if somebody else took it.
	KeepCursor(ctx context.Context, c Cursor, at, until time.Time) error
	// Cursors lists all positions, for people.
	Cursors(ctx context.Context) ([]Cursor, error)
}

// Connections keeps the state of connections.
type Connections interface {
	Connections(ctx context.Context) ([]Connection, error)
	// PutConnection adds or replaces; the state of an existing row is kept when c.State is empty,
	// and its Since always.
	PutConnection(ctx context.Context, c Connection) error
	// SetState changes the state and says why. It waits for intents that are being committed.
	// Removed remembers the instant in RemovedAt unless it stands there, and forgets settings and
	// secrets; Reconnecting remembers it in RejoinedAt; Active leaves both.
	SetState(ctx context.Context, id ConnectionID, s State, reason string, at time.Time) error
}

// Reader answers what people ask.
type Reader interface {
	Orders(ctx context.Context, f OrderFilter) ([]OrderRow, error)
	Timeline(ctx context.Context, s Subject) ([]Note, error)
	Deliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error) // without bodies
	Delivery(ctx context.Context, row int64) (Delivery, error)            // with its body
	Entries(ctx context.Context, f EntryFilter) ([]Entry, error)          // the newest first
	Stats(ctx context.Context, now time.Time) (Stats, error)
	// Completeness counts orders by the day they were placed (in the zone given), from that day on.
	Completeness(ctx context.Context, channel ConnectionID, from time.Time, zone *time.Location) ([]DayCount, error)
}

// OrderFilter narrows a list of orders; zero fields do not.
type OrderFilter struct {
	Channel ConnectionID
	Held    bool
	Open    bool   // only those that are not final
	Text    string // part of the channel's or the store's number
	Limit   int    // 0: 50
	Offset  int
	// After is the last row of the page before, as Subject.String: the list goes on after it in the
	// same order, newest first. ErrNotFound when there is no such order (any more).
	After string
}

// OrderRow is one order in a list.
type OrderRow struct {
	Subject Subject   `json:"subject"`
	Shop    ShopRef   `json:"shop,omitzero"`
	Summary Summary   `json:"summary"`
	NextAt  time.Time `json:"next_at,omitzero"`
	DueAt   time.Time `json:"due_at,omitzero"`
	Holds   []Hold    `json:"holds,omitempty"`
	Final   bool      `json:"final"`
}

// DeliveryFilter narrows a list of deliveries, newest first.
type DeliveryFilter struct {
	Connection ConnectionID
	Verdict    Verdict
	Topics     []string // any of them; none: all
	Limit      int      // 0: 50
	Before     int64
}

// EntryFilter narrows a list of ledger entries, newest first.
type EntryFilter struct {
	Channel ConnectionID
	State   EntryState
	Limit   int   // 0: 50
	Before  int64 // only entries before this one; 0: all
}

// Stats is what gauges show. Subjects and what is due are orders; holds are of lanes too.
type Stats struct {
	Subjects   int
	Due        int           // due now and not leased
	OldestDue  time.Duration // how long the oldest due subject has waited
	Deadlines  int           // with a deadline that has passed
	Entries    map[EntryState]int
	Holds      map[string]int // by kind
	SameDay    int            // shipments of the last 7 days confirmed before their day ended
	Late       int            // and those that were not
	Deliveries map[Verdict]int
	// OldestQueued is how long the oldest entry has waited in a lane.
	OldestQueued time.Duration
	Batches      map[BatchState]int // those that are not over
	Unsealed     int                // lines of the audit record that are not in the chain yet
	// Events are those that have not reached their endpoint, by endpoint.
	Events map[string]EventCount
}

// DayCount is the completeness of one channel and day.
type DayCount struct {
	Day      string `json:"day"` // YYYY-MM-DD
	Seen     int    `json:"seen"`
	Expected int    `json:"expected"`
	Mirrored int    `json:"mirrored"`
}

// Store is everything the bridge keeps.
type Store interface {
	Inbox
	Queue
	Ledger
	Cursors
	Connections
	Reader
	Batches
	Wishes
	Switches
	Audits
	Tokens
	Replies
	Redactor
	Payouts
	Events
	// Purge deletes deliveries received before the instant. It returns how many.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)
	// Ping reports whether the store can be read and written now.
	Ping(ctx context.Context) error
}
