package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/marketplace"
)

const (
	pullLease = 10 * time.Minute
	pullReach = 89 * 24 * time.Hour // of the first look: channels keep their documents for three months
)

// paying are the lists by which a channel tells of payouts.
func (b *bridge) paying(l *link) (out []listing) {
	every := time.Duration(l.cfg.payouts().PullEvery)
	add := func(name string, page func(context.Context, marketplace.Cursor) (marketplace.Cursor, bool, error)) {
		out = append(out, listing{name: name, reach: pullReach, every: every, page: page})
	}
	if src, ok := l.channel.(marketplace.StatementSource); ok {
		add("statements", func(ctx context.Context, after marketplace.Cursor) (marketplace.Cursor, bool, error) {
			return b.pullStatements(ctx, l.id, src, after)
		})
	}
	if src, ok := l.channel.(marketplace.TransferSource); ok {
		add("transfers", func(ctx context.Context, after marketplace.Cursor) (marketplace.Cursor, bool, error) {
			return b.pullTransfers(ctx, l, src, after)
		})
	}
	if src, ok := l.channel.(marketplace.DeferralSource); ok {
		add("deferrals", func(ctx context.Context, after marketplace.Cursor) (marketplace.Cursor, bool, error) {
			return b.pullDeferrals(ctx, l.id, src, after)
		})
	}
	return out
}

// pullStatements takes in one page of payout documents.
func (b *bridge) pullStatements(ctx context.Context, id connector.ConnectionID, src marketplace.StatementSource, after marketplace.Cursor) (marketplace.Cursor, bool, error) {
	page, err := src.Statements(ctx, after)
	if err != nil {
		return after, false, fmt.Errorf("listing payout documents: %w", err)
	}
	for _, ref := range page.Statements {
		if err := b.pullDocument(ctx, id, src, ref); err != nil {
			return after, false, err
		}
	}
	return page.Next, page.More, nil
}

// pullDocument takes one document in. One that cannot be understood is kept, told of, and does
// not hold up the others.
func (b *bridge) pullDocument(ctx context.Context, id connector.ConnectionID, src marketplace.StatementSource, ref marketplace.StatementRef) error {
	body, err := src.OpenStatement(ctx, ref.ID)
	if err != nil {
		return fmt.Errorf("fetching the payout document %s: %w", ref.ID, err)
	}
	defer func() { _ = body.Close() }()
	_, err = books{b}.Import(ctx, payout.File{Account: id, Name: ref.ID, Origin: "pull", By: "channel", Body: body})
	if rejected(err) {
		b.failed("statements", id)
		return nil
	}
	return err
}

// pullTransfers takes in one page of transfers to the bank, as the channel's own word on them. One that
// cannot be understood is told of, and does not hold up the others.
func (b *bridge) pullTransfers(ctx context.Context, l *link, src marketplace.TransferSource, after marketplace.Cursor) (marketplace.Cursor, bool, error) {
	page, err := src.Transfers(ctx, after)
	if err != nil {
		return after, false, fmt.Errorf("listing transfers to the bank: %w", err)
	}
	account := l.cfg.payoutAccount(b.cfg.TimeZone)
	for _, t := range page.Transfers {
		d, arrived := payout.DepositOf(t, account.Zone)
		if !arrived {
			continue
		}
		_, err := (books{b}).Desk().Deposit(ctx, account, d, t.ID, payout.By{Name: payout.System})
		if no, refused := errors.AsType[*payout.RefusedError](err); refused && no.Code == payout.RefusedInput {
			b.failed("transfers", l.id)
			b.log.Warn("transfer not taken in", "connection", string(l.id), "transfer", t.ID, "member", no.Member)
			continue
		}
		if err != nil {
			return after, false, fmt.Errorf("transfer %s: %w", t.ID, err)
		}
	}
	return page.Next, page.More, nil
}

// pullDeferrals takes in one page of what the channel holds back.
func (b *bridge) pullDeferrals(ctx context.Context, id connector.ConnectionID, src marketplace.DeferralSource, after marketplace.Cursor) (marketplace.Cursor, bool, error) {
	page, err := src.Deferrals(ctx, after)
	if err != nil {
		return after, false, fmt.Errorf("listing money that is held back: %w", err)
	}
	if _, err := (payout.Keeper{Store: b.store}).KeepDeferrals(ctx, id, page.Deferrals, b.clock()); err != nil {
		return after, false, err
	}
	return page.Next, page.More, nil
}
