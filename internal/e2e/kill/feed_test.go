package kill

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/demo"
	"channelbridge/internal/e2e/rig"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// cut is a moment of a feed's run: the first call that begins so, before Amazon has taken it or
// after.
type cut struct {
	method, path string
	when         moment
}

type moment int

const (
	before   moment = iota // the call never arrives
	carried                // it was carried out, and the answer never arrives
	answered               // it was carried out and answered
)

func (c cut) meets(r *http.Request) bool {
	return r.Method == c.method && strings.HasPrefix(r.URL.Path, c.path)
}

const feedsAPI = "/feeds/2021-06-30/"

// cuts are all the steps between meaning a refund and knowing its verdict.
var cuts = map[string]cut{
	"before a document is created":     {"POST", feedsAPI + "documents", before},
	"when the document is created":     {"POST", feedsAPI + "documents", carried},
	"before the upload":                {"PUT", "/documents/", before},
	"when it is uploaded":              {"PUT", "/documents/", carried},
	"after the upload":                 {"PUT", "/documents/", answered},
	"before createFeed arrives":        {"POST", feedsAPI + "feeds", before},
	"before createFeed's answer":       {"POST", feedsAPI + "feeds", carried},
	"after createFeed's answer":        {"POST", feedsAPI + "feeds", answered},
	"while polling":                    {"GET", feedsAPI + "feeds/", before},
	"when the feed is told to be done": {"GET", feedsAPI + "feeds/", carried},
	"before the report is asked for":   {"GET", feedsAPI + "documents/", before},
	"while reading the report":         {"GET", "/documents/", carried},
	"after the report was read":        {"GET", "/documents/", answered},
}

// cutter stands before Amazon and kills the bridge at its moment, once.
type cutter struct {
	cut
	amazon http.Handler
	world  *demo.World
	once   sync.Once
	struck chan struct{}
}

func (c *cutter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mine := false
	if c.meets(r) {
		c.once.Do(func() { mine = true })
	}
	switch {
	case !mine:
		c.amazon.ServeHTTP(w, r)
		return
	case c.when == carried:
		c.amazon.ServeHTTP(httptest.NewRecorder(), r)
	case c.when == answered:
		c.amazon.ServeHTTP(w, r)
		_ = http.NewResponseController(w).Flush()
	}
	c.world.Stop(syscall.SIGKILL)
	close(c.struck)
	if c.when != answered {
		panic(http.ErrAbortHandler)
	}
}

// A server that dies at any step of handing a batch in never hands one in twice: what was asked
// for is at Amazon once, or held because nobody can know.
func TestKillAtEveryStepOfAFeed(t *testing.T) {
	if testing.Short() {
		t.Skip("runs real processes for a while")
	}
	binary, err := program()
	require.NoError(t, err)
	var all sync.WaitGroup
	room := make(chan struct{}, 8) // these worlds mostly wait
	run := func(name string, c cut, story func(*feedStory)) {
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { feedRun(t, binary, c, story) })
		})
	}
	for name, c := range cuts {
		run("refund "+name, c, (*feedStory).refund)
		if c.path == feedsAPI+"feeds" { // the other feed type passes its point of no return
			run("cancellation "+name, c, (*feedStory).cancel)
		}
	}
	all.Wait()
}

func feedRun(t *testing.T, binary string, c cut, story func(*feedStory)) {
	dir, err := os.MkdirTemp(workshop, "feed-")
	require.NoError(t, err)
	log, err := os.Create(filepath.Join(dir, "bridge.log"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = log.Close() })
	delay := time.Second
	if c.path == feedsAPI+"feeds" {
		delay = 9 * time.Second // a second feed would be handed in before the first shows any effect
	}
	killer := &cutter{cut: c, struck: make(chan struct{})}
	w, err := demo.Open(t.Context(), demo.Options{Binary: binary, Dir: dir, Log: log,
		Extra:  "limits: {lease: 5s, call_timeout: 2s, batch_gather: 200ms, batch_find: 9s}\n",
		Front:  func(amazon http.Handler) http.Handler { killer.amazon = amazon; return killer },
		Amazon: amazonfake.Options{Scale: -1, Visibility: time.Second, FeedDelay: delay, RefundDelay: time.Minute, Faults: amazonfake.Faults{Duplicate: .3}},
		Shop:   shopifyfake.Config{Faults: shopifyfake.Faults{HookTwice: .3}}})
	require.NoError(t, err)
	killer.world = w
	t.Cleanup(w.Close)
	require.NoError(t, w.Start(t.Context()))
	f := &feedStory{T: t, World: w, id: "114-0000000-0000001"}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s\n%s", rig.Tail(log.Name(), 4000), f.tell())
		}
	})
	f.place()
	story(f)
	select {
	case <-killer.struck:
	case <-time.After(time.Minute):
		t.Fatal("the moment never came")
	}
	require.NoError(t, w.Start(t.Context()))
	f.judge(c.when == before && c.path == feedsAPI+"feeds")
}

