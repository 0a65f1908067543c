package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

type findingBody struct {
	ID         string `json:"finding_id"`
	Scope      string
	Ref        string
	Outcome    string
	Difference string
	State      string `json:"workflow_state"`
	Assignee   string
	Claim      *struct {
		ID    string `json:"claim_id"`
		State string
	}
	History []struct{ By, Do, Note string }
}

func (r *rig) findings(query string) (out []findingBody) {
	r.Helper()
	var list struct{ Data []findingBody }
	r.get("/findings?" + query).is(http.StatusOK).into(&list)
	return list.Data
}

// findingOf finds the finding about an order.
func (r *rig) findingOf(order string) findingBody {
	r.Helper()
	for _, f := range r.findings("scope=order") {
		if f.Ref == order {
			return f
		}
	}
	require.Fail(r, "no finding", order)
	return findingBody{}
}

// does does something about an order's finding and gives it as it is then.
func (r *rig) does(order, do, body string) (f findingBody) {
	r.Helper()
	r.post("/findings/"+r.findingOf(order).ID+":"+do, body).is(http.StatusOK).into(&f)
	return f
}

func (r *rig) strikes(path string) answer {
	r.Helper()
	req := request(http.MethodDelete, path, r.token, "")
	req.Header.Set("Idempotency-Key", fmt.Sprintf("key-%d", r.key.Add(1)))
	return r.send(req)
}

func TestFindingsAreWorkedOn(t *testing.T) { onEachStore(t, testFindingsAreWorkedOn) }

func testFindingsAreWorkedOn(r *rig) {
	r.someBooks()
	var seen []string
	for _, f := range r.findings("") {
		seen = append(seen, f.Ref+" "+f.Outcome+" "+f.Difference+" "+f.State)
	}
	require.Equal(r, []string{"C missing_in_store 150000 new", "D missing_in_settlement -100000 new", "B refund_mismatch -50000 new"}, seen)
	require.Len(r, r.findings("outcome=refund_mismatch&workflow_state=new&account=am&current=true"), 1)
	require.Empty(r, r.findings("account=eb"))

	r.does("B", "assign", `{"assignee": "ben"}`)
	require.Equal(r, "in_review", r.does("B", "review", `{}`).State)
	f := r.does("B", "accept", `{"note": "the buyer was right"}`)
	require.Equal(r, []string{"accepted", "ben"}, []string{f.State, f.Assignee})
	require.Len(r, f.History, 3)
	require.Equal(r, "tests", f.History[2].By)
	r.post("/findings/"+f.ID+":review", `{}`).problem(http.StatusUnprocessableEntity, "wrong_state")
	r.post("/findings/"+f.ID+":accept", `{"amount": "5"}`).problem(http.StatusBadRequest, "invalid_member")
	r.post("/findings/fi_none:review", `{}`).problem(http.StatusNotFound, "not_found")
	r.post("/findings/"+f.ID+":bless", `{}`).is(http.StatusNotFound)

	row := r.report(year).row(r, "B")
	require.Equal(r, []any{"accepted", "ben", "the buyer was right"}, []any{row["workflow_state"], row["assignee"], row["note"]})
	require.Len(r, r.report(year+"&workflow_state=accepted&assignee=ben").Rows, 1)
	require.Len(r, r.audited("finding"), 3)
}

func TestADecisionIsRefusedWhenTheDifferenceIsAnother(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	accept := "/findings/" + r.findingOf("B").ID + ":accept"
	r.post(accept, `{"note": "agreed", "difference": "-49999"}`).problem(http.StatusUnprocessableEntity, "overtaken")
	require.Equal(t, "difference", r.post(accept, `{"note": "agreed", "difference": "-0.5"}`).problem(http.StatusBadRequest, "invalid_member").Member)
	r.post(accept, `{"note": "agreed", "difference": "-50000"}`).is(http.StatusOK)
}

// One account whose books cannot be read does not keep people from their work on another's.
func TestAFindingIsFoundBesideBooksThatCannotBeRead(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	b, d := r.findingOf("B"), r.findingOf("D")
	claim := r.does("D", "claim", `{"amount": "100000", "reason": "not paid"}`).Claim.ID
	_, err := r.store.KeepTariff(t.Context(), connector.Tariff{Account: "eb", Key: "torn", KnownAt: r.clock(), Body: []byte("{")})
	require.NoError(t, err)
	r.get("/findings").is(http.StatusInternalServerError)
	for range 2 { // whichever is looked at first
		r.books.accounts[0], r.books.accounts[1] = r.books.accounts[1], r.books.accounts[0]
		r.get("/findings/" + b.ID).is(http.StatusOK)
		r.get("/findings/" + d.ID).is(http.StatusOK)
		r.post("/findings/"+b.ID+":note", `{"note": "seen"}`).is(http.StatusOK)
	}
	r.post("/claims/"+claim+":send", `{}`).is(http.StatusOK)
	r.post("/claims/cl_none:send", `{}`).problem(http.StatusNotFound, "not_found")
	r.get("/findings/fi_none").is(http.StatusInternalServerError)
}

