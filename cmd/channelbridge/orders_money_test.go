package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/httpapi"
	"channelbridge/internal/money"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// sold is a bench with one Amazon order of three units that is mirrored, and nothing running.
func sold(t *testing.T) (b *bench, fake *amazonfake.Server, name string) {
	fake = amazonfake.New(amazonfake.Options{Scale: -1, MaxPollWait: time.Second})
	b = amazonBench(t, fake)
	r := b.serve()
	require.Eventually(t, func() bool { return len(fake.Subscriptions()) > 0 }, 10*time.Second, 50*time.Millisecond)
	id := fake.Place(amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: "10000000000011", Quantity: 2, UnitPrice: "10.00", Shipping: "3.00"}, {ID: "10000000000022", UnitPrice: "5.00"}}})
	require.Eventually(t, func() bool { return strings.Contains(b.run("orders", "list").out, "#") }, 20*time.Second, 100*time.Millisecond, "it is mirrored")
	require.Zero(t, r.stop())
	return b, fake, "amazon-us/" + id
}

// shipped ships the order in the store and waits until Amazon knows.
func (b *bench) shipped(fake *amazonfake.Server, name string) {
	r := b.serve()
	_, err := b.shop.Fulfill(b.shop.Orders()[0].ID, nil, shopifyfake.Tracking{Company: "UPS", Number: "1Z999AA10123456784"})
	require.NoError(b, err)
	require.Eventually(b, func() bool { return strings.Contains(b.run("orders", "show", name).out, "confirm-shipment") }, 20*time.Second, 100*time.Millisecond)
	require.Eventually(b, func() bool {
		return len(fake.Shipments(strings.TrimPrefix(name, "amazon-us/"))) == 1
	}, 20*time.Second, 100*time.Millisecond)
	require.Zero(b, r.stop())
}

func (b *bench) sheet(name string) order.Sheet {
	var s order.Sheet
	r := b.run("orders", "money", name, "--json")
	require.Zero(b, r.code, r.err)
	require.NoError(b, json.Unmarshal([]byte(r.out), &s))
	return s
}

func TestAnOrderIsCancelledFromTheCommandLine(t *testing.T) {
	b, _, name := sold(t)
	dry := b.run("orders", "cancel", name, "--dry-run", "--restock")
	require.Zero(t, dry.code, dry.err)
	require.Regexp(t, `28\.00 USD`, dry.out)
	require.Regexp(t, `(?s)hold-shipping.*cancel-market.*cancel-mirror`, dry.out, "both sides, in order")
	require.Empty(t, b.sheet(name).Refunds, "nothing was kept")

	r := b.run("orders", "cancel", name)
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.err, "--yes")
	require.Empty(t, b.sheet(name).Refunds)

	r = b.run("orders", "cancel", name, "--yes", "--key", "k1", "--reason", "inventory")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "kept as request w1")
	again := b.run("orders", "cancel", name, "--yes", "--key", "k1", "--reason", "inventory")
	require.Zero(t, again.code, again.err)
	require.Contains(t, again.out, "asked for before")
	require.Equal(t, exitUsage, b.run("orders", "cancel", name, "--yes", "--key", "k1", "--reason", "fraud").code, "the key stands for something else")

	s := b.sheet(name)
	require.Len(t, s.Refunds, 1)
	require.Equal(t, operator(), s.Refunds[0].Actor)
	require.Equal(t, order.LegDraft, s.Refunds[0].Market[0].State)
	other := b.run("orders", "cancel", name, "--yes")
	require.Equal(t, exitRefused, other.code)
	require.Contains(t, other.out, httpapi.LockedByRequest)
}

