// Package sim is the simulated world: the real loop, planner and reconciler in one goroutine on
// a virtual clock, against a fake channel and a fake store, with people who buy, ship, correct
// and cancel. One seed decides everything, its own mix of faults included. The judge in
// judge.go says whether a promise was broken.
package sim

import (
	"container/heap"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/lifecycle"
	"channelbridge/connector/order"
	"channelbridge/connector/payout"
	"channelbridge/marketplace"
	mfake "channelbridge/marketplace/fake"
	"channelbridge/shopadmin"
	sfake "channelbridge/shopadmin/fake"
)

// The connections of the world.
const (
	Channel connector.ConnectionID = "amazon-us"
	ShopID  connector.ConnectionID = "shop"
)

// Zone is where the channel's day ends; its clocks change within the simulated days.
const Zone = "America/Los_Angeles"

// start is a few days before the autumn clock change in Zone.
var start = time.Date(2026, 10, 29, 6, 0, 0, 0, time.UTC)

// Config describes one run.
type Config struct {
	Seed      uint64
	Store     connector.Store
	Orders    int           // 0: drawn from the seed
	Calm      bool          // no faults, no awkward people
	NoPush    bool          // no webhooks at all: sweeps alone
	NoRecheck bool          // a planted mistake: what waits in a lane is handed in without another look
	Gather    time.Duration // how long what waits in a lane waits for others; 0: seconds
	Short     bool          // no batch hangs for a day, so that the world ends sooner
	Direct    bool          // the channel answers instructions at once and charges with the order
	NoMoney   bool          // nobody gives money back or removes the channel
	PaysOut   bool          // the channel pays in the end, and the payouts are judged
	Away      time.Duration // how long the channel is removed; 0: drawn from the seed
	// Wrap plants a mistake: it stands between the machinery and the store.
	Wrap func(w *World, s connector.Store) connector.Store
	// Tweak changes the policy or the sweeps, for planted mistakes.
	Policy func(*order.Policy)
	Sweep  func(*connector.Sweep)
}

// chances are a run's fault rates.
type chances struct {
	call, lost, late, stale, crash, pause float64
	hintLost, hintTwice, hintLate, odd    float64
	fatal, stuck, reject, vague           float64
	listLag                               time.Duration
}

// World is one run.
type World struct {
	cfg     Config
	rnd     *rand.Rand
	now     time.Time
	end     time.Time // of people and faults
	events  events
	seq     int
	nested  int
	ch      chances
	Market  *mfake.Market
	channel channel // the market as the machinery sees it
	Shop    *sfake.Shop
	base    connector.Store // what really holds the data
	store   connector.Store // what the machinery sees
	loop    *connector.Loop
	sweeper *connector.Sweeper
	policy  order.Policy
	ticks   map[time.Time]bool
	paused  []span
	removed []span
	wished  map[marketplace.OrderID]bool // an operator asked for money here
	ended   time.Time                    // when the world ends
	truth   map[marketplace.OrderID]*story
	Broken  []string // promises broken, in the order of time
	crashes int

	rejoiner  *lifecycle.Rejoiner
	stateless bool // a planted mistake: the loop works while the channel is paused
}

// channel is what the machinery uses of the market.
type channel interface {
	marketplace.Adapter
	marketplace.RefundReader
}

type span struct{ from, to time.Time }

// Run plays one world to its end and judges it.
func Run(cfg Config) *World {
	w := newWorld(cfg)
	w.people()
	w.runUntil(w.end)
	w.calm()
	w.ended = w.end.Add(64 * time.Hour)
	if w.cfg.Short {
		w.ended = w.end.Add(40 * time.Hour)
	}
	if n := len(w.removed); n > 0 && w.removed[n-1].to.After(w.end) {
		w.ended = w.removed[n-1].to.Add(64 * time.Hour)
	}
	w.runUntil(w.ended)
	w.judge()
	if w.cfg.PaysOut {
		w.payOut()
		w.judgePayouts()
	}
	return w
}

