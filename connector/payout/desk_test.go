package payout

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

const days = 24 * time.Hour

// office is the worked example with people at their desks.
type office struct {
	*testing.T
	store connector.Payouts
	now   time.Time
	desk  Desk
}

func newOffice(t *testing.T) *office {
	o := &office{T: t, store: memstore.New(), now: day.Add(20 * days)}
	o.desk = Desk{Keep{Payouts: o.store}, func() time.Time { return o.now }}
	example(t, o.store)
	return o
}

// of finds the finding about something.
func (o *office) of(scope Scope, ref string) Finding {
	o.Helper()
	all, err := o.desk.Findings(o.Context(), []Account{shopee}, FindingQuery{})
	require.NoError(o, err)
	for _, f := range all {
		if f.Subject.Scope == scope && f.Subject.Ref == ref {
			return f
		}
	}
	require.Fail(o, "no finding", "%s %s", scope, ref)
	return Finding{}
}

func (o *office) does(ref string, a Asked) Finding {
	o.Helper()
	o.now = o.now.Add(time.Hour)
	f, err := o.desk.Act(o.Context(), shopee, o.of(OfOrder, ref).ID, a, By{Name: "anna"})
	require.NoError(o, err)
	require.Equal(o, f, o.of(OfOrder, ref), "what is answered is what is found afterwards")
	return f
}

func (o *office) cannot(code, ref string, a Asked) {
	o.Helper()
	_, err := o.desk.Act(o.Context(), shopee, o.of(OfOrder, ref).ID, a, By{Name: "anna"})
	o.refused(code, err)
}

func (o *office) refused(code string, err error) {
	o.Helper()
	var no *RefusedError
	require.ErrorAs(o, err, &no)
	require.Equal(o, code, no.Code, no.Reason)
}

func TestFindingsAreWhatSomebodyHasToLookAt(t *testing.T) {
	o := newOffice(t)
	all, err := o.desk.Findings(t.Context(), []Account{shopee}, FindingQuery{})
	require.NoError(t, err)
	var refs []string
	for _, f := range all {
		refs = append(refs, f.Subject.Ref+" "+string(f.Outcome)+" "+f.Amount().Decimal()+" "+string(f.State))
	}
	require.Equal(t, []string{"C missing_in_store 134250 new", "D missing_in_settlement -89500 new", "B fee_variance -2000 new"}, refs)
}

func TestAFindingIsWorkedOn(t *testing.T) {
	o := newOffice(t)
	require.Equal(t, InReview, o.does("B", Asked{Do: DoReview}).State)
	require.Equal(t, "ben", o.does("B", Asked{Do: DoAssign, Assignee: "ben"}).Progress.Assignee)
	o.cannot(RefusedInput, "B", Asked{Do: DoAccept})
	require.Equal(t, Accepted, o.does("B", Asked{Do: DoAccept, Note: "agreed on the phone"}).State)
	o.cannot(RefusedState, "B", Asked{Do: DoReview})
	f := o.does("B", Asked{Do: DoReopen})
	require.Equal(t, Reopened, f.State)
	require.Len(t, f.Progress.Said, 4)

	r, err := Make(t.Context(), Keep{Payouts: o.store}, []Account{shopee}, Query{Assignees: []string{"ben"}, States: []State{Reopened}}, o.now)
	require.NoError(t, err)
	require.Equal(t, 1, r.Orders.Len())
	j := all(t, r.Orders)[0].JSON()
	require.Equal(t, []any{"B", Reopened, "ben", "agreed on the phone", f.ID}, []any{j.Order, j.Workflow, j.Assignee, j.Note, j.Finding})
}

func TestWhatWasSettledIsReopenedWhenFactsChange(t *testing.T) {
	o := newOffice(t)
	o.does("B", Asked{Do: DoWriteOff, Note: "too little"})
	before := o.now
	o.now = o.now.Add(time.Hour)
	put(t, o.store, "ST-78", o.now, nil, came("B", marketplace.Commission, -500)...)
	require.Equal(t, Reopened, o.of(OfOrder, "B").State)
	put(t, o.store, "ST-79", o.now, nil, came("B", marketplace.Commission, 500)...)
	require.Equal(t, WrittenOff, o.of(OfOrder, "B").State, "it is what was written off again")
	put(t, o.store, "ST-80", o.now, nil, came("B", marketplace.Commission, 2000)...)
	f := o.of(OfOrder, "B")
	require.Equal(t, Fixed, f.State, "nothing is left of it")
	require.Empty(t, f.Outcome)
	o.cannot(RefusedState, "B", Asked{Do: DoAccept, Note: "late"})

	past, err := Make(t.Context(), Keep{Payouts: o.store}, []Account{shopee}, Query{AsOf: before, Text: "B"}, o.now.Add(days))
	require.NoError(t, err)
	require.Equal(t, WrittenOff, all(t, past.Orders)[0].state(), "as it was known")
}

func TestWhatWasSettledIsReopenedWhenItsCauseChanges(t *testing.T) {
	o := newOffice(t)
	o.does("B", Asked{Do: DoAccept, Note: "the commission was agreed"})
	o.now = o.now.Add(time.Hour)
	put(t, o.store, "ST-80", o.now, nil, came("B", marketplace.Commission, 2000, marketplace.PaymentFee, -2000)...)
	f := o.of(OfOrder, "B")
	require.Equal(t, []any{Reopened, FeeVariance, int64(-2000)}, []any{f.State, f.Outcome, f.Difference})
	require.Equal(t, Accepted, o.does("B", Asked{Do: DoAccept, Note: "and the fee"}).State)
	o.now = o.now.Add(time.Hour)
	put(t, o.store, "ST-81", o.now, nil, came("B", marketplace.PaymentFee, 300, marketplace.PaymentFee, -300)...)
	require.Equal(t, Accepted, o.of(OfOrder, "B").State, "the same cause in more lines")
}

