package rig

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"channelbridge/internal/secret"
	"channelbridge/marketplace/generic"
	"channelbridge/marketplace/generic/genericfake"
)

// MarketID is the channel's connection.
const MarketID = "bazaar"

const (
	marketSecret = "whsec_dGhlIGJhemFhcidzIHNlY3JldCBmb3IgdGVzdHMgb25seQ=="
	marketToken  = "bazaar-token-for-tests"
)

// Market is the channel: a fake behind an HTTP server that misbehaves now and then.
type Market struct {
	*genericfake.Channel
	HTTP   *httptest.Server
	faults MarketFaults

	mu   sync.Mutex
	rand *rand.Rand
}

// MarketFaults are probabilities, drawn for each call.
type MarketFaults struct {
	Unavailable float64 // 503, nothing done
	TooMany     float64 // 429, nothing done
	Lost        float64 // carried out, and the connection cut
}

func openMarket(seed uint64, faults MarketFaults) *Market {
	m := &Market{faults: faults, rand: rand.New(rand.NewPCG(seed, 5)),
		Channel: genericfake.New(genericfake.Config{Secret: secret.New(marketSecret), Token: secret.New(marketToken)})}
	m.HTTP = httptest.NewServer(m)
	return m
}

// ServeHTTP lets the faults have their say.
func (m *Market) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	draw := m.rand.Float64()
	m.mu.Unlock()
	f := m.faults
	switch {
	case draw < f.Unavailable:
		w.WriteHeader(http.StatusServiceUnavailable)
	case draw < f.Unavailable+f.TooMany:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case draw < f.Unavailable+f.TooMany+f.Lost:
		m.Channel.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	default:
		m.Channel.ServeHTTP(w, r)
	}
}

// Message is the push of an order as it is now. Further fields make the body about 3 KB long; a
// receiver ignores them.
func (m *Market) Message(id string) (Message, error) {
	o, ok := m.Order(id)
	if !ok {
		return Message{}, fmt.Errorf("the channel has no order %s", id)
	}
	body, err := json.Marshal(struct {
		genericfake.Order
		Extra string `json:"extra"`
	}{o, padding[len(id)%7:]})
	if err != nil {
		return Message{}, err
	}
	return signed(fmt.Sprintf("msg_%s_%d", id, o.UpdatedAt.UnixNano()), body), nil
}

// signed is a push with the channel's signature.
func signed(id string, body []byte) Message {
	return Message{Connection: MarketID, ID: id, Body: body, Header: func(now time.Time) http.Header {
		h, err := generic.Sign(secret.New(marketSecret), id, now, body)
		if err != nil {
			panic(err) // the secret is ours and well-formed
		}
		return h
	}}
}

var padding = strings.Repeat("what a channel tells beyond what anybody reads, ", 48)
