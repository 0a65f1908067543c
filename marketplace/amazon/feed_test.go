package amazon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/marketplace/amazon/internal/feedschema"
)

// The texts of feeds, as they go out. With UPDATE=1 they are written anew, to be read in review.
func TestFeedTexts(t *testing.T) {
	t.Parallel()
	full := refundOf(order, usd(2300))
	full.Lines = []marketplace.InstructionLine{
		{Line: item1, Quantity: 1, Parts: []marketplace.Component{part(marketplace.Item, usd(2000), usd(150)), part(marketplace.Shipping, usd(500), usd(40)),
			part(marketplace.Restocking, usd(-390), money.Money{})}},
		{Line: item2, Parts: []marketplace.Component{part(marketplace.GiftWrap, usd(100), usd(8)), part(marketplace.Goodwill, usd(50), money.Money{})}},
	}
	full.Amount = usd(2458)
	jp := refundOf(order, money.New(1100, "JPY"))
	jp.Site, jp.Lines[0].Parts = "A1VC38T7YXB528", []marketplace.Component{part(marketplace.Item, money.New(1000, "JPY"), money.New(100, "JPY"))}
	apart := full
	apart.Site = "A2EUQ1WTGCTBG2"
	r := newRig(t, amazonfake.Options{}, func(c *Config) { c.Taxes = map[string]TaxStrategy{apart.Site: TaxApart} })
	other := marketplace.OrderID("113-5550001-2220002")
	for name, c := range map[string]struct {
		lane  string
		batch []marketplace.Instruction
	}{
		"cancel":       {laneAcknowledgement, []marketplace.Instruction{cancelOf(order, item1, item2), cancelOf(other, item1)}},
		"cancel_units": {laneAdjustment, []marketplace.Instruction{cancelUnitsOf(order, 1)}},
		"refund":       {laneAdjustment, []marketplace.Instruction{full, cancelUnitsOf(other, 2)}},
		"refund_jp":    {laneAdjustment, []marketplace.Instruction{jp}},
		"refund_apart": {laneAdjustment, []marketplace.Instruction{apart}},
	} {
		got, err := r.write(c.lane, batchOf(c.batch...))
		require.NoError(t, err, name)
		_, err = feedschema.Check(got)
		require.NoError(t, err, "%s: %s", name, got)
		file := filepath.Join("testdata", "feed", name+".xml")
		if os.Getenv("UPDATE") != "" {
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(string(want)), string(got), name)
	}
}

// Whatever is written passes the schema, says each order once, and comes to no more than the
// instruction; the same batch always gives the same text.
func TestEveryFeedWrittenPassesTheSchema(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	kinds := []marketplace.Kind{marketplace.Item, marketplace.Shipping, marketplace.GiftWrap, marketplace.Fee, marketplace.Restocking, marketplace.Goodwill}
	rapid.Check(t, func(rt *rapid.T) {
		site := rapid.SampledFrom([]string{usSite, "A1VC38T7YXB528", "A1PA6795UKMFR9"}).Draw(rt, "site")
		code := map[string]string{usSite: "USD", "A1VC38T7YXB528": "JPY", "A1PA6795UKMFR9": "EUR"}[site]
		var batch []marketplace.Message
		for n := range rapid.IntRange(1, 4).Draw(rt, "messages") {
			in := marketplace.Instruction{Op: marketplace.OpRefund, Site: site, Order: marketplace.OrderID("113-5550001-222000" + string(rune('0'+n))),
				Reason: rapid.SampledFrom(validReasons[marketplace.OpRefund]).Draw(rt, "reason")}
			for _, item := range []string{item1, item2} {
				l := marketplace.InstructionLine{Line: item}
				for range rapid.IntRange(0, 4).Draw(rt, "parts") {
					k := rapid.SampledFrom(kinds).Draw(rt, "kind")
					m, tax := money.New(rapid.Int64Range(0, 5000).Draw(rt, "amount"), code), money.New(rapid.Int64Range(0, 500).Draw(rt, "tax"), code)
					if k == marketplace.Restocking {
						m, tax = m.Neg(), tax.Neg()
					}
					l.Parts = append(l.Parts, part(k, m, tax))
				}
				in.Lines = append(in.Lines, l)
			}
			in.Amount, _ = promised(in.Lines)
			batch = append(batch, marketplace.Message{Number: n + 1, Key: rapid.String().Draw(rt, "key"), Instruction: in})
		}
		text, err := r.write(laneAdjustment, batch)
		if err != nil {
			return
		}
		root, err := feedschema.Check(text)
		require.NoError(rt, err, "%s", text)
		again, err := r.write(laneAdjustment, batch)
		require.NoError(rt, err)
		require.Equal(rt, text, again)
		for i, m := range root.All("Message") {
			if site != "A1VC38T7YXB528" {
				continue
			}
			sum := money.New(0, code)
			for _, it := range m.Children[1].All("AdjustedItem") {
				for _, c := range it.Child("ItemPriceAdjustments").All("Component") {
					a, err := feedschema.Amount(c)
					require.NoError(rt, err)
					sum, _ = sum.Add(a)
				}
			}
			require.Equal(rt, batch[i].Amount, sum, "with the tax inside, the message says exactly what the buyer gets")
		}
	})
}

