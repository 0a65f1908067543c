package webhooks_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace/generic"
	"channelbridge/webhooks"
)

// nowhere accepts everything and keeps nothing.
type nowhere struct{}

func (nowhere) Record(_ context.Context, d connector.Delivery) (connector.Verdict, error) {
	return d.Verdict, nil
}
func (nowhere) Reject(context.Context, connector.Delivery, int) error { return nil }
func (nowhere) Replayed(context.Context, int64, time.Time, []connector.Touch, []connector.Observation) error {
	return nil
}

// BenchmarkReceive is the handler alone: routing, reading, HMAC, decoding, hints.
func BenchmarkReceive(b *testing.B) {
	g, err := generic.New(generic.Config{Secret: key})
	require.NoError(b, err)
	h := webhooks.New(webhooks.Config{Inbox: nowhere{}, Clock: func() time.Time { return noon },
		Sources: map[connector.ConnectionID]webhooks.Source{channel: {Role: connector.RoleChannel, Channel: g}}}).Handler()
	body := order("A-1")
	body = append(body, bytes.Repeat([]byte(" "), 3000-len(body))...)
	header := signed(b, "m1", noon, body)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		req := httptest.NewRequest(http.MethodPost, "/webhooks/chan-1", bytes.NewReader(body))
		req.Header = header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