func TestAnActUnderAKnownKeyIsThatAct(t *testing.T) {
	o := newOffice(t)
	id := o.of(OfOrder, "B").ID
	for range 3 {
		f, err := o.desk.Act(t.Context(), shopee, id, Asked{Do: DoReview}, By{"anna", "k1"})
		require.NoError(t, err)
		require.Equal(t, InReview, f.State)
		require.Len(t, f.Progress.Said, 1)
	}
}

// The answer to a key is forgotten after a while, the key is not.
func TestAKeyIsOfOneDeed(t *testing.T) {
	o := newOffice(t)
	anna := By{"anna", "k1"}
	b, d := o.of(OfOrder, "B").ID, o.of(OfOrder, "D").ID
	claim := claimOf(2000)
	_, err := o.desk.Act(t.Context(), shopee, b, claim, anna)
	require.NoError(t, err)
	for name, do := range map[string]func() error{
		"another deed":  func() error { _, err := o.desk.Act(t.Context(), shopee, b, Asked{Do: DoReview}, anna); return err },
		"another claim": func() error { _, err := o.desk.Act(t.Context(), shopee, b, claimOf(1999), anna); return err },
		"another note": func() error {
			a := claim
			a.Note = "n"
			_, err := o.desk.Act(t.Context(), shopee, b, a, anna)
			return err
		},
		"another finding": func() error { _, err := o.desk.Act(t.Context(), shopee, d, claim, anna); return err },
		"a match":         func() error { return o.desk.Unmatch(t.Context(), shopee, "ma_1", anna) },
		"a deposit":       func() error { return o.desk.Undeposit(t.Context(), shopee, "dp_1", "why", anna) },
		"a month":         func() error { _, err := o.desk.Close(t.Context(), shopee, "2026-11", anna); return err },
		"a month again":   func() error { return o.desk.Unclose(t.Context(), shopee, "2026-11", "why", anna) },
	} {
		require.ErrorIs(t, do(), connector.ErrKeyReused, name)
	}
	o.now = o.now.Add(time.Hour)
	put(t, o.store, "ST-78", o.now, nil, came("B", marketplace.ClaimReimbursement, 500)...)
	f, err := o.desk.Act(t.Context(), shopee, b, claim, anna)
	require.NoError(t, err, "the same again, though much has changed")
	require.Len(t, f.Progress.Said, 1)
	require.Equal(t, ClaimPartlyWon, f.Claim, "and as it is now")
}

func TestTakingBackIsDoneOnceUnderAKey(t *testing.T) {
	o := newOffice(t)
	d, err := o.desk.Deposit(t.Context(), shopee, Deposit{Amount: money.New(590850, "VND"), Day: "2026-11-12", Origin: DepositManual}, "a", By{Name: "anna"})
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, o.desk.Undeposit(t.Context(), shopee, d.ID, "typed wrongly", By{"anna", "k"}))
	}
	require.ErrorIs(t, o.desk.Undeposit(t.Context(), shopee, d.ID, "another reason", By{"anna", "k"}), connector.ErrKeyReused)
	o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
	for range 2 {
		_, err := o.desk.Close(t.Context(), shopee, "2026-11", By{"anna", "c"})
		require.NoError(t, err)
	}
	for range 2 {
		require.NoError(t, o.desk.Unclose(t.Context(), shopee, "2026-11", "late", By{"ben", "u"}))
	}
	require.ErrorIs(t, o.desk.Unclose(t.Context(), shopee, "2026-11", "later", By{"ben", "u"}), connector.ErrKeyReused)
}

func TestSomebodyElseWasFaster(t *testing.T) {
	o := newOffice(t)
	b, _, err := Review(t.Context(), o.desk.Keep, shopee, o.now)
	require.NoError(t, err)
	f := o.of(OfOrder, "B")
	o.does("B", Asked{Do: DoReview})
	_, err = o.desk.act(t.Context(), b, f, Asked{Do: DoAccept, Note: "blind"}, By{Name: "ben"})
	o.refused(RefusedOvertaken, err)
}

func TestADecisionIsOnTheDifferenceThatWasSeen(t *testing.T) {
	o := newOffice(t)
	seen := o.of(OfOrder, "B").Difference
	put(t, o.store, "ST-78", o.now, nil, came("B", marketplace.Commission, -100000)...)
	for _, do := range []Do{DoAccept, DoWriteOff, DoFix, DoReview, DoNote} {
		o.cannot(RefusedOvertaken, "B", Asked{Do: do, Note: "2,000 are not worth it", Seen: &seen})
	}
	seen -= 100000
	require.Equal(t, Accepted, o.does("B", Asked{Do: DoAccept, Note: "it is", Seen: &seen}).State)
}

// claimed is a claim over all of B's difference.
func claimOf(amount int64) Asked {
	return Asked{Do: DoClaim, Claim: Claim{Amount: amount, Reason: "the commission is not the agreed one", Evidence: []string{"https://example.com/tariff.pdf"}, Deadline: day.Add(40 * days)}}
}

