package amazonfake

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"channelbridge/internal/money"
)

// TransferFate is how the way of a settlement's money to the bank ends.
type TransferFate string

const (
	ArrivesWell TransferFate = ""          // PAID on the day of deposit
	BankRefuses TransferFate = "FAILED"    // in place of that
	CalledOff   TransferFate = "CANCELLED" // before it is handed to the bank
	NeverShown  TransferFate = "-"         // the list of payouts does not tell of it
)

// toBank is how long after a settlement was made its money is handed to the bank.
const toBank = 6 * time.Hour

// transfer is the money of a settlement on its way to the bank.
type transfer struct {
	id, settlement, site string
	amount               money.Money
	start, end           time.Time // of the period
	made, sent, arrives  time.Time
	fate                 TransferFate
}

// Transfer is a transfer as it stands, without any lag.
type Transfer struct {
	ID, Settlement, Site, Status string
	Amount                       money.Money
}

// Transfers lists all transfers in the order they were made.
func (s *Server) Transfers() []Transfer {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Transfer, 0, len(s.transfers))
	for _, t := range s.transfers {
		states := t.history(s.now())
		all = append(all, Transfer{t.id, t.settlement, t.site, states[len(states)-1]["status"], t.amount})
	}
	return all
}

// dispatch begins the transfer of a settlement that was published under the present serial number. A
// document given as it is has one when its total is given too.
func (s *Server) dispatch(x Settlement) {
	if x.Fate == NeverShown || x.Status != "" || x.File != nil && x.Total == "" {
		return
	}
	t := &transfer{id: strconv.Itoa(77000000000 + s.serial), settlement: x.ID, site: s.siteOf(x), amount: x.total(), start: x.Start, end: x.End,
		made: s.now(), sent: s.now().Add(toBank), arrives: x.Deposit, fate: x.Fate}
	if t.arrives.Before(t.sent) {
		t.arrives = t.made.Add(bankDelay)
	}
	s.transfers = append(s.transfers, t)
}

// siteOf is the site a settlement belongs to: the one it names, or the first in its currency.
func (s *Server) siteOf(x Settlement) string {
	if len(x.Sites) > 0 {
		return x.Sites[0]
	}
	for _, id := range s.opt.Sites {
		if siteFacts[id].currency == x.Currency {
			return id
		}
	}
	return s.opt.Sites[0]
}

// history is what has become of a transfer, oldest first.
func (t *transfer) history(now time.Time) []map[string]string {
	var all []map[string]string
	add := func(status string, at time.Time) {
		if !now.Before(at) {
			all = append(all, map[string]string{"status": status, "lastUpdatedDate": stamp(at)})
		}
	}
	if t.amount.Minor <= 0 {
		add("NO_PAYOUT", t.made)
		return all
	}
	add("STARTED", t.made)
	if t.fate == CalledOff {
		add("CANCELLED", t.sent)
		return all
	}
	add("IN_TRANSIT", t.sent)
	if t.fate == BankRefuses {
		if add("FAILED", t.arrives); len(all) == 3 {
			all[2]["failureReason"] = "The bank account could not be credited."
		}
		return all
	}
	add("PAID", t.arrives)
	return all
}

// wire writes a transfer as the list of payouts shows it. What does not apply yet is absent.
func (t *transfer) wire(seller string, now time.Time) map[string]any {
	history := t.history(now)
	w := map[string]any{"id": t.id, "partnerMetadata": map[string]string{"partnerId": seller, "accountType": "STANDARD_ORDERS", "marketplaceId": t.site},
		"currentStatus": history[len(history)-1]["status"], "statusHistory": history, "creationDate": stamp(t.made),
		"relatedIdentifiers": []map[string]string{{"relatedIdentifierName": "SETTLEMENT_ID", "relatedIdentifierValue": t.settlement}}}
	if t.amount.Minor > 0 {
		w["type"], w["amount"], w["accountTail"], w["paymentMethod"] = "SCHEDULED", amountOf(t.amount), "1234", "BANK_ACCOUNT"
	}
	if t.amount.Minor > 0 && t.fate != CalledOff && !now.Before(t.sent) {
		w["paymentRail"], w["traceId"] = "ACH", "4B036"+t.id
	}
	if !t.start.IsZero() {
		period := map[string]string{"startDate": stamp(t.start)}
		if !t.end.IsZero() {
			period["endDate"] = stamp(t.end)
		}
		w["period"] = period
	}
	return w
}

// listPayouts lists transfers by site, and within a site the newest first.
func (s *Server) listPayouts(c *call) result {
	q := c.URL.Query()
	token := q.Get("nextToken")
	q.Del("nextToken")
	page := moneyPage{params: "payouts?" + q.Encode()}
	if token != "" {
		p, known := s.moneyPages[token]
		if !known || p.params != page.params {
			return badInput("nextToken is invalid or the other parameters have changed")
		}
		return ok(s.turn(p, "payouts", s.opt.TransferPage))
	}
	wanted, refused := s.payoutFilter(q)
	if refused != nil {
		return *refused
	}
	all := slices.DeleteFunc(slices.Clone(s.transfers), func(t *transfer) bool { return !wanted(t) })
	slices.Reverse(all)
	slices.SortStableFunc(all, func(x, y *transfer) int { return strings.Compare(x.site, y.site) })
	for _, t := range all {
		page.rest = append(page.rest, t.wire(s.opt.SellerID, s.now()))
	}
	return ok(s.turn(page, "payouts", s.opt.TransferPage))
}

func (s *Server) payoutFilter(q url.Values) (func(*transfer) bool, *result) {
	var bounds [2]time.Time
	for i, name := range []string{"createdAfter", "createdBefore"} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			no := badInput("%s is no date-time", name)
			return nil, &no
		}
		bounds[i] = at
	}
	sites := list(q, "marketplaceIds")
	for _, id := range sites {
		if _, known := siteFacts[id]; !known {
			no := badInput("Invalid input")
			return nil, &no
		}
	}
	id, kind := q.Get("payoutId"), q.Get("accountType")
	return func(t *transfer) bool {
		return !t.made.Before(bounds[0]) && (bounds[1].IsZero() || t.made.Before(bounds[1])) && (len(sites) == 0 || slices.Contains(sites, t.site)) &&
			(id == "" || id == t.id) && (kind == "" || kind == "STANDARD_ORDERS")
	}, nil
}

// initiatePayout would begin a transfer. It is refused, and counted: nobody here may ask for it.
func (s *Server) initiatePayout(*call) result {
	return refuse(http.StatusForbidden, "Unauthorized", "Payouts are not begun by applications here.")
}