// feedStory is a refund or a cancellation on its way to Amazon.
type feedStory struct {
	*testing.T
	*demo.World
	id string
}

func (f *feedStory) until(what string, is func() bool) {
	f.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		require.True(f, time.Now().Before(end), "waited in vain: %s", what)
	}
}

func (f *feedStory) place() {
	f.Amazon.Place(amazonfake.OrderSpec{ID: f.id, Items: []amazonfake.ItemSpec{{SKU: "TEA", Title: "Tea", Quantity: 2, UnitPrice: "12.50", Tax: "2.05"}}})
	f.until("it is mirrored", func() bool { _, ok := f.Mirror(f.id); return ok })
}

// refund ships the order and gives one unit back.
func (f *feedStory) refund() {
	m, _ := f.Mirror(f.id)
	_, err := f.Shop.Fulfill(m.ID, nil, shopifyfake.Tracking{Company: "UPS", Number: "1Z0000000000000001"})
	require.NoError(f, err)
	f.until("shipped at Amazon", func() bool { o, _ := f.Amazon.Order(f.id); return o.Status == "SHIPPED" })
	time.Sleep(1100 * time.Millisecond) // the store's update times have whole seconds
	_, err = f.Shop.Refund(m.ID, shopifyfake.StaffRefund{Lines: []shopifyfake.RefundQty{{Line: m.Lines[0].ID, Quantity: 1}}})
	require.NoError(f, err)
}

func (f *feedStory) cancel() {
	m, _ := f.Mirror(f.id)
	require.NoError(f, f.Shop.Cancel(m.ID, shopifyfake.Cancellation{Refund: true}))
}

// judge waits until the money is at Amazon once or, where no feed arrived, held.
func (f *feedStory) judge(lost bool) {
	var o order
	f.until("it has an end", func() bool { o = f.order(); return o.ended() })
	require.Len(f, o.money(), 1, "one entry")
	require.Equal(f, lost, o.held("money_unknown"), "held because nobody can know: %v", o.Holds)
	if lost {
		require.Empty(f, f.Amazon.Feeds(), "it is never handed in again")
		require.Equal(f, connector.Unknown, o.money()[0].State)
		return
	}
	require.Empty(f, o.Holds)
	require.Len(f, f.Amazon.Feeds(), 1)
	m, _ := f.Mirror(f.id)
	if m.CancelledAt.IsZero() {
		require.Len(f, f.Amazon.Refunds(f.id), 1)
		require.Equal(f, m.Refunded(), f.Amazon.Refunds(f.id)[0].Amount)
		return
	}
	there, _ := f.Amazon.Order(f.id)
	require.Equal(f, "CANCELLED", there.Status)
	require.Empty(f, f.Amazon.Refunds(f.id), "the buyer was never charged")
}

// tell is what is known at the end, for people.
func (f *feedStory) tell() (text string) {
	for _, e := range f.order().Ledger {
		text += fmt.Sprintf("%s %s %s; ", e.Key, e.State, e.Reason)
	}
	for _, x := range f.Amazon.Feeds() {
		text += fmt.Sprintf("feed %s %s %s; ", x.ID, x.Type, x.Status)
	}
	return text + fmt.Sprint(f.order().Holds)
}

// order is what the command line tells of one.
type order struct {
	Ledger []connector.Entry
	Holds  []connector.Hold
}

func (f *feedStory) order() (o order) {
	text, err := f.World.Run(context.Background(), "orders", "show", f.id, "--json")
	require.NoError(f, err)
	require.NoError(f, json.Unmarshal([]byte(text), &o), text)
	return o
}

// money are the entries that give money back at the channel.
func (o order) money() (out []connector.Entry) {
	for _, e := range o.Ledger {
		if e.Counts() {
			out = append(out, e)
		}
	}
	return out
}

func (o order) held(kind string) bool {
	return slices.ContainsFunc(o.Holds, func(h connector.Hold) bool { return h.Kind == kind })
}

// ended reports that the order's money has an end, or waits for a person.
func (o order) ended() bool {
	return o.held("money_unknown") || len(o.money()) > 0 && !slices.ContainsFunc(o.money(), func(e connector.Entry) bool { return e.State.Open() })
}
