package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/connector/payout"
	"channelbridge/connector/sqlstore"
)

// twoWorlds are equal but for the account eb, which only the second has. One and the same token,
// bound to am, is known in both.
func twoWorlds(t *testing.T, open func() connector.Store) (alone, beside *rig) {
	token, text, err := NewToken("accountant", []string{scopePayoutsRead, scopePayoutsWrite}, noon, time.Time{}, "am")
	require.NoError(t, err)
	world := func(change ...func(*Config)) *rig {
		r := rigOn(t, open(), change...)
		require.NoError(t, r.store.PutToken(t.Context(), token))
		return r
	}
	alone = world(func(c *Config) { b := c.Payouts.(*books); b.accounts = b.accounts[:1] })
	beside = world()
	for _, r := range []*rig{alone, beside} {
		all := r.token
		for i := range 5 {
			r.pass(time.Minute)
			id := fmt.Sprint("O", i)
			r.knows("am", sold(id, 1000))
			r.imports("am", slip(fmt.Sprint("ST-", i), r.clock(), id, "principal", 1000-i)).is(http.StatusCreated)
			if r == beside {
				r.knows("eb", sold(id, 2000), sold(fmt.Sprint("E", i), 70))
				r.imports("eb", slip(fmt.Sprint("ST-", i), r.clock(), id, "principal", 2000+i, fmt.Sprint("E", i), "principal", 70)).is(http.StatusCreated)
				r.imports("eb", slip(fmt.Sprint("EB-", i), r.clock(), id, "principal", 1)).is(http.StatusCreated)
				r.happened(fmt.Sprint("eb", i), connector.EventPayoutImported, "eb", "erp")
			}
			r.happened(fmt.Sprint("am", i), connector.EventPayoutImported, "am", "erp")
		}
		r.post("/tariffs", `{"account": "am", "tariff": `+oneTariff+`}`).is(http.StatusCreated)
		if r == beside {
			r.post("/tariffs", `{"account": "eb", "tariff": `+oneTariff+`}`).is(http.StatusCreated)
		}
		require.Equal(t, all, r.token)
		r.token = text.Reveal()
	}
	return alone, beside
}

const oneTariff = `{"key": "referral", "category": "commission", "rate_bp": 1500, "valid_from": "2026-01-01T00:00:00Z"}`

// content is the body of an answer, but for what is new with every request.
func content(a answer) string {
	body := a.Body.String()
	var p Problem
	if a.Code >= http.StatusBadRequest && json.Unmarshal([]byte(body), &p) == nil {
		body = strings.ReplaceAll(body, p.Reference, "")
	}
	return body
}

// told is everything an answer tells.
func told(a answer) string {
	h := a.Header().Clone()
	h.Del("Request-Id")
	return fmt.Sprint(a.Code, "\n", h, "\n", content(a))
}

// B17.10: whoever may see one account cannot learn that another exists. Every address of payouts is
// asked in a world with the other account and in one without it, and the answers are the same.
func TestAnAccountATokenIsNotBoundToDoesNotExist(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		testAnotherAccountDoesNotExist(t, func() connector.Store { return memstore.New() })
	})
	t.Run("sqlite", func(t *testing.T) {
		testAnotherAccountDoesNotExist(t, func() connector.Store {
			s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "bridge.db"), sqlstore.Options{})
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.Close() })
			return s
		})
	})
}

