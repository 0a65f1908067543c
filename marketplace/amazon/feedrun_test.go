package amazon

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/marketplace/amazon/internal/official"
)

func states(r marketplace.Results) (out string) {
	for _, v := range r.Verdicts {
		out += string(v.State[:1])
	}
	return out
}

// A feed from end to end: what was paid, what was refused and why, told message by message.
func TestAFeedOfThreeWithOneMistake(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	a, b, c := r.sold(t, 2), r.sold(t, 1), r.sold(t, 0)
	ticket := r.hand(t, laneAdjustment, refundOf(a, usd(4000)), refundOf(b, usd(2001)), cancelUnitsOf(c, 2))
	res, err := r.Results(t.Context(), laneAdjustment, ticket, numbers(3))
	require.NoError(t, err)
	require.Equal(t, "ara", states(res), "%+v", res)
	require.Contains(t, res.Verdicts[1].Text, "exceeds")
	require.Len(t, r.fake.Refunds(string(a)), 1)
	require.Equal(t, usd(4400), r.fake.Refunds(string(a))[0].Amount, "Amazon adds the tax itself")
	require.Equal(t, []string{"refund/77-" + string(a) + "-1"}, r.fake.Refunds(string(a))[0].Refs)
	require.Empty(t, r.fake.Refunds(string(b)))
	o, err := r.Order(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 2, o.Lines[0].Cancelled)
	require.Equal(t, marketplace.Open, o.Lifecycle)
}

func TestStatesOfAFeed(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1, FeedDelay: 10 * time.Minute})
	id := r.sold(t, 2)
	results := func(ticket string) marketplace.Results {
		res, err := r.Results(t.Context(), laneAdjustment, ticket, numbers(1))
		require.NoError(t, err)
		return res
	}
	ticket := r.hand(t, laneAdjustment, refundOf(id, usd(100)))
	require.Equal(t, marketplace.BatchWaiting, results(ticket).State)
	require.Equal(t, "IN_QUEUE", results(ticket).Text)
	r.pass(3 * time.Minute)
	require.Equal(t, "IN_PROGRESS", results(ticket).Text)
	r.pass(time.Hour)
	require.Equal(t, marketplace.BatchDone, results(ticket).State)

	for _, c := range []struct {
		fate  amazonfake.Fate
		state marketplace.BatchState
		text  string
		paid  int
	}{
		{amazonfake.Fate{Status: "CANCELLED"}, marketplace.BatchCancelled, "cancelled", 0},
		{amazonfake.Fate{Status: "FATAL"}, marketplace.BatchFatal, "some, none or all", 0},
		{amazonfake.Fate{Status: "FATAL", Apply: 1}, marketplace.BatchFatal, "some, none or all", 1},
		{amazonfake.Fate{Status: "IN_PROGRESS", Apply: 1}, marketplace.BatchWaiting, "IN_PROGRESS", 1},
		{amazonfake.Fate{Report: "cut"}, marketplace.BatchDone, "", 1},
		{amazonfake.Fate{Report: "foreign"}, marketplace.BatchDone, "of feed", 1},
		{amazonfake.Fate{Report: "counts"}, marketplace.BatchDone, "", 1},
		{amazonfake.Fate{Report: "none"}, marketplace.BatchDone, "no report", 1},
		{amazonfake.Fate{Report: "bomb"}, marketplace.BatchDone, "16 MiB", 1},
	} {
		r.fake.FateNext(c.fate)
		id := r.sold(t, 2)
		ticket := r.hand(t, laneAdjustment, refundOf(id, usd(100)))
		r.pass(48 * time.Hour)
		res := results(ticket)
		require.Equal(t, c.state, res.State, "%+v", c.fate)
		require.Contains(t, res.Text, c.text, "%+v", c.fate)
		require.Len(t, r.fake.Refunds(string(id)), c.paid, "%+v", c.fate)
		if c.state == marketplace.BatchDone {
			require.Equal(t, "u", states(res), "a report that proves nothing, although the money is gone")
			require.NotEmpty(t, res.Verdicts[0].Text)
		}
	}
	other := r.hand(t, laneAcknowledgement, cancelOf(r.sold(t, 0), item1))
	require.Equal(t, "u", states(results(other)), "a ticket of another lane says nothing")
	_, err := r.Results(t.Context(), laneAdjustment, "1", numbers(1))
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
}

