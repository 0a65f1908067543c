package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

func (p *player) title(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "\n%s\n", text)
}

// say tells one event; who is amazon, store or bridge.
func (p *player) say(who, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "  %5.1fs  %-6s  %s\n", time.Since(p.began).Seconds(), who, fmt.Sprintf(format, args...))
}

func (p *player) fault(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// once reports whether the thing has not been told yet.
func (p *player) once(thing string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told[thing] {
		return false
	}
	p.told[thing] = true
	return true
}

// watch tells what happens on both sides as it happens.
func (p *player) watch(ctx context.Context) {
	for ctx.Err() == nil {
		p.tell()
		select {
		case <-ctx.Done():
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func (p *player) tell() {
	for _, o := range p.Amazon.Orders() {
		if p.once("order " + o.ID) {
			p.say("amazon", "order %s, %s, %s, %d units", o.ID, o.Status, by(o), units(o))
		}
	}
	for _, o := range p.Shop.Orders() {
		if p.once("mirror " + o.ID) {
			p.say("store", "%s created for %s: %s, tags %s, gateway %s", o.Name, o.SourceIdentifier, o.Total, strings.Join(o.Tags, "+"), o.Gateway)
		}
	}
	p.tellMoney()
	for _, o := range p.Amazon.Orders() {
		for i, c := range p.Amazon.Shipments(o.ID) {
			if !p.once(fmt.Sprintf("confirmed %s %d", o.ID, i)) {
				continue
			}
			verb := "confirmed"
			if c.Edit && p.repeats(o.ID, i) {
				verb = "told again, still the one parcel"
			} else if c.Edit {
				verb = "corrected"
			}
			p.say("amazon", "%s: parcel %s %s, %s %s, shipped %s → %s", o.ID, c.Ref, verb, c.Carrier, c.Tracking,
				c.Shipped.UTC().Format("15:04:05Z"), o.Status)
		}
	}
}

// tellMoney tells what Amazon was handed and what it has given back or cancelled.
func (p *player) tellMoney() {
	for _, f := range p.Amazon.Feeds() {
		if p.once("feed " + f.ID) {
			p.say("amazon", "feed %s taken on, %s", f.ID, f.Type)
		}
	}
	for _, o := range p.Amazon.Orders() {
		for _, r := range p.Amazon.Refunds(o.ID) {
			if p.once(r.ID) {
				p.say("amazon", "%s: %s given back to the buyer (%s)", o.ID, r.Amount, strings.ReplaceAll(r.By, "_", " "))
			}
		}
		if o.Status == "CANCELLED" && p.once("cancelled "+o.ID) {
			p.say("amazon", "%s is cancelled: %s", o.ID, o.CancelReason)
		}
	}
}

// repeats reports a confirmation that says the same as the one before it for its parcel.
func (p *player) repeats(id string, i int) bool {
	all := p.Amazon.Shipments(id)
	for j := i - 1; j >= 0; j-- {
		if all[j].Ref == all[i].Ref {
			return all[j].Tracking == all[i].Tracking
		}
	}
	return false
}

func by(o amazonfake.OrderState) string {
	if o.Amazon {
		return "shipped by Amazon"
	}
	return "shipped by the merchant"
}

func units(o amazonfake.OrderState) (n int) {
	for _, i := range o.Items {
		n += i.Ordered
	}
	return n
}

// until waits for something to become true.
func (p *player) until(ctx context.Context, what string, is func() bool) error {
	for !is() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("demo: waited in vain until %s", what)
		case <-time.After(25 * time.Millisecond):
		}
	}
	p.tell()
	return nil
}

// mirrored waits until each order stands in the store.
func (p *player) mirrored(ctx context.Context, ids ...string) error {
	for _, id := range ids {
		if err := p.until(ctx, id+" is in the store", func() bool { _, ok := p.Mirror(id); return ok }); err != nil {
			return err
		}
	}
	return nil
}

// shipped waits until Amazon shows so many parcels of an order.
func (p *player) shipped(ctx context.Context, id string, parcels int) error {
	return p.until(ctx, fmt.Sprintf("Amazon shows %d parcels of %s", parcels, id), func() bool {
		s, _ := p.Amazon.Order(id)
		return len(s.Packages) >= parcels
	})
}

// Mirror returns the store order that mirrors an Amazon order.
func (w *World) Mirror(id string) (shopifyfake.Order, bool) {
	all := w.Shop.OrdersByMark(Channel + ":" + id)
	if len(all) == 0 {
		return shopifyfake.Order{}, false
	}
	return all[0], true
}

func (p *player) name(id string) string {
	o, _ := p.Mirror(id)
	return o.Name
}

// summary compares both sides and says whether they agree.
func (p *player) summary(ctx context.Context) error {
	p.title("Both sides at the end")
	tw := tabwriter.NewWriter(p.out, 2, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "  Amazon order\tstatus\tstore order\ttag\tparcels\tship dates equal\tsame day")
	for _, o := range p.Amazon.Orders() {
		p.compare(tw, o)
	}
	_ = tw.Flush()
	p.balance()
	if n := len(p.Shop.Messages()); n > 0 {
		p.fault("%d messages would have gone to customers", n)
	}
	fmt.Fprintf(p.out, "\n  messages to customers: %d; the store's own notices to the merchant: %d\n", len(p.Shop.Messages()), len(p.Shop.MerchantNotifications()))
	fmt.Fprintf(p.out, "  calls at Amazon: %s\n  calls at the store: %s\n", calls(p.Amazon.Calls()), calls(p.Shop.Calls()))
	p.complete(ctx)
	if len(p.faults) > 0 {
		return fmt.Errorf("demo: the two sides do not agree:\n  %s", strings.Join(p.faults, "\n  "))
	}
	fmt.Fprintf(p.out, "\n  Both sides agree. %.1f s.\n", time.Since(p.began).Seconds())
	return nil
}

func (p *player) compare(tw *tabwriter.Writer, o amazonfake.OrderState) {
	mirrors := p.Shop.OrdersByMark(Channel + ":" + o.ID)
	if len(mirrors) != 1 {
		p.fault("%s has %d store orders", o.ID, len(mirrors))
		return
	}
	m := mirrors[0]
	if !slices.Contains(m.Tags, "Amazon") {
		p.fault("%s lacks its tag", m.Name)
	}
	equal, same := len(m.Fulfillments) > 0, len(m.Fulfillments) > 0
	if len(o.Packages) != len(m.Fulfillments) {
		p.fault("%s: %d parcels at Amazon, %d in the store", o.ID, len(o.Packages), len(m.Fulfillments))
	}
	for _, f := range m.Fulfillments {
		i := slices.IndexFunc(o.Packages, func(c amazonfake.Confirmation) bool {
			return len(f.Tracking) > 0 && c.Tracking == f.Tracking[0].Number
		})
		if i < 0 {
			p.fault("%s: parcel %s is not at Amazon", o.ID, f.Name)
			continue
		}
		equal = equal && o.Packages[i].Shipped.Equal(f.CreatedAt.Truncate(time.Second))
		same = same && day(o.Packages[i].At) == day(f.CreatedAt)
	}
	if len(m.Fulfillments) > 0 && !(equal && same) {
		p.fault("%s: ship dates equal %v, same day %v", o.ID, equal, same)
	}
	yes := map[bool]string{true: "yes", false: "–"}
	fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%d\t%s\t%s\n", o.ID, o.Status, m.Name, strings.Join(m.Tags, "+"), len(o.Packages), yes[equal], yes[same])
}

// day is the local day of Amazon's United States site.
func day(t time.Time) string {
	loc, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		loc = time.UTC
	}
	return t.In(loc).Format(time.DateOnly)
}

func calls(m map[string]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}

// complete asks the bridge itself whether every order it has seen is mirrored.
func (p *player) complete(ctx context.Context) {
	out, err := p.Run(ctx, "completeness", "--json")
	if err != nil {
		p.fault("completeness: %v", err)
		return
	}
	var channels []struct {
		Days []struct{ Seen, Expected, Mirrored int }
	}
	if err := json.Unmarshal([]byte(out), &channels); err != nil {
		p.fault("completeness: %v in %s", err, out)
		return
	}
	var seen, expected, mirrored int
	for _, c := range channels {
		for _, d := range c.Days {
			seen, expected, mirrored = seen+d.Seen, expected+d.Expected, mirrored+d.Mirrored
		}
	}
	fmt.Fprintf(p.out, "  the bridge's own count: %d orders seen, %d to be mirrored, %d mirrored\n", seen, expected, mirrored)
	if n := len(p.Amazon.Orders()); seen != n || expected != mirrored {
		p.fault("the bridge counts %d of %d orders, %d to be mirrored, %d mirrored", seen, n, expected, mirrored)
	}
}