func TestAWriteAboutAFindingIsDoneOnce(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	f := r.findingOf("B")
	for range 3 {
		r.postKey("one", "/findings/"+f.ID+":note", `{"note": "asked the channel"}`).is(http.StatusOK)
	}
	r.get("/findings/" + f.ID).is(http.StatusOK).into(&f)
	require.Len(t, f.History, 1)
}

func TestAKeyWhoseAnswerWasForgottenIsOfOneWrite(t *testing.T) {
	onEachStore(t, testAKeyWhoseAnswerWasForgottenIsOfOneWrite)
}

func testAKeyWhoseAnswerWasForgottenIsOfOneWrite(r *rig) {
	r.someBooks()
	b, d := r.findingOf("B").ID, r.findingOf("D").ID
	r.postKey("one", "/findings/"+b+":review", `{}`).is(http.StatusOK)
	r.pass(8 * 24 * time.Hour)
	_, err := r.store.ForgetReplies(r.Context(), r.clock().Add(-7*24*time.Hour))
	require.NoError(r, err)
	r.postKey("one", "/findings/"+d+":accept", `{"note": "ok"}`).problem(http.StatusConflict, "key_reused")
	r.pass(8 * 24 * time.Hour)
	_, err = r.store.ForgetReplies(r.Context(), r.clock())
	require.NoError(r, err)
	require.Equal(r, "new", r.findingOf("D").State)
	var f findingBody
	r.postKey("one", "/findings/"+b+":review", `{}`).is(http.StatusOK).into(&f)
	require.Len(r, f.History, 1)
}

func TestAClaimGoesItsWayAndIsSettledByItsMoney(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	for _, never := range []string{"9999-12-31T23:00:00-02:00", "0000-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"} {
		p := r.post("/findings/"+r.findingOf("B").ID+":claim", `{"amount": "50000", "reason": "x", "deadline": "`+never+`"}`).problem(http.StatusBadRequest, "invalid_member")
		require.Equal(t, "deadline", p.Member, never)
	}
	f := r.does("B", "claim", `{"amount": "50000", "reason": "the buyer kept the goods", "deadline": "2026-03-10T00:00:00Z", "evidence": ["1Z999"]}`)
	require.Equal(t, []string{"claimed", "draft"}, []string{f.State, f.Claim.State})
	var list struct {
		Data []struct {
			ID   string `json:"claim_id"`
			Left int    `json:"days_left"`
		}
	}
	r.get("/claims").is(http.StatusOK).into(&list)
	require.Len(t, list.Data, 1)
	require.Equal(t, 8, list.Data[0].Left)
	claim := "/claims/" + f.Claim.ID
	r.post(claim+":win", `{}`).problem(http.StatusUnprocessableEntity, "wrong_state")
	r.post(claim+":send", `{"note": "case 17"}`).is(http.StatusOK)
	r.pass(time.Hour)
	r.imports("am", slip("ST-78", r.clock(), "B", "claim_reimbursement", 50000)).is(http.StatusCreated)
	f = r.findingOf("B")
	require.Equal(t, []string{"fixed", "won"}, []string{f.State, f.Claim.State})
	require.Len(t, r.findings("claim_state=won"), 1)
}

func TestManyFindingsAtOnce(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	r.does("C", "accept", `{"note": "an old order"}`)
	type done struct {
		Done, Refused int
		Results       []struct {
			State   string `json:"workflow_state"`
			Refusal *Refusal
		}
	}
	var d done
	r.post("/findings:bulk", `{"do": "review", "filter": {"scope": "order"}, "dry_run": true}`).is(http.StatusOK).into(&d)
	require.Equal(t, []int{2, 1}, []int{d.Done, d.Refused})
	require.Equal(t, "new", r.findingOf("B").State)
	r.post("/findings:bulk", `{"do": "review", "filter": {"scope": "order"}}`).is(http.StatusOK).into(&d)
	require.Equal(t, "in_review", r.findingOf("B").State)
	d = done{}
	r.post("/findings:bulk", fmt.Sprintf(`{"do": "assign", "assignee": "ben", "ids": [%q, "fi_none"]}`, r.findingOf("D").ID)).is(http.StatusOK).into(&d)
	require.Equal(t, []int{1, 1}, []int{d.Done, d.Refused})
	r.post("/findings:bulk", `{"do": "review"}`).problem(http.StatusBadRequest, "invalid_member")
}