func TestAClaimIsSettledByItsMoney(t *testing.T) {
	for name, row := range map[string]struct {
		paid  int
		claim ClaimState
		state State
	}{
		"all of it":  {2000, ClaimWon, Fixed},
		"a part":     {1500, ClaimPartlyWon, Reopened},
		"more":       {2500, ClaimWon, Fixed},
		"not a bit":  {0, ClaimSent, Claimed},
		"taken back": {-100, ClaimSent, Reopened},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			f := o.does("B", claimOf(2000))
			require.Equal(t, []any{Claimed, ClaimDraft}, []any{f.State, f.Claim})
			require.Equal(t, ClaimSent, o.does("B", Asked{Do: DoClaimState, State: ClaimSent}).Claim)
			o.now = o.now.Add(time.Hour)
			put(t, o.store, "ST-78", o.now, nil, append(came("B", marketplace.ClaimReimbursement, row.paid), came("", marketplace.Advertising, -1)...)...)
			o.now = o.now.Add(time.Hour)
			f = o.of(OfOrder, "B")
			require.Equal(t, []any{row.claim, row.state, int64(row.paid)}, []any{f.Claim, f.State, f.Reimbursed})
		})
	}
}

func TestAClaimGoesItsWay(t *testing.T) {
	o := newOffice(t)
	o.cannot(RefusedState, "B", Asked{Do: DoClaimState, State: ClaimSent})
	o.cannot(RefusedInput, "B", claimOf(0))
	o.does("B", claimOf(2000))
	o.cannot(RefusedState, "B", Asked{Do: DoClaimState, State: ClaimWon}) // it was not sent
	o.does("B", Asked{Do: DoClaimState, State: ClaimSent})
	o.does("B", Asked{Do: DoClaimState, State: ClaimAcknowledged})
	o.cannot(RefusedInput, "B", Asked{Do: DoClaimState, State: ClaimPartlyWon, Granted: 2000})
	f := o.does("B", Asked{Do: DoClaimState, State: ClaimPartlyWon, Granted: 800})
	require.Equal(t, []any{ClaimPartlyWon, Claimed}, []any{f.Claim, f.State}, "the money is not here yet")
	o.now = o.now.Add(time.Hour)
	put(t, o.store, "ST-78", o.now, nil, came("B", marketplace.ClaimReimbursement, 800)...)
	require.Equal(t, Reopened, o.of(OfOrder, "B").State, "the rest is for people")

	o.does("D", claimOf(89500))
	o.now = day.Add(41 * days)
	f = o.of(OfOrder, "D")
	require.Equal(t, []any{ClaimExpired, Reopened}, []any{f.Claim, f.State})
	o.does("D", claimOf(89500))
	o.now = day.Add(42 * days)
	require.Equal(t, ClaimExpired, o.of(OfOrder, "D").Claim, "the deadline has passed already")
}

// again issues ST-78 anew with one line more that has nothing to do with these.
func (o *office) again(lines ...Line) {
	o.Helper()
	o.now = o.now.Add(time.Hour)
	put(o.T, o.store, "ST-78", o.now, nil, append(lines, came("", marketplace.Advertising, -int(o.now.Unix()))...)...)
	o.now = o.now.Add(time.Hour)
}

// A period that grows is imported again and again: what it had reimbursed before is no news.
func TestMoneyThatWasThereBeforeAClaimDoesNotSettleIt(t *testing.T) {
	o := newOffice(t)
	old := came("B", marketplace.Compensation, 2000, marketplace.Commission, -2000)
	o.again(old...)
	o.does("B", claimOf(2000))
	o.does("B", Asked{Do: DoClaimState, State: ClaimSent})
	o.again(old...)
	f := o.of(OfOrder, "B")
	require.Equal(t, []any{ClaimSent, Claimed, int64(0)}, []any{f.Claim, f.State, f.Reimbursed})
	o.again(append(old, came("B", marketplace.Compensation, 2000)...)...)
	f = o.of(OfOrder, "B")
	require.Equal(t, []any{ClaimWon, Fixed, int64(2000)}, []any{f.Claim, f.State, f.Reimbursed}, "equal to the old one, and a further one")
}

func TestMoneySettlesOneClaim(t *testing.T) {
	o := newOffice(t)
	o.does("B", claimOf(2000))
	o.does("B", Asked{Do: DoClaimState, State: ClaimSent})
	won := came("B", marketplace.ClaimReimbursement, 2000)
	o.again(won...)
	require.Equal(t, ClaimWon, o.of(OfOrder, "B").Claim)
	put(t, o.store, "ST-79", o.now, nil, came("B", marketplace.Commission, -2000)...)
	f := o.does("B", claimOf(2000))
	require.Equal(t, []any{ClaimDraft, Claimed, int64(0)}, []any{f.Claim, f.State, f.Reimbursed})
	o.does("B", Asked{Do: DoClaimState, State: ClaimSent})
	o.again(won...)
	f = o.of(OfOrder, "B")
	require.Equal(t, []any{ClaimSent, Claimed, int64(0)}, []any{f.Claim, f.State, f.Reimbursed})
}

func TestAClaimThatMoneyMayComeForIsNotReplaced(t *testing.T) {
	o := newOffice(t)
	o.does("B", claimOf(1000))
	o.does("B", Asked{Do: DoReopen})
	o.does("B", claimOf(2000)) // the first was never sent
	o.does("B", Asked{Do: DoClaimState, State: ClaimSent})
	put(t, o.store, "ST-79", o.now, nil, came("B", marketplace.Commission, -100)...)
	require.Equal(t, Reopened, o.of(OfOrder, "B").State)
	o.cannot(RefusedState, "B", claimOf(100))
	o.does("B", Asked{Do: DoClaimState, State: ClaimWon})
	o.cannot(RefusedState, "B", claimOf(100)) // granted, and not here
	o.again(came("B", marketplace.ClaimReimbursement, 2000)...)
	f := o.of(OfOrder, "B")
	require.Equal(t, []any{ClaimWon, Reopened, int64(-100)}, []any{f.Claim, f.State, f.Difference})
	o.does("B", claimOf(100))
}