func TestWhatIsNotPutIntoAFeed(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	good := func() []marketplace.Message { return batchOf(refundOf(order, usd(100))) }
	for name, spoil := range map[string]func([]marketplace.Message) []marketplace.Message{
		"no messages": func([]marketplace.Message) []marketplace.Message { return nil },
		"an order twice": func(b []marketplace.Message) []marketplace.Message {
			return append(b, batchOf(b[0].Instruction, cancelUnitsOf(order, 1))[1])
		},
		"a number twice": func(b []marketplace.Message) []marketplace.Message {
			x := b[0]
			x.Order = "113-5550001-2220009"
			return append(b, x)
		},
		"number zero":    func(b []marketplace.Message) []marketplace.Message { b[0].Number = 0; return b },
		"another lane's": func([]marketplace.Message) []marketplace.Message { return batchOf(cancelOf(order, item1)) },
		"no site":        func(b []marketplace.Message) []marketplace.Message { b[0].Site = ""; return b },
		"two sites": func(b []marketplace.Message) []marketplace.Message {
			x := b[0]
			x.Number, x.Order, x.Site = 2, "113-5550001-2220009", "A2EUQ1WTGCTBG2"
			return append(b, x)
		},
		"order of another form": func(b []marketplace.Message) []marketplace.Message { b[0].Order = "1"; return b },
		"no lines":              func(b []marketplace.Message) []marketplace.Message { b[0].Lines = nil; return b },
		"item of another form":  func(b []marketplace.Message) []marketplace.Message { b[0].Lines[0].Line = "1"; return b },
		"an item twice": func(b []marketplace.Message) []marketplace.Message {
			b[0].Lines = append(b[0].Lines, b[0].Lines[0])
			b[0].Amount = usd(200)
			return b
		},
		"a reason Amazon has not": func(b []marketplace.Message) []marketplace.Message { b[0].Reason = "customer"; return b },
		"parts of another sum":    func(b []marketplace.Message) []marketplace.Message { b[0].Amount = usd(101); return b },
		"a unit price for two": func(b []marketplace.Message) []marketplace.Message {
			b[0].Amount = usd(200)
			b[0].Lines[0].Quantity = 2
			return b
		},
		"nothing": func(b []marketplace.Message) []marketplace.Message {
			b[0].Amount, b[0].Lines[0].Parts[0].Amount = usd(0), usd(0)
			return b
		},
		"only tax, left to Amazon": func(b []marketplace.Message) []marketplace.Message {
			b[0].Lines[0].Parts[0] = part(marketplace.Item, usd(0), usd(100))
			return b
		},
		"a fee above the price": func(b []marketplace.Message) []marketplace.Message {
			b[0].Lines[0].Parts = append(b[0].Lines[0].Parts, part(marketplace.Restocking, usd(-100), money.Money{}))
			b[0].Amount = usd(0)
			return b
		},
		"a negative price": func(b []marketplace.Message) []marketplace.Message {
			b[0].Amount, b[0].Lines[0].Parts[0].Amount = usd(-1), usd(-1)
			return b
		},
		"a part nobody knows": func(b []marketplace.Message) []marketplace.Message {
			b[0].Lines[0].Parts[0].Kind = "levy"
			return b
		},
		"two currencies": func(b []marketplace.Message) []marketplace.Message {
			b[0].Lines[0].Parts[0].Tax = money.New(1, "EUR")
			return b
		},
		"three decimals": func([]marketplace.Message) []marketplace.Message {
			return batchOf(refundOf(order, money.New(1005, "KWD")))
		},
		"no units": func([]marketplace.Message) []marketplace.Message { return batchOf(cancelUnitsOf(order, 0)) },
		"units for a strange reason": func([]marketplace.Message) []marketplace.Message {
			in := cancelUnitsOf(order, 1)
			in.Reason = "GeneralAdjustment"
			return batchOf(in)
		},
	} {
		_, err := r.Prepare(t.Context(), laneAdjustment, spoil(good()))
		require.True(t, fault.Is(err, fault.Refused), "%s: %v", name, err)
	}
	_, err := r.Prepare(t.Context(), "other", good())
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	require.Empty(t, r.sent, "nothing was asked of Amazon")
	_, err = r.Prepare(t.Context(), laneAdjustment, good())
	require.NoError(t, err)
}

