package order

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// MarketObservation is a channel's order on its way into the store.
func MarketObservation(channel connector.ConnectionID, o marketplace.Order, at time.Time) connector.Observation {
	body, err := json.Marshal(o)
	obs := connector.Observation{
		Subject: connector.Subject{Kind: connector.KindOrder, Channel: channel, ID: string(o.ID)}, Side: connector.Market,
		Snapshot: connector.Snapshot{Version: o.UpdatedAt, ObservedAt: at, Body: body},
		Note:     fmt.Sprintf("the channel says %s (%s)", o.Lifecycle, o.External),
	}
	if err != nil {
		obs.Fault = err.Error()
	}
	return obs
}

// FaultyObservation keeps an order that could not be understood.
func FaultyObservation(s connector.Subject, at time.Time, raw []byte, err error) connector.Observation {
	return connector.Observation{Subject: s, Side: connector.Market,
		Snapshot: connector.Snapshot{ObservedAt: at, Body: raw, Fault: err.Error()},
		Note:     "the channel's order cannot be understood"}
}

// ShopObservation is a store's order on its way into the store. The subject may be empty when
// only the store's id is known.
func ShopObservation(store connector.ConnectionID, o shopadmin.Order, s connector.Subject, at time.Time) connector.Observation {
	body, err := json.Marshal(o)
	if s.ID == "" && o.Mark.Set() {
		s = connector.Subject{Kind: connector.KindOrder, Channel: connector.ConnectionID(o.Mark.Channel), ID: o.Mark.Order}
	}
	obs := connector.Observation{Subject: s, Shop: connector.ShopRef{Store: store, ID: string(o.ID)}, Side: connector.Shop,
		Snapshot: connector.Snapshot{Version: o.UpdatedAt, ObservedAt: at, Body: body}}
	if err != nil {
		obs.Fault = err.Error()
	}
	return obs
}

// RefundsObservation is what a channel shows as refunded of an order, on its way into the store.
func RefundsObservation(s connector.Subject, list []marketplace.Refund, at time.Time) connector.Observation {
	if list == nil {
		list = []marketplace.Refund{}
	}
	body, err := json.Marshal(list)
	obs := connector.Observation{Subject: s, Side: connector.Money, Snapshot: connector.Snapshot{ObservedAt: at, Body: body}}
	for _, r := range list {
		if r.PostedAt.After(obs.Version) {
			obs.Version = r.PostedAt
		}
	}
	if len(list) > 0 {
		obs.Note = fmt.Sprintf("the channel shows %d refunds", len(list))
	}
	if err != nil {
		obs.Fault = err.Error()
	}
	return obs
}

// SweepRefunds lists the refunds a channel has posted, for connector.Sweeper: each marks its
// order's refunds to be read.
func SweepRefunds(channel connector.ConnectionID, a marketplace.RefundReader) func(context.Context, []byte, time.Time) (connector.SweepPage, error) {
	return func(ctx context.Context, raw []byte, since time.Time) (connector.SweepPage, error) {
		var c marketplace.Cursor
		if err := cursor(raw, &c); err != nil || c.Token == "" {
			c = marketplace.Cursor{Since: since}
		}
		page, err := a.Refunded(ctx, c)
		if err != nil {
			return connector.SweepPage{}, err
		}
		out := connector.SweepPage{Watermark: page.Next.Since, More: page.More}
		for _, r := range page.Refunds {
			if r.Order != "" {
				s := connector.Subject{Kind: connector.KindOrder, Channel: channel, ID: nameOf(string(r.Order), nil)}
				out.Touches = append(out.Touches, connector.Touch{Subject: s, Side: connector.Money, Heard: r.PostedAt})
			}
		}
		out.Next, err = json.Marshal(page.Next)
		return out, err
	}
}

// SweepMarket lists a channel's changed orders for connector.Sweeper.
func SweepMarket(channel connector.ConnectionID, a marketplace.Adapter, clock connector.Clock) func(context.Context, []byte, time.Time) (connector.SweepPage, error) {
	return func(ctx context.Context, raw []byte, since time.Time) (connector.SweepPage, error) {
		var c marketplace.Cursor
		if err := cursor(raw, &c); err != nil || c.Token == "" {
			c = marketplace.Cursor{Since: since}
		}
		page, err := a.Changed(ctx, c)
		if err != nil {
			return connector.SweepPage{}, err
		}
		out := connector.SweepPage{Watermark: page.Next.Since, More: page.More}
		at := clock()
		for _, o := range page.Orders {
			if id := nameOf(string(o.ID), nil); id != string(o.ID) { // it would fail the whole page
				s := connector.Subject{Kind: connector.KindOrder, Channel: channel, ID: id}
				out.Observations = append(out.Observations, FaultyObservation(s, at, nil, errors.New("its order number is too long or not text")))
				continue
			}
			out.Observations = append(out.Observations, MarketObservation(channel, o, at))
		}
		for _, f := range page.Faulty {
			s := connector.Subject{Kind: connector.KindOrder, Channel: channel, ID: nameOf(string(f.ID), f.Raw)}
			obs := FaultyObservation(s, at, f.Raw, f.Err)
			obs.Version = f.UpdatedAt
			out.Observations = append(out.Observations, obs)
			out.Touches = append(out.Touches, connector.Touch{Subject: s, Side: connector.Market, Heard: f.UpdatedAt})
		}
		out.Next, err = json.Marshal(page.Next)
		return out, err
	}
}

// SweepShop lists a store's changed mirrored orders for connector.Sweeper.
func SweepShop(store connector.ConnectionID, a shopadmin.Admin, clock connector.Clock) func(context.Context, []byte, time.Time) (connector.SweepPage, error) {
	return func(ctx context.Context, raw []byte, since time.Time) (connector.SweepPage, error) {
		var c shopadmin.Cursor
		if err := cursor(raw, &c); err != nil || c.Token == "" {
			c = shopadmin.Cursor{Since: since}
		}
		page, err := a.Changed(ctx, c)
		if err != nil {
			return connector.SweepPage{}, err
		}
		out := connector.SweepPage{Watermark: page.Next.Since, More: page.More}
		at := clock()
		for _, o := range page.Orders {
			out.Observations = append(out.Observations, ShopObservation(store, o, connector.Subject{}, at))
		}
		for _, f := range page.Faulty { // a look will say what is wrong with it
			out.Touches = append(out.Touches, connector.Touch{Shop: connector.ShopRef{Store: store, ID: string(f.ID)}, Side: connector.Shop, Heard: f.UpdatedAt})
		}
		out.Next, err = json.Marshal(page.Next)
		return out, err
	}
}

// nameOf is the order's number, or a name made of its bytes when it has none that can be kept.
func nameOf(id string, raw []byte) string {
	if id != "" && len(id) <= 200 && utf8.ValidString(id) && !strings.ContainsFunc(id, unicode.IsControl) {
		return id
	}
	sum := sha256.Sum256(append([]byte(id+"\n"), raw...))
	return "unreadable-" + hex.EncodeToString(sum[:8])
}

func cursor(raw []byte, c any) error {
	if len(raw) == 0 {
		return nil
	}
	return fault.Wrap(json.Unmarshal(raw, c), "sweep cursor")
}
