package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/internal/httpx"
)

func TestAnEventIsPostedAndSigned(t *testing.T) {
	r := newRig(t)
	r.tell(imported("a"))
	r.pass(time.Minute)
	require.Equal(t, 1, r.step())
	all := r.receiver.all()
	require.Len(t, all, 1)
	g := all[0]
	require.Equal(t, "POST", g.method)
	require.Equal(t, "application/json", g.kind)
	require.Equal(t, imported("a").ID, g.id)
	require.Equal(t, fmt.Sprint(noon.Add(time.Minute).Unix()), g.stamp, "of the attempt")
	require.JSONEq(t, `{"type":"payout.imported","timestamp":"2026-11-20T12:00:00.123456Z","data":{"payout_id":"po_a"}}`, g.body)
	require.True(t, g.signed(t, newSecret))
	require.False(t, g.signed(t, oldSecret))
	require.Equal(t, connector.EventDelivery{Endpoint: "erp", State: connector.EventDelivered, Attempts: 1, TriedAt: noon.Add(time.Minute), Status: 200}, r.delivery(imported("a")))
	require.Equal(t, []Told{{"erp", "delivered", 1}}, r.told)
	r.pass(time.Hour)
	require.Zero(t, r.step())
}

func TestDuringARotationBothSecretsSign(t *testing.T) {
	r := newRig(t)
	r.sender = r.another(func(c *Config) { c.Endpoints[0].Keys = keys(t, newSecret, oldSecret) })
	r.tell(imported("a"))
	r.step()
	g := r.receiver.all()[0]
	require.Len(t, strings.Fields(g.signatures), 2)
	require.True(t, g.signed(t, newSecret))
	require.True(t, g.signed(t, oldSecret))
}

func TestWhatFailsIsSentAgainByTheScheduleAndThenGivenUp(t *testing.T) {
	r := newRig(t)
	r.receiver.says(500)
	r.tell(imported("a"))
	waits := []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
	for i, d := range waits {
		if d > 0 {
			r.pass(d - time.Second)
			require.Zero(t, r.step(), "attempt %d comes too early", i+1)
			r.pass(time.Second)
		}
		require.Equal(t, 1, r.step(), "attempt %d", i+1)
	}
	d := r.delivery(imported("a"))
	require.Equal(t, connector.EventGivenUp, d.State)
	require.Equal(t, 10, d.Attempts)
	require.Equal(t, "answered 500", d.Reason)
	r.pass(1000 * time.Hour)
	require.Zero(t, r.step())
	for _, g := range r.receiver.all() {
		require.Equal(t, imported("a").ID, g.id)
		require.Equal(t, r.receiver.all()[0].body, g.body)
		require.True(t, g.signed(t, newSecret))
	}
	require.Equal(t, Told{"erp", "given_up", 1}, r.told[9])
	require.Equal(t, Told{"erp", "retry", 1}, r.told[0])

	r.receiver.says(200)
	n, err := r.sender.Replay(t.Context(), "", "erp")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, 1, r.step())
	require.Equal(t, connector.EventDelivered, r.delivery(imported("a")).State)
}

func TestWhoHasTooMuchToDoIsLeftAlone(t *testing.T) {
	for _, c := range []struct {
		status int
		header string
		wait   time.Duration
	}{
		{429, "60", time.Minute}, {503, "60", time.Minute}, {429, noon.Add(90 * time.Second).Format(http.TimeFormat), 89 * time.Second},
		{429, "1", 5 * time.Second}, {429, "", 5 * time.Second}, {500, "60", 5 * time.Second}, {503, "999999", 24 * time.Hour},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.header), func(t *testing.T) {
			r := newRig(t)
			r.receiver.says(c.status, "Retry-After", c.header)
			r.tell(imported("a"))
			r.step()
			require.WithinDuration(t, noon.Add(c.wait), r.delivery(imported("a")).NextAt, time.Second)
		})
	}
	t.Run("and is sent nothing else meanwhile", func(t *testing.T) {
		r := newRig(t)
		r.receiver.says(429, "Retry-After", "60")
		r.tell(imported("a"))
		r.step()
		r.tell(imported("b"))
		require.Zero(t, r.step())
		r.pass(time.Minute)
		require.Equal(t, 2, r.step())
	})
}

