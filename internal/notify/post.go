package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/httpx"
	"channelbridge/internal/signature"
)

const (
	sendWithin = 15 * time.Second
	mostAnswer = 64 << 10 // bytes
)

// message is the body of a webhook.
type message struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"` // when it happened; when it is sent stands in a header
	Data      json.RawMessage `json:"data"`
}

// post sends an event once. The answer's status counts even where its body was cut off.
func (s *Sender) post(ctx context.Context, e Endpoint, ev connector.Event) (httpx.Answer, error) {
	body, err := json.Marshal(message{ev.Type, ev.At.UTC(), ev.Data})
	if err != nil {
		return httpx.Answer{}, fmt.Errorf("writing event %s: %w", ev.ID, err)
	}
	header := signature.Header(ev.ID, s.cfg.Clock(), body, e.Keys...)
	header.Set("Content-Type", "application/json")
	return s.client.Do(ctx, httpx.Call{Op: e.ID, Method: http.MethodPost, URL: e.URL, Header: header, Body: body})
}

// TestType is the type of an event that only shows that events arrive.
const TestType = "test"

// Test sends an endpoint an event that says nothing, whether it is switched off or not, and gives
// what it answered. Nothing is kept. An unknown endpoint is connector.ErrNotFound.
func (s *Sender) Test(ctx context.Context, endpoint string) (httpx.Answer, error) {
	now := s.cfg.Clock().UTC()
	ev := connector.Event{ID: connector.EventID(TestType, endpoint, now.Format(time.RFC3339Nano)), Type: TestType, At: now,
		Data: json.RawMessage(`{"text":"This event only shows that events arrive."}`)}
	for _, e := range s.cfg.Endpoints {
		if e.ID == endpoint {
			return s.post(ctx, e, ev)
		}
	}
	return httpx.Answer{}, unknown(endpoint)
}

func unknown(endpoint string) error {
	return fmt.Errorf("the endpoint %q is not configured: %w", endpoint, connector.ErrNotFound)
}
