package order

import (
	"encoding/json"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// LegState is how far one side of a refund is.
type LegState string

const (
	LegDraft      LegState = "draft"      // meant, not sent yet
	LegBlocked    LegState = "blocked"    // held for a reason
	LegQueued     LegState = "queued"     // waits in its lane, or to be sent again
	LegSubmitting LegState = "submitting" // being sent
	LegPending    LegState = "pending"    // taken on, its verdict or its money follows
	LegSucceeded  LegState = "succeeded"
	LegFailed     LegState = "failed"   // surely did not happen
	LegUnknown    LegState = "unknown"  // nobody can say; it counts as done and is never sent again
	LegObserved   LegState = "observed" // done outside, and seen
)

// Leg is one side's part of a refund.
type Leg struct {
	State  LegState       `json:"state"`
	Verb   connector.Verb `json:"verb,omitempty"`
	Entry  int64          `json:"entry,omitempty"` // of the ledger
	Key    string         `json:"key,omitempty"`   // of the ledger
	Ref    string         `json:"ref,omitempty"`   // the side's own number
	Amount money.Money    `json:"amount,omitzero"`
	At     time.Time      `json:"at,omitzero"`
	Code   string         `json:"code,omitempty"` // of the hold that blocks it
	Reason string         `json:"reason,omitempty"`
}

func (l Leg) moved() bool { return l.State == LegSucceeded || l.State == LegObserved }
func (l Leg) stuck() bool { return l.State == LegFailed || l.State == LegBlocked }

// RefundState is how far a refund is as a whole.
type RefundState string

const (
	RefundOpen     RefundState = "open"
	RefundDone     RefundState = "done"
	RefundConflict RefundState = "conflict" // one side moved money, the other will not by itself
	RefundVoid     RefundState = "void"     // neither side moves money
)

// Where a refund began.
const (
	FromStore = "store"
	FromHere  = "here" // asked for through the API or the command line
)

// SheetRefund is money that somebody decided to give back, on both sides. Market has more than
// one leg where part of it is a cancellation of units that have not shipped.
type SheetRefund struct {
	About  string      `json:"about"` // as holds and approvals name it
	Kind   string      `json:"kind"`  // refund or cancellation
	From   string      `json:"from"`  // store or here
	At     time.Time   `json:"at"`
	Actor  string      `json:"actor,omitempty"`
	Reason string      `json:"reason,omitempty"`
	Amount money.Money `json:"amount,omitzero"`
	State  RefundState `json:"state"`
	Market []Leg       `json:"market"`
	Store  *Leg        `json:"store,omitempty"`
}

// SeenRefund is a refund that the channel shows and nobody here asked for.
type SeenRefund struct {
	ID       string      `json:"id"`
	PostedAt time.Time   `json:"posted_at"`
	Amount   money.Money `json:"amount"`
	Kind     string      `json:"kind,omitempty"`
	Pending  bool        `json:"pending,omitempty"`
}

// records are the refunds and cancellations that people decided on, oldest first.
func (p *planner) records() []SheetRefund {
	if p.Shop == nil {
		return nil
	}
	var out []SheetRefund
	for _, d := range p.demands() {
		if !d.wish && p.byCancelMirror(d) {
			continue // what our cancellation of the mirror gave back there
		}
		r := SheetRefund{About: d.about, Kind: "refund", From: FromStore, At: d.at.UTC(), Reason: d.reason, Amount: d.total, Market: p.marketLegs(d)}
		if d.wish {
			r.From, r.Actor = FromHere, p.actorOf(d.about)
		}
		r.Store = p.storeLeg(d, r.Market)
		r.State = stateOf(r)
		out = append(out, r)
	}
	if r, ok := p.cancellation(out); ok {
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b SheetRefund) int { return a.At.Compare(b.At) })
	return out
}

func stateOf(r SheetRefund) RefundState {
	legs := slices.Clone(r.Market)
	if r.Store != nil {
		legs = append(legs, *r.Store)
	}
	moved, stuck, waits := false, false, false
	for _, l := range legs {
		moved, stuck = moved || l.moved(), stuck || l.stuck()
		waits = waits || l.State == LegBlocked && l.Code != AlreadyRefunded
		if !l.moved() && !l.stuck() {
			return RefundOpen
		}
	}
	switch {
	case moved && stuck:
		return RefundConflict
	case moved:
		return RefundDone
	case waits:
		return RefundOpen // a person can still let it go on
	}
	return RefundVoid
}

