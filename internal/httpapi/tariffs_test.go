package httpapi

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

const commission = `{"key": "commission", "category": "commission", "rate_bp": 400, "valid_from": "2026-01-01T07:00:00+07:00"}`

func tariffRequest(tariff string) string { return `{"account": "am", "tariff": ` + tariff + `}` }

func TestTariffsAreKeptAndListed(t *testing.T) { onEachStore(t, testTariffsAreKeptAndListed) }

func testTariffsAreKeptAndListed(r *rig) {
	t := r.T
	a := r.postKey("k1", "/tariffs", tariffRequest(commission)).is(http.StatusCreated)
	again := r.postKey("k1", "/tariffs", tariffRequest(commission)).is(http.StatusCreated)
	require.Equal(t, a.Body.String(), again.Body.String())
	require.Equal(t, "true", again.Header().Get("Idempotent-Replayed"))
	require.Equal(t, []string{"tests"}, r.audited("tariff"))
	r.postKey("k1", "/tariffs", tariffRequest(strings.Replace(commission, "400", "500", 1))).problem(http.StatusConflict, "key_reused")
	r.post("/tariffs", `{"account": "eb", "tariff": {"key": "fee", "category": "fixed_fee", "rate_bp": 0, "fixed": "0.30", "minimum": "0.30", "maximum": "12.5", "currency": "USD",
		"base": ["principal"], "rounding": "line", "effective": "shipment", "fulfilled_by": "channel", "valid_from": "2026-01-01T00:00:00Z", "valid_to": "2027-01-01T00:00:00Z"}}`).is(http.StatusCreated)

	then := r.clock()
	r.pass(time.Hour)
	r.post("/tariffs", tariffRequest(strings.Replace(commission, "400", "500", 1))).is(http.StatusCreated)
	var list struct{ Data []tariffView }
	r.get("/tariffs").is(http.StatusOK).into(&list)
	require.Len(t, list.Data, 2)
	require.EqualValues(t, 500, list.Data[0].Tariff.RateBP)
	require.Equal(t, "2026-01-01T00:00:00Z", list.Data[0].Tariff.From.Format(time.RFC3339))
	fee := list.Data[1].Tariff
	require.Equal(t, []string{"0.30", "0.30", "12.50"}, []string{fee.Fixed, fee.Minimum, fee.Maximum})
	r.get("/tariffs?account=am&as_of=" + url.QueryEscape(then.Format(time.RFC3339))).is(http.StatusOK).into(&list)
	require.Len(t, list.Data, 1)
	require.EqualValues(t, 400, list.Data[0].Tariff.RateBP, "as it was known then")
	require.Equal(t, connector.ConnectionID("am"), list.Data[0].Account)
	require.Equal(t, "tests", list.Data[0].Author)
	for _, at := range []string{"0001-01-01T00:00:00Z", "0000-01-01T00:00:00%2B14:00"} {
		require.Equal(t, "as_of", r.get("/tariffs?as_of="+at).problem(http.StatusBadRequest, "bad_parameter").Member, at)
	}
	require.Equal(t, "as_of", r.get("/tariffs?as_of=now").problem(http.StatusBadRequest, "bad_parameter").Member)
	require.Equal(t, "account", r.get("/tariffs?account=none").problem(http.StatusNotFound, "unknown_account").Member)
}

