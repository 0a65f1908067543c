package generic_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/generic"
	"channelbridge/marketplace/generic/genericfake"
)

func usd(minor int64) money.Money { return money.New(minor, "USD") }

// oneTea gives one of an order's two teas back: half of 20.00 and its share of the tax.
func oneTea(id marketplace.OrderID) marketplace.Instruction {
	return marketplace.Instruction{Op: marketplace.OpRefund, Order: id, Reason: "returned", Amount: usd(1082),
		Lines: []marketplace.InstructionLine{{Line: "1", Quantity: 1, Parts: []marketplace.Component{{Kind: marketplace.Item, Amount: usd(1000), Tax: usd(82)}}}}}
}

func TestAnInstructionIsWrittenAsDocumented(t *testing.T) {
	t.Parallel()
	var got struct{ method, path, key, body string }
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got.method, got.path, got.key, got.body = r.Method, r.URL.EscapedPath(), r.Header.Get("Idempotency-Key"), string(b)
		_, _ = io.WriteString(w, `{"id":4711}`)
	}))
	t.Cleanup(srv.Close)
	cfg := generic.Config{Base: srv.URL}
	everything(&cfg)
	a, err := generic.New(cfg)
	require.NoError(t, err)
	in := oneTea("A/1")
	in.Lines[0].Parts = append(in.Lines[0].Parts, marketplace.Component{Kind: marketplace.Restocking, Amount: usd(-150)})
	in.Lines = append(in.Lines, marketplace.InstructionLine{Line: "2", Parts: []marketplace.Component{{Kind: marketplace.Shipping, Amount: usd(5)}}})
	in.Amount = usd(937)
	r, err := generic.Instructed{Adapter: a}.Instruct(t.Context(), "the key", in)
	require.NoError(t, err)
	require.Equal(t, marketplace.Receipt{Ref: "4711"}, r)
	require.Equal(t, "POST /orders/A%2F1/instructions the key", got.method+" "+got.path+" "+got.key)
	require.JSONEq(t, `{"op":"refund","reason":"returned","currency":"USD","amount":"9.37","lines":[
		{"line":"1","quantity":1,"parts":[{"kind":"item","amount":"10.00","tax":"0.82"},{"kind":"restocking","amount":"-1.50"}]},
		{"line":"2","parts":[{"kind":"shipping","amount":"0.05"}]}]}`, got.body)
}

func TestWhatAnswersToAnInstructionMean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		want   fault.Class
		ref    string // set: it is done
	}{
		{200, `{"id":"I1"}`, 0, "I1"},
		{201, `{"id":7}`, 0, "7"},
		{202, `{"id":"I1","new":1}`, 0, "I1"},
		{409, `{"id":"I1"}`, 0, "I1"},
		{409, `{"code":"in_progress"}`, fault.Unknown, ""},
		{409, ``, fault.Unknown, ""},
		{200, `{}`, fault.Unknown, ""},
		{200, `<html>Please log in</html>`, fault.Unknown, ""},
		{204, ``, fault.Unknown, ""},
		{302, ``, fault.Unknown, ""},
		{400, `{"id":"I1"}`, fault.Refused, ""},
		{422, `{"code":"more_than_paid"}`, fault.Refused, ""},
		{404, ``, fault.NotFound, ""},
		{401, ``, fault.Denied, ""},
		{403, ``, fault.Denied, ""},
		{408, ``, fault.Unknown, ""},
		{429, ``, fault.Temporary, ""},
		{500, `{"id":"I1"}`, fault.Unknown, ""},
		{503, ``, fault.Unknown, ""},
	} {
		a := generic.Instructed{Adapter: says(t, c.status, c.body)}
		r, err := a.Instruct(t.Context(), "k", oneTea("A-1"))
		if c.ref != "" {
			require.NoError(t, err, "%d %s", c.status, c.body)
			require.Equal(t, c.ref, r.Ref)
			continue
		}
		require.True(t, fault.Is(err, c.want), "%d %s: %v", c.status, c.body, err)
		require.Empty(t, r)
	}
}

func TestNoInstructionIsSentThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *generic.Config) { c.Instructions = []marketplace.Operation{marketplace.OpRefund} })
	id := marketplace.OrderID(r.fake.Place(genericfake.Order{}))
	for name, spoil := range map[string]func(*marketplace.Instruction, *string){
		"no key":             func(_ *marketplace.Instruction, k *string) { *k = "" },
		"a split key":        func(_ *marketplace.Instruction, k *string) { *k = "a\r\nb" },
		"not configured":     func(in *marketplace.Instruction, _ *string) { in.Op = marketplace.OpCancel },
		"no order":           func(in *marketplace.Instruction, _ *string) { in.Order = ".." },
		"no lines":           func(in *marketplace.Instruction, _ *string) { in.Lines, in.Amount = nil, usd(0) },
		"nothing":            func(in *marketplace.Instruction, _ *string) { in.Lines[0].Parts, in.Amount = nil, usd(0) },
		"less than nothing":  func(in *marketplace.Instruction, _ *string) { in.Amount = usd(-1) },
		"no currency":        func(in *marketplace.Instruction, _ *string) { in.Amount.Currency = "" },
		"another sum":        func(in *marketplace.Instruction, _ *string) { in.Amount = usd(1084) },
		"two currencies":     func(in *marketplace.Instruction, _ *string) { in.Lines[0].Parts[0].Tax.Currency = "EUR" },
		"all in another one": func(in *marketplace.Instruction, _ *string) { in.Amount.Currency = "EUR" },
		"more than can be":   func(in *marketplace.Instruction, _ *string) { in.Lines[0].Parts[0].Amount = usd(1<<63 - 1) },
	} {
		in, k := oneTea(id), "k"
		spoil(&in, &k)
		_, err := r.instructed().Instruct(t.Context(), k, in)
		require.True(t, fault.Is(err, fault.Refused), "%s: %v", name, err)
	}
	require.Equal(t, genericfake.Counts{}, r.fake.Counts())
}

