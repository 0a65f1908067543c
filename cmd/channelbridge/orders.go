package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/connector/sqlstore"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

func newOrders(a *app) *cobra.Command {
	return group("orders", "See orders and how they stand, and decide about their money", newOrdersList(a), newOrdersShow(a), newOrdersMoney(a),
		newOrdersRefund(a), newOrdersCancel(a), newOrdersHold(a), newOrdersRelease(a), newOrdersApprove(a), newOrdersRetry(a))
}

// newOrdersRetry is a person's decision that what was refused may be sent once more.
func newOrdersRetry(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "retry ORDER",
		Short: "Try again what the other side refused for an order",
		Long: `Try again what the other side refused for an order, after its cause was corrected. Nothing is
sent twice: only commands that surely did not happen are reopened, and a running server takes
them up at once. The decision stands in the order's timeline.`,
		Example: "  channelbridge orders retry amazon-us/112-1234567-1234567",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.acting(cmd.Context(), func(ctx context.Context, s *sqlstore.Store) error {
				rec, err := findOrder(ctx, s, args[0])
				if err != nil {
					return err
				}
				n, err := s.Reopen(ctx, rec.Subject, a.clock(), "an operator asked to try again what was refused")
				if err != nil {
					return fmt.Errorf("reopening order %s: %w", rec.Subject, err)
				}
				if a.asJSON {
					return a.printJSON(map[string]any{"order": rec.Subject.String(), "reopened": n})
				}
				fmt.Fprintf(a.stdout, "%s: %d refused commands may be sent again\n", rec.Subject, n)
				return nil
			})
		},
	}
}

func newOrdersList(a *app) *cobra.Command {
	var f connector.OrderFilter
	var channel string
	c := &cobra.Command{
		Use:   "list [TEXT]",
		Short: "List orders, newest first",
		Example: `  channelbridge orders list --held
  channelbridge orders list --channel amazon-us 112-12`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				f.Text = args[0]
			}
			f.Channel = connector.ConnectionID(channel)
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error {
				rows, err := s.Orders(cmd.Context(), f)
				if err != nil {
					return fmt.Errorf("listing orders: %w", err)
				}
				return a.printOrders(rows)
			})
		},
	}
	c.Flags().StringVar(&channel, "channel", "", "only orders of this connection")
	c.Flags().BoolVar(&f.Held, "held", false, "only orders with an open hold")
	c.Flags().IntVar(&f.Limit, "limit", 50, "how many at most")
	c.Flags().IntVar(&f.Offset, "offset", 0, "how many to leave out at the beginning")
	return c
}

func (a *app) printOrders(rows []connector.OrderRow) error {
	if a.asJSON {
		return a.printJSON(nonNil(rows))
	}
	var out [][]string
	for _, r := range rows {
		out = append(out, []string{r.Subject.String(), orDash(r.Summary.Number), orDash(r.Summary.Lifecycle), orDash(r.Summary.Fulfillment),
			when(r.Summary.PlacedAt), when(r.DueAt), holdKinds(r.Holds)})
	}
	return table(a.stdout, "ORDER\tIN STORE\tSTATE\tFULFILLMENT\tPLACED\tDUE\tHOLDS", out)
}

// nonNil is printed as [] and not as null.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// orderView is all that is known of one order.
type orderView struct {
	Subject  connector.Subject  `json:"subject"`
	Shop     connector.ShopRef  `json:"shop,omitzero"`
	Summary  connector.Summary  `json:"summary"`
	Final    bool               `json:"final"`
	NextAt   time.Time          `json:"next_at,omitzero"`
	DueAt    time.Time          `json:"due_at,omitzero"`
	Market   *marketplace.Order `json:"market"`
	Store    *shopadmin.Order   `json:"store"`
	Fault    string             `json:"fault,omitempty"`
	Ledger   []connector.Entry  `json:"ledger"`
	Holds    []connector.Hold   `json:"holds"`
	Timeline []connector.Note   `json:"timeline"`
}

func newOrdersShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ORDER",
		Short: "Show both sides of an order, its ledger, holds and timeline",
		Long: `Show both sides of an order, its ledger, holds and timeline.

ORDER is connection/number, or the channel's or the store's number alone when only one order
has it. With --json the whole order is printed, the buyer's address included.`,
		Example: "  channelbridge orders show amazon-us/112-1234567-1234567\n  channelbridge orders show '#1001' --json",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error {
				v, err := viewOrder(cmd.Context(), s, args[0])
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(v)
				}
				return a.printOrder(v)
			})
		},
	}
}

func viewOrder(ctx context.Context, s connector.Store, name string) (*orderView, error) {
	rec, err := findOrder(ctx, s, name)
	if err != nil {
		return nil, err
	}
	v := &orderView{Subject: rec.Subject, Shop: rec.Shop, Summary: rec.Summary, Final: rec.Final, NextAt: rec.NextAt, DueAt: rec.DueAt,
		Ledger: nonNil(rec.Entries), Holds: nonNil(rec.Holds)}
	if v.Market, v.Store, err = order.Decode(rec); err != nil {
		v.Fault = err.Error()
	}
	if rec.Market != nil && rec.Market.Fault != "" {
		v.Fault = rec.Market.Fault
	}
	notes, err := s.Timeline(ctx, rec.Subject)
	v.Timeline = nonNil(notes)
	return v, err
}

