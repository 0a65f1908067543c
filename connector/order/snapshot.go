package order

import (
	"encoding/json"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// The outside writes this package knows.
const (
	CreateMirror    connector.Verb = "create-mirror"
	UpdateMirror    connector.Verb = "update-mirror"
	HoldShipping    connector.Verb = "hold-shipping"
	ConfirmShipment connector.Verb = "confirm-shipment"
	CancelMarket    connector.Verb = "cancel-market"
	CancelUnits     connector.Verb = "cancel-units"
	RefundMarket    connector.Verb = "refund-market"
	CancelMirror    connector.Verb = "cancel-mirror"
	RefundShop      connector.Verb = "refund-shop"
)

// Policy is what an operator chose for a channel, and what its two sides can do.
type Policy struct {
	Tag        string // marks mirrored orders for people, e.g. Amazon
	Tags       []string
	Gateway    string
	SourceName string
	NamePrefix string
	OrderURL   string // with {id}; where staff can see the order at the channel
	Stock      shopadmin.StockBehaviour
	Since      time.Time                      // orders that were placed before and are shipped already stay out
	Carriers   map[string]marketplace.Carrier // lower-case store name → channel's; "" is the fallback
	NeedTrack  bool

	SettleMarket, SettleShop time.Duration
	RepeatConfirm            marketplace.RepeatClass
	CanUpdate, CanHold       bool

	// Of money: what the channel takes and how (see marketplace.Traits), the lane each operation
	// waits in ("" is sent at once), and what the operator chose.
	Instructions  []marketplace.Operation
	WholeOnly     []marketplace.Operation
	CaptureOnShip bool
	Repeat        map[marketplace.Operation]marketplace.RepeatClass
	Reasons       map[marketplace.Operation]map[string]string
	Lanes         map[marketplace.Operation]string
	ReadsRefunds  bool          // the channel's refunds can be read
	RefundsIn     time.Duration // after this a read shows every refund
	Fresh         time.Duration // how old a read may be that money is moved upon
	CancelsShop   bool          // the mirror of an order cancelled at the channel is cancelled
	Restock       bool          // and its goods are put back into stock
	Goodwill      bool          // more may be given back than the order's parts come to
	Budget        *connector.Budget
	AskAbove      money.Money // after a reconnection, above this a person decides; zero value: never
	RemovedAt     time.Time   // the last removal of the channel and the reconnection after it
	RejoinedAt    time.Time

	ProveAfter time.Duration // an effect that no sweep has shown by then is looked for
	AlarmLead  time.Duration // before the end of the day
	ShipByWarn time.Duration // before the ship-by time
}

// Snapshot is everything a decision may depend on.
type Snapshot struct {
	Subject     connector.Subject
	Policy      Policy
	Market      *marketplace.Order // nil: never read
	MarketAt    time.Time
	MarketFault string           // why the channel's last answer cannot be used; Market is what it said before
	Shop        *shopadmin.Order // nil: no mirror seen
	ShopAt      time.Time
	ShopFault   string // why the store's last answer cannot be used; Shop is what it said before
	ShopRef     connector.ShopRef
	Searched    time.Time           // when the store was last searched for the mark, and had nothing
	Twins       []shopadmin.OrderID // further store orders that carry our mark
	Gone        bool                // the store answered that the mirror does not exist
	Missing     bool                // the channel answered that the order does not exist
	Ledger      []connector.Entry
	Wishes      []connector.Wish
	Now         time.Time

	Refunds      []marketplace.Refund // what the channel's finance side shows, whoever made it
	RefundsFault string               // why its last answer cannot be used
	// When each side was last read and understood, in a listing or by itself.
	MarketRead, ShopRead, RefundsRead time.Time
	Redacted                          bool // personal data was taken out: none is put back
}

// Proof is a ledger entry whose effect the snapshot shows.
type Proof struct {
	Entry int64
	Shop  connector.ShopRef // for a create: the order that shows it
	Text  string
	// Unsent: of an entry that waits in its lane; it says nothing once the entry has left.
	Unsent bool
}

// Decision is what follows from a snapshot.
type Decision struct {
	Commands  []connector.Command
	Proven    []Proof
	Withdrawn []Proof // entries given up because nothing asks for them any more
	Holds     []connector.Hold
	Wake      time.Time
	Due       time.Time
	Final     bool
	Look      bool // all sides have to be read afresh before more can be decided
	Summary   connector.Summary
}

// entries returns the ledger entries of one verb about one thing, oldest first.
func (s *Snapshot) entries(v connector.Verb, about string) []connector.Entry {
	var out []connector.Entry
	for _, e := range s.Ledger {
		if e.Verb == v && e.About == about {
			out = append(out, e)
		}
	}
	return out
}

func (s *Snapshot) key(v connector.Verb, about string, n int) string {
	k := fmt.Sprintf("%s/%s/%s", s.Subject, v, about)
	if n > 1 {
		k = fmt.Sprintf("%s/%d", k, n)
	}
	return k
}

// planner collects a decision.
type planner struct {
	Snapshot
	d      Decision
	wanted map[int64]bool // open entries whose effect this plan still wants

	sheet        *sheet
	matched      map[int64]marketplace.Refund // entries and the refunds that show them
	foreign      []marketplace.Refund         // refunds made at the channel without our doing
	paired       []bool                       // of foreign: those that a demand was met by
	lost         int64                        // kept back in the store of units the buyer was never charged for
	credited     map[string]map[string]int    // per demand and line, the units that the channel cancelled by itself and that meet it
	met          map[string]bool              // demands that the channel has met by itself
	pendingMoney bool                         // the order is not finished
}

func (p *planner) hold(level connector.Level, kind, about, reason, hint string) {
	p.d.Holds = append(p.d.Holds, connector.Hold{Kind: kind, About: about, Level: level, Reason: reason, Hint: hint})
}

func (p *planner) blocks(kind, about, reason, hint string) {
	p.hold(connector.Blocks, kind, about, reason, hint)
}

func (p *planner) warns(kind, about, reason, hint string) {
	p.hold(connector.Warns, kind, about, reason, hint)
}

// wake asks for another look at t at the latest.
func (p *planner) wake(t time.Time) {
	if !t.IsZero() && (p.d.Wake.IsZero() || t.Before(p.d.Wake)) {
		p.d.Wake = t
	}
}

// due sets a deadline; the earliest one counts.
func (p *planner) due(t time.Time) {
	if p.d.Due.IsZero() || t.Before(p.d.Due) {
		p.d.Due = t
	}
}

// command adds an outside write.
func (p *planner) command(c connector.Command, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		p.blocks("unreadable", c.About, "the command could not be written down: "+err.Error(), "report this as a defect")
		return
	}
	c.Body = raw
	p.d.Commands = append(p.d.Commands, c)
}