func TestMoneyIsGivenBackFromTheCommandLine(t *testing.T) {
	b, fake, name := sold(t)
	early := b.run("orders", "refund", name, "--amount", "1.00", "--dry-run")
	require.Equal(t, exitRefused, early.code)
	require.Contains(t, early.out, httpapi.NotCaptured)
	b.shipped(fake, name)

	for _, c := range []struct {
		args []string
		code string
	}{
		{[]string{"--line", "99=1"}, httpapi.UnknownLine},
		{[]string{"--amount", "28.01"}, httpapi.AboveRefundable},
		{[]string{"--amount", "1.00 EUR"}, httpapi.CurrencyDiffers},
	} {
		r := b.run(append([]string{"orders", "refund", name, "--yes", "--json"}, c.args...)...)
		require.Equal(t, exitRefused, r.code, r.err)
		var m movedMoney
		require.NoError(t, json.Unmarshal([]byte(r.out), &m))
		require.Equal(t, c.code, m.Preview.Refusals[0].Code)
		require.NotEmpty(t, m.Preview.Refusals[0].Hint)
		require.Nil(t, m.Wish)
	}
	for _, args := range [][]string{{}, {"--amount", "1", "--shipping", "1"}, {"--line", "10000000000011"}, {"--line", "10000000000011=0"}, {"--line", "10000000000011=1", "--line", "10000000000011=2"},
		{"--amount", "0"}, {"--amount", "1.005"}, {"--shipping", "-1"}} {
		require.Equal(t, exitUsage, b.run(append([]string{"orders", "refund", name, "--yes"}, args...)...).code, args)
	}
	r := b.run("orders", "refund", name, "--line", "10000000000011=1", "--shipping", "3.00", "--reason", "customer", "--yes", "--json")
	require.Zero(t, r.code, r.err)
	var m movedMoney
	require.NoError(t, json.Unmarshal([]byte(r.out), &m))
	require.Equal(t, "13.00 USD", m.Preview.Amount.String())
	require.Equal(t, []connector.Verb{order.RefundMarket, order.RefundShop}, []connector.Verb{m.Preview.Commands[0].Verb, m.Preview.Commands[1].Verb})
	require.WithinDuration(t, time.Now(), m.Preview.Read.Market, time.Minute, "both sides were read for it")
	require.WithinDuration(t, time.Now(), m.Preview.Read.Refunds, time.Minute)
	require.Equal(t, operator(), m.Wish.Actor)
	require.True(t, m.Wish.Fresh)

	money := b.run("orders", "money", name)
	require.Regexp(t, `refund +here `+operator()+` +w1 .* open +draft`, money.out)
	require.Regexp(t, `10000000000011 .* item +20\.00 USD`, money.out)

	run := b.serve() // and a server hands it in; Amazon's verdict on a feed takes minutes
	require.Eventually(t, func() bool { return b.sheet(name).Refunds[0].Market[0].State == order.LegPending }, 30*time.Second, 200*time.Millisecond)
	require.Zero(t, run.stop())
	require.Len(t, fake.Feeds(), 1)
	s := b.sheet(name)
	require.Equal(t, "15.00 USD", s.Refundable.String(), "what is under way counts as given back")
	require.Empty(t, s.Differences)
	second := b.run("orders", "refund", name, "--line", "10000000000022=1", "--yes")
	require.Equal(t, exitRefused, second.code)
	require.Contains(t, second.out, httpapi.LockedByRequest)
	require.Contains(t, second.out, "refund-market over 13.00 USD is pending")
}

func TestAPreviewSaysWhatItIsWorkedOutFrom(t *testing.T) {
	b, fake, name := sold(t)
	fake.SetFaults(amazonfake.Faults{})
	require.Zero(t, b.run("connections", "pause", "amazon-us").code)
	r := b.run("orders", "cancel", name, "--dry-run")
	require.Equal(t, exitRefused, r.code)
	require.Contains(t, r.out, httpapi.ChannelNotActive)
	require.Contains(t, r.out, "amazon-us is paused")
	require.Zero(t, b.run("connections", "resume", "amazon-us").code)

	b.shop.SetStatus(503)
	r = b.run("orders", "cancel", name, "--dry-run")
	b.shop.SetStatus(0)
	require.Zero(t, r.code, r.out+r.err)
	require.Contains(t, r.out, "worked out from what was read before")

	require.Zero(t, b.run("writes", "stop", "--reason", "test").code)
	require.Contains(t, b.run("orders", "cancel", name, "--dry-run").out, "writes are stopped")
}

func TestHoldsAndApprovals(t *testing.T) {
	b, _, name := sold(t)
	require.Zero(t, b.run("orders", "hold", name, "--reason", "fraud check").code)
	r := b.run("orders", "cancel", name, "--dry-run")
	require.Equal(t, exitRefused, r.code)
	require.Contains(t, r.out, httpapi.OrderHeld)
	require.Contains(t, r.out, "fraud check")
	require.Zero(t, b.run("orders", "release", name).code)
	require.Zero(t, b.run("orders", "cancel", name, "--dry-run").code)

	var kept keptWish
	require.NoError(t, json.Unmarshal([]byte(b.run("orders", "approve", name, "order", "--json").out), &kept))
	require.Equal(t, connector.WishApprove, kept.Kind)
	require.Equal(t, "order", kept.About)
	require.Equal(t, exitUsage, b.run("orders", "approve", name, " ").code)
	require.Equal(t, exitNotFound, b.run("orders", "hold", "amazon-us/nobody").code)
	require.Contains(t, b.run("orders", "show", name).out, operator(), "the timeline says who")
}

