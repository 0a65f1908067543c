package httpapi

import (
	"fmt"

	"channelbridge/connector/payout"
)

// claimVerbs are what people say of a claim.
var claimVerbs = []struct {
	name string
	to   payout.ClaimState
}{{"send", payout.ClaimSent}, {"acknowledge", payout.ClaimAcknowledged}, {"win", payout.ClaimWon}, {"lose", payout.ClaimLost}}

// listClaims lists claims, the nearest deadline first; those without one come last.
func (s *Server) listClaims(c *call) (reply, error) {
	return s.pageOfFindings(c, payout.ByDeadline, func(f payout.Finding) any { return f.AsClaim(c.now) })
}

// ClaimAct is what somebody says of a claim.
type ClaimAct struct {
	Note   string `json:"note,omitempty"`
	Amount string `json:"amount,omitempty"` // of :win: what was granted, where it is less than the claim
}

// claimStep is the handler of one thing that is said of a claim.
func (s *Server) claimStep(to payout.ClaimState) func(*call) (reply, error) {
	return write(s, "ClaimAct", func(c *call, r ClaimAct) (reply, error) {
		id, err := c.name("id")
		if err != nil {
			return reply{}, err
		}
		f, a, err := c.paid.Desk().Claim(c.ctx, c.paid.Accounts(), id)
		if err != nil {
			return reply{}, err
		}
		asked := payout.Asked{Do: payout.DoClaimState, Note: r.Note, State: to}
		if r.Amount != "" {
			if to != payout.ClaimWon {
				return reply{}, member("invalid_member", "amount", "Only :win has it.", "")
			}
			asked.State = payout.ClaimPartlyWon
			if asked.Granted, err = minorOf("amount", r.Amount, f.Subject.Currency); err != nil {
				return reply{}, err
			}
		}
		now, err := c.paid.Desk().Act(c.ctx, a, f.ID, asked, c.who())
		if err != nil {
			return reply{}, fmt.Errorf("claim %s: %w", id, err)
		}
		return shown(now.AsClaim(c.now))
	})
}