func TestFindingsComeInPages(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	var seen []string
	next := ""
	for range 3 {
		var list struct {
			Data []findingBody
			Next string `json:"next_cursor"`
		}
		r.get("/findings?limit=1" + next).is(http.StatusOK).into(&list)
		require.Len(t, list.Data, 1)
		seen = append(seen, list.Data[0].Ref)
		next = "&cursor=" + url.QueryEscape(list.Next)
	}
	require.Equal(t, []string{"C", "D", "B"}, seen)
}

// What people have added comes in pages, like every list.
func TestWhatPeopleHaveAddedComesInPages(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("ชำระ", 40)
	var deposits []string
	for i := range 5 {
		r.pass(2 * time.Minute) // months are not closed one upon the other
		account := map[bool]string{true: "am", false: "eb"}[i < 3]
		r.knows(account, sold(fmt.Sprint("D", i), 100000))
		r.imports(account, slip(fmt.Sprint("ST-", i), noon, "", "principal", 90000+i)).is(http.StatusCreated)
		var lines struct{ Data []payoutLineView }
		r.get("/payouts/" + r.payoutOf(fmt.Sprint("ST-", i)) + "/lines").is(http.StatusOK).into(&lines)
		r.post("/matches", fmt.Sprintf(`{"account": %q, "channel_order_id": "D%d", "line_ids": [%q]}`, account, i, lines.Data[0].ID)).is(http.StatusCreated)
		r.post("/deposits", fmt.Sprintf(`{"account": %q, "currency": "VND", "amount": "%d", "value_date": "2026-03-0%d"}`, account, 10+i, 1+i)).is(http.StatusCreated)
		r.post("/closes", fmt.Sprintf(`{"account": %q, "month": "2025-0%d"}`, account, 1+i)).is(http.StatusCreated)
		r.post("/tariffs", fmt.Sprintf(`{"account": %q, "tariff": {"key": "%s%d", "category": "commission", "rate_bp": 1, "valid_from": "2026-01-01T00:00:00Z"}}`, account, long, i)).is(http.StatusCreated)
	}
	for list, name := range map[string]string{"/matches": "match_id", "/deposits": "deposit_id", "/closes": "month", "/tariffs": "tariff"} {
		whole, _ := r.all(list, 200, text(name))
		require.Len(t, whole, 5, list)
		for limit, pages := range map[int]int{1: 6, 2: 3, 3: 2} {
			items, n := r.all(list, limit, text(name))
			require.Equal(t, whole, items, list)
			require.Equal(t, pages, n, list)
		}
		of, _ := r.all(list+"?account=eb", 1, text(name))
		require.Equal(t, whole[3:], of, list)
		r.get(list+"?limit=201").problem(http.StatusBadRequest, "bad_parameter")
		if list == "/deposits" {
			deposits = whole
		}
	}
	var page struct {
		Next string `json:"next_cursor"`
	}
	r.get("/deposits?limit=2").is(http.StatusOK).into(&page)
	rest := func() []string {
		var list struct{ Data []map[string]any }
		r.get("/deposits?limit=2&cursor=" + page.Next).is(http.StatusOK).into(&list)
		return views(list.Data, text("deposit_id"))
	}
	r.post("/deposits", `{"account": "am", "currency": "VND", "amount": "1", "value_date": "2026-01-01"}`).is(http.StatusCreated)
	require.Equal(t, deposits[2:4], rest(), "what came before moves nothing")
	r.strikes("/deposits/" + r.listOf("/deposits")[0]["deposit_id"].(string) + "?account=am&reason=typo").is(http.StatusOK)
	r.strikes("/deposits/" + deposits[1] + "?account=am&reason=typo").is(http.StatusOK)
	require.Equal(t, deposits[2:4], rest(), "nor does the last row when it goes")
}