func TestAGrantedClaimThatIsNeverPaidIsLost(t *testing.T) {
	o := newOffice(t)
	o.does("B", claimOf(2000))
	o.does("B", Asked{Do: DoClaimState, State: ClaimSent})
	o.does("B", Asked{Do: DoClaimState, State: ClaimPartlyWon, Granted: 800})
	f := o.does("B", Asked{Do: DoClaimState, State: ClaimLost})
	require.Equal(t, []any{ClaimLost, Reopened}, []any{f.Claim, f.State})
	require.Equal(t, ClaimDraft, o.does("B", claimOf(2000)).Claim)
}

func TestAnEarlierCompensationTakenBackReopensAClaim(t *testing.T) {
	o := newOffice(t)
	o.again(came("B", marketplace.Compensation, 50000, marketplace.Commission, -50000)...)
	o.does("B", claimOf(2000))
	o.now = o.now.Add(time.Hour)
	put(t, o.store, "ST-79", o.now, nil, came("B", marketplace.Compensation, -50000)...)
	f := o.of(OfOrder, "B")
	require.Equal(t, []any{Reopened, ClaimDraft, int64(-52000)}, []any{f.State, f.Claim, f.Difference})
}

func TestManyAtOnce(t *testing.T) {
	o := newOffice(t)
	q, a := FindingQuery{Scopes: []Scope{OfOrder}}, Asked{Do: DoReview}
	done, err := o.desk.Bulk(t.Context(), []Account{shopee}, q, a, true, By{Name: "anna"})
	require.NoError(t, err)
	require.Len(t, done, 3)
	require.Equal(t, New, o.of(OfOrder, "C").State, "a rehearsal keeps nothing")
	o.does("C", Asked{Do: DoAccept, Note: "known"})
	done, err = o.desk.Bulk(t.Context(), []Account{shopee}, q, a, false, By{"anna", "k"})
	require.NoError(t, err)
	refused := 0
	for _, d := range done {
		if d.Refused != nil {
			require.Equal(t, "C", d.Finding.Subject.Ref)
			refused++
		}
	}
	require.Equal(t, 1, refused)
	require.Equal(t, []State{InReview, InReview, Accepted}, []State{o.of(OfOrder, "B").State, o.of(OfOrder, "D").State, o.of(OfOrder, "C").State})
}

// breaking is a store whose process dies after some acts.
type breaking struct {
	connector.Payouts
	left int
}

func (s *breaking) KeepAct(ctx context.Context, a connector.PayoutAct, after int64, line connector.AuditEntry) (connector.PayoutAct, bool, error) {
	if s.left--; s.left < 0 {
		return connector.PayoutAct{}, false, errDied
	}
	return s.Payouts.KeepAct(ctx, a, after, line)
}

func TestManyAtOnceGoesOnAfterACrash(t *testing.T) {
	o := newOffice(t)
	store := &breaking{o.store, 2}
	desk := Desk{Keep{Payouts: store}, o.desk.Clock}
	q, a := FindingQuery{States: []State{New}}, Asked{Do: DoReview}
	_, err := desk.Bulk(t.Context(), []Account{shopee}, q, a, false, By{"anna", "k"})
	require.ErrorIs(t, err, errDied)
	store.left = 100
	for range 2 {
		done, err := desk.Bulk(t.Context(), []Account{shopee}, q, a, false, By{"anna", "k"})
		require.NoError(t, err)
		require.Len(t, done, 3, "also those that are not new any more")
		for _, d := range done {
			require.Nil(t, d.Refused)
			require.Equal(t, InReview, d.Finding.State)
			require.Len(t, d.Finding.Progress.Said, 1)
		}
	}
	_, err = desk.Bulk(t.Context(), []Account{shopee}, q, Asked{Do: DoReview, Note: "another"}, false, By{"anna", "k"})
	require.ErrorIs(t, err, connector.ErrKeyReused)
	done, err := desk.Bulk(t.Context(), []Account{shopee}, q, a, false, By{"anna", "other"})
	require.NoError(t, err)
	require.Empty(t, done)
}

