package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/fault"
)

func TestAnOrderIsHeldReleasedAndApproved(t *testing.T) {
	onEachStore(t, testAnOrderIsHeldReleasedAndApproved)
}

func testAnOrderIsHeldReleasedAndApproved(r *rig) {
	t := r.T
	sub := r.order("O1")
	for _, c := range []struct {
		path, body string
		kind       connector.WishKind
		about      string
	}{
		{"hold", `{"reason": "the buyer called"}`, connector.WishHold, ""},
		{"release", `{}`, connector.WishRelease, ""},
		{"approve", `{"about": "refund/77", "reason": "checked"}`, connector.WishApprove, "refund/77"},
	} {
		a := r.post("/orders/am/O1/"+c.path, c.body).is(http.StatusAccepted)
		require.Equal(t, "/v1/orders/am/O1", a.Header().Get("Location"))
		w := r.wishes(sub)
		last := w[len(w)-1]
		require.Equal(t, c.kind, last.Kind)
		require.Equal(t, c.about, last.About)
		require.Equal(t, "tests", last.Actor)
		r.post("/orders/am/none/"+c.path, c.body).problem(http.StatusNotFound, "not_found")
	}
	require.Len(t, r.audited("wish"), 3)
	r.post("/orders/am/O1/approve", `{}`).problem(http.StatusBadRequest, "missing_member")
}

func TestWhatWasRefusedIsTriedAgain(t *testing.T) { onEachStore(t, testWhatWasRefusedIsTriedAgain) }

func testWhatWasRefusedIsTriedAgain(r *rig) {
	t := r.T
	sub := r.order("O1")
	id := r.entry(sub, "k", true, connector.Refused)
	a := r.post("/orders/am/O1/retry", `{"reason": "address corrected"}`).is(http.StatusOK)
	require.JSONEq(t, `{"reopened": 1}`, a.Body.String())
	e, err := r.store.Entry(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, connector.Retry, e.State)
	require.Equal(t, []string{"tests"}, r.audited("reopen"))
	require.JSONEq(t, `{"reopened": 0}`, r.post("/orders/am/O1/retry", ``).is(http.StatusOK).Body.String())
	r.post("/orders/am/none/retry", `{}`).problem(http.StatusNotFound, "not_found")
}

func TestADoubtIsResolvedByAPerson(t *testing.T) { onEachStore(t, testADoubtIsResolvedByAPerson) }

func testADoubtIsResolvedByAPerson(r *rig) {
	t := r.T
	sub := r.order("O1")
	did, didNot := r.entry(sub, "a", true, connector.Unknown), r.entry(sub, "b", true, connector.Unknown)
	require.JSONEq(t, `true`, string(field(t, r.get(fmt.Sprintf("/ledger/%d", did)), "doubt")))
	path := fmt.Sprintf("/ledger/%d/resolve", did)
	for body, m := range map[string]string{`{"happened": true}`: "evidence", `{"evidence": "x"}`: "happened", `{"happened": true, "evidence": " "}`: "evidence"} {
		a := r.post(path, body).is(http.StatusBadRequest)
		var p Problem
		a.into(&p)
		require.Equal(t, m, p.Member)
	}
	a := r.post(path, `{"happened": true, "evidence": "case 4711 shows it"}`).is(http.StatusOK)
	require.JSONEq(t, `"done"`, string(field(t, a, "state")))
	require.JSONEq(t, `"case 4711 shows it"`, string(field(t, a, "reason")))
	r.post(path, `{"happened": true, "evidence": "case 4711 shows it"}`).is(http.StatusOK) // said twice is said once
	r.post(path, `{"happened": false, "evidence": "it does not"}`).problem(http.StatusConflict, "settled")
	r.post(path, `{"happened": true, "evidence": "another story"}`).problem(http.StatusConflict, "settled")
	a = r.post(fmt.Sprintf("/ledger/%d/resolve", didNot), `{"happened": false, "evidence": "the report lacks it"}`).is(http.StatusOK)
	require.JSONEq(t, `"refused"`, string(field(t, a, "state")))
	require.Equal(t, []string{"tests", "tests"}, r.audited("resolve"))
	r.post("/ledger/99/resolve", `{"happened": true, "evidence": "x"}`).problem(http.StatusNotFound, "not_found")
}

