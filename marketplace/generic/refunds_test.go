package generic_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/generic"
	"channelbridge/marketplace/generic/genericfake"
)

const oneRefund = `{"id":"R1","order":"A-1","posted_at":"2026-11-20T12:00:00+01:00","currency":"USD","amount":"12.83","untaxed":"12.00","kind":"claim","key":"k"}`

func list(refunds ...string) string { return `{"refunds":[` + strings.Join(refunds, ",") + `]}` }

func TestRefundsAreReadAsTheyAre(t *testing.T) {
	t.Parallel()
	with := func(from, to string) string { return strings.Replace(oneRefund, from, to, 1) }
	want := marketplace.Refund{ID: "R1", Order: "A-1", PostedAt: time.Date(2026, 11, 20, 11, 0, 0, 0, time.UTC), Amount: usd(1283), Untaxed: usd(1200), Kind: "claim", Ref: "k"}
	for _, c := range []struct {
		name, body string
		check      func(*testing.T, []marketplace.Refund)
		err        error // wrapped
	}{
		{"one", list(oneRefund), func(t *testing.T, all []marketplace.Refund) { require.Equal(t, []marketplace.Refund{want}, all) }, nil},
		{"none", list(), func(t *testing.T, all []marketplace.Refund) { require.Empty(t, all) }, nil},
		{"the same twice", list(oneRefund, oneRefund), func(t *testing.T, all []marketplace.Refund) { require.Len(t, all, 1) }, nil},
		{"a number as amount and id", list(with(`"12.83"`, `90071992547409.93`), with(`"R1"`, `820982911946154508123`)), func(t *testing.T, all []marketplace.Refund) {
			require.Equal(t, usd(9007199254740993), all[1].Amount)
			require.Equal(t, "820982911946154508123", all[0].ID)
		}, nil},
		{"not moved yet, and unknown fields", list(with(`"kind"`, `"pending":true,"new":{"a":[1]},"kind"`)), func(t *testing.T, all []marketplace.Refund) { require.True(t, all[0].Pending) }, nil},
		{"without its tax", list(with(`,"untaxed":"12.00"`, ``)), func(t *testing.T, all []marketplace.Refund) { require.Zero(t, all[0].Untaxed) }, nil},
		{"in yen", list(with(`"USD","amount":"12.83","untaxed":"12.00"`, `"JPY","amount":"1283"`)), func(t *testing.T, all []marketplace.Refund) {
			require.Equal(t, money.New(1283, "JPY"), all[0].Amount)
		}, nil},
		{"oldest first", list(oneRefund, with(`"R1","order":"A-1","posted_at":"2026`, `"R0","order":"A-1","posted_at":"2025`)), func(t *testing.T, all []marketplace.Refund) {
			require.Equal(t, "R0", all[0].ID)
		}, nil},
		{"twice, and not the same", list(oneRefund, with("12.83", "13.83")), nil, nil},
		{"of another order", list(with("A-1", "A-2")), nil, nil},
		{"without id", list(with(`"id":"R1",`, ``)), nil, nil},
		{"without order", list(with(`"order":"A-1",`, ``)), nil, nil},
		{"without time", list(with(`"posted_at":"2026-11-20T12:00:00+01:00",`, ``)), nil, nil},
		{"without amount", list(with(`"amount":"12.83",`, ``)), nil, nil},
		{"of nothing", list(with(`"12.83","untaxed":"12.00"`, `"0.00"`)), nil, nil},
		{"negative", list(with(`"12.83","untaxed":"12.00"`, `"-12.83"`)), nil, nil},
		{"less than its own net", list(with("12.83", "11.00")), nil, nil},
		{"in scientific notation", list(with(`"12.83"`, `1e3`)), nil, money.ErrSyntax},
		{"with too many digits", list(with("12.83", "12.835")), nil, money.ErrDigits},
		{"too large", list(with("12.83", "99999999999999999999")), nil, money.ErrOverflow},
		{"in no currency", list(with("USD", "dollars")), nil, money.ErrCurrency},
		{"a list within a list", list("[]"), nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			all, err := generic.Instructed{Adapter: says(t, 200, c.body)}.Refunds(t.Context(), "A-1")
			if c.check != nil {
				require.NoError(t, err)
				c.check(t, all)
				return
			}
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
			require.NotEmpty(t, fault.Hint(err))
			require.Nil(t, all, "nobody may take what was given back for less than it is")
			if c.err != nil {
				require.True(t, errors.Is(err, c.err), "%v", err)
			}
		})
	}
}

// An answer that holds no list at all does not mean that nothing was given back.
func TestNoListIsNotAnEmptyList(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{", "null", "{}", `{"refunds":null}`, `{"refunds":{}}`, "<html>", `{"refunds":[],"next_page_token":7}`} {
		a := generic.Instructed{Adapter: says(t, 200, body)}
		_, err := a.Refunds(t.Context(), "A-1")
		require.True(t, fault.Is(err, fault.Temporary), "%s: %v", body, err)
		_, err = a.Refunded(t.Context(), marketplace.Cursor{Since: start})
		require.True(t, fault.Is(err, fault.Temporary), "%s: %v", body, err)
	}
	endless := generic.Instructed{Adapter: says(t, 200, `{"refunds":[],"next_page_token":"same"}`)}
	_, err := endless.Refunds(t.Context(), "A-1")
	require.True(t, fault.Is(err, fault.Temporary), "a circle is not walked: %v", err)
	_, err = endless.Refunded(t.Context(), marketplace.Cursor{Since: start, Token: "same"})
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
	_, err = endless.Refunds(t.Context(), "..")
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	_, err = generic.Instructed{Adapter: says(t, 404, "")}.Refunds(t.Context(), "A-1")
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
}

