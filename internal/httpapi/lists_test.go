package httpapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

// all reads a list to its end and gives what name says of every item.
func (r *rig) all(path string, limit int, name func(map[string]any) string) (items []string, pages int) {
	r.Helper()
	cursor := ""
	for {
		sep := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
		var page struct {
			Data   []map[string]any
			Orders []map[string]any
			Next   string `json:"next_cursor"`
		}
		r.get(fmt.Sprintf("%s%slimit=%d&cursor=%s", path, sep, limit, cursor)).is(http.StatusOK).into(&page)
		pages++
		for _, d := range append(page.Data, page.Orders...) {
			items = append(items, name(d))
		}
		require.LessOrEqual(r, pages, 1000)
		if cursor = page.Next; cursor == "" {
			return items, pages
		}
	}
}

func text(name string) func(map[string]any) string {
	return func(m map[string]any) string { return fmt.Sprint(m[name]) }
}

// Every list is read to its end, page by page, and holds everything once.
func TestListsAreReadToTheEndAndNothingTwice(t *testing.T) {
	onEachStore(t, testListsAreReadToTheEndAndNothingTwice)
}

func testListsAreReadToTheEndAndNothingTwice(r *rig) {
	t := r.T
	var ids []string
	for i := range 23 {
		id := fmt.Sprintf("O%02d", i)
		ids = append(ids, id)
		sub := r.order(id, connector.Hold{Kind: "k", Level: connector.Blocks, Reason: "r", Hint: "h", Since: noon}, connector.Hold{Kind: "k", About: "x", Level: connector.Warns, Reason: "r", Hint: "h", Since: noon})
		if i < 9 {
			r.entry(sub, "key-"+id, true, connector.Unknown)
		}
		_, err := r.store.Record(t.Context(), connector.Delivery{Connection: "am", ID: id, Topic: "orders", ReceivedAt: noon, Verdict: connector.Accepted,
			Body: []byte("Jane Secret"), Size: 11, Header: map[string][]string{"X": {"Jane Secret"}}})
		require.NoError(t, err)
		r.channels.plan = append(r.channels.plan, PlanOrder{Order: id, State: "waiting"})
	}
	for i := range 12 {
		_, _, err := r.store.Wish(t.Context(), connector.Wish{Subject: connector.Subject{Kind: connector.KindOrder, Channel: "am", ID: "O00"}, Kind: connector.WishHold, Actor: "a", At: noon, Key: fmt.Sprint(i)})
		require.NoError(t, err)
	}
	for path, want := range map[string]int{"/orders": 23, "/orders?channel=am": 23, "/orders?held=true": 23, "/orders?channel=none": 0, "/orders?text=O1": 10,
		"/deliveries": 23, "/deliveries?verdict=rejected": 0, "/ledger": 9, "/ledger?state=unknown": 9, "/ledger?state=done": 0, "/ledger?channel=none": 0,
		"/channels/am/reconnect-plan": 23} {
		for _, limit := range []int{2, 23, 200} {
			items, pages := r.all(path, limit, text(map[string]string{"/d": "row", "/l": "id", "/o": "id", "/c": "order"}[path[:2]]))
			require.Len(t, items, want, path)
			require.Equal(t, want/limit+1, pages, path)
			slices.Sort(items)
			require.Len(t, slices.Compact(items), want, path)
		}
	}
	held, _ := r.all("/holds", 5, func(m map[string]any) string { return fmt.Sprint(m["order"], m["kind"], m["about"]) })
	slices.Sort(held)
	require.Len(t, slices.Compact(held), 46)
	for _, path := range []string{"/orders/am/O00/timeline", "/audit"} {
		whole, _ := r.all(path, 200, text("id"))
		require.Greater(t, len(whole), 12)
		parts, _ := r.all(path, 3, text("id"))
		require.Equal(t, whole, parts, path)
	}
	got, _ := r.all("/orders", 4, text("id"))
	slices.Sort(got)
	require.Equal(t, ids, got)
}

// No list, and no single thing either, tells who bought.
func TestNoAnswerTellsWhoBought(t *testing.T) { onEachStore(t, testNoAnswerTellsWhoBought) }

func testNoAnswerTellsWhoBought(r *rig) {
	t := r.T
	sub := r.order("O1")
	plain := r.entry(sub, "create", false, connector.Done)
	refund := r.entry(sub, "refund", true, connector.Unknown)
	_, err := r.store.Record(t.Context(), connector.Delivery{Connection: "am", ID: "d", Topic: "orders", ReceivedAt: noon, Verdict: connector.Accepted,
		Body: []byte("Jane Secret"), Size: 11, Header: map[string][]string{"X": {"Jane Secret"}}})
	require.NoError(t, err)
	for _, path := range []string{"/orders", "/orders/am/O1", "/orders/am/O1/timeline", "/ledger", "/deliveries", "/deliveries/1", "/holds", "/audit", fmt.Sprintf("/ledger/%d", plain)} {
		require.True(t, without(r.get(path).is(http.StatusOK).Body.String(), "Jane", "Secret"), path)
	}
	require.Contains(t, r.get(fmt.Sprintf("/ledger/%d", refund)).is(http.StatusOK).Body.String(), `"body":`)
}

func TestParametersThatAreWrongAreRefused(t *testing.T) {
	r := newRig(t)
	for query, name := range map[string]string{"limit=0": "limit", "limit=201": "limit", "limit=-1": "limit", "limit=x": "limit", "limit=5.0": "limit", "limit=1&limit=2": "limit",
		"held=yes": "held", "hold=true": "hold", "text=%00": "text", "text=" + strings.Repeat("x", 700): "text", "text=%zz": "", "channel=%ff": "channel", "cursor=%0a": "cursor"} {
		p := r.get("/orders?"+query).problem(http.StatusBadRequest, "invalid_parameter")
		require.Equal(t, name, p.Member, query)
	}
	r.post("/orders/am/O1/hold?dry_run=true", `{}`).problem(http.StatusBadRequest, "invalid_parameter")
}