func TestTheRequestIsReadAsItIsKept(t *testing.T) {
	m := money.New(1250, "USD")
	for _, r := range []httpapi.RefundRequest{
		{Amount: &m, DryRun: true},
		{Lines: []httpapi.RefundLine{{Line: "11", Quantity: 2}, {Line: "22", Quantity: 1, Amount: &m}}, Shipping: &m, Restock: true, Reason: "customer", Note: "n"},
		{Lines: []httpapi.RefundLine{{Line: "11", Quantity: 1}}},
	} {
		var w order.RefundWish
		require.NoError(t, sameJSON(r, &w))
		require.Equal(t, r.Restock, w.Restock)
		require.Equal(t, r.Reason+r.Note, w.Reason+w.Note)
		require.Len(t, w.Lines, len(r.Lines))
		for i, l := range r.Lines {
			require.Equal(t, l.Line, w.Lines[i].Line)
			require.Equal(t, l.Quantity, w.Lines[i].Quantity)
			require.Equal(t, amountAt(l.Amount), w.Lines[i].Amount)
		}
		require.Equal(t, amountAt(r.Shipping), w.Shipping)
		require.Equal(t, amountAt(r.Amount), w.Amount)
	}
	var c order.CancelWish
	require.NoError(t, sameJSON(httpapi.CancelRequest{Reason: "fraud", Restock: true, Note: "n", DryRun: true}, &c))
	require.Equal(t, order.CancelWish{Reason: "fraud", Restock: true, Note: "n"}, c)
}

// amountAt is no amount for nil.
func amountAt(m *money.Money) money.Money {
	if m == nil {
		return money.Money{}
	}
	return *m
}

func TestTheCodesOfRefusalsAreTheAPIs(t *testing.T) {
	for _, code := range []string{order.AlreadyRefunded, order.AboveRefundable, order.AmountZero, order.LockedByRequest, order.WholeOnly, order.CurrencyDiffers,
		order.NotCaptured, order.ChannelNotActive, order.Held, order.UnknownLine, order.NoCapability} {
		require.Contains(t, clues, code)
	}
	require.Len(t, clues, 11)
}

func TestConfirmation(t *testing.T) {
	tty, err := os.Open(os.DevNull) // a device, and nobody answers there
	require.NoError(t, err)
	defer tty.Close()
	var out strings.Builder
	a := &app{stdin: tty, stderr: &out}
	require.ErrorContains(t, a.confirm("refund 1.00 USD?"), "nothing was kept")
	require.Contains(t, out.String(), "refund 1.00 USD? [y/N]")
	a.stdin = strings.NewReader("y\n")
	require.ErrorContains(t, a.confirm("refund?"), "--yes", "a pipe is no person")
}

func TestTheLedgerOnTheCommandLine(t *testing.T) {
	b, _, name := sold(t)
	br := b.wired()
	sub := connector.Subject{Kind: connector.KindOrder, Channel: "amazon-us", ID: strings.TrimPrefix(name, "amazon-us/")}
	list := b.run("ledger", "list", "--channel", "amazon-us")
	require.Contains(t, list.out, "create-mirror")
	require.NotContains(t, b.run("ledger", "list", "--json").out, `"body": {`, "what was sent holds an address")

	at := realClock()
	work, err := br.store.Claim(t.Context(), at.Add(48*time.Hour), 1, time.Minute, []connector.ConnectionID{"amazon-us"})
	require.NoError(t, err)
	require.Len(t, work, 1)
	e, err := br.store.Intend(t.Context(), work[0], connector.Command{Key: "k", Verb: order.RefundMarket, Side: connector.Market, About: "R1", Money: true,
		Amount: money.New(100, "USD"), Body: json.RawMessage(`{"op":"refund"}`)}, at, at.Add(time.Second), "")
	require.NoError(t, err)
	require.NoError(t, br.store.Settle(t.Context(), e.ID, connector.Outcome{State: connector.Unknown, At: at, Reason: "no answer"}))
	require.Equal(t, sub, e.Subject)

	id := jsonNumber(e.ID)
	require.Regexp(t, id+` .*refund-market .*1\.00 USD +unknown +yes`, b.run("ledger", "list", "--state", "unknown").out)
	require.Contains(t, b.run("ledger", "show", id, "--json").out, `"op": "refund"`)
	for _, args := range [][]string{{"x"}, {id}, {id, "--happened", "maybe", "--evidence", "x"}, {id, "--happened", "no"}, {id, "--happened", "no", "--evidence", " "}} {
		require.Equal(t, exitUsage, b.run(append([]string{"ledger", "resolve"}, args...)...).code, args)
	}
	for range 2 { // the same answer twice is one
		r := b.run("ledger", "resolve", id, "--happened", "no", "--evidence", "the report does not show it")
		require.Zero(t, r.code, r.err)
		require.Regexp(t, `State +refused`, r.out)
	}
	require.Equal(t, exitError, b.run("ledger", "resolve", id, "--happened", "yes", "--evidence", "x").code)
	require.Equal(t, exitNotFound, b.run("ledger", "show", "99999").code)
	require.Regexp(t, operator()+` +resolve .*the report does not show it`, b.run("audit", "list", "--limit", "500").out)
}

