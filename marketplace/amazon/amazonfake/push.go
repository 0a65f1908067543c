package amazonfake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Push is an AWS pipe from the queue to an HTTP address.
type Push struct {
	URL    string
	Header string // empty: Authorization
	Token  string
	Shape  string       // records (an array), record or bare; empty: records
	Client *http.Client // nil: http.DefaultClient
}

// SetPush points the pipe somewhere.
func (s *Server) SetPush(p Push) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Push = p
}

// Deliver posts every visible message once and returns how many were taken. A message whose
// post was not answered with 2xx shows again after its visibility timeout.
func (s *Server) Deliver(ctx context.Context) (int, error) {
	s.mu.Lock()
	p := s.opt.Push
	s.mu.Unlock()
	if p.URL == "" {
		return 0, nil
	}
	delivered := 0
	for {
		batch := 10
		if p.Shape == "record" || p.Shape == "bare" {
			batch = 1
		}
		got := s.take(batch, s.opt.Visibility)
		if len(got) == 0 {
			return delivered, nil
		}
		if err := p.post(ctx, got); err != nil {
			return delivered, err
		}
		for _, m := range got {
			s.drop(m.receipt)
		}
		delivered += len(got)
	}
}

// Run delivers until ctx ends, looking for messages at the given pace and whenever one arrives.
func (s *Server) Run(ctx context.Context, every time.Duration) {
	for ctx.Err() == nil {
		s.mu.Lock()
		wake := s.wake
		s.mu.Unlock()
		_, _ = s.Deliver(ctx) // what was not taken is posted again later
		t := time.NewTimer(every)
		select {
		case <-wake:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

func (p Push) post(ctx context.Context, got []message) error {
	body, err := p.body(got)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	header, client := p.Header, p.Client
	if header == "" {
		header = "Authorization"
	}
	if client == nil {
		client = http.DefaultClient
	}
	req.Header.Set(header, p.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("amazonfake: pipe: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxRequest))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("amazonfake: pipe: answered %d", resp.StatusCode)
	}
	return nil
}

// body wraps messages the way a pipe hands them on.
func (p Push) body(got []message) ([]byte, error) {
	if p.Shape == "bare" {
		return got[0].body, nil
	}
	all := make([]map[string]any, 0, len(got))
	for _, m := range got {
		all = append(all, map[string]any{"messageId": m.id, "receiptHandle": m.receipt, "body": string(m.body),
			"eventSource": "aws:sqs", "attributes": map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.received)}})
	}
	if p.Shape == "record" {
		return json.Marshal(all[0])
	}
	return json.Marshal(all)
}