func TestLinesAreGivenToAnOrderByHand(t *testing.T) {
	o := newOffice(t)
	lines := full("", 100000, 4000) // D's money, whose lines name nobody
	for i := range lines {
		lines[i].Order = ""
	}
	p := put(t, o.store, "ST-78", o.now, nil, lines...)
	names := func(p connector.Payout) (out []string) {
		require.NoError(t, o.store.PayoutLines(t.Context(), connector.LineFilter{Payouts: []int64{p.ID}}, func(l connector.PayoutLine) error {
			out = append(out, LineID(p.Account, p.External, l))
			return nil
		}))
		return out
	}
	_, err := o.desk.Match(t.Context(), shopee, "nobody", names(p), "", By{Name: "anna"})
	o.refused(RefusedOrder, err)
	_, err = o.desk.Match(t.Context(), shopee, "D", []string{"pl_no"}, "", By{Name: "anna"})
	o.refused(RefusedLine, err)
	m, err := o.desk.Match(t.Context(), shopee, "D", names(p), "seen in the channel's own pages", By{Name: "anna"})
	require.NoError(t, err)
	verdict := func() OrderRow {
		r, err := Make(t.Context(), Keep{Payouts: o.store}, []Account{shopee}, Query{Text: "D"}, o.now)
		require.NoError(t, err)
		for _, row := range all(t, r.Orders) {
			if row.Ref == "D" {
				return row
			}
		}
		return OrderRow{}
	}
	row := verdict()
	require.Equal(t, Matched, row.Outcome)
	r, err := Make(t.Context(), Keep{Payouts: o.store}, []Account{shopee}, Query{Payouts: []string{"ST-78"}}, o.now)
	require.NoError(t, err)
	for _, line := range all(t, r.Lines) {
		require.Equal(t, []any{"manual", "manual", "D"}, []any{line.Rule, line.Confidence, line.Ref})
	}

	put(t, o.store, "ST-78", o.now, nil, append(lines, came("", marketplace.Advertising, -5)...)...)
	require.Equal(t, Matched, verdict().Outcome, "it survives a re-issue in which the lines are still there")
	require.NoError(t, o.desk.Unmatch(t.Context(), shopee, m.ID, By{Name: "anna"}))
	require.Equal(t, MissingInSettlement, verdict().Outcome)
	require.ErrorIs(t, o.desk.Unmatch(t.Context(), shopee, m.ID, By{Name: "anna"}), connector.ErrNotFound)
}

func TestDepositsAreHeldAgainstPayouts(t *testing.T) {
	vnd := func(n int64) money.Money { return money.New(n, "VND") }
	paid := day.Add(10 * days).Format(time.DateOnly)
	late := day.Add(30 * days).Format(time.DateOnly)
	for name, row := range map[string]struct {
		deposits []Deposit
		payout   Outcome
		first    Outcome
	}{
		"none":                               {nil, Unseen, ""},
		"the amount, near the day":           {[]Deposit{{Amount: vnd(590850), Day: paid}}, Matched, Matched},
		"the amount, long after":             {[]Deposit{{Amount: vnd(590850), Day: late}}, Unseen, WithoutPayout},
		"long after, but named":              {[]Deposit{{Amount: vnd(590850), Day: late, Payout: "ST-77"}}, Matched, Matched},
		"another amount":                     {[]Deposit{{Amount: vnd(590849), Day: paid}}, Unseen, WithoutPayout},
		"another amount, but named":          {[]Deposit{{Amount: vnd(590849), Day: paid, Payout: "ST-77"}}, Differs, Differs},
		"two that fit":                       {[]Deposit{{Amount: vnd(590850), Day: paid}, {Amount: vnd(590850), Day: paid, Note: "2"}}, Unseen, WithoutPayout},
		"in two parts":                       {[]Deposit{{Amount: vnd(590000), Day: paid, Payout: "ST-77"}, {Amount: vnd(850), Day: paid, Payout: "ST-77"}}, Matched, Matched},
		"another currency":                   {[]Deposit{{Amount: money.New(590850, "JPY"), Day: paid, Payout: "ST-77"}}, Differs, Differs},
		"a payout nobody knows":              {[]Deposit{{Amount: vnd(590850), Day: paid, Payout: "ST-1"}}, Unseen, WithoutPayout},
		"the channel says it has failed":     {[]Deposit{{Amount: vnd(590850), Day: paid, Payout: "ST-77", Origin: DepositChannel, Failed: true}}, Unseen, "failed"},
		"the amount, after the channel":      {[]Deposit{{Amount: vnd(590850), Day: paid, Payout: "ST-77", Origin: DepositChannel}, {Amount: vnd(590850), Day: paid}}, Matched, Matched},
		"the amount, after it failed":        {[]Deposit{{Amount: vnd(590850), Day: late, Payout: "ST-77", Origin: DepositChannel, Failed: true}, {Amount: vnd(590850), Day: paid}}, Matched, Matched},
		"neither names a payout":             {[]Deposit{{Amount: vnd(590850), Day: paid, Origin: DepositChannel}, {Amount: vnd(590850), Day: paid}}, Matched, Matched},
		"the amount, and one named":          {[]Deposit{{Amount: vnd(590850), Day: paid}, {Amount: vnd(1), Day: late, Payout: "ST-77"}}, Differs, WithoutPayout},
		"the amount, and a currency":         {[]Deposit{{Amount: vnd(590850), Day: paid, Payout: "ST-77"}, {Amount: money.New(1, "USD"), Day: paid, Payout: "ST-77"}}, Differs, Differs},
		"the bank's word before the channel": {[]Deposit{{Amount: vnd(590850), Day: paid, Payout: "ST-77", Origin: DepositChannel}, {Amount: vnd(590000), Day: paid, Payout: "ST-77"}}, Differs, Differs},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			for i, d := range row.deposits {
				if d.Origin == "" {
					d.Origin = DepositManual
				}
				_, err := o.desk.Deposit(t.Context(), shopee, d, string(rune('a'+i)), By{Name: "anna"})
				require.NoError(t, err)
			}
			r, err := Make(t.Context(), Keep{Payouts: o.store}, []Account{shopee}, Query{}, o.now)
			require.NoError(t, err)
			require.Equal(t, row.payout, r.Payouts[0].Seen.Outcome)
			all, err := o.desk.Deposits(t.Context(), shopee)
			require.NoError(t, err)
			if len(all) > 0 {
				require.Equal(t, row.first, all[0].Outcome)
			}
		})
	}
}