func TestWhoWantsNoMoreIsSwitchedOff(t *testing.T) {
	r := newRig(t)
	r.receiver.says(410)
	r.tell(imported("a"))
	require.Equal(t, 1, r.step())
	require.Equal(t, connector.EventGivenUp, r.delivery(imported("a")).State)
	r.tell(imported("b"), imported("c"))
	require.Zero(t, r.step())
	d := r.delivery(imported("b"))
	require.Equal(t, connector.EventGivenUp, d.State)
	require.Contains(t, d.Reason, "410")
	require.Zero(t, d.Attempts)
	require.Equal(t, Told{"erp", "given_up", 2}, r.told[1])
	r.sender = r.another()
	r.tell(imported("d"))
	require.Zero(t, r.step(), "the next process knows it as well")
	require.Len(t, r.receiver.all(), 1)

	r.receiver.says(200)
	first := r.sender
	r.sender = r.another(func(c *Config) { c.Endpoints[0].URL += "&new=1" })
	r.tell(imported("e"))
	require.Equal(t, 1, r.step(), "another configuration is tried again")

	r.sender = first
	n, err := r.sender.Replay(t.Context(), "", "erp")
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Equal(t, 4, r.step(), "and so is one whose events are asked for")
	require.Equal(t, connector.EventDelivered, r.delivery(imported("b")).State)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	r := newRig(t)
	other := newReceiver(t)
	r.receiver.says(http.StatusTemporaryRedirect, "Location", other.URL)
	r.tell(imported("a"))
	r.step()
	require.Empty(t, other.all())
	d := r.delivery(imported("a"))
	require.Equal(t, connector.EventWaiting, d.State)
	require.Equal(t, 307, d.Status)
	require.Contains(t, d.Reason, "redirects are not followed")
}

func TestWhoDoesNotAnswerIsTriedAgain(t *testing.T) {
	t.Run("gone", func(t *testing.T) {
		var log bytes.Buffer
		r := newRig(t)
		r.sender = r.another(func(c *Config) {
			c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		r.receiver.Close()
		r.tell(imported("a"))
		r.step()
		d := r.delivery(imported("a"))
		require.Equal(t, connector.EventWaiting, d.State)
		require.Zero(t, d.Status)
		require.Contains(t, d.Reason, "no answer")
		require.NotContains(t, d.Reason+log.String(), "hush", "the address may hold a secret")
		require.NotContains(t, log.String(), newSecret)
	})
	t.Run("cut off", func(t *testing.T) {
		r := newRig(t)
		r.receiver.does(func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
		r.tell(imported("a"))
		r.step()
		require.Equal(t, connector.EventWaiting, r.delivery(imported("a")).State)
	})
	t.Run("silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			store := memstore.New()
			s := New(Config{Store: store, Clock: time.Now, Endpoints: []Endpoint{{ID: "erp", URL: "http://erp", Keys: keys(t, newSecret)}}, Transport: silent{}})
			e := imported("a")
			e.At = began
			require.NoError(t, s.Tell(t.Context(), e))
			_, err := s.Step(t.Context())
			require.NoError(t, err)
			require.Equal(t, 15*time.Second, time.Since(began))
			all, err := store.EventList(t.Context(), connector.EventFilter{})
			require.NoError(t, err)
			require.Equal(t, connector.EventWaiting, all[0].Deliveries[0].State)
		})
	})
}

// silent never answers.
type silent struct{}

func (silent) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func TestAnAnswerWithoutEndIsNotRead(t *testing.T) {
	r := newRig(t)
	r.receiver.does(func(w http.ResponseWriter, req *http.Request) {
		for req.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	})
	r.tell(imported("a"))
	r.step()
	require.Equal(t, connector.EventDelivered, r.delivery(imported("a")).State, "its status has said all")
}

