package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/notify"
	"channelbridge/marketplace"
)

// erp is one of the operator's own systems.
type erp struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	bodies []string
	forged int
}

func newERP(t *testing.T) *erp {
	e := &erp{status: http.StatusNoContent}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(pushSecret, "whsec_"))
	require.NoError(t, err)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		m := hmac.New(sha256.New, key)
		_, _ = io.WriteString(m, r.Header.Get("webhook-id")+"."+r.Header.Get("webhook-timestamp")+"."+string(body))
		e.mu.Lock()
		defer e.mu.Unlock()
		if r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)) {
			e.forged++
		}
		e.bodies = append(e.bodies, string(body))
		w.WriteHeader(e.status)
		if e.status != http.StatusNoContent {
			_, _ = io.WriteString(w, "no thanks")
		}
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *erp) says(status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status = status
}

// told are the types of what arrived.
func (e *erp) told() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string]int{}
	for _, b := range e.bodies {
		var m struct{ Type string }
		_ = json.Unmarshal([]byte(b), &m) // what is not JSON has no type
		out[m.Type]++
	}
	return out
}

// telling makes the bench's bridge tell a system of its own.
func (b *bench) telling(e *erp, types ...string) {
	b.Helper()
	if len(types) == 0 { // those of imports
		types = []string{connector.EventPayoutImported, connector.EventPayoutNotProven, connector.EventLinesUnclassified}
	}
	b.write("listen: 127.0.0.1:0\nevents:\n  - {id: erp, url: '" + e.URL + "/hooks', secret: " + pushSecret + ", types: [" + strings.Join(types, ", ") + "]}\n")
	b.config = file(b.T, b.dir, "channelbridge.yaml", readFile(b.T, b.config)+statementForm)
}

func TestAnImportIsTold(t *testing.T) {
	b, e := newBench(t), newERP(t)
	b.telling(e)
	r := b.serve()
	good := file(t, b.dir, "good.csv", statement("ST-1", "5.00", [3]string{"Sale", "4.00", "A"}, [3]string{"Gift", "1.00", "A"}))
	require.Zero(t, b.run("payouts", "import", good, "--account", "market").code)
	require.Eventually(t, func() bool {
		return e.told()[connector.EventLinesUnclassified] == 1 && e.told()[connector.EventPayoutImported] == 1
	}, 15*time.Second, 50*time.Millisecond)
	short := file(t, b.dir, "short.csv", statement("ST-2", "8.00", [3]string{"Sale", "5.00", "X"}))
	require.Zero(t, b.run("payouts", "import", short, "--account", "market").code)
	require.Zero(t, b.run("payouts", "import", short, "--account", "market").code)
	want := map[string]int{connector.EventPayoutImported: 2, connector.EventLinesUnclassified: 1, connector.EventPayoutNotProven: 1}
	require.Eventually(t, func() bool { return reflect.DeepEqual(want, e.told()) }, 15*time.Second, 50*time.Millisecond)
	e.mu.Lock()
	require.Zero(t, e.forged)
	require.Contains(t, strings.Join(e.bodies, "\n"), `"external_id":"ST-2","revision":1,"state":"paid","currency":"USD","paid":"8.00"`)
	require.Contains(t, strings.Join(e.bodies, "\n"), `"outcome":"not_proven","proof_gap":"-3.00"`)
	e.mu.Unlock()

	require.Eventually(t, func() bool { return strings.Count(b.run("events", "list").out, "delivered") == 4 }, 15*time.Second, 50*time.Millisecond)
	list := b.run("events", "list", "--json")
	require.Zero(t, list.code, list.err)
	var events []connector.EventRecord
	require.NoError(t, json.Unmarshal([]byte(list.out), &events))
	require.Len(t, events, 4)
	require.Equal(t, 1, strings.Count(b.run("events", "list", "--type", "payout.not_proven").out, "evt_"))
	again := b.run("events", "replay", events[3].ID)
	require.Contains(t, again.out, "1 deliveries are sent again", again.err)
	require.Eventually(t, func() bool { return e.told()[connector.EventPayoutImported] == 3 }, 15*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { // it is counted after it was noted
		_, text := get(t, r.metrics+"/metrics")
		return strings.Contains(text, `channelbridge_event_deliveries_total{endpoint="erp",outcome="delivered"} 5`)
	}, 15*time.Second, 50*time.Millisecond)
}

