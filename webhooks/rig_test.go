package webhooks_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/secret"
	"channelbridge/marketplace"
	"channelbridge/marketplace/generic"
	"channelbridge/shopadmin"
	"channelbridge/webhooks"
)

const (
	channel = connector.ConnectionID("chan-1")
	shop    = connector.ConnectionID("shop-1")
)

var (
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	key  = secret.New("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
)

// inbox keeps deliveries in memory and fails on request.
type inbox struct {
	mu       sync.Mutex
	rows     []connector.Delivery
	repeats  int
	rejected []connector.Delivery
	broken   func(connector.Delivery) error
	slow     time.Duration
}

func (b *inbox) Record(ctx context.Context, d connector.Delivery) (connector.Verdict, error) {
	if b.slow > 0 {
		select {
		case <-time.After(b.slow):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		if err := b.broken(d); err != nil {
			return "", err
		}
	}
	for _, old := range b.rows {
		if old.Connection == d.Connection && old.ID == d.ID {
			b.repeats++
			return connector.Duplicate, nil
		}
	}
	b.rows = append(b.rows, d)
	return d.Verdict, nil
}

func (b *inbox) Reject(_ context.Context, d connector.Delivery, keep int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rejected = append(b.rejected, d)
	b.rejected = b.rejected[max(0, len(b.rejected)-keep):]
	return nil
}

func (b *inbox) Replayed(context.Context, int64, time.Time, []connector.Touch, []connector.Observation) error {
	return errors.New("not used here")
}

func (b *inbox) all() []connector.Delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]connector.Delivery(nil), b.rows...)
}

func (b *inbox) refused() []connector.Delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]connector.Delivery(nil), b.rejected...)
}

// store is a store's receiver: an HMAC over the body, and a hint as JSON inside.
type store struct{}

func (store) Receive(_ time.Time, in shopadmin.Inbound) (shopadmin.Hint, error) {
	given := in.Header.Get("X-Shopify-Hmac-Sha256")
	if given == "" {
		return shopadmin.Hint{}, shopadmin.ErrMissing
	}
	if given != storeSign(in.Body) {
		return shopadmin.Hint{}, fmt.Errorf("store: %w", shopadmin.ErrSignature)
	}
	var h shopadmin.Hint
	if err := json.Unmarshal(in.Body, &h); err != nil {
		return shopadmin.Hint{}, fmt.Errorf("store: %w: %w", shopadmin.ErrMalformed, err)
	}
	h.DeliveryID, h.Topic = in.Header.Get("X-Shopify-Webhook-Id"), in.Header.Get("X-Shopify-Topic")
	return h, nil
}

func storeSign(body []byte) string {
	h := hmac.New(sha256.New, []byte("store"))
	h.Write(body)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// scripted is a channel receiver that says what it is told to.
type scripted func(now time.Time, in marketplace.Inbound) ([]marketplace.Hint, error)

func (s scripted) Receive(now time.Time, in marketplace.Inbound) ([]marketplace.Hint, error) {
	return s(now, in)
}

// rig is a server with one generic channel and one store.
type rig struct {
	*testing.T
	box    *inbox
	srv    *webhooks.Server
	reg    *prometheus.Registry
	nudges atomic.Int32
	log    *bytes.Buffer
	lived  []shopadmin.Hint
	clock  atomic.Pointer[time.Time]
}

func newRig(t *testing.T, change ...func(*webhooks.Config)) *rig {
	t.Helper()
	r := &rig{T: t, box: &inbox{}, reg: prometheus.NewRegistry(), log: &bytes.Buffer{}}
	r.clock.Store(&noon)
	g, err := generic.New(generic.Config{Secret: key})
	require.NoError(t, err)
	cfg := webhooks.Config{
		Inbox: r.box, Metrics: r.reg, Nudge: func() { r.nudges.Add(1) },
		Clock: func() time.Time { return *r.clock.Load() },
		Log:   slog.New(slog.NewTextHandler(&locked{w: r.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Sources: map[connector.ConnectionID]webhooks.Source{
			channel: {Role: connector.RoleChannel, Channel: g},
			shop: {Role: connector.RoleStore, Store: store{},
				Lifecycle: func(_ context.Context, h shopadmin.Hint) { r.lived = append(r.lived, h) }},
		},
	}
	for _, f := range change {
		f(&cfg)
	}
	r.srv = webhooks.New(cfg)
	return r
}

// locked keeps a log readable while many write it.
type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// send hands one request to the handler without a socket.
func (r *rig) send(to connector.ConnectionID, h http.Header, body []byte) *httptest.ResponseRecorder {
	r.Helper()
	req := httptest.NewRequest(http.MethodPost, "/webhooks/"+string(to), bytes.NewReader(body))
	req.Header = h.Clone()
	w := httptest.NewRecorder()
	r.srv.Handler().ServeHTTP(w, req)
	return w
}

// order is a body of the generic channel.
func order(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"placed_at":"2026-11-20T11:00:00Z","updated_at":"2026-11-20T11:30:00Z","status":"open",
		"currency":"USD","total":"5.00","lines":[{"id":9007199254740993,"quantity":1,"price":5.00}]}`, id)
}

func signed(t testing.TB, id string, at time.Time, body []byte) http.Header {
	h, err := generic.Sign(key, id, at, body)
	require.NoError(t, err)
	return h
}

func fromShop(id, topic string, body []byte) http.Header {
	return http.Header{"X-Shopify-Hmac-Sha256": {storeSign(body)}, "X-Shopify-Webhook-Id": {id}, "X-Shopify-Topic": {topic},
		"X-Shopify-Access-Token": {"hush"}, "Authorization": {"hush"}, "Cookie": {"hush"}, "Content-Type": {"application/json"}}
}