func (p *planner) actorOf(about string) string {
	for _, w := range p.Wishes {
		if wishAbout(w.ID) == about {
			return w.Actor
		}
	}
	return ""
}

// legOf is a ledger entry as a leg.
func (p *planner) legOf(e connector.Entry) Leg {
	l := Leg{Verb: e.Verb, Entry: e.ID, Key: e.Key, Ref: e.Ref, Amount: e.Amount, At: e.IntendedAt.UTC(), Reason: e.Reason}
	switch e.State {
	case connector.Queued, connector.Retry:
		l.State = LegQueued
	case connector.Sent:
		l.State = LegSubmitting
		if e.Doubtful(p.Now) {
			l.State = LegUnknown
		}
	case connector.Taken:
		l.State = LegPending
	case connector.Refused:
		l.State = LegFailed
	case connector.Done, connector.Proven:
		l.State = LegSucceeded
		if r, ok := p.matched[e.ID]; ok && r.Pending {
			l.State, l.Reason = LegPending, "the channel has announced it; its money has not moved yet"
		}
	default:
		l.State = LegUnknown
	}
	return l
}

// marketLegs are the channel's part of a demand.
func (p *planner) marketLegs(d demand) []Leg {
	legs := []Leg{}
	for _, v := range []connector.Verb{CancelUnits, RefundMarket} {
		if e, tried := p.latest(v, d.about); tried {
			legs = append(legs, p.legOf(e))
		}
	}
	switch l, whole := p.cancelLeg(); {
	case len(legs) == 0 && whole:
		return []Leg{l}
	case slices.ContainsFunc(legs, func(l Leg) bool { return l.Verb == RefundMarket }):
		return legs
	}
	if l, ok := p.blockedLeg(d); ok {
		return append(legs, l)
	}
	return append(legs, p.missingLeg(d, len(legs) > 0)...)
}

// cancelLeg is the cancellation of the whole order, which takes care of every demand.
func (p *planner) cancelLeg() (Leg, bool) {
	if e, tried := p.latest(CancelMarket, "order"); tried && (e.State != connector.Refused || p.heldFor("cancel_refused", "order") != nil) {
		return p.legOf(e), true
	}
	return p.draftLeg("order", CancelMarket)
}

func (p *planner) draftLeg(about string, verbs ...connector.Verb) (Leg, bool) {
	for _, c := range p.d.Commands {
		if c.About == about && c.Again == 0 && slices.Contains(verbs, c.Verb) {
			return Leg{State: LegDraft, Verb: c.Verb, Key: c.Key, Amount: c.Amount}, true
		}
	}
	return Leg{}, false
}

func (p *planner) heldFor(kind, about string) *connector.Hold {
	for i, h := range p.d.Holds {
		if h.Kind == kind && h.About == about {
			return &p.d.Holds[i]
		}
	}
	return nil
}

// blockedLeg is what a hold about a demand keeps from being done.
func (p *planner) blockedLeg(d demand) (Leg, bool) {
	for _, h := range p.d.Holds {
		if h.About == d.about && (refusing[h.Kind] != "" && h.Kind != "refund_waits" || h.Kind == "refund_unreadable") {
			return Leg{State: LegBlocked, Amount: d.total, Code: h.Kind, Reason: h.Reason}, true
		}
	}
	return Leg{}, false
}

// missingLeg is what of a demand the ledger does not hold: still to come, held with the whole
// order, or nothing more because the channel shows it as done.
func (p *planner) missingLeg(d demand, begun bool) []Leg {
	if l, ok := p.draftLeg(d.about, CancelUnits, RefundMarket); ok {
		return []Leg{l}
	}
	l := Leg{State: LegDraft}
	cut, back, there := p.split(d)
	p.credit(d, there)
	switch {
	case p.Market.Lifecycle == marketplace.Cancelled:
		l = Leg{State: LegObserved, Reason: "the order is cancelled at the channel: nothing was charged, or it was given back there"}
	case len(cut) == 0 && back.total.Minor <= 0:
		l = Leg{State: LegObserved, Reason: "its units are cancelled at the channel"}
	default:
		l.Amount = back.total
		for _, c := range cut {
			l.Amount.Minor += c.gross
		}
		l.State, l.Code, l.Reason = p.whyNotYet(d)
	}
	if begun && l.State == LegObserved {
		return nil
	}
	return []Leg{l}
}

