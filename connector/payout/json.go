package payout

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// SidesJSON is what was expected or came, by group. Amounts are decimal text.
type SidesJSON struct {
	Gross    string `json:"gross"`
	Fees     string `json:"fees"`
	Withheld string `json:"withheld_tax"`
	Refunds  string `json:"refunds"`
	Other    string `json:"other"`
	Net      string `json:"net"`
}

// CauseJSON is one cause of a difference.
type CauseJSON struct {
	Code          CauseCode            `json:"code"`
	Category      marketplace.Category `json:"category,omitempty"`
	Amount        string               `json:"amount"`
	Expected      string               `json:"expected"`
	Actual        string               `json:"actual"`
	Tariff        string               `json:"tariff,omitempty"`
	Informational bool                 `json:"informational,omitempty"`
	Lines         []string             `json:"line_ids,omitempty"`
}

// ShareJSON is an order's part in one payout.
type ShareJSON struct {
	Payout   string `json:"payout_id"`
	External string `json:"external_id"`
	Amount   string `json:"amount"`
}

// OrderJSON is an order's row.
type OrderJSON struct {
	Row        string      `json:"row_id"`
	Outcome    Outcome     `json:"outcome"`
	Workflow   State       `json:"workflow_state,omitempty"`
	Assignee   string      `json:"assignee,omitempty"`
	Finding    string      `json:"finding_id,omitempty"`
	Prior      string      `json:"prior_period,omitempty"` // the closed month it is news of
	Channel    string      `json:"channel"`
	Account    string      `json:"account"`
	Order      string      `json:"channel_order_id"`
	Store      string      `json:"store_order_id,omitempty"`
	Name       string      `json:"store_order_name,omitempty"`
	PlacedAt   *time.Time  `json:"placed_at,omitempty"`
	ShippedAt  *time.Time  `json:"shipped_at,omitempty"`
	DueAt      *time.Time  `json:"due_at,omitempty"`
	SettledAt  *time.Time  `json:"settled_at,omitempty"`
	Currency   string      `json:"currency"`
	Expected   *SidesJSON  `json:"expected"` // null: nobody can expect anything, the store has never seen it
	Actual     SidesJSON   `json:"actual"`
	Difference string      `json:"difference"`
	Causes     []CauseJSON `json:"causes"`
	Payouts    []ShareJSON `json:"payouts"`
	Age        int         `json:"age_days,omitempty"`
	Held       *HeldJSON   `json:"held_back,omitempty"`
	Claim      *ClaimJSON  `json:"claim"` // null: there is none
	Note       string      `json:"note,omitempty"`
	Links      Links       `json:"links"`
}

// HeldJSON is money of an order that the channel holds back.
type HeldJSON struct {
	Amount   string     `json:"amount"`
	Currency string     `json:"currency"`
	Until    *time.Time `json:"until,omitempty"`
	Reason   string     `json:"reason,omitempty"` // in the channel's own words
}

// Links lead to what a row is about.
type Links struct {
	Order    string `json:"order,omitempty"`
	Lines    string `json:"lines,omitempty"` // in the last payout that settled it
	Timeline string `json:"timeline,omitempty"`
	Finding  string `json:"finding,omitempty"`
}

// ClaimJSON is a claim as programs see it.
type ClaimJSON struct {
	ID       string     `json:"claim_id"`
	State    ClaimState `json:"state"`
	Amount   string     `json:"amount"`
	Granted  string     `json:"granted,omitempty"`
	Received string     `json:"received"` // what has come for it
	Reason   string     `json:"reason"`
	Evidence []string   `json:"evidence,omitempty"`
	Deadline *time.Time `json:"deadline,omitempty"`
	At       time.Time  `json:"created_at"`
	By       string     `json:"created_by"`
}

// ClaimJSON is the finding's claim; nil when there is none.
func (f Finding) ClaimJSON() *ClaimJSON {
	c := f.Progress.Claim
	if c == nil {
		return nil
	}
	dec := func(minor int64) string { return money.New(minor, f.Subject.Currency).Decimal() }
	out := &ClaimJSON{ID: c.ID, State: f.Claim, Amount: dec(c.Amount), Received: dec(f.Reimbursed), Reason: c.Reason, Evidence: c.Evidence, Deadline: stamp(c.Deadline), At: c.At.UTC(), By: c.By}
	if c.Granted != 0 {
		out.Granted = dec(c.Granted)
	}
	return out
}