func testAnotherAccountDoesNotExist(t *testing.T, open func() connector.Store) {
	alone, beside := twoWorlds(t, open)
	both := func(ask func(*rig) answer) answer {
		t.Helper()
		a, b := ask(alone), ask(beside)
		require.Equal(t, told(a), told(b))
		return b
	}
	theirs := payout.ID(connector.Payout{Account: "eb", External: "ST-1", Revision: 1})
	ours := payout.ID(connector.Payout{Account: "am", External: "ST-1", Revision: 1})
	for route, paths := range addressesOf(theirs, ours) {
		for i, path := range paths {
			t.Run(route+"/"+fmt.Sprint(i), func(t *testing.T) {
				a := both(func(r *rig) answer { return r.get(path) })
				require.NotEqual(t, http.StatusInternalServerError, a.Code)
			})
		}
	}
	for _, route := range append(beside.server.payoutRoutes(), beside.server.eventRoutes()...) {
		if route.method == http.MethodGet {
			require.NotEmpty(t, addressesOf("", "")[route.path], "%s is not asked here", route.path)
		}
	}
	t.Run("page by page, cursors included", func(t *testing.T) {
		for _, first := range []string{"/payouts?limit=2", "/events?limit=2", "/tariffs?limit=1", "/findings?limit=2", "/payouts/" + ours + "/lines?limit=1", reportOf + year + "&limit=2", reportOf + year + "&limit=2&level=line"} {
			path := first
			for {
				var page struct {
					Next string `json:"next_cursor"`
				}
				both(func(r *rig) answer { return r.get(path) }).is(http.StatusOK).into(&page)
				if page.Next == "" {
					break
				}
				path = first + "&cursor=" + page.Next
			}
		}
	})
	t.Run("another token's cursor", func(t *testing.T) {
		whole := beside.newToken("boss", scopePayoutsRead)
		var page struct {
			Next string `json:"next_cursor"`
		}
		beside.send(request(http.MethodGet, "/payouts?limit=1", whole, "")).into(&page)
		require.NotEmpty(t, page.Next)
		garbage := both(func(r *rig) answer { return r.get("/payouts?limit=1&cursor=AAAAAAAAAAAAAAAAAAAAAAAA") })
		require.Equal(t, content(garbage), content(both(func(r *rig) answer { return r.get("/payouts?limit=1&cursor=" + page.Next) })))
	})
	t.Run("what is written", func(t *testing.T) {
		for i, body := range []string{`{"account": "eb", "tariff": ` + oneTariff + `}`, `{"account": "no", "tariff": ` + oneTariff + `}`, `{"account": "am", "tariff": ` + oneTariff + `}`} {
			for range 2 { // the second is a repetition with the same key
				both(func(r *rig) answer { return r.postKey(fmt.Sprint("w", i), "/tariffs", body) })
			}
		}
		unknown := func(key, account string) string {
			return content(both(func(r *rig) answer {
				return r.postKey(key, "/tariffs", `{"account": "`+account+`", "tariff": `+oneTariff+`}`)
			}))
		}
		require.Equal(t, unknown("x", "no"), unknown("y", "eb"))
		for _, account := range []string{"eb", "no", "am"} {
			both(func(r *rig) answer {
				return r.send(request(http.MethodPost, "/tariffs:simulate", r.token, `{"account": "`+account+`", "tariffs": [`+oneTariff+`]}`))
			})
			both(func(r *rig) answer { return r.imports(account, slip("EB-1", noon, "O1", "principal", 1)) })
			both(func(r *rig) answer { return r.imports(account, "no payout") })
		}
		kept, err := beside.store.PayoutSources(t.Context(), "eb", 100)
		require.NoError(t, err)
		require.Len(t, kept, 10, "nothing of it came to the other account")
	})
}

// What people add to the other account's payouts cannot be seen or touched either.
func TestAnotherAccountsFindingsCannotBeTouched(t *testing.T) {
	alone, beside := twoWorlds(t, func() connector.Store { return memstore.New() })
	boss := beside.newToken("boss", scopePayoutsRead, scopePayoutsWrite)
	var list struct{ Data []findingBody }
	beside.send(request(http.MethodGet, "/findings?account=eb", boss, "")).is(http.StatusOK).into(&list)
	require.NotEmpty(t, list.Data)
	for i, ask := range []func(r *rig) answer{
		func(r *rig) answer { return r.get("/findings/" + list.Data[0].ID) },
		func(r *rig) answer { return r.postKey("a", "/findings/"+list.Data[0].ID+":review", `{}`) },
		func(r *rig) answer {
			return r.postKey("b", "/findings:bulk", `{"do": "review", "ids": ["`+list.Data[0].ID+`"]}`)
		},
		func(r *rig) answer {
			return r.postKey("c", "/findings:bulk", `{"do": "review", "filter": {"account": "eb"}}`)
		},
		func(r *rig) answer { return r.postKey("d", "/closes", `{"account": "eb", "month": "2026-01"}`) },
		func(r *rig) answer {
			return r.postKey("e", "/deposits", `{"account": "eb", "currency": "VND", "amount": "1", "value_date": "2026-01-01"}`)
		},
		func(r *rig) answer {
			return r.postKey("f", "/matches", `{"account": "eb", "channel_order_id": "E1", "line_ids": ["pl_1"]}`)
		},
		func(r *rig) answer { return r.strikes("/closes/2026-01?account=eb&reason=x") },
	} {
		require.Equal(t, told(ask(alone)), told(ask(beside)), i)
	}
	of := func(account connector.ConnectionID) connector.Event {
		return connector.Event{ID: connector.EventID(connector.EventFindingOpened, string(account)), Type: connector.EventFindingOpened, At: noon, Account: account, Data: []byte(`{}`)}
	}
	for _, r := range []*rig{alone, beside} {
		events := []connector.Event{of("am")}
		if r == beside {
			events = append(events, of("eb"))
		}
		_, err := r.store.Emit(t.Context(), []string{"erp"}, events...)
		require.NoError(t, err)
	}
	for i, ask := range []func(r *rig) answer{
		func(r *rig) answer { return r.get("/events?account=eb") },
		func(r *rig) answer { return r.get("/events?account=am") },
		func(r *rig) answer { return r.postKey("g", "/events/"+of("eb").ID+":replay", `{}`) },
	} {
		require.Equal(t, told(ask(alone)), told(ask(beside)), i)
	}
	var seen struct{ Data []eventView }
	beside.get("/events").is(http.StatusOK).into(&seen)
	require.Len(t, seen.Data, 6)
	acts, err := beside.store.Acts(t.Context(), "eb", time.Time{})
	require.NoError(t, err)
	require.Empty(t, acts)
}