func TestDepositsOfTwoCurrenciesAreNeverAdded(t *testing.T) {
	o := newOffice(t)
	for ref, amount := range map[string]money.Money{"a": money.New(590000, "VND"), "b": money.New(85000, "USD")} {
		_, err := o.desk.Deposit(t.Context(), shopee, Deposit{Amount: amount, Day: "2026-11-12", Payout: "ST-77", Origin: DepositManual}, ref, By{Name: "anna"})
		require.NoError(t, err)
	}
	r, err := Make(t.Context(), Keep{Payouts: o.store}, []Account{shopee}, Query{}, o.now)
	require.NoError(t, err)
	require.EqualValues(t, 590000, r.Payouts[0].Seen.Amount)
	require.Equal(t, money.New(-850, "VND"), o.of(OfPayout, "ST-77").Amount())
}

func TestADepositBeyondAllMeasureIsRefused(t *testing.T) {
	o := newOffice(t)
	for _, minor := range []int64{mostAmount + 1, -mostAmount - 1, math.MaxInt64, math.MinInt64} {
		_, err := o.desk.Deposit(t.Context(), shopee, Deposit{Amount: money.New(minor, "VND"), Day: "2026-11-12", Payout: "ST-77", Origin: DepositManual}, "a", By{Name: "anna"})
		o.refused(RefusedInput, err)
	}
	kept := map[string]Deposit{}
	for _, id := range []string{"a", "b"} { // as if they had been let in
		kept[id] = Deposit{ID: id, Amount: money.New(math.MaxInt64, "VND"), Day: "2026-11-12", Payout: "ST-77"}
	}
	_, _, err := bank([]Paid{{Payout: connector.Payout{External: "ST-77", Currency: "VND", Paid: money.New(590850, "VND")}}}, kept, "UTC")
	require.ErrorIs(t, err, money.ErrOverflow)
}

func TestADepositIsEnteredOnceAndTakenBack(t *testing.T) {
	o := newOffice(t)
	d := Deposit{Amount: money.New(590850, "VND"), Day: day.Add(11 * days).Format(time.DateOnly), Origin: DepositManual}
	for range 2 {
		_, err := o.desk.Deposit(t.Context(), shopee, d, "", By{"anna", "k"})
		require.NoError(t, err)
	}
	all, err := o.desk.Deposits(t.Context(), shopee)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.NoError(t, o.desk.Undeposit(t.Context(), shopee, all[0].ID, "typed wrongly", By{Name: "anna"}))
	all, err = o.desk.Deposits(t.Context(), shopee)
	require.NoError(t, err)
	require.Empty(t, all)
	d.Day = "12.11.2026"
	_, err = o.desk.Deposit(t.Context(), shopee, d, "", By{Name: "anna"})
	o.refused(RefusedInput, err)
}

// The channel says the same again at every look; what a person says of it is the last word.
func TestATransferThatWasTakenBackDoesNotComeAgain(t *testing.T) {
	o := newOffice(t)
	d := Deposit{Amount: money.New(590850, "VND"), Day: day.Add(10 * days).Format(time.DateOnly), Payout: "ST-77", Origin: DepositChannel}
	look := func() Deposit {
		kept, err := o.desk.Deposit(t.Context(), shopee, d, "tr1", By{Name: System})
		require.NoError(t, err)
		return kept
	}
	kept := look()
	require.NoError(t, o.desk.Undeposit(t.Context(), shopee, kept.ID, "it is not on our statement", By{Name: "anna"}))
	require.True(t, look().Undone)
	d.Failed = true // the channel has changed its mind
	require.True(t, look().Undone)
	all, err := o.desk.Deposits(t.Context(), shopee)
	require.NoError(t, err)
	require.Empty(t, all)
	_, err = o.desk.Deposit(t.Context(), shopee, d, "tr2", By{Name: System})
	require.NoError(t, err)
	all, err = o.desk.Deposits(t.Context(), shopee)
	require.NoError(t, err)
	require.Len(t, all, 1, "another transfer is another deposit")
}

func TestALongReasonOfATransferIsCut(t *testing.T) {
	o := newOffice(t)
	for _, reason := range []string{strings.Repeat("x", 501), strings.Repeat("ชำ", 300), strings.Repeat("\xff", 400)} {
		d, said := DepositOf(marketplace.Transfer{Status: marketplace.TransferFailed, Amount: money.New(5, "VND"), CreatedAt: o.now, Reason: reason}, "UTC")
		require.True(t, said)
		require.True(t, utf8.ValidString(d.Note))
		_, err := o.desk.Deposit(t.Context(), shopee, d, reason, By{Name: System})
		require.NoError(t, err)
	}
	d, _ := DepositOf(marketplace.Transfer{Reason: strings.Repeat("x", 500)}, "UTC")
	require.Equal(t, strings.Repeat("x", 500), d.Note)
}

