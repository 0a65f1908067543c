package shopifyfake

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// hookTimeout is how long a receiver may take to answer.
const hookTimeout = 5 * time.Second

// retryAfter are the waits between the first send and the eight repeats: four hours in all.
var retryAfter = []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute,
	32 * time.Minute, 64 * time.Minute, 113 * time.Minute}

// Subscription is where pushes of a topic go.
type Subscription struct {
	ID, Topic, URI, Filter string
	Fields                 []string
}

// delivery is one push on its way to one subscriber.
type delivery struct {
	id, event, topic, uri, subscription string
	body                                []byte
	happened, due                       time.Time
	tries                               int
	flying                              bool
}

// event names one action; all topics it fires share the name. The lock is held.
func (s *Server) event() string { return s.uuid() }

// uuid draws an id in the usual form from the seeded source. The lock is held.
func (s *Server) uuid() string {
	a, b := s.cfg.Rand.Uint64(), s.cfg.Rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// push queues a webhook for every subscriber of the topic. The lock is held.
func (s *Server) push(event, topic string, body map[string]any) {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // only plain values get here
	}
	for _, sub := range s.world.subscriptions {
		if sub.Topic != topic {
			continue
		}
		d := delivery{id: s.uuid(), event: event, topic: topic, uri: sub.URI, subscription: sub.ID, body: raw,
			happened: s.cfg.Clock(), due: s.cfg.Clock()}
		if s.chance(s.cfg.Faults.HookLost) {
			continue
		}
		if s.chance(s.cfg.Faults.HookLate) {
			d.due = d.due.Add(time.Duration(s.cfg.Rand.Int64N(int64(10 * time.Minute))))
		}
		s.world.deliveries = append(s.world.deliveries, &d)
		if s.chance(s.cfg.Faults.HookTwice) {
			twin := d
			s.world.deliveries = append(s.world.deliveries, &twin)
		}
	}
	s.stir()
}

// stir lets Run look at what is due. The lock is held.
func (s *Server) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// topicName is the spelling of headers: orders/create for ORDERS_CREATE.
func topicName(topic string) string {
	name := strings.ToLower(topic)
	if rest, ok := strings.CutPrefix(name, "order_transactions_"); ok {
		return "order_transactions/" + rest
	}
	i := strings.IndexByte(name, '_')
	return name[:i] + "/" + name[i+1:]
}

// Due is when the next push wants to be sent, or the next cancellation to be carried out; false
// when none waits.
func (s *Server) Due() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first time.Time
	for _, d := range s.world.deliveries {
		if !d.flying && (first.IsZero() || d.due.Before(first)) {
			first = d.due
		}
	}
	for _, j := range s.world.jobs {
		if j.status == "STARTED" && (first.IsZero() || j.due.Before(first)) {
			first = j.due
		}
	}
	return first, !first.IsZero()
}

// Deliver sends every push that is due, one after the other, and returns how many it sent.
func (s *Server) Deliver(ctx context.Context) int {
	due := s.takeDue()
	for i, d := range due {
		if ctx.Err() != nil {
			s.putBack(due[i:])
			return i
		}
		s.settle(d, s.send(ctx, d))
	}
	return len(due)
}

func (s *Server) takeDue() []*delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ripen()
	var due []*delivery
	now := s.cfg.Clock()
	for _, d := range s.world.deliveries {
		if !d.flying && !d.due.After(now) {
			d.flying = true
			due = append(due, d)
		}
	}
	slices.SortStableFunc(due, func(a, b *delivery) int { return a.due.Compare(b.due) })
	return due
}

func (s *Server) putBack(list []*delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range list {
		d.flying = false
	}
}

// send reports whether the receiver took the push: any 2xx within five seconds.
func (s *Server) send(ctx context.Context, d *delivery) bool {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.uri, bytes.NewReader(d.body))
	if err != nil {
		return false
	}
	h := hmac.New(sha256.New, []byte(s.cfg.ClientSecret))
	h.Write(d.body)
	for k, v := range map[string]string{"Content-Type": "application/json", "X-Shopify-Topic": topicName(d.topic),
		"X-Shopify-Hmac-Sha256": base64.StdEncoding.EncodeToString(h.Sum(nil)), "X-Shopify-Shop-Domain": s.cfg.Shop,
		"X-Shopify-API-Version": s.cfg.APIVersion, "X-Shopify-Webhook-Id": d.id, "X-Shopify-Event-Id": d.event,
		"X-Shopify-Triggered-At": d.happened.UTC().Format(time.RFC3339Nano)} {
		r.Header.Set(k, v)
	}
	resp, err := s.cfg.HookClient.Do(r)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // what a receiver says beyond its status is of no interest
	return resp.StatusCode/100 == 2
}

// settle forgets a push that arrived and plans the next try of one that did not. After the last
// try the subscription is removed, as the store does.
func (s *Server) settle(d *delivery, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.flying = false
	if !ok && d.tries < len(retryAfter) {
		d.due = s.cfg.Clock().Add(retryAfter[d.tries])
		d.tries++
		return
	}
	s.world.deliveries = slices.DeleteFunc(s.world.deliveries, func(e *delivery) bool { return e == d })
	if !ok {
		s.world.subscriptions = slices.DeleteFunc(s.world.subscriptions, func(sub Subscription) bool { return sub.ID == d.subscription })
	}
}

// Run delivers pushes as they become due until ctx ends.
func (s *Server) Run(ctx context.Context) {
	for ctx.Err() == nil {
		s.Deliver(ctx)
		wait := time.Minute
		if at, ok := s.Due(); ok {
			wait = min(wait, max(at.Sub(s.cfg.Clock()), 0))
		}
		if wait == 0 {
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// Subscriptions returns the app's subscriptions.
func (s *Server) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.world.subscriptions)
}

// Subscribe puts a subscription into the store, as an earlier version of the app might have left it.
func (s *Server) Subscribe(sub Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.ID = s.id("WebhookSubscription")
	s.world.subscriptions = append(s.world.subscriptions, sub)
}
