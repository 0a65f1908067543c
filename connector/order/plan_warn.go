package order

import (
	"fmt"
	"time"

	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// openPush notes a shipment that the channel has not taken yet: due at the end of its day in
// the channel's zone, with an alarm an hour before and another once it has passed.
func (p *planner) openPush(f shopadmin.Fulfillment, due time.Time) {
	p.due(due)
	alarm := due.Add(-p.Policy.AlarmLead)
	switch {
	case !p.Now.Before(due):
		p.warns("same_day_missed", f.ID, fmt.Sprintf("%s was shipped on a day that has ended without the channel having taken it", f.Name),
			"it is still being sent with its own ship date; see the other holds for the cause")
	case !p.Now.Before(alarm):
		p.warns("same_day_alarm", f.ID, fmt.Sprintf("%s has to reach the channel by %s and has not", f.Name, due.Format(time.RFC3339)),
			"see the other holds for the cause, or confirm the parcel at the channel")
		p.wake(due)
	default:
		p.wake(alarm)
	}
}

// warnings watches the time until which the channel wants the order shipped.
func (p *planner) warnings() {
	m := p.Market
	if m.ShipTo == nil && m.Lifecycle == marketplace.Open && p.byChannel() == "" && p.expected() {
		p.warns("address_missing", "", "the channel gave no address to ship to", "check the application's roles at the channel")
	}
	by := m.ShipBy.To
	if by.IsZero() || m.Lifecycle != marketplace.Open || p.byChannel() != "" || Fulfillment(*m, p.Shop) == "fulfilled" {
		return
	}
	near := by.Add(-p.Policy.ShipByWarn)
	switch {
	case !p.Now.Before(by):
		p.warns("ship_by_missed", "", "the order should have been shipped by "+by.UTC().Format(time.RFC3339), "ship it now: the channel counts it as late")
	case !p.Now.Before(near):
		p.warns("ship_by_near", "", "the order has to be shipped by "+by.UTC().Format(time.RFC3339), "ship it in the store")
		p.wake(by)
	default:
		p.wake(near)
	}
}
