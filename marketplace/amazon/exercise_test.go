package amazon

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/marketplace/markettest"
)

// switchboard stands before the fake and loses or refuses single answers.
type switchboard struct {
	next           http.RoundTripper
	lose, throttle bool
}

var errCut = errors.New("connection cut")

func (s *switchboard) RoundTrip(req *http.Request) (*http.Response, error) {
	api := req.Method == http.MethodPost && strings.Contains(req.URL.Path, "/shipmentConfirmation")
	if s.throttle && !strings.HasPrefix(req.URL.Path, "/auth") {
		s.throttle = false
		return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Request: req,
			Body: io.NopCloser(strings.NewReader(`{"errors":[{"code":"QuotaExceeded","message":"You exceeded your quota"}]}`))}, nil
	}
	resp, err := s.next.RoundTrip(req)
	if s.lose && api && err == nil {
		s.lose = false
		resp.Body.Close()
		return nil, errCut
	}
	return resp, err
}

// pipe catches what the fake's pipe posts.
type pipe struct{ last marketplace.Inbound }

func (p *pipe) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	p.last = marketplace.Inbound{Header: req.Header.Clone(), Body: body}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, err
}

func TestExercise(t *testing.T) {
	r := &rig{at: start}
	posts := &pipe{}
	r.fake = amazonfake.New(amazonfake.Options{Clock: r.now, Rand: rand.New(rand.NewPCG(1, 2)), Subscribed: true, Scale: -1,
		EmptyPages: true, TransactionPage: 2, TransferPage: 2, Faults: amazonfake.Faults{MoneyLag: 40 * time.Hour},
		Push: amazonfake.Push{URL: "https://bridge.example/webhooks/amazon-us", Token: pipeToken, Shape: "record", Client: &http.Client{Transport: posts}}})
	sb := &switchboard{next: r}
	cfg := testConfig()
	cfg.HTTP.Transport, cfg.HTTP.Clock = sb, r.now
	cfg.HTTP.Sleep = func(_ context.Context, d time.Duration) error { r.pass(d); return nil }
	a, err := New(cfg)
	require.NoError(t, err)
	zone, err := time.LoadLocation("America/Los_Angeles")
	require.NoError(t, err)
	place := func(edit func(*amazonfake.OrderSpec)) func(*testing.T) marketplace.OrderID {
		return func(*testing.T) marketplace.OrderID {
			spec := amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{SKU: "A", Title: "A", Quantity: 2, UnitPrice: "19.99", Tax: "1.10"},
				{SKU: "B", Title: "B", Quantity: 1, UnitPrice: "5.00", Shipping: "3.99"}}}
			edit(&spec)
			return marketplace.OrderID(r.fake.Place(spec))
		}
	}
	markettest.Exercise(t, markettest.Harness{Adapter: a, Now: r.now, Advance: r.pass, Site: usSite, Zone: zone, Missing: "114-0000000-9999999",
		Carrier:        marketplace.Carrier{Code: "UPS"},
		Place:          place(func(*amazonfake.OrderSpec) {}),
		PlacePending:   place(func(s *amazonfake.OrderSpec) { s.Status = "PENDING" }),
		PlaceByChannel: place(func(s *amazonfake.OrderSpec) { s.Amazon = true }),
		Shipments: func(id marketplace.OrderID) int {
			refs := map[string]bool{}
			for _, c := range r.fake.Shipments(string(id)) {
				refs[c.Ref] = true
			}
			return len(refs)
		},
		Push: func(t *testing.T, id marketplace.OrderID) marketplace.Inbound {
			drain := func() {
				for n := 1; n > 0; {
					var err error
					n, err = r.fake.Deliver(t.Context())
					require.NoError(t, err)
				}
			}
			drain()
			r.pass(time.Minute)
			require.True(t, r.fake.RequestCancel(string(id), "changed my mind"))
			drain()
			return posts.last
		},
		Forge: func(in marketplace.Inbound) marketplace.Inbound {
			h := in.Header.Clone()
			h.Set("Authorization", pipeToken+"x")
			return marketplace.Inbound{Header: h, Body: in.Body}
		},
		LoseNextAnswer:      func() { sb.lose = true },
		ThrottleNext:        func() { sb.throttle = true },
		LoseNextInstruction: func() { r.fake.Once(opCreateFeed, amazonfake.LostAnswer) },
		PayOut: func(_ *testing.T, refused bool) (string, money.Money) {
			x := amazonfake.Settlement{}
			if refused {
				x.Fate = amazonfake.BankRefuses
			}
			r.fake.SettleAs(x, amazonfake.Other("Previous Reserve Amount Balance", "100.00"))
			all := r.fake.Transfers()
			return all[len(all)-1].Settlement, all[len(all)-1].Amount
		},
		HoldBack: func(t *testing.T) (marketplace.OrderID, money.Money) {
			id := place(func(s *amazonfake.OrderSpec) { s.Deferred = "DD7" })(t)
			r.pass(time.Minute)
			o, err := a.Order(t.Context(), id)
			require.NoError(t, err)
			_, err = a.ConfirmShipment(t.Context(), "k", shipment(id, "1", o.Lines[0].ID, 2, r.now()))
			require.NoError(t, err)
			return id, money.New(3998+110-599, "USD") // two pieces and their tax, less 15 percent
		},
		RefundCount: func(id marketplace.OrderID) int { return len(r.fake.Refunds(string(id))) },
		Deny: func() func() {
			r.fake.Revoke()
			return func() { r.fake.Authorize(amazonfake.DefaultRefresh); r.pass(2 * time.Minute) }
		},
	})
}
