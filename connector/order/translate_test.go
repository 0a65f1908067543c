package order

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// storeTotal adds a new store order up as the store does.
func storeTotal(t require.TestingT, o shopadmin.NewOrder) money.Money {
	total := o.Discount.Neg()
	add := func(m money.Money) {
		var err error
		total, err = total.Add(m)
		require.NoError(t, err)
	}
	for _, l := range o.Lines {
		m, err := l.UnitPrice.Mul(int64(l.Quantity))
		require.NoError(t, err)
		add(m)
		for _, x := range l.Taxes {
			add(x.Amount)
		}
	}
	for _, s := range o.Shipping {
		add(s.Price)
		for _, x := range s.Taxes {
			add(x.Amount)
		}
	}
	return total
}

func TestTheMirrorAddsUpToTheMinorUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency")
		amount := func(name string, top int64) money.Money {
			return money.New(rapid.Int64Range(0, top).Draw(t, name), currency)
		}
		m := marketplace.Order{ID: "1", Currency: currency, FulfilledBy: marketplace.ByMerchant}
		var want money.Money
		for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
			l := marketplace.Line{ID: string(rune('a' + i)), Ordered: rapid.IntRange(1, 9).Draw(t, "ordered")}
			for _, k := range []marketplace.Kind{marketplace.Item, marketplace.Shipping, marketplace.GiftWrap} {
				c := marketplace.Component{Kind: k, Amount: amount("amount", 1e9), Tax: amount("tax", 1e8), TaxByChannel: true}
				c.Discount = amount("discount", c.Amount.Minor)
				c.TaxIncluded = rapid.Bool().Draw(t, "included")
				l.Parts = append(l.Parts, c)
				net, err := c.Amount.Sub(c.Discount)
				require.NoError(t, err)
				want, err = want.Add(net)
				require.NoError(t, err)
				if !c.TaxIncluded {
					want, err = want.Add(c.Tax)
					require.NoError(t, err)
				}
			}
			m.Lines = append(m.Lines, l)
		}
		m.Total = want
		o, problems, err := NewOrder(connector.Subject{Channel: "c", ID: "1"}, m, Policy{Tag: "Amazon"})
		require.NoError(t, err)
		require.Empty(t, problems)
		require.Equal(t, want, o.Paid)
		require.Equal(t, want.Minor, storeTotal(t, o).Minor)
		units := map[string]int{}
		for _, l := range o.Lines {
			units[l.ChannelLine] += l.Quantity
			require.False(t, l.UnitPrice.Minor < 0)
		}
		for _, l := range m.Lines {
			require.Equal(t, l.Ordered, units[l.ID])
		}
	})
}

func TestPartsThatDoNotAddUpAreShownAndMirrored(t *testing.T) {
	m := *channelOrder(func(o *marketplace.Order) { o.Total = usd(5000) })
	o, problems, err := NewOrder(connector.Subject{Channel: "c", ID: "1"}, m, Policy{Tag: "Amazon"})
	require.NoError(t, err)
	require.Len(t, problems, 1)
	require.Contains(t, problems[0], "50.00 USD")
	require.Equal(t, usd(4999), o.Paid)
}

func TestShipToLeavesThePhoneOut(t *testing.T) {
	a := ShipTo(channelOrder().ShipTo)
	require.Equal(t, "Ada May", a.FirstName)
	require.Equal(t, "Buyer", a.LastName)
	require.Empty(t, a.Phone)
	require.Nil(t, ShipTo(nil))
}

func TestRate(t *testing.T) {
	require.Equal(t, "0.082500", Rate(usd(825), usd(10000)))
	require.Equal(t, "0", Rate(usd(825), usd(0)))
	require.Equal(t, "0.333333", Rate(usd(1), usd(3)))
	require.Equal(t, "2.000000", Rate(usd(2), usd(1)))
}

func TestAmountsThatMakeNoSenseAreHeld(t *testing.T) {
	for name, edit := range map[string]func(*marketplace.Order){
		"two currencies":   func(o *marketplace.Order) { o.Lines[1].Parts[0].Amount = money.New(1000, "EUR") },
		"another currency": func(o *marketplace.Order) { o.Currency = "EUR" },
		"an overflow":      func(o *marketplace.Order) { o.Lines[1].Parts[0].Amount = usd(1<<63 - 1) },
	} {
		d := Plan(snapshot(channelOrder(edit), nil))
		require.Empty(t, d.Commands, name)
		require.Contains(t, kinds(d), "unreadable", name)
	}
}