// addressesOf are requests of every address that reads payouts.
func addressesOf(theirs, ours string) map[string][]string {
	id := func(below string) []string {
		return []string{"/payouts/" + theirs + below, "/payouts/" + ours + below, "/payouts/po_none" + below}
	}
	out := map[string][]string{
		"/payouts":            {"/payouts", "/payouts?account=eb", "/payouts?account=no", "/payouts?account=am", "/payouts?state=paid", "/payouts?limit=0"},
		onePayout:             id(""),
		onePayout + "/lines":  id("/lines"),
		onePayout + "/source": id("/source"),
		"/findings/:id":       {"/findings/fi_none"},
		jobPath:               {"/reports/jobs/job_none"},
		jobFilePath:           {"/reports/jobs/job_none/file"},
	}
	for _, list := range []string{"/tariffs", "/findings", "/claims", "/matches", "/deposits", "/closes", "/events"} {
		out[list] = []string{list, list + "?account=eb", list + "?account=am", list + "?account=no"}
	}
	for i, query := range []string{"", "&account=eb", "&channel=eb", "&account=am&account=eb", "&account=no", "&payout_id=" + theirs, "&payout_id=" + ours, "&payout_id=ST-1", "&payout_id=EB-1", "&q=E1", "&q=eb",
		"&level=summary", "&level=payout", "&level=line", "&level=unsettled", "&tz=UTC", "&cause=price", "&min_difference=1", "&as_of=2026-03-01T12:03:00Z"} {
		forms := []string{"json", "ndjson", "csv", "xlsx", "journal-json", "journal-csv", "journal-text"}
		if i > 1 { // every form of the first ones is enough
			forms = forms[:1]
		}
		for _, form := range forms {
			out[reportPath] = append(out[reportPath], reportOf+year+query+"&format="+form)
		}
	}
	return out
}

// A token that is bound to accounts has no scope over what is not divided by account, even if it
// was kept with one.
func TestABoundTokenHasNoOtherScope(t *testing.T) {
	for _, scope := range Scopes {
		_, _, err := NewToken("a", []string{scope}, noon, time.Time{}, "am")
		require.Equal(t, byAccount(scope), err == nil, scope)
	}
	_, _, err := NewToken("a", []string{scopePayoutsRead}, noon, time.Time{}, "")
	require.Error(t, err)
	r := newRig(t)
	tok, text, err := NewToken("a", Scopes, noon, time.Time{})
	require.NoError(t, err)
	tok.Accounts = []connector.ConnectionID{"am"}
	require.NoError(t, r.store.PutToken(t.Context(), tok))
	r.token = text.Reveal()
	r.get("/orders").problem(http.StatusForbidden, "scope_missing")
	r.get("/audit").problem(http.StatusForbidden, "scope_missing")
	r.get("/payouts").is(http.StatusOK)
}

// There is one way from a handler to payouts, and it knows the token.
func TestHandlersReachPayoutsThroughTheToken(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		n := strings.Count(string(text), "cfg.Payouts")
		found += n
		require.True(t, n == 0 || f == "payouts.go", "%s: use call.paid", f)
	}
	require.Equal(t, 2, found, "in ofPayouts: whether there are any, and what the token sees of them")
}