func TestAMonthIsClosedAndStaysAsItWas(t *testing.T) {
	o := newOffice(t) // paid on the 12th of November
	_, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	o.refused(RefusedMonth, err)
	o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
	_, err = o.desk.Close(t.Context(), shopee, "2026-13", By{Name: "anna"})
	o.refused(RefusedInput, err)
	c, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	require.NoError(t, err)
	require.Equal(t, "590850", c.Totals[0].Paid)
	_, err = o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	o.refused(RefusedState, err)

	o.now = o.now.Add(days) // the commission of B is given back
	back := came("B", marketplace.Commission, 2000)
	p := put(t, o.store, "ST-80", o.now, nil, back...)
	require.NotZero(t, p.ID)
	q, err := ofMonth("2026-11", shopee.Zone)
	require.NoError(t, err)
	november := func() *Report {
		r, err := Make(t.Context(), Keep{Payouts: o.store}, []Account{shopee}, q, o.now)
		require.NoError(t, err)
		return r
	}
	r := november()
	require.Equal(t, c.Snapshot, r.Snapshot, "byte for byte")
	require.Len(t, r.Closed, 1)
	require.Len(t, r.Payouts, 1, "ST-80 was paid in the month as well, but nobody knew")

	later := Query{From: q.To, Sort: "order"}
	december, err := Make(t.Context(), Keep{Payouts: o.store}, []Account{shopee}, later, o.now)
	require.NoError(t, err)
	var prior []string
	for _, row := range all(t, december.Orders) {
		if row.Prior != "" {
			prior = append(prior, row.Ref+" of "+row.Prior+" is "+string(row.Outcome))
		}
	}
	require.Equal(t, []string{"B of 2026-11 is matched"}, prior)

	o.refused(RefusedPerson, o.desk.Unclose(t.Context(), shopee, "2026-11", "a mistake", By{Name: "anna"}))
	o.refused(RefusedInput, o.desk.Unclose(t.Context(), shopee, "2026-11", " ", By{Name: "ben"}))
	require.NoError(t, o.desk.Unclose(t.Context(), shopee, "2026-11", "the payout came late", By{Name: "ben"}))
	r = november()
	require.Empty(t, r.Closed)
	require.Len(t, r.Payouts, 2)
	o.now = o.now.Add(time.Hour)
	again, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	require.NoError(t, err)
	require.NotEqual(t, c.Snapshot, again.Snapshot)
}

// What an operator chooses later changes neither a closed month nor a report about the past.
func TestSettingsHaveAHistory(t *testing.T) {
	for name, keep := range map[string]bool{"kept before": true, "never kept": false} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
			if keep {
				require.NoError(t, o.desk.KeepSettings(t.Context(), shopee))
			}
			o.now = o.now.Add(time.Hour)
			c, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
			require.NoError(t, err)
			before := o.now
			o.now = o.now.Add(time.Hour)
			lax := shopee
			lax.Tol, lax.Terms.Every = map[string]Tolerance{"VND": {Minor: 5000}}, 365*days
			require.NoError(t, o.desk.KeepSettings(t.Context(), lax))
			require.NoError(t, o.desk.KeepSettings(t.Context(), lax))
			made := func(q Query) *Report {
				r, err := Make(t.Context(), Keep{Payouts: o.store}, []Account{lax}, q, o.now)
				require.NoError(t, err)
				return r
			}
			q, err := ofMonth("2026-11", shopee.Zone)
			require.NoError(t, err)
			require.Equal(t, c.Snapshot, made(q).Snapshot)
			for _, row := range all(t, made(Query{Text: "B"}).Orders) {
				require.Equal(t, WithinTolerance, row.Outcome, "now")
			}
			for _, row := range all(t, made(Query{Text: "B", AsOf: before}).Orders) {
				require.Equal(t, keep, row.Outcome == FeeVariance, "as it was, where it was kept")
			}
		})
	}
}

func TestAMonthWithAnUnprovenPayoutIsNotClosed(t *testing.T) {
	o := newOffice(t)
	less := int64(1)
	put(t, o.store, "ST-79", o.now, &less, came("", marketplace.Advertising, 2)...)
	o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
	_, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	o.refused(RefusedUnproven, err)
}

// B17.7.
func TestManySmallDifferencesOfOneSignAreADrift(t *testing.T) {
	const many = 10_000
	for name, row := range map[string]struct {
		off   func(i int) int64
		found bool
	}{
		"one sign":    {func(int) int64 { return -1 }, true},
		"mixed signs": {func(i int) int64 { return int64(2*(i%2) - 1) }, false},
		"none":        {func(int) int64 { return 0 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New()
			price(t, store, day, vnTariffs()...)
			var lines []Line
			for i := range many {
				ref := "O" + string(rune('a'+i%26)) + time.Duration(i).String()
				know(t, store, day, sold(ref, 1000))
				l := full(ref, 1000, 40)
				l[0].Amount.Minor += row.off(i)
				lines = append(lines, l...)
			}
			put(t, store, "ST-1", day.Add(11*days), nil, lines...)
			all, err := Desk{Keep{Payouts: store}, func() time.Time { return day.Add(20 * days) }}.Findings(t.Context(), []Account{shopee}, FindingQuery{})
			require.NoError(t, err)
			if !row.found {
				require.Empty(t, all)
				return
			}
			require.Len(t, all, 1)
			require.Equal(t, []any{OfAccount, ToleranceDrift, int64(-many)}, []any{all[0].Subject.Scope, all[0].Outcome, all[0].Difference})
		})
	}
}