// The rules of Amazon that make mistakes dear are the fake's rules too.
func TestWhatAmazonDoesWithInstructions(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	run := func(lane string, in marketplace.Instruction) string { return states(r.run(t, lane, in)) }
	state := func(id marketplace.OrderID) string { o, _ := r.fake.Order(string(id)); return o.Status }

	whole := r.sold(t, 0)
	require.Equal(t, "a", run(laneAcknowledgement, cancelOf(whole, item1, item2)))
	require.Equal(t, "CANCELLED", state(whole))
	require.Empty(t, r.fake.Refunds(string(whole)))
	require.Equal(t, "r", run(laneAcknowledgement, cancelOf(whole, item1)), "cancelled already")

	partly := r.sold(t, 1)
	require.Equal(t, "a", run(laneAcknowledgement, cancelOf(partly, item1, item2)))
	require.Len(t, r.fake.Refunds(string(partly)), 1, "an acknowledgement after a shipment gives everything back")

	twice := r.sold(t, 1)
	for range 2 {
		require.Equal(t, "a", run(laneAdjustment, refundOf(twice, usd(500))))
	}
	require.Len(t, r.fake.Refunds(string(twice)), 2, "a second partial refund is paid, whatever its number")
	require.Equal(t, "r", run(laneAdjustment, refundOf(twice, usd(1001))), "the cap stops what is above the rest")
	require.Equal(t, "a", run(laneAdjustment, refundOf(twice, usd(1000))))

	fba := r.sold(t, 0, func(s *amazonfake.OrderSpec) { s.Amazon = true })
	require.True(t, r.fake.ShipByAmazon(string(fba)))
	require.Equal(t, "r", run(laneAdjustment, refundOf(fba, usd(100))))
	unshipped := r.sold(t, 0)
	require.Equal(t, "r", run(laneAdjustment, refundOf(unshipped, usd(100))), "nothing was captured")
	require.Equal(t, "r", run(laneAdjustment, cancelUnitsOf(unshipped, 3)))
	require.Equal(t, "a", run(laneAdjustment, cancelUnitsOf(unshipped, 2)))
	require.Equal(t, "UNSHIPPED", state(unshipped))
}

// Japan: the tax is inside Principal, and there are no decimals.
func TestAJapaneseRefund(t *testing.T) {
	t.Parallel()
	jp := "A1VC38T7YXB528"
	r := newRig(t, amazonfake.Options{Scale: -1, Sites: []string{jp}})
	id := r.sold(t, 2, func(s *amazonfake.OrderSpec) {
		s.Site, s.TaxIncluded = jp, true
		s.Items = []amazonfake.ItemSpec{{ID: item1, Quantity: 2, UnitPrice: "1100", Tax: "200"}}
	})
	yen := func(n int64) marketplace.Instruction {
		in := refundOf(id, usd(0))
		in.Site = jp
		in.Amount.Minor, in.Amount.Currency = n+n/10, "JPY"
		in.Lines[0].Parts[0].Amount.Minor, in.Lines[0].Parts[0].Amount.Currency = n, "JPY"
		in.Lines[0].Parts[0].Tax.Minor, in.Lines[0].Parts[0].Tax.Currency = n/10, "JPY"
		return in
	}
	require.Equal(t, "a", states(r.run(t, laneAdjustment, yen(2000))))
	require.EqualValues(t, 2200, r.fake.Refunds(string(id))[0].Amount.Minor)
}

// createFeed is the point of no return: it leaves once, and what its answer means is exact.
func TestHandingIn(t *testing.T) {
	t.Parallel()
	for status, class := range map[int]fault.Class{400: fault.Refused, 401: fault.Denied, 403: fault.Denied, 404: fault.Refused, 408: fault.Unknown,
		413: fault.Refused, 415: fault.Refused, 429: fault.Temporary, 500: fault.Unknown, 502: fault.Unknown, 503: fault.Unknown, 504: fault.Unknown, 302: fault.Unknown} {
		c := &canned{status: status, header: http.Header{}, body: `{"errors":[{"code":"C","message":"m"}]}`}
		_, err := cannedAdapter(t, c).Submit(t.Context(), laneAdjustment, usSite, "doc")
		require.True(t, fault.Is(err, class), "%d: %v", status, err)
		require.Equal(t, 1, c.calls, "never repeated: %d", status)
	}
	for _, body := range []string{"", "{}", "x", `{"feedId":""}`, `{"feedId":7}`} {
		c := &canned{status: 202, body: body}
		_, err := cannedAdapter(t, c).Submit(t.Context(), laneAdjustment, usSite, "doc")
		require.True(t, fault.Is(err, fault.Unknown), "%q: %v", body, err)
	}
	for _, bad := range [][3]string{{"other", usSite, "d"}, {laneAdjustment, "", "d"}, {laneAdjustment, usSite, ""}} {
		c := &canned{status: 202}
		_, err := cannedAdapter(t, c).Submit(t.Context(), bad[0], bad[1], bad[2])
		require.True(t, fault.Is(err, fault.Refused), "%v", err)
		require.Zero(t, c.calls)
	}
}