func newWorld(cfg Config) *World {
	w := &World{cfg: cfg, rnd: rand.New(rand.NewPCG(cfg.Seed, 77)), now: start, end: start.Add(6 * 24 * time.Hour),
		ticks: map[time.Time]bool{}, truth: map[marketplace.OrderID]*story{}, wished: map[marketplace.OrderID]bool{}, base: cfg.Store}
	w.draw()
	clock := func() time.Time { return w.now }
	w.Market, w.Shop = mfake.New(clock, w.rnd), sfake.New(clock, w.rnd)
	w.channel = w.Market
	if cfg.Direct {
		w.channel = w.Market.Direct()
	}
	w.Market.Faults = mfake.Faults{Odd: w.ch.odd, Fail: w.ch.call, Lost: w.ch.lost, Late: w.ch.late, Stale: w.ch.stale, ListLag: w.ch.listLag}
	w.Shop.Faults = sfake.Faults{Odd: w.ch.odd, Fail: w.ch.call, Lost: w.ch.lost, Late: w.ch.late, Stale: w.ch.stale, ListLag: w.ch.listLag}
	w.Market.Hook, w.Shop.Hook = w.callPoint, w.callPoint
	w.Market.OnChange, w.Shop.OnChange = w.marketPush, w.shopPush
	w.Market.OnWrite = func(key string, s marketplace.Shipment) { w.witness(key, "confirm") }
	w.Shop.OnWrite = w.witness
	w.Market.OnInstruct = func(key string, in marketplace.Instruction) { w.witness(key, "instruct"); w.witnessMoney(key, in) }
	w.Market.OnRefund = w.refundPush
	w.Market.Money = mfake.MoneyFaults{Fatal: w.ch.fatal, Stuck: w.ch.stuck, Reject: w.ch.reject, Vague: w.ch.vague}
	w.Market.RefundLag = 3 * time.Hour
	w.store = &spy{Store: cfg.Store, w: w}
	if cfg.Wrap != nil {
		w.store = cfg.Wrap(w, w.store)
	}
	w.policy = order.Policy{Tag: "Amazon", Gateway: "amazon", NamePrefix: "AMZ-", Carriers: w.Market.Traits().Carriers, NeedTrack: true,
		SettleMarket: w.Market.Settle, SettleShop: w.Shop.Settle, RepeatConfirm: w.Market.Repeat, CanUpdate: true, CanHold: true,
		ProveAfter: 15 * time.Minute, AlarmLead: time.Hour, ShipByWarn: 6 * time.Hour}
	w.moneyPolicy()
	if cfg.Policy != nil {
		cfg.Policy(&w.policy)
	}
	w.wire(clock)
	return w
}

// draw chooses the run's own mix of fault rates.
func (w *World) draw() {
	if w.cfg.Calm {
		w.ch.listLag = 5 * time.Second
		return
	}
	r := func(top float64) float64 { return w.rnd.Float64() * top }
	w.ch = chances{call: r(.2), lost: r(.1), late: r(.08), stale: r(.3), crash: r(.004), pause: r(.002),
		hintLost: r(.6), hintTwice: r(.3), hintLate: r(.2), odd: r(.05),
		fatal: r(.15), stuck: r(.1), reject: r(.1), vague: r(.05), listLag: time.Duration(w.rnd.IntN(30)) * time.Second}
	if w.cfg.Short {
		w.ch.stuck = 0
	}
	if w.rnd.IntN(5) == 0 {
		w.ch.hintLost = 1 // nothing is pushed at all
	}
}