// findOrder reads the one order a person means.
func findOrder(ctx context.Context, s connector.Store, name string) (connector.Record, error) {
	if channel, id, ok := strings.Cut(name, "/"); ok {
		rec, err := s.Load(ctx, connector.Subject{Kind: connector.KindOrder, Channel: connector.ConnectionID(channel), ID: id})
		if err != nil {
			return rec, fmt.Errorf("order %s: %w", name, err)
		}
		return rec, nil
	}
	rows, err := s.Orders(ctx, connector.OrderFilter{Text: name, Limit: 200})
	if err != nil {
		return connector.Record{}, fmt.Errorf("looking for order %s: %w", name, err)
	}
	var found []string
	var sub connector.Subject
	for _, r := range rows {
		if r.Subject.ID == name || r.Summary.Number == name || r.Summary.Number == "#"+name {
			found, sub = append(found, r.Subject.String()), r.Subject
		}
	}
	switch len(found) {
	case 0:
		return connector.Record{}, fmt.Errorf("order %s: %w", name, connector.ErrNotFound)
	case 1:
		return s.Load(ctx, sub)
	}
	return connector.Record{}, usage("%s may be %s: name one of them", name, strings.Join(found, " or "))
}

func (a *app) printOrder(v *orderView) error {
	facts := [][]string{
		{"Order", v.Subject.String()}, {"In the store", words(v.Summary.Number, v.Shop.ID)},
		{"State", words(v.Summary.Lifecycle, v.Summary.Fulfillment)}, {"Placed", when(v.Summary.PlacedAt)},
		{"Ship by", when(v.Summary.ShipBy)}, {"Next look", when(v.NextAt)}, {"Deadline", when(v.DueAt)}, {"Final", yes(v.Final)}}
	if v.Fault != "" {
		facts = append(facts, []string{"Unreadable", v.Fault})
	}
	if err := table(a.stdout, "", facts); err != nil {
		return err
	}
	a.section("Lines (channel)")
	if err := table(a.stdout, "LINE\tSKU\tORDERED\tSHIPPED\tCANCELLED\tTITLE", marketLines(v.Market)); err != nil {
		return err
	}
	a.section("Lines (store)")
	if err := table(a.stdout, "LINE\tSKU\tQUANTITY\tTO SHIP\tTITLE", shopLines(v.Store)); err != nil {
		return err
	}
	a.section("Shipments")
	if err := table(a.stdout, "SIDE\tID\tSTATUS\tCARRIER\tTRACKING\tSHIPPED", shipments(v)); err != nil {
		return err
	}
	if err := a.printHolds(v.Holds); err != nil {
		return err
	}
	a.section("Ledger")
	var ledger [][]string
	for _, e := range v.Ledger {
		ledger = append(ledger, []string{fmt.Sprint(e.ID), string(e.Verb), orDash(e.About), string(e.State), fmt.Sprint(e.Attempts),
			when(e.IntendedAt), when(e.SettledAt), orDash(words(e.Ref, e.Reason)), e.Why})
	}
	if err := table(a.stdout, "ENTRY\tVERB\tABOUT\tSTATE\tATTEMPTS\tINTENDED\tSETTLED\tANSWER\tWHY", ledger); err != nil {
		return err
	}
	a.section("Timeline")
	var notes [][]string
	for _, n := range v.Timeline {
		notes = append(notes, []string{when(n.At), n.Actor, n.Kind, n.Text})
	}
	return table(a.stdout, "AT\tWHO\tWHAT\tTEXT", notes)
}

func (a *app) section(title string) { fmt.Fprintf(a.stdout, "\n%s\n", title) }

func (a *app) printHolds(holds []connector.Hold) error {
	a.section("Holds")
	var rows [][]string
	for _, h := range holds {
		rows = append(rows, []string{h.Kind, orDash(h.About), string(h.Level), when(h.Since), h.Reason, h.Hint})
	}
	return table(a.stdout, "KIND\tABOUT\tLEVEL\tSINCE\tREASON\tWHAT TO DO", rows)
}

func marketLines(m *marketplace.Order) (rows [][]string) {
	if m == nil {
		return nil
	}
	for _, l := range m.Lines {
		rows = append(rows, []string{l.ID, orDash(l.SKU), fmt.Sprint(l.Ordered), fmt.Sprint(l.Shipped), fmt.Sprint(l.Cancelled), l.Title})
	}
	return rows
}

func shopLines(o *shopadmin.Order) (rows [][]string) {
	if o == nil {
		return nil
	}
	for _, l := range o.Lines {
		rows = append(rows, []string{l.ID, orDash(l.SKU), fmt.Sprint(l.Current), fmt.Sprint(l.Unfulfilled), l.Title})
	}
	return rows
}

func shipments(v *orderView) (rows [][]string) {
	if v.Store != nil {
		for _, f := range v.Store.Fulfillments {
			t := shopadmin.Tracking{}
			if len(f.Tracking) > 0 {
				t = f.Tracking[0]
			}
			rows = append(rows, []string{"store", f.ID, string(f.Status), orDash(t.Company), orDash(t.Number), when(f.CreatedAt)})
		}
	}
	if v.Market != nil {
		for _, p := range v.Market.Packages {
			rows = append(rows, []string{"channel", p.Ref, orDash(p.Status), orDash(p.Carrier), orDash(p.Tracking), when(p.ShippedAt)})
		}
	}
	return rows
}
