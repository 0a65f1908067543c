package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"channelbridge/connector/payout"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// unseen is an order that Amazon pays for and the store has never seen.
const unseen = "114-9876543-9999999"

// commission is what Amazon takes of a sale, as the operator enters it.
const commission = `{"key": "referral", "category": "commission", "rate_bp": 1500, "valid_from": "2026-01-01T00:00:00Z", "note": "referral fee, all categories"}`

// payout lets Amazon pay. Its settlement report is fetched, and held against the orders: one was
// charged too high a commission, one the store has never seen, one was shipped and not paid.
func (p *player) payout(ctx context.Context, charged string) error {
	p.title("10. Amazon pays: the settlement report is fetched and held against the orders")
	file := filepath.Join(p.opt.Dir, "tariffs.json")
	if err := os.WriteFile(file, []byte(commission), 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if _, err := p.Run(ctx, "tariffs", "add", Channel, file); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	p.say("bridge", "channelbridge tariffs add %s: a commission of 15 %% is expected; no tariff says what of it comes back with a refund, so that will be an unknown difference", Channel)
	fee := amazonfake.SettlementRow{Type: "Order", Order: charged, AmountType: "ItemFees", Description: "Commission", Amount: "-0.50"}
	sold := amazonfake.SettlementRow{Type: "Order", Order: unseen, AmountType: "ItemPrice", Description: "Principal", Amount: "19.00", Quantity: 1}
	_, pub := p.Amazon.Settle("USD", fee, sold, amazonfake.Other("Subscription Fee", "-39.99"), amazonfake.Other("Current Reserve Amount", "-20.00"))
	p.say("amazon", "settlement %s is made: 0.50 USD of commission too much for %s, and %s, which the store has never seen", pub.Settlement, p.name(charged), unseen)
	unpaid := p.Amazon.Place(amazonfake.OrderSpec{ID: "114-9876543-5000001", Items: []amazonfake.ItemSpec{{SKU: "KETTLE-1L", Title: "Kettle, 1 litre", Quantity: 1, UnitPrice: "24.50"}}})
	if err := p.mirrored(ctx, unpaid); err != nil {
		return err
	}
	m, _ := p.Mirror(unpaid)
	if _, err := p.Shop.Fulfill(m.ID, nil, shopifyfake.Tracking{Company: "UPS", Number: "1Z999AA10123456777"}); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := p.shipped(ctx, unpaid, 1); err != nil {
		return err
	}
	var r reported
	want := map[payout.Outcome]string{payout.FeeVariance: charged, payout.MissingInStore: unseen, payout.MissingInSettlement: unpaid}
	if err := p.until(ctx, "the report shows what differs", func() bool { r = p.report(ctx); return r.shows(want) }); err != nil {
		return fmt.Errorf("%w; it shows: %s", err, r)
	}
	text, err := p.Run(ctx, "report", "payouts", "--level", "summary")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	p.say("bridge", "channelbridge report payouts")
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range r.Rows {
		if o.Outcome != payout.Matched && o.Outcome != payout.WithinTolerance && o.Outcome != payout.AwaitingRelease {
			fmt.Fprintf(p.out, "                    %-22s %s  %s USD\n", o.Outcome, o.Order, o.Difference)
		}
	}
	for line := range strings.Lines(text) {
		fmt.Fprintf(p.out, "                    %s", line)
	}
	return nil
}

// claim goes on with what the payout has shown: its money is seen at the bank, and the commission
// that was too high is claimed.
func (p *player) claim(ctx context.Context, charged string) error {
	p.title("11. The money is seen at the bank; the commission that was too high is claimed")
	paid, today := p.report(ctx).Summary[0], time.Now().UTC().Format(time.DateOnly)
	if _, err := p.Run(ctx, "deposits", "add", "--account", Channel, "--amount", paid.Paid, "--currency", paid.Currency, "--day", today, "--by", "anna"); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	var deposits []payout.DepositJSON
	if p.reads(ctx, &deposits, "deposits", "list"); len(deposits) != 1 || deposits[0].Outcome != payout.Matched {
		return fmt.Errorf("demo: one deposit that is held against the payout is expected, there are: %v", deposits)
	}
	p.say("bridge", "channelbridge deposits add: %s %s came, the money of payout %s to the cent", deposits[0].Amount, deposits[0].Currency, deposits[0].Payout)
	var found []payout.FindingJSON
	p.reads(ctx, &found, "findings", "list", "--outcome", string(payout.FeeVariance))
	if len(found) != 1 || found[0].Ref != charged {
		return fmt.Errorf("demo: one finding about %s is expected, there are: %v", charged, found)
	}
	if _, err := p.Run(ctx, "findings", "claim", found[0].ID, "--amount", "0.50", "--reason", "commission above 15 %", "--by", "anna"); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	found = nil
	p.reads(ctx, &found, "findings", "list", "--state", string(payout.Claimed))
	if len(found) != 1 || found[0].Claim == nil {
		return fmt.Errorf("demo: one claimed finding is expected, there are: %v", found)
	}
	p.say("bridge", "channelbridge findings claim: 0.50 USD are claimed for %s (%s)", p.name(charged), found[0].Claim.State)
	return nil
}

// reads runs a command of the bridge and reads its JSON.
func (p *player) reads(ctx context.Context, into any, args ...string) {
	out, err := p.Run(ctx, append(args, "--json")...)
	if err == nil {
		err = json.Unmarshal([]byte(out), into)
	}
	if err != nil && ctx.Err() == nil {
		p.fault("channelbridge %s: %v", strings.Join(args, " "), err)
	}
}

// reported is the report as --json tells it.
type reported struct {
	Summary []payout.SummaryJSON `json:"summary"`
	Rows    []payout.OrderJSON   `json:"rows"`
}

func (p *player) report(ctx context.Context) (r reported) {
	out, err := p.Run(ctx, "report", "payouts", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &r)
	}
	if err != nil && ctx.Err() == nil {
		p.fault("the payout report: %v", err)
	}
	return r
}

// String is what the report shows that is not settled as expected.
func (r reported) String() string {
	var out []string
	for _, o := range r.Rows {
		if o.Outcome != payout.Matched {
			out = append(out, fmt.Sprintf("%s %s by %s %v", o.Order, o.Outcome, o.Difference, o.Causes))
		}
	}
	return strings.Join(out, "; ")
}

// shows reports that just these orders have these outcomes, that every other one is settled or
// not due, and that the bridge is proven.
func (r reported) shows(want map[payout.Outcome]string) bool {
	if len(r.Summary) != 1 || r.Summary[0].Gap != "0.00" || r.Summary[0].Payouts != 1 {
		return false
	}
	found := 0
	for _, o := range r.Rows {
		switch o.Outcome {
		case payout.Matched, payout.WithinTolerance, payout.AwaitingRelease, payout.PartiallySettled:
		default:
			if want[o.Outcome] != o.Order {
				return false
			}
			found++
		}
	}
	return found == len(want)
}