func (w *World) wire(clock connector.Clock) {
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	must(w.base.PutConnection(ctx, connector.Connection{ID: ShopID, Platform: "fake", Role: connector.RoleStore, State: connector.Active}))
	must(w.base.PutConnection(ctx, connector.Connection{ID: Channel, Platform: "fake", Role: connector.RoleChannel, Store: ShopID, State: connector.Active}))
	rec := &order.Reconciler{Store: w.store, Clock: clock, Log: quiet, Sides: func(connector.ConnectionID) (order.Sides, bool) {
		return order.Sides{Channel: w.channel, Shop: w.Shop, Store: ShopID, Policy: w.rejoined()}, true
	}}
	if w.cfg.PaysOut {
		rec.Known = payout.Keeper{Store: w.store}.Known
	}
	lanes := &order.Lanes{Orders: rec, Store: w.store, Clock: clock, Log: quiet, NoRecheck: w.cfg.NoRecheck, Gather: w.cfg.Gather}
	w.loop = &connector.Loop{Queue: w.store, Clock: clock, Lease: 2 * time.Minute, Log: quiet,
		Reconcilers: map[connector.Kind]connector.Reconciler{connector.KindOrder: rec, connector.KindLane: lanes}, Runnable: w.runnable}
	w.wireRejoin(clock, quiet)
	w.sweeper = &connector.Sweeper{Store: w.store, Clock: clock}
	for i, sw := range []connector.Sweep{
		{Connection: Channel, Name: "changes", Every: 5 * time.Minute, Overlap: 10 * time.Minute, Reach: 24 * time.Hour, List: order.SweepMarket(Channel, w.channel, clock)},
		{Connection: Channel, Name: "refunds", Every: 20 * time.Minute, Overlap: 6 * time.Hour, Reach: 24 * time.Hour, List: order.SweepRefunds(Channel, w.channel)},
		{Connection: ShopID, Name: "changes", Every: 5 * time.Minute, Overlap: 10 * time.Minute, Reach: 24 * time.Hour, List: order.SweepShop(ShopID, w.Shop, clock)},
		{Connection: Channel, Name: "wide", Every: 24 * time.Hour, Reach: 30 * 24 * time.Hour, Wide: true, List: order.SweepMarket(Channel, w.channel, clock)},
		{Connection: ShopID, Name: "wide", Every: 24 * time.Hour, Reach: 30 * 24 * time.Hour, Wide: true, List: order.SweepShop(ShopID, w.Shop, clock)},
	} {
		if w.cfg.Sweep != nil {
			w.cfg.Sweep(&sw)
		}
		w.at(start.Add(time.Duration(i)*7*time.Second), func() { w.sweep(sw) })
	}
}

// calm ends all faults and lets a running pause end.
func (w *World) calm() {
	w.ch = chances{listLag: w.ch.listLag}
	lag := w.ch.listLag
	w.Market.Faults, w.Shop.Faults = mfake.Faults{ListLag: lag}, sfake.Faults{ListLag: lag}
	w.Market.Money = mfake.MoneyFaults{}
	if w.state() == connector.Paused {
		must(w.base.SetState(context.Background(), Channel, connector.Active, "", w.now))
	}
	w.tick(w.now)
}

// runnable lists the channels that may be worked on. It hears of a pause a little late, as a
// process does that reads the state once in a while.
func (w *World) runnable() []connector.ConnectionID {
	if n := len(w.paused); !w.stateless && n > 0 && w.now.After(w.paused[n-1].from.Add(3*time.Second)) && w.now.Before(w.paused[n-1].to) {
		return nil
	}
	if n := len(w.removed); !w.stateless && n > 0 && w.now.After(w.removed[n-1].from.Add(3*time.Second)) && w.state() != connector.Active {
		return nil
	}
	return []connector.ConnectionID{Channel}
}

// event is something that happens at a time.
type event struct {
	at  time.Time
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

// at plans something.
func (w *World) at(t time.Time, do func()) {
	w.seq++
	heap.Push(&w.events, event{t, w.seq, do})
}

// runUntil lets time pass.
func (w *World) runUntil(t time.Time) {
	for len(w.events) > 0 && !w.events[0].at.After(t) {
		e := heap.Pop(&w.events).(event)
		if e.at.After(w.now) {
			w.now = e.at
		}
		e.do()
	}
	if t.After(w.now) {
		w.now = t
	}
}

// crash is the panic of a killed worker.
type crash struct{}

// point is a place between two statements: time passes, the process may be killed, or sleep
// while others go on.
func (w *World) point() {
	w.now = w.now.Add(time.Duration(w.rnd.IntN(40)) * time.Millisecond)
	if w.rnd.Float64() < w.ch.crash {
		w.crashes++
		panic(crash{})
	}
	if w.nested == 0 && w.rnd.Float64() < w.ch.pause {
		w.nested++
		w.runUntil(w.now.Add(time.Duration(w.rnd.IntN(400)) * time.Second))
		w.nested--
	}
}

// callPoint is a place at the start or end of an outside call. Nobody sleeps between the check of
// the deadline and the call: the call's own context would have ended.
func (w *World) callPoint(op string) {
	pause := w.ch.pause
	if !strings.HasSuffix(op, "-end") {
		w.ch.pause = 0
	}
	defer func() { w.ch.pause = pause }()
	w.point()
}

// survive runs a worker's step; a crash ends only that step.
func (w *World) survive(do func()) (crashed bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
			crashed = true
		}
	}()
	do()
	return false
}

