package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// Story is what Play needs to know.
type Story struct {
	Binary string
	Out    io.Writer
	Stay   bool // keep everything up until ctx ends
	Log    io.Writer
}

// player tells what happens and remembers what was promised.
type player struct {
	*World
	out    io.Writer
	began  time.Time
	mu     sync.Mutex
	told   map[string]bool
	faults []string
}

// Play runs the demo. It returns nil only if both sides agree at the end.
func Play(ctx context.Context, s Story) error {
	dir, err := os.MkdirTemp("", "channelbridge-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer os.RemoveAll(dir)
	log := s.Log
	if log == nil {
		f, err := os.Create(filepath.Join(dir, "bridge.log"))
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		defer f.Close()
		log = f
	}
	w, err := Open(ctx, Options{Binary: s.Binary, Dir: dir, Log: log,
		Extra:  "limits: {batch_gather: 500ms}\n", // nobody else will ask for a refund
		Amazon: amazonfake.Options{FeedDelay: 1500 * time.Millisecond, Faults: amazonfake.Faults{Duplicate: 0.5}},
		Shop:   shopifyfake.Config{Faults: shopifyfake.Faults{HookTwice: 0.3}}})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer w.Close()
	p := &player{World: w, out: s.Out, began: time.Now(), told: map[string]bool{}}
	if err := p.play(ctx); err != nil {
		p.tail(dir)
		return err
	}
	if s.Stay {
		p.stay(ctx)
	}
	return nil
}

// play is the story from beginning to end.
func (p *player) play(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 55*time.Second)
	defer cancel()
	p.title("A fake Amazon and a fake Shopify store are up; the bridge is the real program")
	p.Shop.AddProduct("ECHO-POP", "Echo Pop")
	p.Shop.AddProduct("KETTLE-1L", "Kettle, 1 litre")
	var early []string
	p.Ago(20*time.Minute, func() { early = p.placeEarly() })
	if err := p.Start(ctx); err != nil {
		return err
	}
	p.say("bridge", "ready at %s (embedded database, %s)", p.Bridge, time.Since(p.began).Round(time.Millisecond))
	watch, done := context.WithCancel(ctx)
	defer done()
	go p.watch(watch)

	p.title("1. Orders Amazon had before the bridge was there are found by the poll")
	p.pause()
	if err := p.mirrored(ctx, early...); err != nil {
		return err
	}
	p.title("2. New orders are pushed, some pushes twice; each becomes one store order")
	pushed := p.placePushed()
	if err := p.mirrored(ctx, pushed.shown()...); err != nil {
		return err
	}
	p.pause()
	p.say("amazon", "%s is not paid yet: it waits, nothing is created", pushed.pending)
	p.pause()
	p.Amazon.Release(pushed.pending)
	p.say("amazon", "%s is paid now", pushed.pending)
	if err := p.mirrored(ctx, pushed.pending); err != nil {
		return err
	}
	p.title("3. The buyer of one order asks Amazon to cancel it: its shipping stops in the store")
	if err := p.cancelRequest(ctx, pushed.wavering); err != nil {
		return err
	}
	p.title("4. The store ships; Amazon hears of each parcel the same day, with the store's own ship date")
	if err := p.shipments(ctx, early, pushed); err != nil {
		return err
	}
	p.title("5. Amazon takes a confirmation and its answer is lost: the bridge looks before it would send again")
	if err := p.lostAnswer(ctx, pushed.unlucky); err != nil {
		return err
	}
	if err := p.refunds(ctx, pushed); err != nil {
		return err
	}
	if err := p.away(ctx, early[0]); err != nil {
		return err
	}
	if err := p.payout(ctx, pushed.plain); err != nil {
		return err
	}
	if err := p.claim(ctx, pushed.plain); err != nil {
		return err
	}
	p.pause()
	done()
	return p.summary(ctx)
}

// placed are the orders of the second act.
type placed struct{ plain, lines, fba, pending, wavering, unlucky string }

func (o placed) shown() []string { return []string{o.plain, o.lines, o.fba, o.wavering, o.unlucky} }

// pause leaves the reader a moment.
func (p *player) pause() { time.Sleep(700 * time.Millisecond) }

func (p *player) placeEarly() []string {
	a := p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-1000001", TaxByAmazon: true,
		Items: []amazonfake.ItemSpec{{SKU: "ECHO-POP", Title: "Echo Pop", Quantity: 1, UnitPrice: "39.99", Tax: "3.30", Shipping: "5.99"}}})
	b := p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-1000002", TaxByAmazon: true,
		Items: []amazonfake.ItemSpec{{SKU: "SOCKS-3", Title: "Socks, never listed in the store", Quantity: 3, UnitPrice: "3.33", Tax: "0.82"}}})
	return []string{a, b}
}

func (p *player) placePushed() placed {
	item := func(sku, title string, n int, price string) amazonfake.ItemSpec {
		return amazonfake.ItemSpec{SKU: sku, Title: title, Quantity: n, UnitPrice: price}
	}
	return placed{
		plain:    p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-2000001", Items: []amazonfake.ItemSpec{item("KETTLE-1L", "Kettle, 1 litre", 1, "24.50")}}),
		lines:    p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-2000002", Items: []amazonfake.ItemSpec{item("ECHO-POP", "Echo Pop", 2, "39.99"), item("KETTLE-1L", "Kettle, 1 litre", 1, "24.50")}}),
		fba:      p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-2000003", Amazon: true, Items: []amazonfake.ItemSpec{item("ECHO-POP", "Echo Pop", 1, "39.99")}}),
		wavering: p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-2000004", Items: []amazonfake.ItemSpec{item("KETTLE-1L", "Kettle, 1 litre", 1, "24.50")}}),
		unlucky:  p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-2000006", Items: []amazonfake.ItemSpec{item("KETTLE-1L", "Kettle, 1 litre", 1, "24.50")}}),
		pending:  p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-2000005", Status: "PENDING", Items: []amazonfake.ItemSpec{item("ECHO-POP", "Echo Pop", 1, "39.99")}}),
	}
}