func TestACrashBetweenSendingAndNotingSendsAgainUnderTheSameID(t *testing.T) {
	r := newRig(t)
	r.tell(imported("a"))
	r.store.lost = true
	_, err := r.sender.Step(t.Context())
	require.ErrorIs(t, err, errLost)
	r.store.lost = false
	r.sender = r.another()
	r.pass(59 * time.Second)
	require.Zero(t, r.step(), "somebody may be at it still")
	r.pass(time.Second)
	require.Equal(t, 1, r.step())
	all := r.receiver.all()
	require.Len(t, all, 2)
	require.Equal(t, all[0].id, all[1].id)
	require.Equal(t, all[0].body, all[1].body)
	require.Equal(t, connector.EventDelivered, r.delivery(imported("a")).State)
}

func TestTwoProcessesDoNotSendTheSameAtOnce(t *testing.T) {
	r := newRig(t)
	other := r.another()
	r.receiver.does(func(http.ResponseWriter, *http.Request) {
		n, err := other.Step(context.Background())
		if n != 0 || err != nil {
			t.Errorf("the other process sent %d, %v", n, err)
		}
	})
	r.tell(imported("a"))
	require.Equal(t, 1, r.step())
	require.Len(t, r.receiver.all(), 1)
}

func TestAnEndpointIsToldOnlyWhatItWants(t *testing.T) {
	r := newRig(t)
	r.sender = r.another(func(c *Config) {
		c.Endpoints = append(c.Endpoints, Endpoint{ID: "chat", URL: c.Endpoints[0].URL, Keys: keys(t, newSecret), Types: []string{connector.EventPayoutNotProven}})
		c.Endpoints[0].Types = []string{connector.EventPayoutImported, connector.EventPayoutNotProven}
	})
	odd := imported("b")
	odd.ID, odd.Type = "evt_odd", connector.EventPayoutNotProven
	unwanted := imported("c")
	unwanted.ID, unwanted.Type = "evt_unwanted", connector.EventCloseCreated
	r.tell(imported("a"), odd, unwanted)
	all, err := r.store.EventList(t.Context(), connector.EventFilter{})
	require.NoError(t, err)
	require.Len(t, all, 2, "what nobody wants is not kept")
	got := map[string]int{}
	for _, e := range all {
		got[e.Type] = len(e.Deliveries)
	}
	require.Equal(t, map[string]int{connector.EventPayoutImported: 1, connector.EventPayoutNotProven: 2}, got)
	r.tell(imported("a"), odd, unwanted)
	require.Equal(t, 3, r.step())
	require.Zero(t, r.step())
}

func TestReplayNamesWhatIsNotThere(t *testing.T) {
	r := newRig(t)
	r.tell(imported("a"))
	for _, c := range [][2]string{{"", "nobody"}, {imported("a").ID, "nobody"}, {"evt_none", ""}, {"evt_none", "erp"}} {
		_, err := r.sender.Replay(t.Context(), c[0], c[1])
		require.ErrorIs(t, err, connector.ErrNotFound, c)
	}
	r.step()
	n, err := r.sender.Replay(t.Context(), imported("a").ID, "")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	r.step()
	all := r.receiver.all()
	require.Len(t, all, 2)
	require.Equal(t, all[0].id, all[1].id)
}

func TestATestSaysWhatWasAnswered(t *testing.T) {
	r := newRig(t)
	r.receiver.does(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("short and stout"))
	})
	ans, err := r.sender.Test(t.Context(), "erp")
	require.NoError(t, err)
	require.Equal(t, 418, ans.Status)
	require.Equal(t, "short and stout", string(ans.Body))
	g := r.receiver.all()[0]
	require.True(t, g.signed(t, newSecret))
	require.Contains(t, g.body, `"type":"test"`)
	all, err := r.store.EventList(t.Context(), connector.EventFilter{})
	require.NoError(t, err)
	require.Empty(t, all)
	_, err = r.sender.Test(t.Context(), "nobody")
	require.ErrorIs(t, err, connector.ErrNotFound)
}

