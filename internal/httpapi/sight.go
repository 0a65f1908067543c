package httpapi

import (
	"context"
	"fmt"
	"slices"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

// sight is what has been paid as far as one token may see it. Handlers reach payouts through it
// and through nothing else, so that an account a token is not bound to is for them one that does
// not exist.
type sight struct {
	all   Payouts
	token connector.Token
}

// Accounts are those the token may see.
func (v sight) Accounts() []payout.Account {
	return slices.DeleteFunc(slices.Clone(v.all.Accounts()), func(a payout.Account) bool { return !v.token.Sees(a.ID) })
}

// Report answers a query over the books of some of them.
func (v sight) Report(ctx context.Context, accounts []connector.ConnectionID, q payout.Query) (*payout.Report, error) {
	for _, id := range accounts {
		if err := v.check(id); err != nil {
			return nil, err
		}
	}
	return v.all.Report(ctx, accounts, q)
}

// Import brings a file into the books of one of them.
func (v sight) Import(ctx context.Context, f payout.File) (payout.Imported, error) {
	if err := v.check(f.Account); err != nil {
		return payout.Imported{}, err
	}
	return v.all.Import(ctx, f)
}

// Store keeps the payouts of all accounts: it is asked with an account of Accounts, or with a
// payout of payoutsOf.
func (v sight) Store() connector.Payouts { return v.all.Store() }

// Desk is where people work on the accounts they are given, which are those of Accounts.
func (v sight) Desk() payout.Desk { return v.all.Desk() }

func (v sight) check(id connector.ConnectionID) error {
	if v.token.Sees(id) {
		return nil
	}
	return fmt.Errorf("account %s: %w", id, connector.ErrNotFound)
}

// account finds an account by its id; name is the parameter or member it stands in.
func (c *call) account(name, id string) (payout.Account, error) {
	all := c.paid.Accounts()
	i := slices.IndexFunc(all, func(a payout.Account) bool { return string(a.ID) == id })
	if i < 0 {
		return payout.Account{}, member("unknown_account", name, "No account with payouts has this id.", "Use the id of a channel: GET /v1/channels lists them.")
	}
	return all[i], nil
}

// accounts are those with the ids; with none they are all that the token may see.
func (c *call) accounts(name string, ids ...string) ([]payout.Account, error) {
	if len(ids) == 0 {
		return c.paid.Accounts(), nil
	}
	var out []payout.Account
	for _, id := range ids {
		a, err := c.account(name, id)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o payout.Account) bool { return o.ID == a.ID }) {
			out = append(out, a)
		}
	}
	return out, nil
}