func (p *player) cancelRequest(ctx context.Context, id string) error {
	p.Amazon.RequestCancel(id, "Ordered by mistake")
	o, _ := p.Mirror(id)
	if err := p.until(ctx, "the store holds "+o.Name, func() bool { return p.held(id) }); err != nil {
		return err
	}
	_, err := p.Shop.Fulfill(o.ID, nil, shopifyfake.Tracking{Company: "UPS", Number: "1Z0000000000000000"})
	if !errors.Is(err, shopifyfake.ErrHeld) {
		return fmt.Errorf("demo: the store let a held order be shipped (%v)", err)
	}
	p.say("store", "%s cannot be shipped: %v. The merchant decides; here it stays held", o.Name, err)
	return nil
}

func (p *player) held(id string) bool {
	o, ok := p.Mirror(id)
	return ok && slices.ContainsFunc(o.FulfillmentOrders, func(f shopifyfake.FulfillmentOrder) bool { return len(f.Holds) > 0 })
}

// shipments ships everything that may be shipped: whole orders, one in two parcels, one with a
// number that is corrected afterwards.
func (p *player) shipments(ctx context.Context, early []string, o placed) error {
	n := 0
	ship := func(id string, lines ...shopifyfake.LineQty) string {
		n++
		m, _ := p.Mirror(id)
		number := fmt.Sprintf("1Z999AA101234567%02d", n)
		f, err := p.Shop.Fulfill(m.ID, lines, shopifyfake.Tracking{Company: "UPS", Number: number})
		if err != nil {
			p.fault("shipping %s: %v", m.Name, err)
			return ""
		}
		p.say("store", "%s ships %s, UPS %s", m.Name, what(lines), number)
		p.pause()
		return f
	}
	for _, id := range append(slices.Clone(early), o.plain) {
		ship(id)
	}
	wrong := ship(o.pending)
	m, _ := p.Mirror(o.lines)
	ship(o.lines, shopifyfake.LineQty{Line: m.Lines[0].ID, Quantity: 1})
	if err := p.shipped(ctx, o.lines, 1); err != nil {
		return err
	}
	ship(o.lines)
	if err := p.shipped(ctx, o.pending, 1); err != nil {
		return err
	}
	if err := p.Shop.UpdateTracking(wrong, shopifyfake.Tracking{Company: "UPS", Number: "1Z999AA10123456799"}); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	p.say("store", "the number of %s was wrong; it is corrected to 1Z999AA10123456799", p.name(o.pending))
	if err := p.until(ctx, "the corrected number is at Amazon", func() bool {
		s, _ := p.Amazon.Order(o.pending)
		return len(s.Packages) == 1 && s.Packages[0].Tracking == "1Z999AA10123456799"
	}); err != nil {
		return err
	}
	for id, parcels := range map[string]int{early[0]: 1, early[1]: 1, o.plain: 1, o.lines: 2} {
		if err := p.shipped(ctx, id, parcels); err != nil {
			return err
		}
	}
	return nil
}

// lostAnswer ships an order while Amazon's answers get lost after their effect.
func (p *player) lostAnswer(ctx context.Context, id string) error {
	calm := amazonfake.Faults{Duplicate: 0.5}
	p.Amazon.SetFaults(amazonfake.Faults{Lost: 1})
	m, _ := p.Mirror(id)
	if _, err := p.Shop.Fulfill(m.ID, nil, shopifyfake.Tracking{Company: "UPS", Number: "1Z999AA10123456750"}); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	p.say("store", "%s ships what is left, UPS 1Z999AA10123456750", m.Name)
	if err := p.shipped(ctx, id, 1); err != nil {
		return err
	}
	p.Amazon.SetFaults(calm)
	p.say("bridge", "no answer came; whether it worked is unknown, and stands so in the ledger")
	if err := p.until(ctx, "the ledger entry is settled", func() bool {
		out, err := p.Run(ctx, "orders", "show", id, "--json")
		return err == nil && !strings.Contains(out, `"unknown"`) && !strings.Contains(out, `"sent"`)
	}); err != nil {
		return err
	}
	n := len(p.Amazon.Shipments(id))
	p.say("bridge", "the parcel shows at Amazon, the entry is settled by looking; told %d time(s), one parcel", n)
	return nil
}

func what(lines []shopifyfake.LineQty) string {
	if len(lines) == 0 {
		return "what is left"
	}
	return "a part"
}

func (p *player) stay(ctx context.Context) {
	p.title("Everything stays up; stop it with Ctrl-C")
	p.say("bridge", "%s  (also /metrics, /readyz)", p.Bridge)
	p.say("bridge", "channelbridge orders list --config %s", p.Config)
	p.say("amazon", "%s", p.amazonURL)
	p.say("store", "%s", p.shopURL)
	<-ctx.Done()
	p.Stop(syscall.SIGTERM)
}

func (p *player) tail(dir string) {
	b, err := os.ReadFile(filepath.Join(dir, "bridge.log"))
	if err != nil || len(b) == 0 {
		return
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	fmt.Fprintf(p.out, "\nlast lines of the bridge's log:\n%s\n", strings.Join(lines[max(0, len(lines)-15):], "\n"))
}