// While the call may still be under way nobody can say what became of it.
func TestAnEntryUnderWayIsNotInDoubtYet(t *testing.T) {
	onEachStore(t, testAnEntryUnderWayIsNotInDoubtYet)
}

func testAnEntryUnderWayIsNotInDoubtYet(r *rig) {
	t := r.T
	id := r.entry(r.order("O1"), "a", true, connector.Sent)
	path := fmt.Sprintf("/ledger/%d", id)
	require.JSONEq(t, `false`, string(field(t, r.get(path), "doubt")))
	r.post(path+"/resolve", `{"happened": true, "evidence": "x"}`).problem(http.StatusConflict, "settled")
	r.pass(time.Hour)
	require.JSONEq(t, `true`, string(field(t, r.get(path), "doubt")))
	r.post(path+"/resolve", `{"happened": true, "evidence": "x"}`).is(http.StatusOK)
}

func TestOneSwitchStopsAllWrites(t *testing.T) { onEachStore(t, testOneSwitchStopsAllWrites) }

func testOneSwitchStopsAllWrites(r *rig) {
	t := r.T
	require.JSONEq(t, `{"stopped": false}`, r.get("/writes").is(http.StatusOK).Body.String())
	r.post("/writes", `{"stopped": true, "reason": "something is odd"}`).is(http.StatusOK)
	require.JSONEq(t, `{"stopped": true, "reason": "something is odd", "actor": "tests", "at": "2026-03-01T12:00:00Z"}`, r.get("/writes").is(http.StatusOK).Body.String())
	sub := r.order("O1")
	r.with(sub, func(ctx context.Context, w connector.Work) {
		_, err := r.store.Intend(ctx, w, connector.Command{Key: "k"}, r.clock(), r.clock().Add(time.Minute), "")
		require.ErrorIs(t, err, connector.ErrStopped)
	})
	r.post("/writes", `{}`).problem(http.StatusBadRequest, "missing_member")
	r.post("/writes", `{"stopped": false}`).is(http.StatusOK)
	require.Equal(t, []string{"tests", "tests"}, r.audited("switch"))
}

func TestTheLifeOfAChannel(t *testing.T) { onEachStore(t, testTheLifeOfAChannel) }

func testTheLifeOfAChannel(r *rig) {
	t := r.T
	state := func(want string) {
		t.Helper()
		require.JSONEq(t, fmt.Sprintf("%q", want), string(field(t, r.get("/channels/am").is(http.StatusOK), "state")))
	}
	var list struct{ Data []Channel }
	r.get("/channels").is(http.StatusOK).into(&list)
	require.Len(t, list.Data, 1, "stores are no channels")
	r.post("/channels/am/pause", `{"reason": "holiday"}`).is(http.StatusOK)
	state("paused")
	r.post("/channels/am/resume", ``).is(http.StatusOK)
	state("active")
	require.Equal(t, []By{{"tests", "holiday"}, {"tests", ""}}, r.channels.by)
	require.Equal(t, []string{"tests", "tests"}, r.audited("state"))

	p := r.post("/channels/am/reconnect", `{}`).problem(http.StatusUnprocessableEntity, "not_removed")
	require.NotEmpty(t, p.Hint)
	dry := r.send(request(http.MethodPost, "/channels/am/remove", r.token, `{"dry_run": true}`)).is(http.StatusOK)
	state("active")
	gone := r.post("/channels/am/remove", `{"reason": "sold"}`).is(http.StatusOK)
	state("removed")
	require.JSONEq(t, string(field(t, dry, "obligations")), string(field(t, gone, "obligations")))
	require.JSONEq(t, `[{"kind":"to_refund","count":2,"sums":[{"amount":"7.00","currency":"USD"}]},{"kind":"to_ship","count":1,"sums":[]}]`, string(field(t, gone, "obligations")))

	a := r.post("/channels/am/reconnect", `{}`).is(http.StatusAccepted)
	require.Equal(t, "/v1/channels/am/reconnect-plan", a.Header().Get("Location"))
	state("reconnecting")
	r.channels.plan = []PlanOrder{{Order: "O1", State: "waiting", Fulfilled: true, CancelledAt: noon}, {Order: "O2", State: "waiting"}}
	r.post("/channels/am/reconnect-plan/hold", `{"order": "O2"}`).is(http.StatusAccepted)
	r.post("/channels/am/reconnect-plan/hold", `{"order": "O9"}`).problem(http.StatusNotFound, "not_found")
	r.post("/channels/am/reconnect-plan/hold", `{}`).problem(http.StatusBadRequest, "missing_member")
	var plan ReconnectPlan
	r.get("/channels/am/reconnect-plan").is(http.StatusOK).into(&plan)
	require.Equal(t, "held", plan.Orders[1].State)
	require.False(t, r.channels.all)
	r.post("/channels/am/reconnect-plan/approve", `{"order": "O2"}`).is(http.StatusAccepted)
	require.False(t, r.channels.all)
	require.Equal(t, "waiting", r.channels.plan[1].State)
	r.post("/channels/am/reconnect-plan/approve", `{}`).is(http.StatusAccepted)
	require.True(t, r.channels.all)
	for _, what := range []string{"pause", "resume", "remove", "reconnect"} {
		r.post("/channels/none/"+what, `{}`).problem(http.StatusNotFound, "not_found")
	}
}

