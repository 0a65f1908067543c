package amazon

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// refundTypes are the transactions that give money back to a buyer, by the letters of their name.
// Amazon calls refunds, A-to-z claims and chargebacks all "Refund"; the others are older names.
var refundTypes = map[string]bool{"refund": true, "refundorder": true, "chargerefund": true, "guaranteeclaim": true,
	"atozguaranteeclaim": true, "atozguaranteerefund": true, "chargeback": true, "chargebackrefund": true}

// otherTypes are known to be something else, whatever identifiers they carry.
var otherTypes = map[string]bool{"shipment": true, "servicefee": true, "adjustment": true, "transfer": true, "retrocharge": true,
	"productadspayment": true, "fbainventoryreimbursement": true, "removalshipment": true, "miscellaneousledgeradjustment": true,
	"debtrecovery": true, "disbursement": true}

func (t transaction) related(name string) string {
	for _, r := range t.RelatedIdentifiers {
		if letters(r.RelatedIdentifierName) == letters(name) && r.RelatedIdentifierValue != "" {
			return r.RelatedIdentifierValue
		}
	}
	return ""
}

// refunds reports whether a transaction belongs to a refund. A type nobody knows does when Amazon
// gives it the number of one.
func (t transaction) refunds() bool {
	kind := letters(t.TransactionType)
	return refundTypes[kind] || !otherTypes[kind] && t.related("REFUND_ID") != ""
}

func (t transaction) site() string {
	if s := t.MarketplaceDetails.MarketplaceID; s != "" {
		return s
	}
	return t.SellingPartnerMetadata.MarketplaceID
}

// origin is the transaction whose money this one moves: the deferred one for its release, else
// the transaction itself.
func (t transaction) origin() string {
	return or(t.related("DEFERRED_TRANSACTION_ID"), t.TransactionID)
}

// readTransactions decodes what can be decoded. The errors name the transactions that cannot.
func readTransactions(raw []json.RawMessage) (all []transaction, bad []error) {
	for i, r := range raw {
		var t transaction
		if err := json.Unmarshal(r, &t); err != nil {
			bad = append(bad, fmt.Errorf("transaction %d of the page: %w", i+1, err))
			continue
		}
		all = append(all, t)
	}
	return all, bad
}

// gather makes refunds of transactions, oldest first. Those of one refund number are one refund.
// A deferred transaction and the one that releases it are the same money and count once; one seen
// twice counts once. What gives nothing to the buyer, a returned fee alone, is no refund.
func gather(all []transaction) ([]marketplace.Refund, error) {
	byID := map[string]*gathered{}
	var found []*gathered
	for _, t := range distinct(all) {
		order := t.related("ORDER_ID")
		if order == "" || !t.refunds() {
			continue
		}
		g := byID[order+" "+t.refundID()]
		if g == nil {
			g = &gathered{Refund: marketplace.Refund{ID: t.refundID(), Order: marketplace.OrderID(order), Kind: t.TransactionType}}
			byID[order+" "+g.ID] = g
			found = append(found, g)
		}
		if err := g.add(t); err != nil {
			return nil, fmt.Errorf("refund %.80s of order %s: %w", g.ID, order, err)
		}
	}
	var out []marketplace.Refund
	for _, g := range found {
		if g.vague {
			g.Untaxed = money.Money{}
		}
		if g.Amount.Minor > 0 {
			out = append(out, g.Refund)
		}
	}
	slices.SortStableFunc(out, func(x, y marketplace.Refund) int {
		return cmp.Or(x.PostedAt.Compare(y.PostedAt), strings.Compare(x.ID, y.ID))
	})
	return out, nil
}

// refundID is Amazon's number of the refund; without one, of the transaction that moved the money.
func (t transaction) refundID() string {
	return or(t.related("REFUND_ID"), t.origin(), "posted "+stamp(t.PostedDate.Time))
}

// gathered is a refund while its transactions are put together.
type gathered struct {
	marketplace.Refund
	vague bool // one of them does not tell the amount without tax
}

func (g *gathered) add(t transaction) error {
	if g.PostedAt.IsZero() || t.PostedDate.Before(g.PostedAt) {
		g.PostedAt = t.PostedDate.Time
	}
	g.Pending = g.Pending || t.deferred()
	amount, untaxed, clear, err := t.buyer()
	if err != nil {
		return err
	}
	g.vague = g.vague || !clear
	if g.Amount, err = g.Amount.Add(amount); err != nil {
		return err
	}
	g.Untaxed, err = g.Untaxed.Add(untaxed)
	return err
}

func (t transaction) deferred() bool { return letters(t.TransactionStatus) == "deferred" }

// distinct leaves one transaction for each origin. Of a deferred one and its release the first
// stays, as not deferred any more; the other direction of the link says the same.
func distinct(all []transaction) []transaction {
	releasedBy := releases(all)
	at := map[string]int{}
	var out []transaction
	for _, t := range all {
		origin := t.origin()
		if d := releasedBy[t.TransactionID]; d != "" {
			origin = d
		}
		i, seen := at[origin]
		switch {
		case origin == "" || !seen:
			at[origin] = len(out)
			out = append(out, t)
			continue
		case t.TransactionID == origin && out[i].TransactionID != origin: // the first one stays, wherever it stood
			released := !out[i].deferred()
			out[i] = t
			if released {
				out[i].TransactionStatus = "RELEASED"
			}
		case !t.deferred():
			out[i].TransactionStatus = "RELEASED"
		}
	}
	return out
}

// releases maps each transaction that releases another's money to that other one, as far as the
// deferred ones name it.
func releases(all []transaction) map[string]string {
	releasedBy := map[string]string{}
	for _, t := range all {
		if r := t.related("RELEASE_TRANSACTION_ID"); r != "" && t.TransactionID != "" && r != t.TransactionID {
			releasedBy[r] = t.TransactionID
		}
	}
	return releasedBy
}