func TestACursorServesOnlyWhatItWasMadeFor(t *testing.T) {
	r := newRig(t)
	for i := range 5 {
		r.order(fmt.Sprintf("O%d", i))
	}
	var page struct {
		Next string `json:"next_cursor"`
	}
	r.get("/orders?limit=2&channel=am").is(http.StatusOK).into(&page)
	require.NotEmpty(t, page.Next)
	require.NotContains(t, page.Next, "am/O")
	r.get("/orders?channel=am&limit=3&cursor=" + page.Next).is(http.StatusOK)
	for _, path := range []string{"/orders?cursor=" + page.Next, "/orders?channel=shop&cursor=" + page.Next, "/holds?channel=am&cursor=" + page.Next, "/deliveries?cursor=" + page.Next} {
		r.get(path).problem(http.StatusBadRequest, "invalid_cursor")
	}
	raw, err := base64.RawURLEncoding.DecodeString(page.Next)
	require.NoError(t, err)
	for i := range raw {
		raw[i] ^= 1
		r.get("/orders?channel=am&cursor="+base64.RawURLEncoding.EncodeToString(raw)).problem(http.StatusBadRequest, "invalid_cursor")
		raw[i] ^= 1
	}
	for _, c := range []string{"x", "AAAA", page.Next + "A", page.Next[1:], "===", url.QueryEscape("am/O1")} {
		r.get("/orders?channel=am&cursor="+c).problem(http.StatusBadRequest, "invalid_cursor")
	}
	r.token = r.newToken("other", Scopes...)
	r.get("/orders?channel=am&cursor="+page.Next).problem(http.StatusBadRequest, "invalid_cursor")
}

func FuzzCursor(f *testing.F) {
	key := []byte("0123456789abcdef0123456789abcdef")
	f.Add(seal(key, "/v1/orders?", "am/O1"), "am/O1")
	f.Add("", "")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAA", "x")
	f.Fuzz(func(t *testing.T, cursor, position string) {
		if got, ok := unseal(key, "/v1/orders?", cursor); ok {
			require.Equal(t, cursor, seal(key, "/v1/orders?", got), "only what was sealed is unsealed")
		}
		sealed := seal(key, "list", position)
		if len(sealed) <= maxCursor {
			got, ok := unseal(key, "list", sealed)
			require.True(t, ok)
			require.Equal(t, position, got)
		}
		_, ok := unseal(key, "lis", seal(key, "list", position))
		require.False(t, ok)
		_, ok = unseal([]byte("another"), "list", sealed)
		require.False(t, ok)
	})
}

func FuzzBearer(f *testing.F) {
	f.Add("Bearer cb_0123456789abcdef_" + strings.Repeat("A", 43))
	f.Add("bearer  cb_x")
	f.Fuzz(func(t *testing.T, line string) {
		text := bearer([]string{line})
		if id, ok := tokenID(text); ok {
			require.Regexp(t, `^[0-9a-f]{16}$`, id)
			require.True(t, strings.HasPrefix(text, "cb_"+id+"_"))
		}
	})
}

func TestAnUnknownAddressOrMethodIsAProblemToo(t *testing.T) {
	r := newRig(t)
	r.get("/nothing").problem(http.StatusNotFound, "not_found")
	r.send(request(http.MethodDelete, "/orders/am/O1", r.token, "")).problem(http.StatusMethodNotAllowed, "method_not_allowed")
	for _, path := range []string{"/orders/am/none", "/orders/am/none/timeline", "/deliveries/9", "/deliveries/x", "/deliveries/-1", "/ledger/9", "/ledger/99999999999999999999", "/channels/none", "/channels/shop", "/orders/am/%00", "/orders/am/%ff",
		"/orders/am/" + strings.Repeat("x", 300)} {
		r.get(path).problem(http.StatusNotFound, "not_found")
	}
}

// Numbers of channels may hold anything; they are escaped in addresses.
func TestOrdersWithOddNumbersAreFound(t *testing.T) { onEachStore(t, testOrdersWithOddNumbersAreFound) }

func testOrdersWithOddNumbersAreFound(r *rig) {
	t := r.T
	for _, id := range []string{"a/b", "a b", "ä%2F?", "#1"} {
		r.order(id)
		path := "/orders/am/" + url.PathEscape(id)
		require.JSONEq(t, fmt.Sprintf("%q", id), string(field(t, r.get(path).is(http.StatusOK), "id")))
		a := r.post(path+"/refunds", someRefund).is(http.StatusAccepted)
		require.Equal(t, "/v1"+path+"/refunds", a.Header().Get("Location"))
		r.get(strings.TrimPrefix(a.Header().Get("Location"), "/v1")).is(http.StatusOK)
	}
	items, _ := r.all("/orders", 1, text("id"))
	require.Len(t, items, 4)
}

func TestInstantsAreUTC(t *testing.T) {
	r := newRig(t)
	r.order("O1")
	there := noon.In(time.FixedZone("", -8*3600))
	r.now.Store(&there)
	a := r.post("/orders/am/O1/hold", `{}`).is(http.StatusAccepted) // the schema of instants insists on Z
	require.Contains(t, a.Body.String(), "2026-03-01T12:00:00Z")
	r.get("/channels/am").is(http.StatusOK)
}