func TestTheAuditRecordIsChecked(t *testing.T) {
	b := newBench(t)
	require.Zero(t, b.run("migrate", "up").code)
	require.Zero(t, b.run("writes", "stop", "--reason", "drill").code)
	require.Zero(t, b.run("writes", "start", "--reason", "drill over").code)
	br := b.wired()
	_, err := br.store.SealAudit(t.Context(), 1000)
	require.NoError(t, err)

	list := b.run("audit", "list", "--json")
	var lines []connector.AuditEntry
	require.NoError(t, json.Unmarshal([]byte(list.out), &lines))
	require.GreaterOrEqual(t, len(lines), 2)
	require.Equal(t, operator(), lines[0].Actor)
	r := b.run("audit", "verify")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "as they were written")
	require.Contains(t, b.run("audit", "verify", "--json").out, `"broken": null`)

	_, err = br.store.(*sqlstore.Store).DB().Exec(`update audit set reason = 'nothing' where place = 2`)
	require.NoError(t, err)
	r = b.run("audit", "verify")
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "broken at place 2")
}

func TestWritesAreStoppedAndStarted(t *testing.T) {
	b := newBench(t)
	require.Zero(t, b.run("migrate", "up").code)
	require.Regexp(t, `Outside writes +not stopped`, b.run("writes", "show").out)
	require.Equal(t, exitUsage, b.run("writes", "stop").code)
	require.Zero(t, b.run("writes", "stop", "--reason", "wrong price list").code)
	r := b.run("writes", "show", "--json")
	require.Contains(t, r.out, `"stopped": true`)
	require.Contains(t, r.out, "wrong price list")
	require.Contains(t, r.out, operator())
	require.Zero(t, b.run("writes", "start", "--reason", "corrected").code)
	require.Regexp(t, `(?s)not stopped.*corrected`, b.run("writes", "show").out)
}

// Nothing runs, so only the preview's own look can know what has happened at Amazon since.
func TestAPreviewReadsBothSidesFirst(t *testing.T) {
	t.Run("an order the buyer has cancelled meanwhile", func(t *testing.T) {
		b, fake, name := sold(t)
		require.True(t, fake.CancelByBuyer(strings.TrimPrefix(name, "amazon-us/")))
		r := b.run("orders", "cancel", name, "--yes")
		require.Equal(t, exitRefused, r.code)
		require.Contains(t, r.out, httpapi.AmountZero)
		require.Contains(t, r.out, "cancelled at the channel")
	})
	t.Run("R-140_R-142_a_refund_that_Amazon_has_made_is_not_repeated", func(t *testing.T) {
		b, fake, name := sold(t)
		b.shipped(fake, name)
		_, err := fake.RefundByHand(strings.TrimPrefix(name, "amazon-us/"), map[string]map[string]string{"10000000000022": {"Principal": "5.00"}})
		require.NoError(t, err)
		r := b.run("orders", "refund", name, "--line", "10000000000022=1", "--yes")
		require.Equal(t, exitRefused, r.code, r.out+r.err)
		require.Contains(t, r.out, "the marketplace has refunded 5.00 USD already")
		s := b.sheet(name)
		require.Empty(t, s.Refunds)
		require.Len(t, s.Observed, 1, "and it is listed")
		require.Equal(t, order.OnlyAtChannel, s.Differences[0].Kind)
	})
}
