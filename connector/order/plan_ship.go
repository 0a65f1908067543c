package order

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// ship confirms every shipment of the store at the channel, the same day, with the store's own
// ship date.
func (p *planner) ship() {
	p.taken()
	for _, f := range successful(p.Shop) {
		lines := p.parcel(f)
		if len(lines) == 0 {
			continue
		}
		if why := p.byChannel(); why != "" {
			p.warns("channel_fulfils", f.ID, "the store shipped "+f.Name+", but "+why,
				"nothing is sent to the channel; manage this order's shipping at the channel")
			continue
		}
		p.parcelOut(f, lines)
	}
}

// parcel is what of a fulfillment concerns the channel: its order lines and quantities, sorted.
func (p *planner) parcel(f shopadmin.Fulfillment) []marketplace.ShipmentLine {
	ids, sum := channelLines(p.Shop), map[string]int{}
	for _, l := range f.Lines {
		if id := ids[l.Line]; id != "" && l.Quantity > 0 {
			sum[id] += l.Quantity
		}
	}
	var out []marketplace.ShipmentLine
	for _, id := range slices.Sorted(maps.Keys(sum)) {
		out = append(out, marketplace.ShipmentLine{Line: id, Quantity: sum[id]})
	}
	return out
}

// parcelOut decides about one shipment.
func (p *planner) parcelOut(f shopadmin.Fulfillment, lines []marketplace.ShipmentLine) {
	due := EndOfDay(f.CreatedAt, p.Market.Zone)
	want, ok := p.shipment(f, lines)
	entries := p.entries(ConfirmShipment, f.ID)
	if len(entries) == 0 {
		switch {
		case p.alreadyThere(want, ok):
		case !ok, p.replacedLate(f):
			p.openPush(f, due)
		case p.mayShip(f, lines):
			p.confirm(f, want, 1, 0, due)
		case p.Market.Lifecycle == marketplace.Pending, p.Market.Lifecycle == marketplace.Unmapped:
			p.openPush(f, due)
		}
		return
	}
	last := entries[len(entries)-1]
	p.asked(last)
	was := shipmentOf(last)
	if !last.State.Accepted() {
		p.openPush(f, due)
	}
	if !ok {
		return
	}
	want.Ref, want.ShippedAt = was.Ref, was.ShippedAt
	if last.State.Accepted() {
		p.edit(f, last, was, want, len(entries))
		return
	}
	p.confirmAgain(f, last, was, want, len(entries), due)
}

// edit pushes a corrected parcel. While an earlier doubtful attempt might still take effect the
// correction waits, or the old contents could come after the new.
func (p *planner) edit(f shopadmin.Fulfillment, last connector.Entry, was, want marketplace.Shipment, n int) {
	if sameParcel(was, want) {
		return
	}
	if p.mayStillCome(last) {
		return
	}
	p.confirm(f, want, n+1, 0, time.Time{})
}

// confirmAgain goes on with a confirmation that is in the ledger and not known to have worked.
func (p *planner) confirmAgain(f shopadmin.Fulfillment, last connector.Entry, was, want marketplace.Shipment, n int, due time.Time) {
	if last.Class == "denied" {
		p.blocks("shipment_denied", f.ID, fmt.Sprintf("the channel does not let us confirm %s: %s", f.Name, last.Reason),
			"check the application's roles at the channel; it is tried again by itself")
	}
	switch s, at := allow(last, p.Policy.RepeatConfirm, p.Policy.SettleMarket, p.MarketAt, p.Now); s {
	case wait:
		p.wake(at)
	case look:
		p.wake(p.Now)
	case again:
		if p.confirmed(last) {
			p.d.Proven = append(p.d.Proven, Proof{Entry: last.ID, Text: "the channel shows the parcel " + was.Tracking})
			return
		}
		body := was // an unproven attempt is repeated as it was; one that surely failed may be corrected
		if last.State == connector.Retry {
			body = want
		}
		p.confirm(f, body, n, last.ID, due)
	case answered:
		if !sameParcel(was, want) || withdrawn(last) {
			p.confirm(f, want, n+1, 0, due)
			return
		}
		if p.confirmed(last) {
			p.d.Proven = append(p.d.Proven, Proof{Entry: last.ID, Text: "the channel shows the parcel " + was.Tracking})
			return
		}
		p.blocks("shipment_refused", f.ID, fmt.Sprintf("the channel refused the shipment %s: %s", f.Name, last.Reason),
			"correct the tracking in the store, confirm the parcel at the channel, or run: channelbridge orders retry "+p.Subject.String())
	}
}

