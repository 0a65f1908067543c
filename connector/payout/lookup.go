package payout

import (
	"context"
	"errors"
	"fmt"

	"channelbridge/connector"
)

// Finding finds one of the accounts' findings by its id, and the account it is of;
// connector.ErrNotFound. One account that cannot be read does not keep those of others from being
// found.
func (d Desk) Finding(ctx context.Context, accounts []Account, id string) (Finding, Account, error) {
	said, err := d.about(ctx, accounts, func(p *People) bool { return p.findings[id] != nil })
	if err != nil {
		return Finding{}, Account{}, err
	}
	if said != nil {
		accounts = []Account{*said}
	}
	var unread error
	for _, a := range accounts {
		found, err := d.Findings(ctx, []Account{a}, FindingQuery{IDs: []string{id}})
		if unread = errors.Join(unread, err); len(found) > 0 {
			return found[0], a, nil
		}
	}
	if unread == nil {
		unread = connector.ErrNotFound
	}
	return Finding{}, Account{}, fmt.Errorf("finding %s: %w", id, unread)
}

// Claim finds the finding that has a claim, and the account it is of; connector.ErrNotFound.
func (d Desk) Claim(ctx context.Context, accounts []Account, id string) (Finding, Account, error) {
	finding := ""
	a, err := d.about(ctx, accounts, func(p *People) bool {
		for about, x := range p.findings {
			if x.Claim != nil && x.Claim.ID == id {
				finding = about
			}
		}
		return finding != ""
	})
	if err != nil {
		return Finding{}, Account{}, err
	}
	if a == nil {
		return Finding{}, Account{}, fmt.Errorf("claim %s: %w", id, connector.ErrNotFound)
	}
	return d.Finding(ctx, []Account{*a}, finding)
}

// about is the account in which people have said something; nil: it is none.
func (d Desk) about(ctx context.Context, accounts []Account, is func(*People) bool) (*Account, error) {
	for i := range accounts {
		p, err := d.people(ctx, accounts[i])
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", accounts[i].ID, err)
		}
		if is(p) {
			return &accounts[i], nil
		}
	}
	return nil, nil
}
