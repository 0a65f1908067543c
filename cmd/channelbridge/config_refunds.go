package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// RefundsConfig is how a channel's money goes back.
type RefundsConfig struct {
	PerHour      int           `yaml:"per_hour" default:"200" doc:"Refunds and cancellations given to the channel within an hour at most; more wait. 0: unbounded."`
	SumPerHour   Amount        `yaml:"sum_per_hour" doc:"What they may come to within an hour, such as 5000.00 USD; counted in that currency. Default: unbounded."`
	CancelMirror *bool         `yaml:"cancel_mirror" doc:"Cancel the store's order when it was cancelled at the channel. Default: true."`
	Restock      *bool         `yaml:"restock" doc:"Put its goods back into the store's stock then. Default: true."`
	Goodwill     bool          `yaml:"goodwill" doc:"Pass on what the store gives back beyond what the buyer paid for the order's parts. Default: such a refund is held."`
	Reasons      ReasonsConfig `yaml:"reasons" doc:"Reasons of the store (customer, customer_request, inventory, fraud, declined, staff, other, and an empty one for all others) and what the channel calls them, over the built-in table."`
	Reconnect    string        `yaml:"reconnect" default:"run" enum:"run,ask_above,ask" doc:"What happens with orders cancelled or refunded in the store while the channel was removed, once it is connected again: run gives their money back by itself, ask_above holds single amounts above a limit, ask waits until the plan is approved."`
	AskAbove     Amount        `yaml:"ask_above" doc:"The limit of ask_above, such as 200.00 USD."`
	MassCancel   int           `yaml:"mass_cancel" default:"25" doc:"Share of a channel's open orders, in percent, that one listing may turn into cancelled ones; more (and more than 20 orders) pauses the channel and asks. 0: never."`
}

// ReasonsConfig are an operator's words, by what is done.
type ReasonsConfig struct {
	Cancel      map[string]string `yaml:"cancel" doc:"For cancelling a whole order."`
	CancelUnits map[string]string `yaml:"cancel_units" doc:"For cancelling units that have not shipped."`
	Refund      map[string]string `yaml:"refund" doc:"For refunds."`
}

// Amount is money as people write it: 500.00 USD.
type Amount struct{ money.Money }

// UnmarshalText reads an amount and its currency.
func (a *Amount) UnmarshalText(b []byte) error {
	text, currency, ok := strings.Cut(strings.TrimSpace(string(b)), " ")
	m, err := money.Parse(text, strings.TrimSpace(currency))
	if !ok || err != nil {
		return fmt.Errorf("%q is not an amount such as 500.00 USD", b)
	}
	if m.Minor < 0 {
		return fmt.Errorf("%q is below zero", b)
	}
	a.Money = m
	return nil
}

// MarshalText writes it the same way.
func (a Amount) MarshalText() ([]byte, error) {
	if a.Currency == "" {
		return nil, nil
	}
	return []byte(a.Decimal() + " " + a.Currency), nil
}

// refunds is the section with its defaults, also where it is absent.
func (c ConnectionConfig) refunds() RefundsConfig {
	if c.Refunds != nil {
		return *c.Refunds
	}
	var r RefundsConfig
	newDecoder("", nil, func(string) (string, bool) { return "", false }).object(nil, reflect.ValueOf(&r).Elem(), "")
	return r
}

// reasons are the operator's words by operation.
func (c ConnectionConfig) reasons() map[marketplace.Operation]map[string]string {
	r := c.refunds().Reasons
	out := map[marketplace.Operation]map[string]string{}
	for op, table := range map[marketplace.Operation]map[string]string{
		marketplace.OpCancel: r.Cancel, marketplace.OpCancelUnits: r.CancelUnits, marketplace.OpRefund: r.Refund} {
		if len(table) > 0 {
			out[op] = table
		}
	}
	return out
}

// budget bounds the channel's money within an hour; nil bounds nothing.
func (r RefundsConfig) budget() *connector.Budget {
	if r.PerHour == 0 && r.SumPerHour.Currency == "" {
		return nil
	}
	return &connector.Budget{Per: time.Hour, Count: r.PerHour, Sum: r.SumPerHour.Money}
}

func (c ConnectionConfig) checkRefunds(d *decoder, at func(string) string) {
	if c.Refunds == nil {
		return
	}
	r := c.Refunds
	if r.PerHour < 0 {
		d.fault(at("refunds.per_hour"), "%d is below zero", r.PerHour)
	}
	if r.MassCancel < 0 || r.MassCancel > 100 {
		d.fault(at("refunds.mass_cancel"), "%d is not a percentage", r.MassCancel)
	}
	if r.Reconnect == "ask_above" && r.AskAbove.Currency == "" {
		d.fault(at("refunds.ask_above"), "is missing: the amount above which a person is asked")
	}
}

func unlessNo(b *bool) bool { return b == nil || *b }