// whyNotYet says what a demand that nothing was begun for waits for.
func (p *planner) whyNotYet(d demand) (state LegState, code, reason string) {
	for _, h := range p.d.Holds {
		switch {
		case stopping[h.Kind] != "":
			return LegBlocked, h.Kind, h.Reason
		case h.Kind == "refund_waits" && (h.About == d.about || h.About == ""):
			return LegDraft, h.Kind, h.Reason
		}
	}
	return LegDraft, "", ""
}

// storeLeg is the store's part of a demand. What was asked for here is recorded there once the
// channel has done it.
func (p *planner) storeLeg(d demand, market []Leg) *Leg {
	if !d.wish {
		l := &Leg{State: LegObserved, Ref: d.about, Amount: d.total, At: d.at.UTC()}
		if d.pending {
			l.State, l.Reason = LegPending, "announced in the store; its money has not moved yet"
		}
		return l
	}
	if es := p.entries(RefundShop, d.about); len(es) > 0 {
		l := p.legOf(es[len(es)-1])
		if p.recorded(d.about) {
			l.State = LegSucceeded
		}
		return &l
	}
	if p.recorded(d.about) {
		return &Leg{State: LegObserved, Amount: d.total, Reason: "recorded in the store"}
	}
	if slices.ContainsFunc(market, Leg.stuck) {
		return nil
	}
	return &Leg{State: LegDraft, Verb: RefundShop, Amount: d.total}
}

// cancellation is the cancelling of the whole order, where no refund of the store stands for it.
func (p *planner) cancellation(refunds []SheetRefund) (SheetRefund, bool) {
	wish := p.wish(connector.WishCancel)
	r := SheetRefund{About: "order", Kind: "cancellation", From: FromStore, At: p.Shop.CancelledAt.UTC(), Reason: p.Shop.CancelReason, Market: []Leg{}}
	if wish != nil {
		var body CancelWish
		_ = json.Unmarshal(wish.Body, &body)
		r.From, r.At, r.Actor, r.Reason = FromHere, wish.At.UTC(), wish.Actor, body.Reason
	}
	if l, ok := p.cancelLeg(); ok {
		r.Market = append(r.Market, l)
	}
	if e, tried := p.latest(CancelUnits, aboutRest); tried {
		r.Market = append(r.Market, p.legOf(e))
	} else if l, ok := p.draftLeg(aboutRest, CancelUnits); ok {
		r.Market = append(r.Market, l)
	}
	if h := p.heldFor("cancel_without_refund", ""); h != nil {
		r.Market = append(r.Market, Leg{State: LegBlocked, Code: h.Kind, Reason: h.Reason})
	}
	if len(r.Market) == 0 && wish != nil && p.Market.Lifecycle == marketplace.Cancelled {
		r.Market = append(r.Market, Leg{State: LegObserved, Reason: "the order is cancelled at the channel"})
	}
	for _, l := range r.Market {
		r.Amount = money.New(r.Amount.Minor+l.Amount.Minor, p.Market.Currency)
	}
	es := p.entries(CancelMirror, "1")
	switch {
	case len(es) > 0:
		l := p.legOf(es[0])
		r.Store = &l
	case !p.Shop.CancelledAt.IsZero():
		r.Store = &Leg{State: LegObserved, At: p.Shop.CancelledAt.UTC()}
	case wish != nil && p.Policy.CancelsShop && !slices.ContainsFunc(r.Market, Leg.stuck):
		r.Store = &Leg{State: LegDraft, Verb: CancelMirror}
	}
	r.State = stateOf(r)
	stands := slices.ContainsFunc(refunds, func(x SheetRefund) bool {
		return len(r.Market) == 1 && len(x.Market) == 1 && x.Market[0].Key == r.Market[0].Key
	})
	return r, len(r.Market) > 0 && (wish != nil || !stands)
}

// byCancelMirror reports a refund that the store made because the bridge cancelled the mirror.
func (p *planner) byCancelMirror(d demand) bool {
	es := p.entries(CancelMirror, "1")
	return len(es) > 0 && es[0].State.Happened() && !d.at.Before(es[0].IntendedAt.Add(-skew)) && p.Market.Lifecycle == marketplace.Cancelled
}
