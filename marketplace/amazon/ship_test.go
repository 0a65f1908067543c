package amazon

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

// Trap 9: two parcels, and what Amazon says of them afterwards.
func TestTwoParcels(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	id := marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: "I1", Quantity: 3}}}))
	r.pass(time.Minute)
	for ref, n := range map[string]int{"1": 1, "2": 2} {
		s := shipment(id, ref, "I1", n, r.now())
		rec, err := r.ConfirmShipment(t.Context(), "k", s)
		require.NoError(t, err)
		require.Equal(t, ref, rec.Ref)
		o, err := r.Order(t.Context(), id)
		require.NoError(t, err)
		if o.Lines[0].Shipped < 3 {
			require.Equal(t, "PARTIALLY_SHIPPED", o.External)
			require.Equal(t, marketplace.Open, o.Lifecycle)
		} else {
			require.Equal(t, marketplace.Closed, o.Lifecycle)
			require.Len(t, o.Packages, 2)
		}
	}
}

// Trap 8: an answer that never came is unknown; the same reference again does no harm.
func TestALostConfirmationIsUnknownAndMayBeRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Faults: amazonfake.Faults{Lost: 0}})
	id := marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: "I1", Quantity: 1}}}))
	r.pass(time.Minute)
	_, err := r.Order(t.Context(), id)
	require.NoError(t, err)
	r.fake.SetFaults(amazonfake.Faults{Lost: 1})
	s := shipment(id, "1", "I1", 1, r.now())
	_, err = r.ConfirmShipment(t.Context(), "k", s)
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	require.Len(t, r.fake.Shipments(string(id)), 1)
	r.fake.SetFaults(amazonfake.Faults{})
	_, err = r.ConfirmShipment(t.Context(), "k", s)
	require.NoError(t, err)
	o, _ := r.fake.Order(string(id))
	require.Len(t, o.Packages, 1)
	require.True(t, r.fake.Shipments(string(id))[1].Edit)

	s.Ref = "2"
	_, err = r.ConfirmShipment(t.Context(), "k", s)
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	require.ErrorContains(t, err, codePackageNotFound)
	require.NotEmpty(t, fault.Hint(err))
}

func TestConfirmationAnswers(t *testing.T) {
	t.Parallel()
	for status, class := range map[int]fault.Class{400: fault.Refused, 401: fault.Denied, 403: fault.Denied, 404: fault.NotFound, 409: fault.Refused,
		429: fault.Temporary, 500: fault.Unknown, 503: fault.Unknown, 302: fault.Unknown} {
		c := &canned{status: status, header: http.Header{}, body: `{"errors":[{"code":"C","message":"m"}]}`}
		_, err := cannedAdapter(t, c).ConfirmShipment(t.Context(), "k", shipment("1", "1", "I1", 1, start))
		require.True(t, fault.Is(err, class), "%d: %v", status, err)
		require.Equal(t, 1, c.calls)
	}
}

func TestWhatAmazonWouldRefuseIsNotSent(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*marketplace.Shipment){
		"no order":          func(s *marketplace.Shipment) { s.Order = "" },
		"no site":           func(s *marketplace.Shipment) { s.Site = "" },
		"ref text":          func(s *marketplace.Shipment) { s.Ref = "F81" },
		"ref zero":          func(s *marketplace.Shipment) { s.Ref = "0" },
		"ref leading zero":  func(s *marketplace.Shipment) { s.Ref = "01" },
		"no tracking":       func(s *marketplace.Shipment) { s.Tracking = "" },
		"no date":           func(s *marketplace.Shipment) { s.ShippedAt = time.Time{} },
		"no lines":          func(s *marketplace.Shipment) { s.Lines = nil },
		"zero quantity":     func(s *marketplace.Shipment) { s.Lines[0].Quantity = 0 },
		"no carrier":        func(s *marketplace.Shipment) { s.Carrier = marketplace.Carrier{} },
		"other, no name":    func(s *marketplace.Shipment) { s.Carrier = marketplace.Carrier{Code: "Other"} },
		"line without name": func(s *marketplace.Shipment) { s.Lines[0].Line = "" },
	} {
		c := &canned{status: 204}
		s := shipment("1", "1", "I1", 1, start)
		spoil(&s)
		_, err := cannedAdapter(t, c).ConfirmShipment(t.Context(), "k", s)
		require.True(t, fault.Is(err, fault.Refused), "%s: %v", name, err)
		require.Zero(t, c.calls, name)
	}
	c := &canned{status: 204}
	_, err := cannedAdapter(t, c).ConfirmShipment(t.Context(), "k", shipment("1", "1", "I1", 1, start.Add(3*time.Second)))
	require.True(t, fault.Is(err, fault.Temporary), "a clock a little ahead only waits")
	require.Equal(t, 3*time.Second, fault.After(err))
	_, err = cannedAdapter(t, c).ConfirmShipment(t.Context(), "k", shipment("1", "1", "I1", 1, start.Add(24*time.Hour)))
	require.True(t, fault.Is(err, fault.Temporary), "a clock far ahead is mended by a person, and then the parcel goes")
	require.Equal(t, aheadTolerance, fault.After(err))
	require.Zero(t, c.calls)

	s := shipment("1", "1", "I1", 1, start.Add(-time.Hour).In(time.FixedZone("JST", 9*3600)).Add(123*time.Millisecond))
	s.Lines = append(s.Lines, marketplace.ShipmentLine{Line: "I2", Quantity: 1}, marketplace.ShipmentLine{Line: "I1", Quantity: 2})
	_, err = cannedAdapter(t, c).ConfirmShipment(t.Context(), "k", s)
	require.NoError(t, err)
	require.JSONEq(t, `{"marketplaceId":"ATVPDKIKX0DER","packageDetail":{"packageReferenceId":"1","carrierCode":"UPS","carrierName":"UPS",
	 "shippingMethod":"Ground","trackingNumber":"1Z999AA10123456784","shipDate":"2026-11-20T14:00:00Z",
	 "orderItems":[{"orderItemId":"I1","quantity":3},{"orderItemId":"I2","quantity":1}]}}`, string(c.last))
}