func (p *planner) confirm(f shopadmin.Fulfillment, s marketplace.Shipment, n int, again int64, due time.Time) {
	why := fmt.Sprintf("the store shipped %s at %s and the channel does not show it", f.Name, f.CreatedAt.UTC().Format(time.RFC3339))
	if n > 1 && again == 0 {
		why = fmt.Sprintf("the parcel of %s was changed in the store", f.Name)
	}
	if !due.IsZero() {
		p.openPush(f, due)
	}
	p.command(connector.Command{Key: p.key(ConfirmShipment, f.ID, n), Verb: ConfirmShipment, Side: connector.Market, About: f.ID,
		Due: due, Why: why, Again: again}, s)
}

// shipment translates a fulfillment into the channel's words, or holds it and says what is missing.
func (p *planner) shipment(f shopadmin.Fulfillment, lines []marketplace.ShipmentLine) (marketplace.Shipment, bool) {
	s := marketplace.Shipment{Order: p.Market.ID, Site: p.Market.Site, Ref: p.freeRef(f), Service: p.Market.Service,
		ShippedAt: f.CreatedAt.UTC(), Lines: lines}
	numbered := slices.DeleteFunc(slices.Clone(f.Tracking), func(t shopadmin.Tracking) bool { return t.Number == "" })
	if len(numbered) > 1 {
		p.warns("several_numbers", f.ID, fmt.Sprintf("%s has %d tracking numbers, the channel takes one a parcel; the first is sent", f.Name, len(numbered)),
			"make one fulfillment a parcel in the store")
	}
	var company string
	if len(numbered) > 0 {
		s.Tracking, company = numbered[0].Number, numbered[0].Company
	} else if len(f.Tracking) > 0 {
		company = f.Tracking[0].Company
	}
	if s.Tracking == "" && p.Policy.NeedTrack {
		p.blocks("tracking_missing", f.ID, f.Name+" was shipped without a tracking number, which the channel requires",
			"add the tracking number in the store")
		return s, false
	}
	c, ok := carrier(p.Policy.Carriers, company)
	if !ok {
		p.blocks("carrier_unmapped", f.ID, fmt.Sprintf("the carrier %q of %s is not in the channel's table", company, f.Name),
			"add it to the connection's carriers in the configuration")
		return s, false
	}
	s.Carrier = c
	return s, true
}

func carrier(table map[string]marketplace.Carrier, company string) (marketplace.Carrier, bool) {
	if c, ok := table[strings.ToLower(strings.TrimSpace(company))]; ok {
		return c, true
	}
	c, ok := table[""]
	return c, ok
}

// freeRef is the next package reference: one more than any used for this order. It is stored
// with the intent, so a repeat carries the same. A fulfillment that ships anew what a cancelled
// one had shipped takes over its reference: the channel then edits instead of adding.
func (p *planner) freeRef(f shopadmin.Fulfillment) string {
	if old := p.replaced(f); old != nil {
		return shipmentOf(*old).Ref
	}
	top := 0
	for _, e := range p.Ledger {
		if e.Verb == ConfirmShipment {
			if n, err := strconv.Atoi(shipmentOf(e).Ref); err == nil {
				top = max(top, n)
			}
		}
	}
	for _, pk := range p.Market.Packages {
		if n, err := strconv.Atoi(pk.Ref); err == nil {
			top = max(top, n)
		}
	}
	for _, c := range p.d.Commands {
		if c.Verb == ConfirmShipment {
			if n, err := strconv.Atoi(bodyOf(c).Ref); err == nil {
				top = max(top, n)
			}
		}
	}
	return strconv.Itoa(top + 1)
}

// replaced finds the confirmed entry of a cancelled fulfillment that f ships anew: the first that
// is most like it.
func (p *planner) replaced(f shopadmin.Fulfillment) *connector.Entry {
	lines, free, best := p.parcel(f), p.freeUnits(), 0
	var found *connector.Entry
	for i, e := range p.Ledger {
		if e.Verb != ConfirmShipment || e.About == f.ID || !e.State.Happened() || !p.cancelled(e.About) || p.adopted(e, f.ID) {
			continue
		}
		if l := likeness(shipmentOf(e).Lines, lines, free); l > best {
			found, best = &p.Ledger[i], l
		}
	}
	return found
}

