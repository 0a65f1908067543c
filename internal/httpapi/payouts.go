package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

// Payouts is what channels have paid, held against what their orders should bring.
type Payouts interface {
	// Accounts are the channels whose payouts are known here.
	Accounts() []payout.Account
	// Report answers a query over the books of some of them.
	Report(ctx context.Context, accounts []connector.ConnectionID, q payout.Query) (*payout.Report, error)
	// Import brings a file into the books; a *payout.RejectedError when it cannot be understood.
	Import(ctx context.Context, f payout.File) (payout.Imported, error)
	Store() connector.Payouts
	// Desk is where people work on what the books have found.
	Desk() payout.Desk
}

// ofPayouts answers only where payouts are set up, shows a handler what its token may see of them,
// and calls a parameter that is wrong by the one
// code that everything about payouts has for it.
func (s *Server) ofPayouts(handle func(*call) (reply, error)) func(*call) (reply, error) {
	return func(c *call) (reply, error) {
		if s.cfg.Payouts == nil {
			return reply{}, newProblem("not_available", "This bridge keeps no payouts.", "Set payouts up in its configuration.")
		}
		c.paid = sight{s.cfg.Payouts, c.token}
		out, err := handle(c)
		if p, ok := errors.AsType[*Problem](err); ok && (p.Code == "invalid_parameter" || p.Code == "invalid_cursor") {
			return out, badParameter(p.Member, p.Detail, p.Hint)
		}
		return out, err
	}
}

func badParameter(name, why, todo string) *Problem { return member("bad_parameter", name, why, todo) }

// given is a parameter as a list: nothing when it is not there.
func given(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

func idsOf(accounts []payout.Account) []connector.ConnectionID {
	out := make([]connector.ConnectionID, 0, len(accounts))
	for _, a := range accounts {
		out = append(out, a.ID)
	}
	return out
}

// payoutsOf lists the payouts of accounts; without accounts there are none.
func (c *call) payoutsOf(accounts []payout.Account, f connector.PayoutFilter) ([]connector.Payout, error) {
	if len(accounts) == 0 {
		return nil, nil
	}
	f.Accounts = idsOf(accounts)
	list, err := c.paid.Store().PayoutList(c.ctx, f)
	if err != nil {
		return nil, fmt.Errorf("listing payouts: %w", err)
	}
	return list, nil
}

var payoutStates = []connector.PayoutState{connector.PayoutOpen, connector.PayoutClosed, connector.PayoutPaid, connector.PayoutFailed, connector.PayoutReturned}

// listPayouts lists payouts, the last import first.
func (s *Server) listPayouts(c *call) (reply, error) {
	q, p, err := c.pages("account", "state")
	if err != nil {
		return reply{}, err
	}
	state := connector.PayoutState(q.Get("state"))
	if state != "" && !slices.Contains(payoutStates, state) {
		return reply{}, badParameter("state", "It is open, closed, paid, failed or returned.", "")
	}
	accounts, err := c.accounts("account", given(q.Get("account"))...)
	if err != nil {
		return reply{}, err
	}
	list, err := c.payoutsOf(accounts, connector.PayoutFilter{All: true})
	if err != nil {
		return reply{}, err
	}
	list = newestFirst(list, p.after, func(x connector.Payout) bool { return x.SupersededAt.IsZero() && (state == "" || x.State == state) })
	list = list[:min(len(list), p.limit)]
	rows, err := payoutViews(list)
	if err != nil {
		return reply{}, err
	}
	last := ""
	if len(list) > 0 {
		last = payout.ID(list[len(list)-1])
	}
	return p.reply(rows, len(list), last)
}

// newestFirst sorts payouts and gives those that are wanted and come after one of them. The place
// in the list is kept by that one's name: the store's numbers would tell how many there are of other
// accounts. It stays when a revision supersedes the payout, as none is ever deleted.
func newestFirst(list []connector.Payout, after string, want func(connector.Payout) bool) []connector.Payout {
	slices.SortFunc(list, func(a, b connector.Payout) int { return cmp.Compare(b.ID, a.ID) })
	passed := slices.IndexFunc(list, func(p connector.Payout) bool { return payout.ID(p) == after })
	return slices.DeleteFunc(list[passed+1:], func(p connector.Payout) bool { return !want(p) })
}

// payout reads which one the path names; revisions that were superseded are kept as well.
func (s *Server) payout(c *call) (connector.Payout, payout.Account, error) {
	id, err := c.name("id")
	if err != nil {
		return connector.Payout{}, payout.Account{}, err
	}
	list, err := c.payoutsOf(c.paid.Accounts(), connector.PayoutFilter{All: true})
	if err != nil {
		return connector.Payout{}, payout.Account{}, err
	}
	i := slices.IndexFunc(list, func(p connector.Payout) bool { return payout.ID(p) == id })
	if i < 0 {
		return connector.Payout{}, payout.Account{}, fmt.Errorf("payout %s: %w", id, connector.ErrNotFound)
	}
	a, err := c.account("id", string(list[i].Account))
	return list[i], a, err
}

// showPayout shows one payout and, where it counts, how it is made up.
func (s *Server) showPayout(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	p, a, err := s.payout(c)
	if err != nil {
		return reply{}, err
	}
	view, err := payoutOf(p)
	if err != nil {
		return reply{}, err
	}
	out := payoutDetail{payoutView: view}
	if p.SupersededAt.IsZero() {
		if out.Bridge, err = s.bridgeOf(c, p, a); err != nil {
			return reply{}, err
		}
	}
	return shown(out)
}

// bridgeOf leads from what was expected of a payout's orders to what was paid.
func (s *Server) bridgeOf(c *call, p connector.Payout, a payout.Account) (*payout.SummaryJSON, error) {
	r, err := c.paid.Report(c.ctx, []connector.ConnectionID{a.ID}, payout.Query{Payouts: []string{p.External}})
	if err != nil {
		return nil, fmt.Errorf("the bridge of payout %s: %w", p.External, err)
	}
	for _, sum := range r.Summary {
		if sum.Currency == p.Currency {
			out := sum.JSON()
			return &out, nil
		}
	}
	return nil, nil
}

// instant reads a parameter that is a moment of time; "" is none.
func instant(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := moment(text)
	if errors.Is(err, payout.ErrYears) {
		return at, outsideYears(name)
	}
	if err != nil {
		return at, badParameter(name, "It is an instant such as 2026-11-01T00:00:00Z.", "A plus sign in an address is written %2B.")
	}
	return at, nil
}

// outsideYears refuses an instant that not every form can write, or that stands for none.
func outsideYears(name string) *Problem {
	return badParameter(name, "It lies outside the years 1 to 9999.", "")
}

// moment reads an instant in UTC; payout.ErrYears.
func moment(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("reading an instant: %w", err)
	}
	return at.UTC(), payout.InYears(at)
}

// known reads as_of: an instant that is not to come.
func known(text string, now time.Time) (time.Time, error) {
	at, err := instant("as_of", text)
	if err == nil && at.After(now) {
		err = badParameter("as_of", "It lies in the future; nobody knows yet what will be known then.", "Leave it out for now.")
	}
	return at, err
}