func TestWhatAnEndpointDoesNotTakeIsShownAndSentAgain(t *testing.T) {
	b, e := newBench(t), newERP(t)
	b.telling(e)
	r := b.serve()
	require.Contains(t, b.run("doctor", "--quick").out, "events erp")
	e.says(http.StatusGone)
	good := file(t, b.dir, "good.csv", statement("ST-1", "4.00", [3]string{"Sale", "4.00", "A"}))
	require.Zero(t, b.run("payouts", "import", good, "--account", "market").code)
	require.Eventually(t, func() bool { return strings.Contains(b.run("events", "list", "--failed").out, "answered 410") }, 15*time.Second, 50*time.Millisecond)
	require.Contains(t, b.run("doctor", "--quick").out, "1 events were given up")

	test := b.run("events", "test", "erp")
	require.Equal(t, exitError, test.code)
	require.Contains(t, test.out, "erp answered 410 no thanks")
	e.says(http.StatusNoContent)
	test = b.run("events", "test", "erp", "--json")
	require.Zero(t, test.code, test.err)
	require.Contains(t, test.out, `"status": 204`)
	require.Equal(t, 2, e.told()[notify.TestType])

	require.Zero(t, b.run("events", "replay", "--endpoint", "erp").code)
	require.Eventually(t, func() bool { return e.told()[connector.EventPayoutImported] == 2 }, 15*time.Second, 50*time.Millisecond)
	require.NotContains(t, r.log.String(), "MDEyMzQ1")
	for _, args := range [][]string{{"events", "replay"}, {"events", "test"}, {"events", "replay", "a", "b"}} {
		require.Equal(t, exitUsage, b.run(args...).code, args)
	}
	for _, args := range [][]string{{"events", "replay", "evt_none"}, {"events", "replay", "--endpoint", "nobody"}, {"events", "test", "nobody"}} {
		require.Equal(t, exitNotFound, b.run(args...).code, args)
	}
}

