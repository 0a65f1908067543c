package httpapi

import (
	"fmt"
	"net/http"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/money"
)

// minorOf reads an amount that stands in a member of the body.
func minorOf(name, text, currency string) (int64, error) {
	m, err := money.Parse(text, currency)
	if err != nil {
		return 0, member("invalid_member", name, fmt.Sprintf("It is an amount in %s with exactly its decimals.", currency), "")
	}
	return m.Minor, nil
}

// deskRoutes are those of what people add to payouts: lines they gave to orders, money they saw at
// the bank, months they closed.
func (s *Server) deskRoutes() []route {
	get, post, del := http.MethodGet, http.MethodPost, http.MethodDelete
	return []route{
		{get, "/matches", scopePayoutsRead, s.listMatches, nil},
		{post, "/matches", scopePayoutsWrite, write(s, "MatchRequest", s.match), nil},
		{del, "/matches/:id", scopePayoutsWrite, s.strike(s.unmatch), nil},
		{get, "/deposits", scopePayoutsRead, s.listDeposits, nil},
		{post, "/deposits", scopePayoutsWrite, write(s, "DepositRequest", s.deposit), nil},
		{del, "/deposits/:id", scopePayoutsWrite, s.strike(s.undeposit), nil},
		{get, "/closes", scopePayoutsRead, s.listCloses, nil},
		{post, "/closes", scopePayoutsWrite, write(s, "CloseRequest", s.closeMonth), nil},
		{del, "/closes/:id", scopePayoutsWrite, s.strike(s.unclose), nil},
	}
}

// strike makes the handler of a taking back: the account and the reason stand in the address.
func (s *Server) strike(do func(c *call, a payout.Account, id, reason string) error) func(*call) (reply, error) {
	return func(c *call) (reply, error) {
		q, err := c.query("account", "reason")
		if err != nil {
			return reply{}, err
		}
		id, err := c.name("id")
		if err != nil {
			return reply{}, err
		}
		if q.Get("account") == "" {
			return reply{}, badParameter("account", "It has to be given.", "")
		}
		a, err := c.account("account", q.Get("account"))
		if err != nil {
			return reply{}, err
		}
		key, err := keyOf(c.Request().Header)
		if err != nil {
			return reply{}, err
		}
		return s.once(c, key, []byte(q.Encode()), func() (reply, error) {
			if err := do(c, a, id, q.Get("reason")); err != nil {
				return reply{}, err
			}
			return shown(struckView{id, true})
		})
	}
}

type struckView struct {
	ID     string `json:"id"`
	Undone bool   `json:"undone"`
}

// matchView is lines that a person gave to an order.
type matchView struct {
	ID      string                 `json:"match_id"`
	Account connector.ConnectionID `json:"account"`
	Payout  string                 `json:"payout_external_id"`
	Order   string                 `json:"channel_order_id"`
	Lines   int                    `json:"lines"`
	Note    string                 `json:"note,omitempty"`
	By      string                 `json:"by"`
	At      time.Time              `json:"at"`
}

func matchOf(a payout.Account, m payout.Match) matchView {
	return matchView{m.ID, a.ID, m.Payout, m.Order, len(m.Keys), m.Note, m.By, m.At.UTC()}
}

// listed lists what accounts have, account by account. A row's name is its own within its account.
func listed[T any](c *call, name func(T) string, of func(payout.Account) ([]T, error)) (reply, error) {
	q, page, err := c.pages("account")
	if err != nil {
		return reply{}, err
	}
	return listedOn(c, page, q.Get("account"), name, of)
}

// listedOn is a page of what accounts have; of "" all have some.
func listedOn[T any](c *call, p page, account string, name func(T) string, of func(payout.Account) ([]T, error)) (reply, error) {
	accounts, err := c.accounts("account", given(account)...)
	if err != nil {
		return reply{}, err
	}
	type row struct {
		name string
		view T
	}
	var all []row
	for _, a := range accounts {
		some, err := of(a)
		if err != nil {
			return reply{}, fmt.Errorf("account %s: %w", a.ID, err)
		}
		for _, v := range some {
			all = append(all, row{string(a.ID) + "/" + name(v), v})
		}
	}
	return pageOf(p, all, func(r row) string { return r.name }, func(r row) T { return r.view })
}

func (s *Server) listMatches(c *call) (reply, error) {
	return listed(c, func(v matchView) string { return v.ID }, func(a payout.Account) ([]matchView, error) {
		all, err := c.paid.Desk().Matches(c.ctx, a)
		return views(all, func(m payout.Match) matchView { return matchOf(a, m) }), err
	})
}

