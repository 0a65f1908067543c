package main

import (
	"context"
	"errors"
	"fmt"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/marketplace"
)

// books answers about payouts, for the API and for commands.
type books struct{ b *bridge }

// Accounts are the configured channels as the books know them, by id.
func (k books) Accounts() []payout.Account {
	var out []payout.Account
	for _, l := range k.b.all() {
		if l.role == connector.RoleChannel {
			out = append(out, l.cfg.payoutAccount(k.b.cfg.TimeZone))
		}
	}
	return out
}

// Store is where payouts are kept.
func (k books) Store() connector.Payouts { return k.b.store }

// Desk is where people work on what the books have found.
func (k books) Desk() payout.Desk {
	return payout.Desk{Keep: payout.Keep{Payouts: k.b.store, Scratch: k.b.cfg.DataDir}, Clock: k.b.clock}
}

// Report answers a query over some accounts.
func (k books) Report(ctx context.Context, accounts []connector.ConnectionID, q payout.Query) (*payout.Report, error) {
	var chosen []payout.Account
	for _, id := range accounts {
		l, ok := k.b.link(id)
		if !ok || l.role != connector.RoleChannel {
			return nil, fmt.Errorf("the channel %q is not configured: %w", id, connector.ErrNotFound)
		}
		chosen = append(chosen, l.cfg.payoutAccount(k.b.cfg.TimeZone))
	}
	return payout.Make(ctx, k.Desk().Keep, chosen, q, k.b.clock())
}

// Import brings a file into the books.
func (k books) Import(ctx context.Context, f payout.File) (payout.Imported, error) {
	out, err := k.importer().Import(ctx, f)
	if err == nil && out.Fresh {
		k.b.tellImported(ctx, out.Payout, out.Unclassified)
	}
	if k.b.metrics == nil || err != nil && !rejected(err) {
		return out, err
	}
	outcome := proof(out.Payout)
	switch {
	case err != nil:
		outcome = "rejected"
	case !out.Fresh:
		outcome = "known"
	case outcome != "proven":
		outcome = "not_proven"
	}
	k.b.metrics.Imported(f.Account, outcome, out.Unclassified)
	return out, err
}

func (k books) importer() *payout.Importer {
	return &payout.Importer{Store: k.b.store, Clock: k.b.clock, Log: k.b.log, Formats: k.formats}
}

// formats are the forms a channel's files may have: its adapter's own and the configured ones.
func (k books) formats(account connector.ConnectionID) []marketplace.StatementFormat {
	l, ok := k.b.link(account)
	if !ok {
		return nil
	}
	var out []marketplace.StatementFormat
	if src, ok := l.channel.(marketplace.StatementSource); ok {
		out = append(out, src.StatementFormats()...)
	}
	for _, f := range l.cfg.payouts().Files {
		out = append(out, f.mapping())
	}
	return out
}

// rejected reports a file that is kept and cannot be understood.
func rejected(err error) bool {
	var bad *payout.RejectedError
	return errors.As(err, &bad)
}