func TestEveryFaultOfATariffIsNamed(t *testing.T) {
	r := newRig(t)
	bad := `{"key": "x", "category": "principal", "base": ["gifts"], "rate_bp": 10000, "fixed": "1", "minimum": "0.5", "maximum": "9999999999999999999", "currency": "JPY",
		"valid_from": "2026-01-02T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"}`
	p := r.post("/tariffs", tariffRequest(bad)).problem(http.StatusUnprocessableEntity, "invalid_tariff")
	var members []string
	for _, f := range p.Refusals {
		name, _, _ := strings.Cut(f.Reason, ":")
		members = append(members, name)
	}
	require.Equal(t, []string{"minimum", "maximum", "category", "base", "valid_to"}, members)
	p = r.post("/tariffs:simulate", `{"account": "am", "tariffs": [`+commission+`, `+commission+`, `+bad+`]}`).problem(http.StatusUnprocessableEntity, "invalid_tariff")
	require.Contains(t, p.Refusals[0].Reason, "tariffs[1].key")
	require.Contains(t, p.Refusals[1].Reason, "tariffs[2].minimum")
	require.Equal(t, "currency", strings.SplitN(r.post("/tariffs", tariffRequest(`{"key": "x", "category": "commission", "fixed": "1", "valid_from": "2026-01-02T00:00:00Z"}`)).
		problem(http.StatusUnprocessableEntity, "invalid_tariff").Refusals[0].Reason, ":", 2)[0])
	for _, amount := range []string{"fixed", "minimum", "maximum"} {
		beyond := tariffRequest(`{"key": "x", "category": "commission", "currency": "VND", "valid_from": "2026-01-02T00:00:00Z", "` + amount + `": "9223372036854775807"}`)
		p = r.post("/tariffs", beyond).problem(http.StatusUnprocessableEntity, "invalid_tariff")
		require.Contains(t, p.Refusals[0].Reason, "fixed, minimum, maximum: ")
	}
	never := strings.Replace(commission, "2026-01-01T07:00:00+07:00", "9999-12-31T23:00:00-02:00", 1)
	for _, body := range []string{never, strings.Replace(commission, "}", `, "valid_to": "0000-01-01T00:00:00+14:00"}`, 1)} {
		p = r.post("/tariffs", tariffRequest(body)).problem(http.StatusUnprocessableEntity, "invalid_tariff")
		require.Contains(t, p.Refusals[0].Reason, "outside the years 1 to 9999")
	}
	p = r.post("/tariffs:simulate", `{"account": "am", "tariffs": [`+never+`]}`).problem(http.StatusUnprocessableEntity, "invalid_tariff")
	require.Contains(t, p.Refusals[0].Reason, "tariffs[0].valid_from")
	for body, name := range map[string]string{
		tariffRequest(`{"key": "x", "category": "commission"}`):                                                            "tariff.valid_from",
		tariffRequest(`{"key": "x", "category": "commission", "valid_from": "yesterday"}`):                                 "tariff.valid_from",
		tariffRequest(`{"key": "x", "category": "commission", "valid_from": "2026-01-02T00:00:00Z", "fixed": 1}`):          "tariff.fixed",
		tariffRequest(`{"key": "x", "category": "commission", "valid_from": "2026-01-02T00:00:00Z", "rate_bp": 10001}`):    "tariff.rate_bp",
		tariffRequest(`{"key": "x", "category": "commission", "valid_from": "2026-01-02T00:00:00Z", "rate": 1}`):           "tariff.rate",
		tariffRequest(`{"key": "x", "category": "commission", "valid_from": "2026-01-02T00:00:00Z", "rounding": "never"}`): "tariff.rounding",
	} {
		require.Equal(t, name, r.post("/tariffs", body).problem(http.StatusBadRequest, codeOf(r.post("/tariffs", body))).Member, body)
	}
	require.Equal(t, "account", r.post("/tariffs", strings.Replace(tariffRequest(commission), "am", "none", 1)).problem(http.StatusNotFound, "unknown_account").Member)
	require.Empty(t, r.audited("tariff"))
}

func TestASimulationShowsWhatWouldChange(t *testing.T) {
	onEachStore(t, testASimulationShowsWhatWouldChange)
}

func testASimulationShowsWhatWouldChange(r *rig) {
	t := r.T
	r.knows("am", sold("A", 500000), sold("B", 200000))
	r.post("/tariffs", tariffRequest(commission)).is(http.StatusCreated)
	r.imports("am", slip("ST-1", noon, "A", "principal", 500000, "A", "commission", -20000, "B", "principal", 200000, "B", "commission", -10000)).is(http.StatusCreated)
	body := `{"account": "am", "tariffs": [` + strings.Replace(commission, "400", "500", 1) + `]}`
	var got simulationView
	r.send(request(http.MethodPost, "/tariffs:simulate", r.newToken("reader", "payouts:read"), body)).is(http.StatusOK).into(&got) // without a key
	require.Equal(t, simulationView{Account: "am", Orders: 2, Changed: 2,
		Sums: []shiftView{{"VND", 2, standingView{"", "672000", "-2000"}, standingView{"", "665000", "5000"}}},
		Changes: []changeView{
			{"A", "VND", standingView{"matched", "480000", "0"}, standingView{"fee_variance", "475000", "5000"}},
			{"B", "VND", standingView{"fee_variance", "192000", "-2000"}, standingView{"matched", "190000", "0"}}}}, got)
	r.post("/tariffs:simulate", strings.Replace(body, `"tariffs"`, `"limit": 1, "tariffs"`, 1)).is(http.StatusOK).into(&got)
	require.Len(t, got.Changes, 1)
	require.Equal(t, 2, got.Changed)
	var list struct{ Data []tariffView }
	r.get("/tariffs").is(http.StatusOK).into(&list)
	require.Len(t, list.Data, 1)
	require.EqualValues(t, 400, list.Data[0].Tariff.RateBP, "nothing is kept")
}
