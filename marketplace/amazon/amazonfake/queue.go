package amazonfake

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// message is one message of the queue. A new receipt is issued with every delivery.
type message struct {
	id, receipt string
	body        []byte
	visible     time.Time
	sent        time.Time
	received    int
}

func (s *Server) enqueue(body []byte, visible time.Time) {
	s.serial++
	s.queue = append(s.queue, &message{id: fmt.Sprintf("msg-%06d", s.serial), body: body, visible: visible, sent: s.now()})
	close(s.wake)
	s.wake = make(chan struct{})
}

// Send puts a message of any content on the queue.
func (s *Server) Send(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enqueue(body, s.now())
}

// Queued counts the messages on the queue, hidden ones included.
func (s *Server) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// take hands out up to n visible messages and hides them for a while.
func (s *Server) take(n int, hide time.Duration) []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	now := s.now()
	var out []message
	for _, m := range s.queue {
		if len(out) < n && !m.visible.After(now) {
			s.serial++
			m.received++
			m.receipt, m.visible = fmt.Sprintf("rcpt-%s-%06d", m.id, s.serial), now.Add(hide)
			out = append(out, *m)
		}
	}
	return out
}

// drop deletes by receipt. An older receipt of a message delivered again is taken and has no
// effect, as SQS does now and then.
func (s *Server) drop(receipt string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = slices.DeleteFunc(s.queue, func(m *message) bool { return m.receipt == receipt && receipt != "" })
}

type sqsInput struct {
	QueueURL            string `json:"QueueUrl"`
	MaxNumberOfMessages int
	WaitTimeSeconds     int
	VisibilityTimeout   *int
	ReceiptHandle       string
	Entries             []struct{ ID, ReceiptHandle string }
}

// sqs speaks the AWS JSON protocol of the queue service.
func (s *Server) sqs(w http.ResponseWriter, req *http.Request) {
	target, found := strings.CutPrefix(req.Header.Get("X-Amz-Target"), "AmazonSQS.")
	var in sqsInput
	body, _ := io.ReadAll(io.LimitReader(req.Body, maxRequest))
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	fail := func(status int, code string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.sqs#" + code, "message": code})
	}
	s.mu.Lock()
	s.calls["sqs."+target]++
	down := s.faults.Down
	s.mu.Unlock()
	switch {
	case !found || json.Unmarshal(body, &in) != nil:
		fail(http.StatusBadRequest, "InvalidAction")
		return
	case !strings.HasPrefix(req.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="):
		fail(http.StatusForbidden, "MissingAuthenticationToken")
		return
	case down:
		fail(http.StatusServiceUnavailable, "ServiceUnavailable")
		return
	case in.QueueURL != s.opt.QueueURL:
		fail(http.StatusBadRequest, "QueueDoesNotExist")
		return
	}
	var out any
	switch target {
	case "ReceiveMessage":
		out = s.receive(req.Context(), in)
	case "DeleteMessage":
		s.drop(in.ReceiptHandle)
		out = map[string]any{}
	case "DeleteMessageBatch":
		out = s.dropAll(in)
	case "GetQueueAttributes":
		out = map[string]any{"Attributes": map[string]string{"QueueArn": s.opt.QueueARN, "ApproximateNumberOfMessages": fmt.Sprint(s.Queued())}}
	default:
		fail(http.StatusBadRequest, "InvalidAction")
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *Server) dropAll(in sqsInput) any {
	done := []any{}
	for _, e := range in.Entries {
		s.drop(e.ReceiptHandle)
		done = append(done, map[string]string{"Id": e.ID})
	}
	return map[string]any{"Successful": done, "Failed": []any{}}
}

// look is how often a long poll looks again for messages that have become visible.
const look = 100 * time.Millisecond

func (s *Server) receive(ctx context.Context, in sqsInput) any {
	hide := s.opt.Visibility
	if in.VisibilityTimeout != nil {
		hide = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, min(time.Duration(in.WaitTimeSeconds)*time.Second, s.opt.MaxPollWait))
	defer cancel()
	for {
		s.mu.Lock()
		wake := s.wake
		s.mu.Unlock()
		got := s.take(min(max(in.MaxNumberOfMessages, 1), 10), hide)
		if len(got) > 0 || ctx.Err() != nil {
			return map[string]any{"Messages": records(got)}
		}
		t := time.NewTimer(look)
		select {
		case <-wake:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

func records(all []message) []any {
	out := []any{}
	for _, m := range all {
		sum := md5.Sum(m.body)
		out = append(out, map[string]any{"MessageId": m.id, "ReceiptHandle": m.receipt, "Body": string(m.body),
			"MD5OfBody": hex.EncodeToString(sum[:])})
	}
	return out
}