// MatchRequest gives lines of one payout to an order.
type MatchRequest struct {
	Account string   `json:"account"`
	Order   string   `json:"channel_order_id"`
	Lines   []string `json:"line_ids"`
	Note    string   `json:"note,omitempty"`
}

func (s *Server) match(c *call, r MatchRequest) (reply, error) {
	a, err := c.account("account", r.Account)
	if err != nil {
		return reply{}, err
	}
	m, err := c.paid.Desk().Match(c.ctx, a, r.Order, r.Lines, r.Note, c.who())
	if err != nil {
		return reply{}, fmt.Errorf("a match by hand: %w", err)
	}
	return reply{status: http.StatusCreated, body: matchOf(a, m)}, nil
}

func (s *Server) unmatch(c *call, a payout.Account, id, _ string) error {
	return c.paid.Desk().Unmatch(c.ctx, a, id, c.who())
}

func (s *Server) listDeposits(c *call) (reply, error) {
	return listed(c, func(v payout.DepositJSON) string { return v.ID }, func(a payout.Account) ([]payout.DepositJSON, error) {
		all, err := c.paid.Desk().Deposits(c.ctx, a)
		return views(all, func(d payout.Deposit) payout.DepositJSON { return d.JSON(a.ID) }), err
	})
}

// DepositRequest enters money that was seen at the bank.
type DepositRequest struct {
	Account  string `json:"account"`
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
	Day      string `json:"value_date"`
	BankRef  string `json:"bank_reference,omitempty"`
	Payout   string `json:"payout_external_id,omitempty"`
	Origin   string `json:"origin,omitempty"`
	Note     string `json:"note,omitempty"`
}

func (s *Server) deposit(c *call, r DepositRequest) (reply, error) {
	a, err := c.account("account", r.Account)
	if err != nil {
		return reply{}, err
	}
	minor, err := minorOf("amount", r.Amount, r.Currency)
	if err != nil {
		return reply{}, err
	}
	def(&r.Origin, payout.DepositManual)
	d := payout.Deposit{Amount: money.New(minor, r.Currency), Day: r.Day, BankRef: r.BankRef, Payout: r.Payout, Origin: r.Origin, Note: r.Note}
	kept, err := c.paid.Desk().Deposit(c.ctx, a, d, "", c.who())
	if err != nil {
		return reply{}, fmt.Errorf("a deposit: %w", err)
	}
	all, err := c.paid.Desk().Deposits(c.ctx, a)
	if err != nil {
		return reply{}, fmt.Errorf("a deposit: %w", err)
	}
	for _, d := range all { // with what it is held against
		if d.ID == kept.ID {
			kept = d
		}
	}
	return reply{status: http.StatusCreated, body: kept.JSON(a.ID)}, nil
}

func (s *Server) undeposit(c *call, a payout.Account, id, reason string) error {
	return c.paid.Desk().Undeposit(c.ctx, a, id, reason, c.who())
}

func (s *Server) listCloses(c *call) (reply, error) {
	return listed(c, func(v payout.ClosingJSON) string { return v.Month }, func(a payout.Account) ([]payout.ClosingJSON, error) {
		all, err := c.paid.Desk().Closes(c.ctx, a)
		return views(all, func(m payout.Closing) payout.ClosingJSON { return m.JSON(a.ID) }), err
	})
}

// CloseRequest closes a month of an account.
type CloseRequest struct {
	Account string `json:"account"`
	Month   string `json:"month"`
}

func (s *Server) closeMonth(c *call, r CloseRequest) (reply, error) {
	a, err := c.account("account", r.Account)
	if err != nil {
		return reply{}, err
	}
	if at, err := time.Parse("2006-01", r.Month); err == nil && at.Year() < 2 { // in every zone
		return reply{}, member("invalid_member", "month", "It is a month such as 2026-10.", "")
	}
	m, err := c.paid.Desk().Close(c.ctx, a, r.Month, c.who())
	if err != nil {
		return reply{}, fmt.Errorf("closing a month: %w", err)
	}
	return reply{status: http.StatusCreated, body: m.JSON(a.ID)}, nil
}

func (s *Server) unclose(c *call, a payout.Account, month, reason string) error {
	return c.paid.Desk().Unclose(c.ctx, a, month, reason, c.who())
}
