package generic_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/secret"
	"channelbridge/marketplace"
	"channelbridge/marketplace/generic"
	"channelbridge/marketplace/generic/genericfake"
)

func TestConfigurationNamesEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := generic.New(generic.Config{})
	require.ErrorContains(t, err, "neither")
	_, err = generic.New(generic.Config{Base: "ftp://x", Secret: secret.New("oops-visible"), Previous: secret.New("whsec_c2hvcnQ="), Zone: "Moon/Crater"})
	for _, what := range []string{"base address", "secret: does not begin", "previous secret: is shorter", "zone"} {
		require.ErrorContains(t, err, what)
	}
	require.NotContains(t, err.Error(), "oops")
}

func TestPushOnlyChannel(t *testing.T) {
	t.Parallel()
	a := pushOnly(t)
	_, err := a.Order(t.Context(), "A-1")
	require.True(t, fault.Is(err, fault.NotFound))
	require.NotEmpty(t, fault.Hint(err))
	page, err := a.Changed(t.Context(), marketplace.Cursor{Since: start})
	require.NoError(t, err)
	require.Equal(t, marketplace.Page{Next: marketplace.Cursor{Since: start}}, page)
	_, err = a.ConfirmShipment(t.Context(), "k", marketplace.Shipment{Order: "A-1"})
	require.True(t, fault.Is(err, fault.Refused))
	require.NotEmpty(t, fault.Hint(err))
	health, err := a.Check(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, health.Warnings)
}

// says makes an adapter whose channel gives one answer to everything.
func says(t *testing.T, status int, body string, header ...string) *generic.Adapter {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	cfg := generic.Config{Base: srv.URL}
	everything(&cfg)
	cfg.HTTP.Retries = -1
	a, err := generic.New(cfg)
	require.NoError(t, err)
	return a
}

var parcel = marketplace.Shipment{Order: "A-1", Ref: "1", ShippedAt: start, Lines: []marketplace.ShipmentLine{{Line: "1", Quantity: 1}}}

func TestWhatAnswersMean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status      int
		read, write fault.Class
	}{
		{400, fault.Refused, fault.Refused},
		{401, fault.Denied, fault.Denied},
		{403, fault.Denied, fault.Denied},
		{404, fault.NotFound, fault.NotFound},
		{409, fault.Refused, fault.Refused},
		{422, fault.Refused, fault.Refused},
		{429, fault.Temporary, fault.Temporary},
		{500, fault.Temporary, fault.Unknown},
		{503, fault.Temporary, fault.Unknown},
	} {
		a := says(t, c.status, `{"code":"because"}`, "Retry-After", "7")
		_, err := a.Order(t.Context(), "A-1")
		require.True(t, fault.Is(err, c.read), "%d: %v", c.status, err)
		require.ErrorContains(t, err, "because")
		_, err = says(t, c.status, "").ConfirmShipment(t.Context(), "k", parcel)
		require.True(t, fault.Is(err, c.write), "%d: %v", c.status, err)
		_, err = says(t, c.status, "").Changed(t.Context(), marketplace.Cursor{})
		require.Error(t, err)
		if c.status == 429 {
			_, err = says(t, 429, "", "Retry-After", "7").Order(t.Context(), "A-1")
			require.Equal(t, 7*time.Second, fault.After(err))
		}
	}
}

func TestAnAnswerThatCannotBeUnderstood(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{", `{"id":"B"}`, body, "<html>"} { // body is order A-1
		_, err := says(t, 200, text).Order(t.Context(), "Z-9")
		f, ok := errors.AsType[*marketplace.FaultyError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, text, string(f.Raw))
	}
	page, err := says(t, 200, `{"orders":[{"id":"F-1","updated_at":"2026-11-20T09:00:00Z"},`+body+`,7]}`).Changed(t.Context(), marketplace.Cursor{})
	require.NoError(t, err)
	require.Len(t, page.Orders, 1, "one faulty order does not take the others with it")
	require.Len(t, page.Faulty, 2)
	require.EqualValues(t, "F-1", page.Faulty[0].ID)
	require.False(t, page.Faulty[0].UpdatedAt.IsZero())

	_, err = says(t, 200, `{"orders":[],"next_page_token":"same"}`).Changed(t.Context(), marketplace.Cursor{Token: "same"})
	require.True(t, fault.Is(err, fault.Temporary), "a circle is not walked: %v", err)
	receipt, err := says(t, 200, "fine").ConfirmShipment(t.Context(), "k", parcel)
	require.NoError(t, err, "taken is taken, whatever else it says")
	require.Empty(t, receipt.Ref)
}

func TestAFutureChangeDoesNotHideOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.fake.Place(genericfake.Order{})
	r.pass(-time.Hour) // our clock is behind theirs
	page, err := r.Changed(t.Context(), marketplace.Cursor{Since: start.Add(-2 * time.Hour)})
	require.NoError(t, err)
	require.EqualValues(t, id, page.Orders[0].ID)
	require.Equal(t, r.now(), page.Next.Since)
}

func TestNothingThatCannotBeTakenIsSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *generic.Config) { c.NeedTrack = true })
	id := marketplace.OrderID(r.fake.Place(genericfake.Order{}))
	good := marketplace.Shipment{Order: id, Ref: "1", Tracking: "1Z", ShippedAt: start, Lines: []marketplace.ShipmentLine{{Line: "1", Quantity: 1}}}
	for name, spoil := range map[string]func(*marketplace.Shipment, *string){
		"no key":       func(_ *marketplace.Shipment, k *string) { *k = "" },
		"a split key":  func(_ *marketplace.Shipment, k *string) { *k = "a\r\nb" },
		"no order":     func(s *marketplace.Shipment, _ *string) { s.Order = ".." },
		"no lines":     func(s *marketplace.Shipment, _ *string) { s.Lines = nil },
		"no date":      func(s *marketplace.Shipment, _ *string) { s.ShippedAt = time.Time{} },
		"not tracking": func(s *marketplace.Shipment, _ *string) { s.Tracking = "" },
	} {
		s, k := good, "k"
		spoil(&s, &k)
		_, err := r.ConfirmShipment(t.Context(), k, s)
		require.True(t, fault.Is(err, fault.Refused), "%s: %v", name, err)
	}
	require.Zero(t, r.fake.Counts().Shipments)
	_, err := r.ConfirmShipment(t.Context(), "k", good)
	require.NoError(t, err)
	good.Tracking = "other"
	_, err = r.ConfirmShipment(t.Context(), "k", good)
	require.True(t, fault.Is(err, fault.Refused), "a key with other contents: %v", err)
	require.Equal(t, genericfake.Counts{Shipments: 1, Conflicts: 1}, r.fake.Counts())
}

// The fake must see what a careless client does twice.
func TestTheFakeCountsDoubles(t *testing.T) {
	t.Parallel()
	c := genericfake.New(genericfake.Config{Secret: key})
	id := c.Place(genericfake.Order{})
	ship := func(key string) int {
		return post(c, "/orders/"+id+"/shipments", key, `{"ref":"1","lines":[{"line":"1","quantity":1}]}`)
	}
	require.Equal(t, 201, ship("a"))
	require.Equal(t, 201, ship("a"))
	require.Equal(t, genericfake.Counts{Shipments: 1, Replayed: 1}, c.Counts())
	require.Equal(t, 201, ship(""))
	require.Equal(t, genericfake.Counts{Shipments: 2, Replayed: 1, Keyless: 1, Doubled: 1}, c.Counts())
	require.Equal(t, 422, ship("b"), "nothing is left of the line")
}

func TestTheFakePushes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.fake.Place(genericfake.Order{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b, err := io.ReadAll(req.Body)
		if err == nil {
			_, err = r.Receive(r.now(), marketplace.Inbound{Header: req.Header, Body: b})
		}
		if err != nil {
			w.WriteHeader(401)
		}
	}))
	t.Cleanup(srv.Close)
	status, err := r.fake.Push(t.Context(), srv.Client(), srv.URL, id)
	require.NoError(t, err)
	require.Equal(t, 200, status)
}