// answering is a receiver without a network.
type answering func(id string) int

func (f answering) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: f(req.Header.Get("webhook-id")), Body: http.NoBody, Header: http.Header{}, Request: req}, nil
}

func TestTheLoopWakesWhenSomethingIsToldAndWhenSomethingIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		var at []time.Duration
		began := time.Now()
		s := New(Config{Store: store, Clock: time.Now, Jitter: func(n int64) int64 { return n / 2 },
			Endpoints: []Endpoint{{ID: "erp", URL: "http://erp", Keys: keys(t, newSecret)}}, Transport: answering(func(string) int {
				at = append(at, time.Since(began))
				return map[bool]int{true: 500, false: 200}[len(at) < 3]
			})})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		time.Sleep(2 * time.Second)
		e := imported("a")
		e.At = time.Now()
		require.NoError(t, s.Tell(ctx, e))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, at, 3)
		for i, want := range []time.Duration{2 * time.Second, 7 * time.Second, 5*time.Minute + 7*time.Second} {
			require.InDelta(t, want.Seconds(), at[i].Seconds(), 0.1)
		}
		e.ID = "evt_other_process"
		e.At = time.Now()
		_, err := store.Emit(ctx, []string{"erp"}, e)
		require.NoError(t, err)
		time.Sleep(poll)
		synctest.Wait()
		require.Len(t, at, 4, "what another process has emitted is found")
		stop()
		<-done
	})
}

func TestASlowEndpointDoesNotHoldUpOthersAndIsWaitedForAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		s := New(Config{Store: store, Clock: time.Now, Endpoints: []Endpoint{{ID: "slow", URL: "http://slow", Keys: keys(t, newSecret)}, {ID: "quick", URL: "http://quick", Keys: keys(t, newSecret)}},
			Transport: byHost{}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		e := imported("a")
		e.At = time.Now()
		require.NoError(t, s.Tell(ctx, e))
		time.Sleep(time.Second)
		stop()
		<-done
		all, err := store.EventList(t.Context(), connector.EventFilter{})
		require.NoError(t, err)
		quick, slow := all[0].Deliveries[0], all[0].Deliveries[1]
		require.Equal(t, connector.EventDelivered, slow.State)
		require.Greater(t, slow.TriedAt.Sub(quick.TriedAt), 9*time.Second)
	})
}

// byHost takes its time for the host that is slow.
type byHost struct{}

func (byHost) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "slow" {
		time.Sleep(10 * time.Second)
	}
	return answering(func(string) int { return 204 }).RoundTrip(req)
}

func TestAFailingStoreIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.tell(imported("a"))
	r.store.lost = true
	var failures []error
	s := r.another(func(c *Config) { c.Failed = func(err error) { failures = append(failures, err) } })
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	s.Run(ctx)
	require.NotEmpty(t, failures)
	require.ErrorIs(t, failures[0], errLost)
}

func TestTheJitterStaysWithinATenth(t *testing.T) {
	for _, d := range delays[1:] {
		least, most := around(d, func(int64) int64 { return 0 }), around(d, func(n int64) int64 { return n - 1 })
		require.Equal(t, d-d/10, least)
		require.Equal(t, d+d/10, most)
	}
	require.NotPanics(t, func() { New(Config{}).cfg.Jitter(1) })
}

func TestAReasonIsShort(t *testing.T) {
	o := judge(noon, 1, httpx.Answer{}, fmt.Errorf("%s", strings.Repeat("ö", 1000)), func(int64) int64 { return 0 })
	require.LessOrEqual(t, len(o.Reason), longestReason)
	require.True(t, json.Valid(fmt.Appendf(nil, "%q", o.Reason)))
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "120", "Fri, 20 Nov 2026 12:01:00 GMT", "-1", "1.5", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := retryAfter(noon, text)
		require.GreaterOrEqual(t, d, time.Duration(0))
		require.LessOrEqual(t, d, longestWait)
		if text == "120" {
			require.Equal(t, 2*time.Minute, d)
		}
	})
}