// tick asks the loop to look at t.
func (w *World) tick(t time.Time) {
	if t.Before(w.now) {
		t = w.now
	}
	if w.ticks[t] {
		return
	}
	w.ticks[t] = true
	w.at(t, func() {
		delete(w.ticks, t)
		w.survive(func() {
			for range 50 {
				n, err := w.loop.Step(context.Background(), 4)
				if n == 0 || err != nil {
					return
				}
			}
			w.tick(w.now.Add(time.Second))
		})
	})
}

func (w *World) sweep(sw connector.Sweep) {
	if sw.Connection == Channel && w.gone() { // there are no credentials to read it with
		w.at(w.now.Add(sw.Every), func() { w.sweep(sw) })
		return
	}
	next := w.now.Add(time.Minute)
	w.survive(func() {
		at, err := w.sweeper.Pass(context.Background(), sw)
		if err == nil || at.After(w.now) {
			next = at
		}
	})
	if !next.After(w.now) {
		next = w.now.Add(time.Second)
	}
	w.at(next, func() { w.sweep(sw) })
}

// marketPush is the channel's own push about a changed order.
func (w *World) marketPush(id marketplace.OrderID, at time.Time) {
	w.push(fmt.Sprintf("m/%s/%d", id, at.UnixNano()), connector.Delivery{Connection: Channel, Topic: "order_change", Verdict: connector.Accepted,
		Touch: []connector.Touch{{Subject: w.subject(id), Side: connector.Market, Heard: at}}})
}

// shopPush is the store's push about a changed order.
func (w *World) shopPush(id shopadmin.OrderID, at time.Time, urgent bool) {
	w.push(fmt.Sprintf("s/%s/%d", id, at.UnixNano()), connector.Delivery{Connection: ShopID, Topic: "orders/updated", Verdict: connector.Accepted,
		Touch: []connector.Touch{{Shop: connector.ShopRef{Store: ShopID, ID: string(id)}, Side: connector.Shop, Heard: at, Urgent: urgent}}})
}

func (w *World) push(id string, d connector.Delivery) {
	if w.cfg.NoPush || w.rnd.Float64() < w.ch.hintLost {
		return
	}
	d.ID = id
	delay := func() time.Duration {
		if w.rnd.Float64() < w.ch.hintLate {
			return time.Duration(w.rnd.IntN(3*3600)) * time.Second
		}
		return time.Duration(50+w.rnd.IntN(3000)) * time.Millisecond
	}
	w.at(w.now.Add(delay()), func() { w.deliver(d) })
	if w.rnd.Float64() < w.ch.hintTwice {
		w.at(w.now.Add(delay()), func() { w.deliver(d) })
	}
}

// deliver hands a push to the inbox; a sender that got no answer comes again.
func (w *World) deliver(d connector.Delivery) {
	ok := false
	w.survive(func() {
		d.ReceivedAt = w.now
		_, err := w.store.Record(context.Background(), d)
		ok = err == nil
	})
	if !ok {
		w.at(w.now.Add(10*time.Second), func() { w.deliver(d) })
	}
}

func (w *World) subject(id marketplace.OrderID) connector.Subject {
	return connector.Subject{Kind: connector.KindOrder, Channel: Channel, ID: string(id)}
}

func (w *World) broken(format string, args ...any) {
	w.Broken = append(w.Broken, w.now.Format(time.RFC3339)+" "+fmt.Sprintf(format, args...))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