func TestLinesAreMatchedByHand(t *testing.T) {
	r := newRig(t)
	r.knows("am", sold("D", 100000))
	r.imports("am", slip("ST-79", noon, "", "principal", 90000)).is(http.StatusCreated)
	require.Equal(t, "ambiguous", r.findings("scope=line")[0].Outcome)
	var lines struct{ Data []payoutLineView }
	r.get("/payouts/" + r.payoutOf("ST-79") + "/lines").is(http.StatusOK).into(&lines)
	ask := fmt.Sprintf(`{"account": "am", "channel_order_id": "D", "line_ids": [%q]}`, lines.Data[0].ID)
	var m struct {
		ID string `json:"match_id"`
	}
	r.post("/matches", ask).is(http.StatusCreated).into(&m)
	require.Equal(t, "amount_differs", r.findingOf("D").Outcome)
	require.Equal(t, 1, len(r.listOf("/matches")))
	r.strikes("/matches/"+m.ID+"?account=eb").problem(http.StatusNotFound, "not_found")
	r.strikes("/matches/" + m.ID + "?account=am").is(http.StatusOK)
	require.Empty(t, r.listOf("/matches"))
	r.post("/matches", `{"account": "am", "channel_order_id": "D", "line_ids": ["pl_none"]}`).problem(http.StatusUnprocessableEntity, "unknown_line")
}

func (r *rig) listOf(path string) []map[string]any {
	r.Helper()
	var list struct{ Data []map[string]any }
	r.get(path).is(http.StatusOK).into(&list)
	return list.Data
}

func (r *rig) payoutOf(number string) string {
	r.Helper()
	for _, p := range r.listOf("/payouts") {
		if p["external_id"] == number {
			return p["payout_id"].(string)
		}
	}
	return ""
}

func TestDepositsProveThatMoneyCame(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	of := func() any { return r.report(year + "&level=payout").Rows[0]["deposit_outcome"] }
	require.Equal(t, "unseen", of())
	var d map[string]any
	r.post("/deposits", `{"account": "am", "currency": "VND", "amount": "750000", "value_date": "2026-03-02", "bank_reference": "FT-1"}`).is(http.StatusCreated).into(&d)
	require.Equal(t, []any{"matched", "ST-77"}, []any{d["outcome"], d["payout_external_id"]})
	require.Equal(t, "matched", of())
	r.strikes(fmt.Sprintf("/deposits/%s?account=am&reason=typo", d["deposit_id"])).is(http.StatusOK)
	r.post("/deposits", `{"account": "am", "currency": "VND", "amount": "749999", "value_date": "2026-03-02", "payout_external_id": "ST-77"}`).is(http.StatusCreated)
	require.Equal(t, "differs", of())
	require.Equal(t, "-1", r.findings("scope=payout")[0].Difference)
	r.post("/deposits", `{"account": "am", "currency": "VND", "amount": "7.5", "value_date": "2026-03-02"}`).problem(http.StatusBadRequest, "invalid_member")
}

func TestAMonthIsClosedByOneAndOpenedByAnother(t *testing.T) { onEachStore(t, testAMonthIsClosed) }

func testAMonthIsClosed(r *rig) {
	r.someBooks()
	r.post("/closes", `{"account": "am", "month": "2026-03"}`).problem(http.StatusUnprocessableEntity, "month_not_over")
	for _, never := range []string{"0000-01", "0001-01"} {
		r.post("/closes", `{"account": "am", "month": "`+never+`"}`).problem(http.StatusBadRequest, "invalid_member")
	}
	r.post("/closes", `{"account": "am", "month": "9999-12"}`).problem(http.StatusUnprocessableEntity, "month_not_over")
	r.pass(40 * 24 * time.Hour)
	var c struct {
		Snapshot string `json:"snapshot_id"`
	}
	r.post("/closes", `{"account": "am", "month": "2026-03"}`).is(http.StatusCreated).into(&c)
	r.pass(time.Hour)
	r.imports("am", slip("ST-80", noon, "B", "refund_principal", 50000)).is(http.StatusCreated)
	march := "account=am&from=2026-03-01&to=2026-04-01&sort=order"
	closed := r.report(march)
	require.Equal(r, c.Snapshot, closed.Snapshot)
	require.Len(r, closed.Summary, 1)
	require.Equal(r, 1, closed.Summary[0].Payouts)
	april := r.report("account=am&from=2026-04-01&to=2026-05-01")
	require.Equal(r, "2026-03", april.row(r, "B")["prior_period"])

	r.strikes("/closes/2026-03?account=am&reason=late").problem(http.StatusUnprocessableEntity, "other_person")
	r.token = r.newToken("colleague", Scopes...)
	r.strikes("/closes/2026-03?account=am").problem(http.StatusUnprocessableEntity, "invalid")
	r.strikes("/closes/2026-03?account=am&reason=late").is(http.StatusOK)
	require.Equal(r, 2, r.report(march).Summary[0].Payouts)
	require.Empty(r, r.listOf("/closes"))
}