func TestLanesAndTraits(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{}, func(c *Config) {
		c.Reasons = map[marketplace.Operation]map[string]string{marketplace.OpRefund: {"fraud": "Other", "own words": "DifferentItem"}}
	})
	require.Equal(t, []string{laneAcknowledgement, laneAdjustment, laneAdjustment, ""},
		[]string{r.Lane(marketplace.OpCancel), r.Lane(marketplace.OpCancelUnits), r.Lane(marketplace.OpRefund), r.Lane(marketplace.OpConfirmShipment)})
	tr := r.Traits()
	require.True(t, tr.CaptureOnShip)
	require.Equal(t, 48*time.Hour, tr.RefundsIn)
	for _, op := range tr.Instructions {
		require.Equal(t, marketplace.RepeatNone, tr.Repeat[op])
		for _, reason := range []string{"customer", "customer_request", "inventory", "fraud", "declined", "staff", "other", ""} {
			require.Contains(t, validReasons[op], tr.Reasons[op][reason], "%s %q", op, reason)
			theirs := tr.Reasons[op][reason]
			require.Equal(t, reason == "customer_request" && op != marketplace.OpRefund, theirs == "BuyerCanceled" || theirs == "CustomerCancel",
				"a buyer's wish is claimed only when it is on record: %s %q", op, reason)
		}
	}
	require.Equal(t, "Other", tr.Reasons[marketplace.OpRefund]["fraud"])
	require.Equal(t, "DifferentItem", tr.Reasons[marketplace.OpRefund]["own words"])
	tr.Reasons[marketplace.OpRefund]["fraud"] = "changed by a caller"
	require.Equal(t, "Other", r.Traits().Reasons[marketplace.OpRefund]["fraud"])

	cfg := testConfig()
	cfg.Reasons = map[marketplace.Operation]map[string]string{"confirm_shipment": {"": "Other"}, marketplace.OpCancel: {"": "BecauseISaySo"}}
	cfg.Taxes = map[string]TaxStrategy{"nowhere": TaxInside, usSite: "doubled"}
	_, err := New(cfg)
	for _, text := range []string{"confirm_shipment", "BecauseISaySo", "nowhere", "doubled"} {
		require.ErrorContains(t, err, text)
	}
}

func TestAdjustmentNumbers(t *testing.T) {
	t.Parallel()
	require.Equal(t, "refund/77-1", adjustmentRef("refund/77", 1))
	long := strings.Repeat("x", 80)
	all := []string{adjustmentRef(long, 1), adjustmentRef(long, 2), adjustmentRef(long+"y", 1), adjustmentRef("ключ", 1), adjustmentRef("", 1)}
	for _, ref := range all {
		require.LessOrEqual(t, len(ref), maxRef)
		require.Regexp(t, `^[A-Za-z0-9][A-Za-z0-9._:/-]*$`, ref)
	}
	slices.Sort(all)
	require.Len(t, slices.Compact(all), 5)
	require.Equal(t, adjustmentRef(long, 1), adjustmentRef(long, 1))
}
