package amazon

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

const (
	payoutsPath = "/finances/transfers/2024-06-01/payouts"
	// transfersChange is how long after its creation a transfer is listed again, to see what became
	// of it. Amazon names no bound; banks send money back within weeks.
	transfersChange = 45 * 24 * time.Hour
)

// payoutListing is what the text of a cursor holds.
type payoutListing struct {
	Begun time.Time `json:"begun"`
	Token string    `json:"token"`
	Seen  []string  `json:"seen"` // hashes of the tokens already used
}

// Transfers lists payouts to the bank by the time they were created, one page a call. All sites
// are asked for at once, as Amazon allows, and those not worked on are left out here: naming sites
// has hidden rows of its other lists. Pages may be empty, and are ordered within an account group
// only. What was created in the 45 days before a finished listing is told again by the next.
//
// Source: listPayouts of Transfers v2024-06-01, where a further page takes the arguments of the
// first. The same path taken by POST begins a payout; it is never called.
func (a *Adapter) Transfers(ctx context.Context, after marketplace.Cursor) (marketplace.TransferPage, error) {
	l, err := a.payoutListing(after)
	if err != nil {
		return marketplace.TransferPage{}, err
	}
	query := url.Values{}
	if !after.Since.IsZero() {
		query.Set("createdAfter", stamp(after.Since))
	}
	if l.Token != "" {
		query.Set("nextToken", l.Token)
	}
	var body payoutsAnswer
	_, err = a.api.read(ctx, request{op: opListPayouts, method: http.MethodGet, path: payoutsPath, query: query, repeat: true}, &body)
	if fault.Is(err, fault.Refused) && l.Token != "" {
		a.log.Warn("listing broken off", "op", opListPayouts, "error", err) // the token has ended; begin anew
		return marketplace.TransferPage{Next: marketplace.Cursor{Since: after.Since}}, nil
	}
	if err != nil {
		return marketplace.TransferPage{}, fault.Wrap(err, "listing payouts created since %s", stamp(after.Since))
	}
	all, bad := a.readPayouts(body.Payouts)
	a.unread(opListPayouts, bad)
	p := marketplace.TransferPage{Transfers: all}
	p.Next, p.More = l.following(after.Since, body.NextToken)
	return p, nil
}

func (a *Adapter) payoutListing(c marketplace.Cursor) (payoutListing, error) {
	if c.Token == "" {
		return payoutListing{Begun: a.clock().UTC().Truncate(time.Second)}, nil
	}
	var l payoutListing
	if err := json.Unmarshal([]byte(c.Token), &l); err != nil || l.Token == "" || l.Begun.IsZero() {
		return l, fault.New(fault.Refused, "amazon %s: the cursor is not one of ours", opListPayouts)
	}
	return l, nil
}

// following says where to go on. A token that comes a second time ends the listing without moving
// the watermark.
func (l payoutListing) following(since time.Time, token string) (marketplace.Cursor, bool) {
	if token == "" {
		if mark := l.Begun.Add(-transfersChange); mark.After(since) {
			since = mark
		}
		return marketplace.Cursor{Since: since}, false
	}
	seen, again := remember(l.Seen, token)
	if again || token == l.Token {
		return marketplace.Cursor{Since: since}, false
	}
	text, _ := json.Marshal(payoutListing{Begun: l.Begun, Token: token, Seen: seen})
	return marketplace.Cursor{Since: since, Token: string(text)}, true
}