// JSON is the row as programs see it.
func (o OrderRow) JSON() OrderJSON {
	dec := func(minor int64) string { return money.New(minor, o.Currency).Decimal() }
	sides := func(pick func(g Group) int64, net int64) SidesJSON {
		return SidesJSON{dec(pick(Gross)), dec(pick(Fees)), dec(pick(Withheld)), dec(pick(Refunds)), dec(pick(Other)), dec(net)}
	}
	out := OrderJSON{Row: "rc_" + short(string(o.Account.ID), o.Ref, o.Currency), Outcome: o.Outcome, Workflow: o.state(), Assignee: o.assignee(), Prior: o.Prior, Channel: string(o.Account.ID), Account: string(o.Account.ID),
		Order: o.Ref, Store: o.Facts.Store, Name: o.Facts.Name, PlacedAt: stamp(o.Facts.PlacedAt), ShippedAt: stamp(o.Facts.ShippedAt), DueAt: stamp(o.DueAt), SettledAt: stamp(o.Last),
		Currency: o.Currency, Difference: dec(o.Difference), Causes: []CauseJSON{}, Payouts: []ShareJSON{}, Age: o.Age,
		Actual: sides(func(g Group) int64 { _, a := o.Sum(g); return a }, o.Actual)}
	if o.InStore {
		s := sides(func(g Group) int64 { e, _ := o.Sum(g); return e }, o.Expected)
		out.Expected = &s
		id := "/v1/orders/" + url.PathEscape(string(o.Account.ID)) + "/" + url.PathEscape(o.Ref)
		out.Links.Order, out.Links.Timeline = id, id+"/timeline"
	}
	var names []string
	for i, s := range o.Shares {
		names = append(names, o.payout(int64(i)))
		out.Payouts = append(out.Payouts, ShareJSON{names[i], o.Payouts[i], dec(s.Amount)})
	}
	if n := len(o.Shares); n > 0 {
		out.Links.Lines = "/v1/payouts/" + names[n-1] + "/lines?order=" + url.QueryEscape(o.Ref)
	}
	if w := o.Work; w != nil {
		out.Finding, out.Claim, out.Note, out.Links.Finding = w.Finding, w.Claim, w.Note, "/v1/findings/"+w.Finding
	}
	if h := o.Held; h != nil {
		out.Held = &HeldJSON{h.Amount.Decimal(), h.Amount.Currency, stamp(h.Until), h.Reason}
	}
	for _, c := range o.Causes {
		x := CauseJSON{Code: c.Code, Category: c.Category, Amount: dec(c.Amount), Expected: dec(c.Expected), Actual: dec(c.Actual), Tariff: c.Tariff, Informational: c.Told}
		for _, v := range o.Lines {
			if c.Category == "" || alike(marketplace.Category(v.Line.Category), c.Category) {
				x.Lines = append(x.Lines, LineID(o.Account.ID, o.Payouts[v.Line.Payout], v.Line))
			}
		}
		out.Causes = append(out.Causes, x)
	}
	return out
}

func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// ID names a payout outside: the same in every database.
func ID(p connector.Payout) string {
	return "po_" + short(string(p.Account), p.External, strconv.Itoa(p.Revision))
}

// LineID names a line of a payout outside. It keeps its name when the payout is issued anew, as long
// as it says the same.
func LineID(account connector.ConnectionID, external string, l connector.PayoutLine) string {
	return "pl_" + short(string(account), external, l.Key)
}