// What is found, what becomes of it, and what people do is told once, however often it is looked at.
func TestFindingsAreTold(t *testing.T) {
	b, e := newBench(t), newERP(t)
	b.telling(e, connector.EventFindingOpened, connector.EventFindingChanged, connector.EventPayoutReconciled, connector.EventClaimSettled)
	require.Zero(t, b.run("migrate", "up").code)
	good := file(t, b.dir, "good.csv", statement("ST-1", "4.00", [3]string{"Sale", "4.00", "UNSEEN"}))
	require.Zero(t, b.run("payouts", "import", good, "--account", "market").code)
	br := b.wired()
	l, ok := br.link("market")
	require.True(t, ok)
	look := func(want map[string]int) {
		t.Helper()
		for range 2 {
			require.NoError(t, br.findOnce(t.Context(), l))
			_, err := br.sender.Step(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, want, e.told())
	}
	look(map[string]int{connector.EventFindingOpened: 1, connector.EventPayoutReconciled: 1})
	id := strings.Fields(strings.Split(b.run("findings", "list").out, "\n")[1])[0]
	require.Zero(t, b.run("findings", "accept", id, "--note", "an old order").code)
	look(map[string]int{connector.EventFindingOpened: 1, connector.EventPayoutReconciled: 1, connector.EventFindingChanged: 1})
	require.Contains(t, b.run("findings", "show", id).out, "system")
	require.Contains(t, strings.Join(e.bodies, "\n"), `"workflow_state":"accepted"`)
}

// later sets a bridge's clock to so many days from now.
func (b *bridge) later(days int) {
	at := realClock().Add(time.Duration(days) * 24 * time.Hour)
	b.clock = func() time.Time { return at }
	b.sender = newSender(parts{cfg: b.cfg, store: b.store, clock: b.clock, log: b.log}, hooks{})
}

// What a payout lacks may be found weeks later.
func TestAPayoutThatIsPlacedLateIsTold(t *testing.T) {
	b, e := newBench(t), newERP(t)
	b.telling(e, connector.EventPayoutReconciled)
	require.Zero(t, b.run("migrate", "up").code)
	loose := file(t, b.dir, "loose.csv", statement("ST-1", "4.00", [3]string{"Sale", "4.00", ""}))
	require.Zero(t, b.run("payouts", "import", loose, "--account", "market").code)
	br := b.wired()
	l, ok := br.link("market")
	require.True(t, ok)
	look := func(day, want int) {
		t.Helper()
		br.later(day)
		for range 2 {
			require.NoError(t, br.findOnce(t.Context(), l))
			_, err := br.sender.Step(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, want, e.told()[connector.EventPayoutReconciled], "day %d", day)
	}
	look(1, 0)
	look(8, 0)
	facts := payout.Facts{Order: "A", Currency: "USD", PlacedAt: br.clock(), Items: []payout.Item{{ID: "1", Units: 1, Parts: []payout.Part{{Category: marketplace.Principal, Amount: 400}}}}}
	_, err := br.store.KeepFacts(t.Context(), []connector.PayoutFacts{{Account: "market", Order: "A", KnownAt: br.clock(), Body: facts.Encode()}})
	require.NoError(t, err)
	account := l.cfg.payoutAccount(br.cfg.TimeZone)
	list, err := br.store.PayoutList(t.Context(), connector.PayoutFilter{})
	require.NoError(t, err)
	var lines []string
	require.NoError(t, br.store.PayoutLines(t.Context(), connector.LineFilter{Payouts: []int64{list[0].ID}}, func(l connector.PayoutLine) error {
		lines = append(lines, payout.LineID(list[0].Account, list[0].External, l))
		return nil
	}))
	_, err = books{br}.Desk().Match(t.Context(), account, "A", lines, "", payout.By{Name: "anna"})
	require.NoError(t, err)
	look(9, 1)
	_, err = br.store.PurgeEvents(t.Context(), br.clock().Add(time.Hour), 100)
	require.NoError(t, err)
	look(40, 1)
}

// Whoever works on a finding, and what he writes about it, stays here.
func TestEventsSayNothingAboutPersons(t *testing.T) {
	b, e := newBench(t), newERP(t)
	b.telling(e, connector.EventTypes...)
	require.Zero(t, b.run("migrate", "up").code)
	file1 := file(t, b.dir, "a.csv", statement("ST-1", "4.00", [3]string{"Sale", "4.00", "UNSEEN"}))
	require.Zero(t, b.run("payouts", "import", file1, "--account", "market").code)
	id := strings.Fields(strings.Split(b.run("findings", "list").out, "\n")[1])[0]
	require.Zero(t, b.run("findings", "assign", id, "jane-doe").code)
	claim := b.run("findings", "claim", id, "--amount", "1.00", "--reason", "Jane Doe has called", "--by", "jane-doe")
	require.Zero(t, claim.code, claim.err)
	br := b.wired()
	l, ok := br.link("market")
	require.True(t, ok)
	account := l.cfg.payoutAccount(br.cfg.TimeZone)
	br.later(90)
	jane, month := payout.By{Name: "jane-doe"}, br.clock().AddDate(0, -2, 0).Format("2006-01")
	_, err := books{br}.Desk().Close(t.Context(), account, month, jane)
	require.NoError(t, err)
	require.NoError(t, books{br}.Desk().Unclose(t.Context(), account, month, "Jane was wrong", payout.By{Name: "john-doe"}))
	require.NoError(t, br.findOnce(t.Context(), l))
	_, err = br.sender.Step(t.Context())
	require.NoError(t, err)
	told := e.told()
	for _, want := range []string{connector.EventFindingOpened, connector.EventCloseCreated, connector.EventCloseUndone} {
		require.Equal(t, 1, told[want], want)
	}
	text := strings.Join(e.bodies, "\n")
	require.Contains(t, text, `"claim":{"claim_id":`)
	for _, no := range []string{"jane", "Jane", "john", "assignee", "created_by", "reason"} {
		require.NotContains(t, text, no)
	}
}

// A payout that came into the books while its process died is told at the next start.
func TestWhatWasNotToldIsToldLater(t *testing.T) {
	b, e := newBench(t), newERP(t)
	b.config = file(t, b.dir, "channelbridge.yaml", readFile(t, b.config)+statementForm)
	require.Zero(t, b.run("migrate", "up").code)
	odd := file(t, b.dir, "odd.csv", statement("ST-1", "9.00", [3]string{"Sale", "4.00", "A"}, [3]string{"Gift", "1.00", "A"}))
	require.Zero(t, b.run("payouts", "import", odd, "--account", "market").code)
	require.NotContains(t, b.run("events", "list").out, "evt_", "nobody is to be told")
	b.telling(e)
	br := b.wired()
	want := map[string]int{connector.EventPayoutImported: 1, connector.EventLinesUnclassified: 1, connector.EventPayoutNotProven: 1}
	for range 2 {
		require.NoError(t, br.retellOnce(t.Context()))
		_, err := br.sender.Step(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, e.told())
	}
	late := br.clock
	br.clock = func() time.Time { return late().Add(retellFor + time.Hour) }
	_, err := br.store.PurgeEvents(t.Context(), late().Add(time.Hour), 100)
	require.NoError(t, err)
	require.NoError(t, br.retellOnce(t.Context()))
	_, err = br.sender.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, e.told(), "but not what is long known")
}

func TestOldEventsAreDeletedOnlyWhenTheyCannotBeToldAgain(t *testing.T) {
	b, e := newBench(t), newERP(t)
	b.telling(e)
	require.Zero(t, b.run("migrate", "up").code)
	odd := file(t, b.dir, "odd.csv", statement("ST-1", "4.00", [3]string{"Sale", "4.00", "A"}))
	require.Zero(t, b.run("payouts", "import", odd, "--account", "market").code)
	br := b.wired()
	_, err := br.sender.Step(t.Context())
	require.NoError(t, err)
	br.cfg.Retention.Deliveries = Duration(24 * time.Hour)
	began := br.clock()
	for _, c := range [][2]int{{2, 0}, {13, 0}, {15, 1}} {
		br.clock = func() time.Time { return began.Add(time.Duration(c[0]) * 24 * time.Hour) }
		n, err := br.purgeEvents(t.Context())
		require.NoError(t, err)
		require.Equal(t, c[1], n, "day %d", c[0])
	}
}

func TestFaultsOfEvents(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"no address":     {"{id: a, secret: " + pushSecret + "}", "events[0].url: is missing"},
		"no secret":      {"{id: a, url: 'https://x'}", "events[0].secret: is missing"},
		"id":             {"{id: A b, url: 'https://x', secret: " + pushSecret + "}", "does not look like"},
		"no web address": {"{id: a, url: 'ftp://x', secret: " + pushSecret + "}", "events[0].url: it is not an http or https address"},
		"http":           {"{id: a, url: 'http://erp.example.com', secret: " + pushSecret + "}", "http can be read on the way"},
		"http nearly":    {"{id: a, url: 'http://localhost.example.com', secret: " + pushSecret + "}", "http can be read on the way"},
		"password":       {"{id: a, url: 'https://u:p@x', secret: " + pushSecret + "}", "must not hold a name or a password"},
		"fragment":       {"{id: a, url: 'https://x/#a', secret: " + pushSecret + "}", "fragment"},
		"secret":         {"{id: a, url: 'https://x', secret: hushhush}", "events[0].secret: the secret does not begin with whsec_"},
		"old secret":     {"{id: a, url: 'https://x', secret: " + pushSecret + ", previous_secret: whsec_aHVzaA==}", "previous_secret: the secret is shorter than 24 bytes"},
		"type":           {"{id: a, url: 'https://x', secret: " + pushSecret + ", types: [payout.imported, payout.lost]}", `types[1]: "payout.lost" is not one of`},
		"twice":          {"{id: a, url: 'https://x', secret: " + pushSecret + "}\n  - {id: a, url: 'https://y', secret: " + pushSecret + "}", `"a" is the id of events[0] already`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseConfig("c.yaml", []byte("events:\n  - "+c.raw), noEnv)
			require.ErrorContains(t, err, c.want)
			ce, ok := errors.AsType[*ConfigError](err)
			require.True(t, ok)
			require.Len(t, ce.Faults, 1, "one mistake is one fault")
			require.NotContains(t, err.Error(), "hushhush")
			require.NotContains(t, err.Error(), "aHVzaA")
			require.NotContains(t, err.Error(), "MDEyMzQ1")
		})
	}
	for _, url := range []string{"https://erp.example.com/x?y=z", "http://localhost:8080", "http://127.0.0.1/x", "http://[::1]:1/"} {
		c, err := parseConfig("c.yaml", []byte("events: [{id: a, url: '"+url+"', secret: '${S}', previous_secret: '"+pushSecret+"'}]"), environment{"S": pushSecret}.lookup)
		require.NoError(t, err, url)
		require.Len(t, c.Events[0].endpoint().Keys, 2)
	}
	_, err := parseConfig("c.yaml", []byte("events: [{id: a, url: 'http://10.0.0.1/', insecure: true, secret: "+pushSecret+"}]"), noEnv)
	require.NoError(t, err)
}

func TestTheConfigurationAndTheDocumentKnowEveryTypeOfEvent(t *testing.T) {
	for _, f := range fieldsOf(reflect.TypeFor[EventConfig]()) {
		if f.key == "types" {
			require.Equal(t, connector.EventTypes, f.enum)
		}
	}
	page := readFile(t, filepath.Join(top, "docs", "events.md"))
	for _, name := range connector.EventTypes {
		require.Contains(t, page, "`"+name+"`")
	}
}