// likeness says how well a new parcel can take the place of an old one: 3 with the same contents,
// 2 when the old one frees all that the new one holds beyond what is free already, 1 when it frees
// some, 0 when nothing.
func likeness(old, lines []marketplace.ShipmentLine, free map[string]int) int {
	covered := func(n marketplace.ShipmentLine) bool {
		need := n.Quantity - max(free[n.Line], 0)
		return need <= 0 || slices.ContainsFunc(old, func(o marketplace.ShipmentLine) bool { return o.Line == n.Line && o.Quantity >= need })
	}
	switch {
	case !overlap(old, lines):
		return 0
	case slices.Equal(old, lines):
		return 3
	case !slices.ContainsFunc(lines, func(l marketplace.ShipmentLine) bool { return !covered(l) }):
		return 2
	}
	return 1
}

// freeUnits counts per line the units that a parcel may hold without taking the place of another.
func (p *planner) freeUnits() map[string]int {
	ours, cancelling, out := p.confirmedUnits(), p.cancelling(), map[string]int{}
	for _, m := range p.Market.Lines {
		foreign := max(0, m.Shipped-ours[m.ID])
		out[m.ID] = m.Ordered - m.Cancelled - cancelling[m.ID] - ours[m.ID] - foreign
	}
	return out
}

// replacedLate reports that the parcel f takes the place of could still reach the channel after f.
func (p *planner) replacedLate(f shopadmin.Fulfillment) bool {
	old := p.replaced(f)
	return old != nil && p.mayStillCome(*old)
}

func overlap(a, b []marketplace.ShipmentLine) bool {
	return slices.ContainsFunc(a, func(x marketplace.ShipmentLine) bool {
		return slices.ContainsFunc(b, func(y marketplace.ShipmentLine) bool { return x.Line == y.Line })
	})
}

func (p *planner) cancelled(fulfillment string) bool {
	for _, f := range p.Shop.Fulfillments {
		if f.ID == fulfillment {
			return f.Status != shopadmin.FulfillmentSuccess
		}
	}
	return false
}

// adopted reports whether a later fulfillment other than except has taken over the entry's reference.
func (p *planner) adopted(e connector.Entry, except string) bool {
	ref := shipmentOf(e).Ref
	for _, o := range p.Ledger {
		if o.Verb == ConfirmShipment && o.ID > e.ID && o.About != e.About && o.About != except && shipmentOf(o).Ref == ref {
			return true
		}
	}
	for _, c := range p.d.Commands {
		if c.Verb == ConfirmShipment && c.About != e.About && c.About != except && bodyOf(c).Ref == ref {
			return true
		}
	}
	return false
}

// mayShip reports whether the channel can take the parcel; otherwise it says why not.
func (p *planner) mayShip(f shopadmin.Fulfillment, lines []marketplace.ShipmentLine) bool {
	switch p.Market.Lifecycle {
	case marketplace.Pending:
		p.blocks("pending_at_channel", f.ID, f.Name+" was shipped, but the channel has not released the order yet",
			"it is confirmed as soon as the channel releases the order")
		return false
	case marketplace.Cancelled:
		p.blocks("cancelled_at_channel", f.ID, f.Name+" was shipped, but the order is cancelled at the channel",
			"stop the parcel if you can; the channel takes no shipment for it")
		return false
	case marketplace.Unmapped:
		return false
	}
	if e, tried := p.latest(CancelMarket, "order"); tried && e.State.Spent() {
		p.blocks("cancelling_at_channel", f.ID, f.Name+" was shipped, but the order is being cancelled at the channel",
			"stop the parcel if you can; should the channel refuse to cancel, the parcel is confirmed")
		return false
	}
	left, edited := p.freeUnits(), map[string]int{}
	if old := p.replaced(f); old != nil { // the channel edits that parcel: its units are free again
		for _, l := range shipmentOf(*old).Lines {
			edited[l.Line] += l.Quantity
		}
	}
	for _, l := range lines {
		m, ok := p.line(l.Line)
		free := left[l.Line] + edited[l.Line]
		switch {
		case !ok || l.Quantity > m.Ordered-m.Cancelled:
			p.blocks("over_shipped", f.ID, fmt.Sprintf("%s holds %d of line %s, of which %d are left to ship at the channel", f.Name, l.Quantity, l.Line, free),
				"compare the order at the channel with the store")
			return false
		case l.Quantity > free:
			p.blocks("shipped_at_channel", f.ID, fmt.Sprintf("%s holds %d of line %s, but the channel already counts these units as shipped or cancelled", f.Name, l.Quantity, l.Line),
				"nothing is sent; compare the parcels on both sides")
			return false
		}
	}
	return true
}