// short is a stable name for a few texts.
func short(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// SummaryJSON is a report's bridge in one currency.
type SummaryJSON struct {
	Currency   string                          `json:"currency"`
	Payouts    int                             `json:"payouts"`
	Orders     int                             `json:"orders"`
	Lines      int                             `json:"lines"`
	Selected   string                          `json:"selected_lines,omitempty"` // where there is no bridge: what the lines come to
	Paid       string                          `json:"paid,omitempty"`
	Expected   string                          `json:"expected_of_settled_orders,omitempty"`
	Variances  map[CauseCode]string            `json:"variances"`
	NotInStore string                          `json:"orders_not_in_store,omitempty"`
	NonOrder   map[marketplace.Category]string `json:"non_order"`
	Reserve    string                          `json:"reserve,omitempty"`
	Unplaced   string                          `json:"unplaced_lines,omitempty"`
	Opening    string                          `json:"opening,omitempty"`
	Closing    string                          `json:"closing,omitempty"`
	Gap        string                          `json:"proof_gap,omitempty"`
	Outcomes   map[Outcome]CountJSON           `json:"outcomes"`
	Prior      *PriorJSON                      `json:"prior_period,omitempty"`
}

// PriorJSON is what became known of closed months since they were closed; it is not in the bridge.
type PriorJSON struct {
	Orders     int    `json:"orders"`
	Difference string `json:"difference"`
	Payouts    int    `json:"payouts"`
	Paid       string `json:"paid"`
}

// CountJSON is how many orders have an outcome.
type CountJSON struct {
	Orders     int    `json:"orders"`
	Difference string `json:"difference"`
}

// JSON is the summary as programs see it.
func (s Summary) JSON() SummaryJSON {
	dec := func(minor int64) string { return money.New(minor, s.Currency).Decimal() }
	out := SummaryJSON{Currency: s.Currency, Payouts: s.Payouts, Orders: s.Orders, Lines: s.Lines, Variances: map[CauseCode]string{}, NonOrder: map[marketplace.Category]string{}, Outcomes: map[Outcome]CountJSON{}}
	if s.Whole {
		out.Paid, out.Expected, out.NotInStore, out.Reserve, out.Unplaced = dec(s.Paid), dec(s.Expected), dec(s.NotInStore), dec(s.Reserve), dec(s.Unplaced)
		out.Opening, out.Closing, out.Gap = dec(s.Opening), dec(s.Closing), dec(s.Gap)
	} else {
		out.Selected = dec(s.Selected)
	}
	if s.Prior != (Prior{}) {
		out.Prior = &PriorJSON{s.Prior.Orders, dec(s.Prior.Difference), s.Prior.Payouts, dec(s.Prior.Paid)}
	}
	for c, v := range s.Variances {
		if v != 0 {
			out.Variances[c] = dec(v)
		}
	}
	for c, v := range s.NonOrder {
		out.NonOrder[c] = dec(v)
	}
	for o, c := range s.Outcomes {
		out.Outcomes[o] = CountJSON{c.Orders, dec(c.Difference)}
	}
	return out
}

var summaryColumns = []string{"report_version", "snapshot_id", "currency", "part", "code", "amount"}

// summaryRows is the bridge as rows: a part and its amount, which add up to what was paid.
func (r *Report) summaryRows() (rows [][]Cell) {
	for _, s := range r.Summary {
		add := func(part, code string, minor int64) {
			rows = append(rows, []Cell{text(Version), text(r.Snapshot), text(s.Currency), text(part), text(code), amount(minor, s.Currency)})
		}
		if !s.Whole {
			add("selected", "lines", s.Selected)
			continue
		}
		add("expected", "orders_settled", s.Expected)
		for _, c := range slices.Sorted(maps.Keys(s.Variances)) {
			if s.Variances[c] != 0 {
				add("variance", string(c), s.Variances[c])
			}
		}
		add("orders_not_in_store", "", s.NotInStore)
		for _, c := range marketplace.Categories() {
			if v, ok := s.NonOrder[c]; ok {
				add("non_order", string(c), v)
			}
		}
		add("reserve", "", s.Reserve)
		add("unplaced_lines", "", s.Unplaced)
		add("opening", "", s.Opening)
		add("closing", "", -s.Closing)
		add("proof_gap", "", -s.Gap)
		add("paid", "", s.Paid)
		if s.Prior != (Prior{}) { // beside the bridge
			add("prior_period", "difference", s.Prior.Difference)
			add("prior_period", "paid", s.Prior.Paid)
		}
	}
	return rows
}