func TestADeliveryIsReadAgain(t *testing.T) { onEachStore(t, testADeliveryIsReadAgain) }

func testADeliveryIsReadAgain(r *rig) {
	t := r.T
	ctx := t.Context()
	_, err := r.store.Record(ctx, connector.Delivery{Connection: "am", ID: "d1", Topic: "orders", ReceivedAt: noon, Verdict: connector.Quarantined, Body: []byte("{}"), Size: 2})
	require.NoError(t, err)
	require.NoError(t, r.store.Reject(ctx, connector.Delivery{Connection: "am", ID: "d2", Topic: "orders", ReceivedAt: noon, Verdict: connector.Rejected, Body: []byte("{}"), Size: 2}, 10))
	rows, err := r.store.Deliveries(ctx, connector.DeliveryFilter{})
	require.NoError(t, err)
	require.Len(t, rows, 2)
	row := func(v connector.Verdict) int64 {
		for _, d := range rows {
			if d.Verdict == v {
				return d.Row
			}
		}
		t.Fatal(v)
		return 0
	}
	a := r.post(fmt.Sprintf("/deliveries/%d/replay", row(connector.Quarantined)), `{}`).is(http.StatusOK)
	require.JSONEq(t, `"accepted"`, string(field(t, a, "verdict")))
	require.NotEmpty(t, field(t, a, "replayed_at"))
	r.post(fmt.Sprintf("/deliveries/%d/replay", row(connector.Rejected)), `{}`).problem(http.StatusUnprocessableEntity, "needs_force")
	require.Equal(t, []string{"tests"}, r.audited("replay"))
	r.post("/deliveries/99/replay", `{}`).problem(http.StatusNotFound, "not_found")
}

// What goes wrong inside is told in the log, not to the caller.
func TestErrorsStayInside(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{errors.New("dial tcp 10.0.0.1: Jane Secret"), http.StatusInternalServerError, "internal"},
		{fault.New(fault.Temporary, "10.0.0.1 busy"), http.StatusServiceUnavailable, "unavailable"},
		{fault.New(fault.NotFound, "10.0.0.1 empty"), http.StatusNotFound, "not_found"},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, "unavailable"},
	} {
		r := newRig(t, func(cfg *Config) { cfg.Channels = failing{cfg.Channels, func() error { return c.err }} })
		a := r.get("/channels")
		a.problem(c.status, c.code)
		require.True(t, without(a.Body.String(), "10.0.0.1", "Jane"))
	}
	r := newRig(t, func(cfg *Config) { cfg.Channels = failing{cfg.Channels, func() error { panic("Jane Secret") }} })
	a := r.get("/channels")
	p := a.problem(http.StatusInternalServerError, "internal")
	require.Equal(t, p.Reference, a.Header().Get("Request-Id"))
	require.True(t, without(a.Body.String(), "Jane"))
}

type failing struct {
	Channels
	err func() error
}

func (f failing) List(context.Context) ([]Channel, error) { return nil, f.err() }

func TestAPartThatIsMissingIsNoticedAtTheStart(t *testing.T) {
	_, err := New(Config{})
	require.Error(t, err)
}