// confirmedUnits counts per line the units in parcels we confirmed or may have confirmed, this
// plan's commands included. Units that an edit gives up are free only once the edit is done.
func (p *planner) confirmedUnits() map[string]int {
	byRef := map[string]map[string]int{}
	add := func(s marketplace.Shipment, sure bool) {
		if sure || byRef[s.Ref] == nil {
			byRef[s.Ref] = map[string]int{}
		}
		for _, l := range s.Lines {
			byRef[s.Ref][l.Line] = max(byRef[s.Ref][l.Line], l.Quantity)
		}
	}
	for _, e := range p.Ledger {
		if e.Verb == ConfirmShipment && e.State.Happened() {
			add(shipmentOf(e), e.State.Accepted())
		}
	}
	for _, c := range p.d.Commands {
		if c.Verb == ConfirmShipment {
			add(bodyOf(c), false)
		}
	}
	out := map[string]int{}
	for _, lines := range byRef {
		for line, n := range lines {
			out[line] += n
		}
	}
	return out
}

func (p *planner) line(id string) (marketplace.Line, bool) {
	for _, l := range p.Market.Lines {
		if l.ID == id {
			return l, true
		}
	}
	return marketplace.Line{}, false
}

// alreadyThere reports a parcel that the channel shows without our doing.
func (p *planner) alreadyThere(s marketplace.Shipment, ok bool) bool {
	if !ok || s.Tracking == "" {
		return false
	}
	for _, pk := range p.Market.Packages {
		if pk.Tracking == s.Tracking && !p.usedRef(pk.Ref) {
			return true
		}
	}
	return false
}

func (p *planner) usedRef(ref string) bool {
	for _, e := range p.Ledger {
		if e.Verb == ConfirmShipment && shipmentOf(e).Ref == ref {
			return true
		}
	}
	return false
}

// confirmed reports whether the channel shows an entry's parcel: a package with its reference or
// number, or, at a channel that lists no packages, all units of our parcels counted as shipped.
func (p *planner) confirmed(e connector.Entry) bool {
	s := shipmentOf(e)
	for _, pk := range p.Market.Packages {
		if pk.Tracking == s.Tracking && (pk.Ref == s.Ref || s.Tracking != "") {
			return true
		}
	}
	if p.superseded(e) {
		return true
	}
	if len(p.Market.Packages) > 0 || !p.MarketAt.After(e.IntendedAt) {
		return false
	}
	ours := p.confirmedUnits()
	if !e.State.Happened() { // it is asked whether it took effect after all
		for _, l := range s.Lines {
			ours[l.Line] += l.Quantity
		}
	}
	for _, l := range s.Lines {
		if m, ok := p.line(l.Line); !ok || m.Shipped < ours[l.Line] {
			return false
		}
	}
	return true
}

// superseded reports that a later parcel with the same reference was accepted in place of e.
func (p *planner) superseded(e connector.Entry) bool {
	ref := shipmentOf(e).Ref
	for _, o := range p.Ledger {
		if o.Verb == ConfirmShipment && o.ID > e.ID && shipmentOf(o).Ref == ref && o.State.Accepted() {
			return true
		}
	}
	return false
}

// taken raises an alert for a confirmed shipment that the store took back: the channel cannot.
func (p *planner) taken() {
	for _, f := range p.Shop.Fulfillments {
		if f.Status != shopadmin.FulfillmentCancelled && f.Status != shopadmin.FulfillmentFailed {
			continue
		}
		for _, e := range p.entries(ConfirmShipment, f.ID) {
			if e.State.Happened() && !p.adopted(e, "") {
				p.warns("shipment_taken_back", f.ID, fmt.Sprintf("%s was cancelled in the store after the channel was told of it; a confirmed shipment cannot be taken back", f.Name),
					"ship the parcel and fulfil the order again in the store, or settle it with the buyer at the channel")
				break
			}
		}
	}
}

func shipmentOf(e connector.Entry) marketplace.Shipment { return bodyOf(e.Command) }

func bodyOf(c connector.Command) marketplace.Shipment { return shipments.get(c.Body) }

// sameParcel compares what the channel is told of a parcel. The ship date never changes.
func sameParcel(a, b marketplace.Shipment) bool {
	return a.Tracking == b.Tracking && a.Carrier == b.Carrier && slices.Equal(a.Lines, b.Lines)
}

// EndOfDay is the first instant of the day after t in a zone; an unknown zone counts as UTC.
func EndOfDay(t time.Time, zone string) time.Time {
	loc := Zone(zone)
	y, m, d := t.In(loc).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, loc).UTC()
}