// Amazon's own pairs of the sandbox: one is taken on, one refused.
func TestCreateFeedVectors(t *testing.T) {
	t.Parallel()
	models := official.Load(t)
	for _, v := range models[opCreateFeed].Vectors() {
		c := &canned{status: v.Status, body: string(v.Response)}
		ticket, err := cannedAdapter(t, c).Submit(t.Context(), laneAdjustment, usSite, "3d4e42b5-1d6e-44e8-a89c-2abfca0625bb")
		if v.Status == 202 {
			require.NoError(t, err)
			require.Equal(t, "3485934", ticket)
		} else {
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
		}
	}
	for _, v := range models[opGetFeeds].Vectors() {
		c := &canned{status: v.Status, body: string(v.Response)}
		tickets, err := cannedAdapter(t, c).Find(t.Context(), laneAdjustment, usSite, start)
		if v.Status == 200 {
			require.NoError(t, err)
			require.Empty(t, tickets, "feeds of other types are not ours")
		} else {
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
		}
	}
}

// Every way of losing the answer leaves one feed, which is found; nothing is ever handed in twice.
func TestLostAnswersOfHandingIn(t *testing.T) {
	t.Parallel()
	for _, m := range []amazonfake.Mishap{amazonfake.LostAnswer, amazonfake.BrokenReply} {
		r := newRig(t, amazonfake.Options{Scale: -1}, func(c *Config) { c.HTTP.Retries = 3 })
		id := r.sold(t, 2)
		before := r.run(t, laneAdjustment, refundOf(id, usd(100)))
		require.Equal(t, marketplace.BatchDone, before.State)
		document, err := r.Prepare(t.Context(), laneAdjustment, batchOf(refundOf(id, usd(200))))
		require.NoError(t, err)
		r.pass(time.Minute)
		since := r.now()
		r.fake.Once(opCreateFeed, m)
		_, err = r.Submit(t.Context(), laneAdjustment, usSite, document)
		require.True(t, fault.Is(err, fault.Unknown), "%v", err)
		require.Equal(t, 2, r.fake.Calls()[opCreateFeed])
		tickets, err := r.Find(t.Context(), laneAdjustment, usSite, since)
		require.NoError(t, err)
		require.Len(t, tickets, 1)
		for lane, site := range map[string]string{laneAcknowledgement: usSite, laneAdjustment: "A2EUQ1WTGCTBG2"} {
			none, err := r.Find(t.Context(), lane, site, since)
			require.NoError(t, err)
			require.Empty(t, none)
		}
		r.pass(time.Hour)
		res, err := r.Results(t.Context(), laneAdjustment, tickets[0], numbers(1))
		require.NoError(t, err)
		require.Equal(t, "a", states(res))
		require.Len(t, r.fake.Refunds(string(id)), 2)
	}
}

func TestFindGoesThroughAllPages(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1}, func(c *Config) { c.HTTP.Limits = limitsOff() })
	id := r.sold(t, 2)
	document, err := r.Prepare(t.Context(), laneAdjustment, batchOf(refundOf(id, usd(1))))
	require.NoError(t, err)
	var want []string
	for range 205 {
		r.pass(time.Second)
		ticket, err := r.Submit(t.Context(), laneAdjustment, usSite, document)
		require.NoError(t, err)
		want = append(want, ticket)
	}
	got, err := r.Find(t.Context(), laneAdjustment, usSite, start)
	require.NoError(t, err)
	require.Equal(t, want, got, "oldest first")
	require.Equal(t, 3, r.fake.Calls()[opGetFeeds])
	none, err := r.Find(t.Context(), laneAdjustment, usSite, r.now().Add(time.Second))
	require.NoError(t, err)
	require.Empty(t, none)

	c := &canned{status: 200, body: `{"feeds":[{"feedId":"7","feedType":"POST_PAYMENT_ADJUSTMENT_DATA","createdTime":"2026-11-20T15:00:00Z","processingStatus":"DONE"}],"nextToken":"same"}`}
	got, err = cannedAdapter(t, c).Find(t.Context(), laneAdjustment, usSite, start)
	require.NoError(t, err)
	require.Equal(t, []string{"7"}, got, "a token that comes again ends the list")
	require.Equal(t, 2, c.calls)
}