// An answer lost after the effect, or broken on its way, leaves a doubt that the same key settles,
// whether the channel repeats its answer or calls it a conflict. Another key acts again.
func TestTheKeySettlesADoubt(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*genericfake.Channel){
		"lost": (*genericfake.Channel).LoseNextInstruction, "broken": (*genericfake.Channel).BreakNextInstruction,
	} {
		for _, conflict := range []bool{false, true} {
			fake := genericfake.New(genericfake.Config{Conflict: conflict})
			srv := httptest.NewServer(fake)
			t.Cleanup(srv.Close)
			cfg := generic.Config{Base: srv.URL}
			everything(&cfg)
			adapter, err := generic.New(cfg)
			require.NoError(t, err)
			a, in := generic.Instructed{Adapter: adapter}, oneTea(marketplace.OrderID(fake.Place(genericfake.Order{})))

			trouble(fake)
			_, err = a.Instruct(t.Context(), "k", in)
			require.True(t, fault.Is(err, fault.Unknown), "%s: %v", name, err)
			require.Len(t, fake.Given(string(in.Order)), 1, "it took effect")
			r, err := a.Instruct(t.Context(), "k", in)
			require.NoError(t, err)
			require.Equal(t, "I1", r.Ref)
			require.Len(t, fake.Given(string(in.Order)), 1)

			changed := in
			changed.Reason = "other"
			_, err = a.Instruct(t.Context(), "k", changed)
			require.True(t, fault.Is(err, fault.Unknown), "something was done under this key, nobody says what: %v", err)
			require.Equal(t, genericfake.Counts{Instructed: 1, Replayed: 1, Conflicts: 1}, fake.Counts())

			_, err = a.Instruct(t.Context(), "another", in)
			require.NoError(t, err)
			require.Len(t, fake.Given(string(in.Order)), 2, "the channel protects nobody from a second key")
			_, err = a.Instruct(t.Context(), "third", in)
			require.True(t, fault.Is(err, fault.Refused), "nothing is left of that line: %v", err)

			list, err := a.Refunds(t.Context(), in.Order)
			require.NoError(t, err)
			require.Equal(t, []string{"k", "another"}, []string{list[0].Ref, list[1].Ref}, "it tells the keys")
		}
	}
}

func TestChannelsThatChargeLaterOrGiveAllBackOrNothing(t *testing.T) {
	t.Parallel()
	send := func(c *genericfake.Channel, id, op, amount string, lines string) int {
		body := `{"op":"` + op + `","currency":"USD","amount":"` + amount + `","lines":` + lines + `}`
		require.True(t, json.Valid([]byte(body)))
		return post(c, "/orders/"+id+"/instructions", "", body)
	}
	tea := `[{"line":"1","quantity":1,"parts":[{"kind":"item","amount":"10.00","tax":"0.83"}]}]`

	later := genericfake.New(genericfake.Config{CaptureOnShip: true})
	id := later.Place(genericfake.Order{})
	require.Equal(t, 422, send(later, id, "refund", "10.83", tea), "nothing was charged yet")
	require.Equal(t, 201, send(later, id, "cancel_units", "10.83", tea))
	require.Empty(t, later.Given(id), "what was not charged is not given back")
	require.Equal(t, 201, send(later, id, "cancel", "22.94", "[]"))
	require.Empty(t, later.Given(id))
	require.Equal(t, 422, send(later, id, "cancel", "22.94", "[]"), "once")

	whole := genericfake.New(genericfake.Config{WholeOnly: true})
	id = whole.Place(genericfake.Order{})
	require.Equal(t, 422, send(whole, id, "refund", "10.83", tea))
	require.Equal(t, 201, send(whole, id, "refund", "33.77", `[{"line":"1","parts":[{"kind":"item","amount":"20.00","tax":"1.65"},{"kind":"shipping","amount":"4.00"}]},
		{"line":"2","parts":[{"kind":"item","amount":"7.50","tax":"0.62"}]}]`))

	early := genericfake.New(genericfake.Config{})
	id = early.Place(genericfake.Order{})
	require.True(t, early.GiveBack(id, "1", "5.00"))
	require.Equal(t, 201, send(early, id, "cancel", "33.77", "[]"))
	given := early.Given(id)
	require.Len(t, given, 2)
	require.Equal(t, "28.77", given[1].Amount, "a cancellation gives back what is left of what was charged")
}

func post(c *genericfake.Channel, path, key, body string) int {
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	c.ServeHTTP(w, req)
	return w.Code
}
