package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/internal/secret"
	"channelbridge/internal/signature"
)

const (
	newSecret = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	oldSecret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 123456000, time.UTC)

func keys(t testing.TB, texts ...string) (out []signature.Key) {
	for _, text := range texts {
		k, err := signature.ParseKey(secret.New("whsec_" + text))
		require.NoError(t, err)
		out = append(out, k)
	}
	return out
}

// got is a request as it arrived.
type got struct {
	method, id, stamp, signatures, kind string
	body                                string
}

// signed checks a signature as the text describes it, without the code that made it.
func (g got) signed(t testing.TB, secretText string) bool {
	key, err := base64.StdEncoding.DecodeString(secretText)
	require.NoError(t, err)
	m := hmac.New(sha256.New, key)
	_, _ = io.WriteString(m, g.id+"."+g.stamp+"."+g.body)
	want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
	for _, s := range strings.Split(g.signatures, " ") {
		if s == want {
			return true
		}
	}
	return false
}

// receiver answers as it was told to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []got
	answer func(w http.ResponseWriter, r *http.Request)
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.got = append(r.got, got{req.Method, req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp"), req.Header.Get("webhook-signature"),
			req.Header.Get("content-type"), string(body)})
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) says(status int, headers ...string) {
	r.does(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	})
}

func (r *receiver) does(answer func(w http.ResponseWriter, _ *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) all() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]got{}, r.got...)
}

// rig is a sender with its world.
type rig struct {
	*testing.T
	store    *flaky
	receiver *receiver
	sender   *Sender
	told     []Told
	mu       sync.Mutex
	now      time.Time
}

// flaky is a store whose notes may be lost.
type flaky struct {
	*memstore.Store
	lost bool
}

var errLost = errors.New("the database is gone")

func (f *flaky) SettleEvent(ctx context.Context, w connector.EventWork, at time.Time, o connector.EventOutcome) error {
	if f.lost {
		return errLost
	}
	return f.Store.SettleEvent(ctx, w, at, o)
}

func newRig(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{T: t, store: &flaky{Store: memstore.New()}, receiver: newReceiver(t), now: noon}
	r.sender = r.another(change...)
	return r
}

// another is a further process on the same database.
func (r *rig) another(change ...func(*Config)) *Sender {
	cfg := Config{Store: r.store, Clock: r.clock, Jitter: func(n int64) int64 { return n / 2 },
		Endpoints: []Endpoint{{ID: "erp", URL: r.receiver.URL + "/hook?token=hush", Keys: keys(r, newSecret)}},
		Observe: func(x Told) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.told = append(r.told, x)
		}}
	for _, f := range change {
		f(&cfg)
	}
	return New(cfg)
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func imported(name string) connector.Event {
	return connector.Event{ID: connector.EventID(connector.EventPayoutImported, name), Type: connector.EventPayoutImported, At: noon, Account: "am",
		Subject: "po_" + name, Data: json.RawMessage(`{"payout_id":"po_` + name + `"}`)}
}

func (r *rig) tell(events ...connector.Event) {
	r.Helper()
	require.NoError(r, r.sender.Tell(r.Context(), events...))
}

// step sends what is due and says how much was tried.
func (r *rig) step() int {
	r.Helper()
	n, err := r.sender.Step(r.Context())
	require.NoError(r, err)
	return n
}

func (r *rig) delivery(e connector.Event) connector.EventDelivery {
	r.Helper()
	all, err := r.store.EventList(r.Context(), connector.EventFilter{ID: e.ID})
	require.NoError(r, err)
	require.Len(r, all, 1)
	require.Len(r, all[0].Deliveries, 1)
	return all[0].Deliveries[0]
}