func TestTheListingPassesOnWhatItCannotRead(t *testing.T) {
	t.Parallel()
	broken := `{"id":"R2","order":"A-2","posted_at":"2026-11-20T09:00:00Z","currency":"USD","amount":"a lot"}`
	page, err := generic.Instructed{Adapter: says(t, 200, list(oneRefund, broken, `7`, `{"id":"R3"}`))}.Refunded(t.Context(), marketplace.Cursor{Since: start})
	require.NoError(t, err)
	require.Len(t, page.Refunds, 2, "one refund does not take the others with it")
	require.Equal(t, marketplace.Refund{ID: "R2", Order: "A-2", PostedAt: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}, page.Refunds[0],
		"its order is to be looked at")
	require.EqualValues(t, "A-1", page.Refunds[1].Order)
}

func TestRefundsOfOneOrderOverSeveralPages(t *testing.T) {
	t.Parallel()
	r := newRig(t, everything)
	id := r.fake.Place(genericfake.Order{})
	for range 7 { // three to a page
		require.True(t, r.fake.GiveBack(id, "1", "1.00"))
	}
	all, err := r.instructed().Refunds(t.Context(), marketplace.OrderID(id))
	require.NoError(t, err)
	require.Empty(t, all, "they show later")
	r.pass(time.Minute)
	all, err = r.instructed().Refunds(t.Context(), marketplace.OrderID(id))
	require.NoError(t, err)
	require.Len(t, all, 7)
}

// A push that says so is about the order's refunds, where these can be read at all.
func TestAPushMayBeAboutRefunds(t *testing.T) {
	t.Parallel()
	r := newRig(t, everything)
	id := r.fake.Place(genericfake.Order{})
	hint := func(a marketplace.Receiver) marketplace.Hint {
		in, err := r.fake.Signed(id)
		require.NoError(t, err)
		hints, err := a.Receive(r.now(), in)
		require.NoError(t, err)
		return hints[0]
	}
	before := hint(r.instructed())
	require.False(t, before.Money)
	require.True(t, r.fake.GiveBack(id, "1", "1.00"))
	after := hint(r.instructed())
	require.True(t, after.Money)
	require.Equal(t, "refund", after.Topic)
	require.NotNil(t, after.Observed, "the order is news too")
	require.NotEqual(t, before.DeliveryID, after.DeliveryID)
	plain := hint(pushOnly(t))
	require.False(t, plain.Money, "nobody reads refunds there")
	require.Equal(t, "order", plain.Topic)

	other := strings.Replace(body, `"status"`, `"refunds":[{"mine":1}],"status"`, 1)
	hints, err := r.Unwrap([]byte(other))
	require.NoError(t, err, "a field of that name with other contents is one nobody knows")
	require.False(t, hints[0].Money)
}

// FuzzRefunds looks for refunds that are taken but break what the contract promises, and for a
// reading of one order that loses what a plain reading of the list sees.
func FuzzRefunds(f *testing.F) {
	f.Add([]byte(list(oneRefund)))
	f.Add([]byte(list(oneRefund, `{"id":2,"order":"A-1","posted_at":"2026-11-20T12:00:00Z","currency":"JPY","amount":5,"pending":true}`)))
	f.Add([]byte(`{"refunds":[{"id":"R1","order":"A-1","amount":1e9}],"next_page_token":"t"}`))
	f.Add([]byte("\xff"))
	var answer []byte
	cfg := generic.Config{Base: "http://channel.test"}
	everything(&cfg)
	cfg.HTTP.Retries = -1
	cfg.HTTP.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		_, _ = w.Write(answer)
		return w.Result(), nil
	})
	adapter, err := generic.New(cfg)
	require.NoError(f, err)
	a := generic.Instructed{Adapter: adapter}
	f.Fuzz(func(t *testing.T, body []byte) {
		answer = body
		all, err := a.Refunds(t.Context(), "A-1")
		if err != nil {
			require.Nil(t, all)
		}
		ids := map[string]bool{}
		for _, r := range all {
			require.EqualValues(t, "A-1", r.Order)
			require.NotEmpty(t, r.ID)
			require.False(t, ids[r.ID], "each once")
			require.Positive(t, r.Amount.Minor)
			require.True(t, money.ValidCode(r.Amount.Currency))
			require.False(t, r.PostedAt.IsZero())
			require.LessOrEqual(t, r.Untaxed.Minor, r.Amount.Minor)
			ids[r.ID] = true
		}
		var plain struct {
			Refunds []json.RawMessage `json:"refunds"`
		}
		if err == nil && json.Unmarshal(body, &plain) == nil {
			require.Equal(t, len(plain.Refunds) > 0, len(all) > 0)
		}
		page, err := a.Refunded(t.Context(), marketplace.Cursor{Since: start})
		if err != nil {
			require.Empty(t, page.Refunds)
		}
		for _, r := range page.Refunds {
			require.NotEmpty(t, r.Order)
		}
		require.True(t, err != nil || page.More || !page.Next.Since.Before(start))
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