// Throttling without a header: the refused submission did not happen, waits longer each time and
// keeps the official pace by itself.
func TestHandingInKeepsThePace(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	id := r.sold(t, 2)
	document, err := r.Prepare(t.Context(), laneAdjustment, batchOf(refundOf(id, usd(1))))
	require.NoError(t, err)
	r.fake.Once(opCreateFeed, amazonfake.Throttled)
	r.fake.Once(opCreateFeed, amazonfake.Throttled)
	var waits []time.Duration
	for range 2 {
		_, err = r.Submit(t.Context(), laneAdjustment, usSite, document)
		require.True(t, fault.Is(err, fault.Temporary), "%v", err)
		waits = append(waits, fault.After(err))
		r.pass(fault.After(err))
	}
	require.GreaterOrEqual(t, waits[0], 2*time.Minute)
	require.Greater(t, waits[1], waits[0])
	require.Empty(t, r.fake.Feeds())
	for range 40 {
		if _, err = r.Submit(t.Context(), laneAdjustment, usSite, document); err != nil {
			require.True(t, fault.Is(err, fault.Temporary), "%v", err)
			r.pass(fault.After(err))
		}
	}
	require.Equal(t, 2+len(r.fake.Feeds()), r.fake.Calls()[opCreateFeed], "none was sent too fast")
}

// Uploads and downloads prove themselves by their address: no token goes there, the address is in
// no error, and only https or the configured scheme is used.
func TestPresignedAddresses(t *testing.T) {
	t.Parallel()
	for address, used := range map[string]bool{"https://bucket.example/x?X-Amz-Signature=hush": true, "http://bucket.example/x?X-Amz-Signature=hush": false,
		"https://user:hush@bucket.example/x": false, "file:///etc/passwd": false, "//bucket.example/hush": false, "": false, "https://%zz hush": false} {
		for _, status := range []int{200, 403, 503} {
			asked := 0
			a := cannedAdapter(t, &canned{})
			a.api.http = httpx.New(httpx.Config{Retries: -1, Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				asked++
				require.Empty(t, req.Header.Get("X-Amz-Access-Token"))
				require.Equal(t, feedContentType, req.Header.Get("Content-Type"))
				return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("hush")), Request: req}, nil
			})})
			err := a.api.upload(t.Context(), address, feedContentType, []byte("<x/>"))
			require.Equal(t, used, asked == 1, address)
			if used && status == 200 {
				require.NoError(t, err)
				continue
			}
			require.True(t, fault.Is(err, fault.Temporary), "another address can be had: %v", err)
			require.NotContains(t, err.Error(), "hush")
		}
	}
	a := cannedAdapter(t, &canned{})
	a.api.http = httpx.New(httpx.Config{Retries: -1, Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") })})
	_, err := a.api.download(t.Context(), "https://bucket.example/x?X-Amz-Signature=hush")
	require.True(t, fault.Is(err, fault.Temporary))
	require.NotContains(t, err.Error(), "hush")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestUnpack(t *testing.T) {
	t.Parallel()
	pack := func(s string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		return b.Bytes()
	}
	got, err := unpack(pack("plain"), 100)
	require.NoError(t, err)
	require.Equal(t, "plain", string(got))
	got, err = unpack([]byte("plain"), 100)
	require.NoError(t, err)
	require.Equal(t, "plain", string(got), "what is not packed is taken as it is")
	_, err = unpack(pack(strings.Repeat("0", 101)), 100)
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	whole := pack(reported(3, 2, 1, 0, "2 Error 8123 over the limit"))
	got, err = unpack(whole[:len(whole)-40], 10000)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(got), "<?xml"), "what came before the cut")
	require.False(t, strings.HasSuffix(string(got), "</AmazonEnvelope>"))
	_, err = unpack([]byte{0x1f, 0x8b, 0}, 100)
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
}

