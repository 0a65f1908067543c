package amazon

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/httpx"
	"channelbridge/internal/secret"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

const (
	usSite    = "ATVPDKIKX0DER"
	pipeToken = "pipe-token-current"
)

var start = time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)

// rig is an adapter talking to the fake, with a clock set by hand.
type rig struct {
	*Adapter
	fake *amazonfake.Server
	mu   sync.Mutex
	at   time.Time
	sent []sent // requests to the API, without the token service and the queue
}

type sent struct {
	*http.Request
	body []byte
}

func (r *rig) now() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.at }

func (r *rig) pass(d time.Duration) { r.mu.Lock(); defer r.mu.Unlock(); r.at = r.at.Add(d) }

// RoundTrip notes the request and hands it to the fake.
func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		req.Body = http.NoBody
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if req.URL.Host == "sellingpartnerapi-na.amazon.com" {
		r.mu.Lock()
		r.sent = append(r.sent, sent{req.Clone(context.Background()), body})
		r.mu.Unlock()
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return r.fake.Transport().RoundTrip(req)
}

func testConfig() Config {
	return Config{
		SellerID: amazonfake.DefaultSeller, Region: "na", ClientID: amazonfake.DefaultClient,
		ClientSecret: secret.New(amazonfake.DefaultSecret), RefreshToken: secret.New(amazonfake.DefaultRefresh),
		QueueURL: amazonfake.DefaultQueueURL, QueueARN: amazonfake.DefaultQueueARN, QueueEndpoint: "https://queue.fake",
		AWSAccessKeyID: secret.New("AKIAFAKE"), AWSSecretAccessKey: secret.New("aws-secret"),
		PipeAuthToken: secret.New(pipeToken), PipeAuthTokenPrevious: secret.New("pipe-token-previous"),
		HTTP: httpx.Config{Retries: -1},
	}
}

func newRig(t testing.TB, opt amazonfake.Options, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{at: start}
	opt.Clock, opt.Rand = r.now, rand.New(rand.NewPCG(3, 4))
	opt.MaxPollWait = 50 * time.Millisecond
	r.fake = amazonfake.New(opt)
	cfg := testConfig()
	cfg.HTTP.Transport, cfg.HTTP.Clock = r, r.now
	cfg.HTTP.Sleep = func(_ context.Context, d time.Duration) error { r.pass(d); return nil }
	for _, f := range change {
		f(&cfg)
	}
	a, err := New(cfg)
	require.NoError(t, err)
	r.Adapter = a
	return r
}

// canned is an API that always gives the same answer, behind a token service.
type canned struct {
	status int
	header http.Header
	body   string
	calls  int
	last   []byte
	query  string
}

func (c *canned) RoundTrip(req *http.Request) (*http.Response, error) {
	answer := func(status int, h http.Header, body string) (*http.Response, error) {
		if h == nil {
			h = http.Header{}
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewBufferString(body)), Request: req}, nil
	}
	if req.URL.Path == "/auth/o2/token" {
		return answer(200, nil, `{"access_token":"Atza|canned","expires_in":3600}`)
	}
	c.calls++
	c.query = req.URL.RawQuery
	c.last, _ = io.ReadAll(req.Body)
	return answer(c.status, c.header, c.body)
}

func cannedAdapter(t testing.TB, c *canned) *Adapter {
	t.Helper()
	cfg := testConfig()
	cfg.HTTP.Transport, cfg.HTTP.Clock = c, func() time.Time { return start }
	a, err := New(cfg)
	require.NoError(t, err)
	return a
}

// edit changes a JSON document by a merge in the manner of RFC 7396.
func edit(t testing.TB, doc string, patch string) json.RawMessage {
	t.Helper()
	read := func(text string) (v any) {
		dec := json.NewDecoder(bytes.NewBufferString(text))
		dec.UseNumber()
		require.NoError(t, dec.Decode(&v))
		return v
	}
	out, err := json.Marshal(merge(read(doc), read(patch)))
	require.NoError(t, err)
	return out
}

func merge(d, p any) any {
	patch, ok := p.(map[string]any)
	if !ok {
		return p
	}
	doc, ok := d.(map[string]any)
	if !ok {
		doc = map[string]any{}
	}
	for k, v := range patch {
		if v == nil {
			delete(doc, k)
		} else {
			doc[k] = merge(doc[k], v)
		}
	}
	return doc
}

func shipment(id marketplace.OrderID, ref, item string, n int, at time.Time) marketplace.Shipment {
	return marketplace.Shipment{Order: id, Site: usSite, Ref: ref, Carrier: marketplace.Carrier{Code: "UPS", Name: "UPS"},
		Service: "Ground", Tracking: "1Z999AA10123456784", ShippedAt: at, Lines: []marketplace.ShipmentLine{{Line: item, Quantity: n}}}
}