func TestTheWatchTellsEachChangeOnce(t *testing.T) {
	o := newOffice(t)
	var heard []string
	look := func() []string {
		heard = nil
		o.now = o.now.Add(time.Hour)
		_, _, err := o.desk.Watch(t.Context(), shopee, func(n News) error {
			heard = append(heard, n.Finding.Subject.Ref+": "+n.text())
			return nil
		})
		require.NoError(t, err)
		return heard
	}
	require.Equal(t, []string{"C: found missing_in_store of 134250 VND", "D: found missing_in_settlement of -89500 VND", "B: found fee_variance of -2000 VND"}, look())
	require.Empty(t, look())
	o.does("B", Asked{Do: DoAccept, Note: "agreed"})
	require.Equal(t, []string{"B: it is fee_variance of -2000 VND now, and accepted"}, look())
	put(t, o.store, "ST-80", o.now, nil, came("B", marketplace.Commission, 2000)...)
	require.Equal(t, []string{"B: it is not there any more"}, look())
	require.Empty(t, look())
	f := o.of(OfOrder, "B")
	require.Equal(t, System, f.Progress.Said[len(f.Progress.Said)-1].By)
	put(t, o.store, "ST-81", o.now, nil, came("B", marketplace.Commission, -700)...)
	require.Equal(t, []string{"B: found fee_variance of -700 VND"}, look())
	require.Equal(t, Reopened, o.of(OfOrder, "B").State)
}

// looks watches once, an hour later, and gives what was told of one order. at is called while it is
// told.
func (o *office) looks(ref string, at func()) (told []News) {
	o.Helper()
	o.now = o.now.Add(time.Hour)
	_, _, err := o.desk.Watch(o.Context(), shopee, func(n News) error {
		if n.Finding.Subject.Ref == ref {
			told = append(told, n)
			if at != nil {
				at()
			}
		}
		return nil
	})
	require.NoError(o, err)
	return told
}

func TestAnOpeningIsToldOnceWhateverPeopleDoMeanwhile(t *testing.T) {
	for name, row := range map[string]struct {
		asked Asked
		then  State
	}{"a note": {Asked{Do: DoNote, Note: "I am looking"}, ""}, "a review": {Asked{Do: DoReview}, InReview}} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			first := o.looks("B", func() { o.does("B", row.asked) })
			require.Len(t, first, 1)
			require.True(t, first[0].Opened)
			second := o.looks("B", nil)
			if row.then == "" {
				require.Empty(t, second)
				return
			}
			require.Len(t, second, 1, "what people have changed is told")
			require.False(t, second[0].Opened)
			require.Equal(t, row.then, second[0].Finding.State)
			require.Empty(t, o.looks("B", nil))
		})
	}
}

// A look that dies after it has told tells the same under the same name, whatever was said since.
func TestAChangeKeepsItsNameUntilItIsWrittenDown(t *testing.T) {
	o := newOffice(t)
	var names []string
	dies := errors.New("the process dies")
	for range 2 {
		_, _, err := o.desk.Watch(t.Context(), shopee, func(n News) error {
			if n.Finding.Subject.Ref != "B" {
				return nil
			}
			names = append(names, n.ID)
			return dies
		})
		require.ErrorIs(t, err, dies)
		o.does("B", Asked{Do: DoNote, Note: "I am looking"})
	}
	require.Equal(t, names[0], names[1])
}

func TestASettledClaimIsToldOnce(t *testing.T) {
	settled := func(told []News) (out []ClaimState) {
		for _, n := range told {
			if n.Settled {
				out = append(out, n.Finding.Claim)
			}
		}
		return out
	}
	for name, row := range map[string]struct {
		act  func(o *office)
		want []ClaimState
	}{
		"people say that it was won":  {func(o *office) { o.does("B", Asked{Do: DoClaimState, State: ClaimWon}) }, []ClaimState{ClaimWon}},
		"people say that it was lost": {func(o *office) { o.does("B", Asked{Do: DoClaimState, State: ClaimLost}) }, []ClaimState{ClaimLost}},
		"its money has come": {func(o *office) {
			put(t, o.store, "ST-78", o.now, nil, came("B", marketplace.ClaimReimbursement, 2000)...)
		}, []ClaimState{ClaimWon}},
		"it was acknowledged": {func(o *office) { o.does("B", Asked{Do: DoClaimState, State: ClaimAcknowledged}) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.does("B", claimOf(2000))
			o.does("B", Asked{Do: DoClaimState, State: ClaimSent})
			require.Empty(t, settled(o.looks("B", nil)))
			o.now = o.now.Add(time.Hour)
			row.act(o)
			require.Equal(t, row.want, settled(o.looks("B", nil)))
			require.Empty(t, o.looks("B", nil))
		})
	}
	t.Run("won as people say, and then by its money", func(t *testing.T) {
		o := newOffice(t)
		o.does("B", claimOf(2000))
		o.does("B", Asked{Do: DoClaimState, State: ClaimSent})
		o.does("B", Asked{Do: DoClaimState, State: ClaimWon})
		require.Len(t, settled(o.looks("B", nil)), 1)
		put(t, o.store, "ST-78", o.now, nil, came("B", marketplace.ClaimReimbursement, 2000)...)
		told := o.looks("B", nil)
		require.Len(t, told, 1, "the finding is fixed")
		require.Empty(t, settled(told), "the claim was won already")
	})
	t.Run("a second one", func(t *testing.T) {
		o := newOffice(t)
		for range 2 {
			o.does("B", claimOf(2000))
			o.does("B", Asked{Do: DoClaimState, State: ClaimSent})
			o.does("B", Asked{Do: DoClaimState, State: ClaimLost})
			require.Equal(t, []ClaimState{ClaimLost}, settled(o.looks("B", nil)))
		}
	})
	t.Run("a draft that has expired", func(t *testing.T) {
		o := newOffice(t)
		o.does("D", claimOf(89500))
		o.now = day.Add(41 * days)
		require.Equal(t, ClaimExpired, o.of(OfOrder, "D").Claim)
		require.Empty(t, settled(o.looks("D", nil)))
	})
}