// The life of refunds in bad weather, played as the ledger would: one submission for each batch,
// found again when its answer is lost. Every accepted refund is paid once, no rejected one is, and
// none is paid twice.
func TestFeedStorm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rate := rapid.Float64Range(0, 0.3)
		faults := amazonfake.Faults{Throttle: rate.Draw(rt, "throttle"), Unavailable: rate.Draw(rt, "unavailable"), Lost: rate.Draw(rt, "lost"),
			FeedFatal: rate.Draw(rt, "fatal"), FeedStuck: rate.Draw(rt, "stuck"), FeedDoubt: rate.Draw(rt, "doubt")}
		r := newRig(t, amazonfake.Options{})
		var ids []marketplace.OrderID
		for range 6 {
			ids = append(ids, r.sold(t, 2))
		}
		r.fake.SetFaults(faults)
		for n := 0; n < len(ids); n += 2 {
			in := []marketplace.Instruction{refundOf(ids[n], usd(int64(rapid.IntRange(1, 5000).Draw(rt, "amount")))), refundOf(ids[n+1], usd(300))}
			ticket := r.submitOnce(rt, in)
			if ticket == "" {
				continue // nobody can know; nothing is sent again
			}
			res := r.wait(rt, ticket, len(in))
			for _, v := range res.Verdicts {
				paid := r.fake.Refunds(string(in[v.Number-1].Order))
				switch v.State {
				case marketplace.VerdictAccepted:
					require.Len(rt, paid, 1)
				case marketplace.VerdictRejected:
					require.Empty(rt, paid)
				}
			}
		}
		for _, id := range ids {
			require.LessOrEqual(rt, len(r.fake.Refunds(string(id))), 1)
		}
	})
}

// submitOnce hands a batch in as long as it surely did not happen, and looks for it when nobody
// knows; empty when it is not found.
func (r *rig) submitOnce(t *rapid.T, in []marketplace.Instruction) string {
	ctx := context.Background()
	var document string
	r.until(t, func() (err error) { document, err = r.Prepare(ctx, laneAdjustment, batchOf(in...)); return err })
	r.pass(time.Minute)
	since := r.now()
	for {
		ticket, err := r.Submit(ctx, laneAdjustment, usSite, document)
		switch {
		case err == nil:
			return ticket
		case fault.Is(err, fault.Temporary):
			r.pass(max(fault.After(err), time.Second))
			continue
		}
		require.True(t, fault.Is(err, fault.Unknown), "%v", err)
		var tickets []string
		r.until(t, func() (err error) { tickets, err = r.Find(ctx, laneAdjustment, usSite, since); return err })
		require.LessOrEqual(t, len(tickets), 1, "one submission makes one feed")
		if len(tickets) == 0 {
			return ""
		}
		return tickets[0]
	}
}

// wait asks for results for two days.
func (r *rig) wait(t *rapid.T, ticket string, size int) (res marketplace.Results) {
	for until := r.now().Add(48 * time.Hour); r.now().Before(until); r.pass(10 * time.Minute) {
		r.until(t, func() (err error) {
			res, err = r.Results(context.Background(), laneAdjustment, ticket, numbers(size))
			return err
		})
		if res.State != marketplace.BatchWaiting {
			break
		}
	}
	return res
}

// until repeats what may be repeated.
func (r *rig) until(t *rapid.T, do func() error) {
	for range 500 {
		err := do()
		if err == nil {
			return
		}
		require.True(t, fault.Is(err, fault.Temporary), "%v", err)
		r.pass(max(fault.After(err), time.Second))
	}
	t.Fatal("never came through")
}

// Over a real connection the presigned addresses are the fake's own, in plain http.
func TestAFeedOverARealConnection(t *testing.T) {
	t.Parallel()
	fake := amazonfake.New(amazonfake.Options{FeedDelay: time.Nanosecond})
	srv := httptest.NewServer(fake)
	defer srv.Close()
	cfg := testConfig()
	cfg.Endpoint, cfg.TokenURL = srv.URL, srv.URL+"/auth/o2/token"
	cfg.HTTP = httpx.Config{Retries: -1, Transport: &http.Transport{}}
	a, err := New(cfg)
	require.NoError(t, err)
	id := marketplace.OrderID(fake.Place(amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: item1}}}))
	document, err := a.Prepare(t.Context(), laneAcknowledgement, batchOf(cancelOf(id, item1)))
	require.NoError(t, err)
	fake.Once(opCreateFeed, amazonfake.LostAnswer)
	_, err = a.Submit(t.Context(), laneAcknowledgement, usSite, document)
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	tickets, err := a.Find(t.Context(), laneAcknowledgement, usSite, time.Now().Add(-time.Minute))
	require.NoError(t, err)
	require.Len(t, tickets, 1)
	res, err := a.Results(t.Context(), laneAcknowledgement, tickets[0], numbers(1))
	require.NoError(t, err)
	require.Equal(t, "a", states(res), "%+v", res)
	o, _ := fake.Order(string(id))
	require.Equal(t, "CANCELLED", o.Status)
}
