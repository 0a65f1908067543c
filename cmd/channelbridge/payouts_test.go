package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/generic/genericfake"
)

// statementForm is how this test's channel writes its payouts.
const statementForm = `    payouts:
      wait: 0s
      every: 0s
      files:
        - name: market-statement
          currency: USD
          dates: [YYYY-MM-DD]
          columns: {payout: Statement, total: Total, paid_at: Paid, type: Type, amount: Amount, order: Order, sku: SKU}
          categories: [{type: Sale, category: principal}, {type: Fee, category: commission}, {type: Tax, category: tax_charged}, {type: Shipping, category: shipping_charged}]
`

// statement is a payout file: rows of type, amount, order.
func statement(id, total string, rows ...[3]string) string {
	out := "Statement,Total,Paid,Type,Amount,Order,SKU\n"
	for _, r := range rows {
		out += fmt.Sprintf("%s,%s,2026-11-20,%s,%s,%s,\n", id, total, r[0], r[1], r[2])
	}
	return out
}

// report is the rows of the report by order number.
func (b *bench) report(args ...string) map[string]map[string]string {
	b.Helper()
	r := b.run(append([]string{"report", "payouts", "--format", "csv"}, args...)...)
	require.Zero(b, r.code, r.err)
	all, err := csv.NewReader(strings.NewReader(r.out)).ReadAll()
	require.NoError(b, err)
	out := map[string]map[string]string{}
	for _, row := range all[1:] {
		cells := map[string]string{}
		for i, c := range row {
			cells[all[0][i]] = c
		}
		out[cells["channel_order_id"]] = cells
	}
	return out
}

func TestAPayoutFileIsHeldAgainstTheOrders(t *testing.T) {
	b := newBench(t)
	b.write("listen: 127.0.0.1:0\n")
	b.config = file(t, b.dir, "channelbridge.yaml", readFile(t, b.config)+statementForm)
	r := b.serve()
	id := b.market.Place(genericfake.Order{Currency: "USD", Total: "20.00", Lines: []genericfake.Line{{ID: "1", SKU: "TEA", Title: "Tea", Quantity: 1, Price: "20.00"}}})
	_, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", id)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(b.run("orders", "list").out, "#") }, 15*time.Second, 50*time.Millisecond)
	tariff := b.input(`{"key":"fee","category":"commission","rate_bp":1000,"valid_from":"2026-01-01T00:00:00Z"}`, "tariffs", "add", "market")
	require.Zero(t, tariff.code, tariff.err)
	require.Contains(t, b.run("tariffs", "list", "market").out, "10.00 %")
	require.Eventually(t, func() bool { return b.report()[id]["outcome"] == "awaiting_release" }, 15*time.Second, 100*time.Millisecond, "what is known of the order is kept")

	good := file(t, b.dir, "good.csv", statement("ST-1", "26.50", [3]string{"Sale", "20.00", id}, [3]string{"Fee", "-2.50", id}, [3]string{"Sale", "9.00", "UNSEEN"}))
	in := b.run("payouts", "import", good, "--account", "market")
	require.Zero(t, in.code, in.err)
	require.Contains(t, in.out, "3 lines, paid 26.50 USD, proven")
	require.Contains(t, b.run("payouts", "import", good, "--account", "market").out, "known already")
	t.Run("R-147_payouts_come_from_the_channels_own_statements", func(t *testing.T) {
		rows := b.report()
		require.Equal(t, "fee_variance", rows[id]["outcome"])
		require.Equal(t, "-0.50", rows[id]["difference"])
		require.Equal(t, "ST-1", rows[id]["payout_external_ids"])
		require.Equal(t, "missing_in_store", rows["UNSEEN"]["outcome"])
		sum := b.run("report", "payouts", "--level", "summary", "--json")
		require.Zero(t, sum.code, sum.err)
		var v struct {
			Summary []struct{ Paid, Expected_of_settled_orders, Orders_not_in_store string }
		}
		require.NoError(t, json.Unmarshal([]byte(sum.out), &v))
		require.Equal(t, "26.50", v.Summary[0].Paid)
		require.Equal(t, "18.00", v.Summary[0].Expected_of_settled_orders)
		require.Equal(t, "9.00", v.Summary[0].Orders_not_in_store)
	})

	t.Run("in words of a language", func(t *testing.T) {
		require.Regexp(t, `fee_variance +`+id, b.run("report", "payouts").out, "codes, when nobody asks for words")
		require.Contains(t, b.run("report", "payouts").out, "difference: commission")
		vi := b.run("report", "payouts", "--locale", "vi").out
		require.Regexp(t, `chênh lệch phí +`+id+` .* -0.50 +phí hoa hồng `, vi)
		require.Contains(t, vi, "không có trong cửa hàng")
		require.Contains(t, vi, "chênh lệch: phí hoa hồng")
		require.NotContains(t, vi, "fee_variance")
		require.Contains(t, b.run("report", "payouts", "--level", "line", "--locale", "th").out, "ค่าคอมมิชชัน")
		require.Contains(t, b.run("report", "payouts", "--level", "payout", "--locale", "en").out, "proven")
		require.Equal(t, b.run("report", "payouts", "--format", "csv").out, b.run("report", "payouts", "--format", "csv", "--locale", "vi").out)
		require.Equal(t, exitUsage, b.run("report", "payouts", "--locale", "fr").code)
	})
	t.Run("what was found is worked on", func(t *testing.T) { b.worksOnFindings(id) })

	broken := file(t, b.dir, "broken.csv", statement("ST-2", "5.00", [3]string{"Sale", `"5,00"`, "X"}))
	bad := b.run("payouts", "import", broken, "--account", "market")
	require.Equal(t, exitError, bad.code)
	require.Contains(t, bad.err, `row 2, column Amount: "5,00" has its thousands in groups that are not of three`)
	files := b.run("payouts", "files")
	require.Contains(t, files.out, "rejected")
	require.NotContains(t, b.run("payouts", "list").out, "ST-2", "nothing of it counts")

	short := file(t, b.dir, "short.csv", statement("ST-3", "8.00", [3]string{"Sale", "5.00", "X"}))
	gap := b.run("payouts", "import", short, "--account", "market")
	require.Zero(t, gap.code, gap.err)
	require.Contains(t, gap.out, "not proven: the lines differ by -3.00 USD")
	require.Contains(t, b.run("payouts", "show", "ST-3").out, "3.00 USD")
	sick := b.run("doctor", "--quick")
	require.Contains(t, sick.out, "payout ST-3 of market is not proven")
	require.Contains(t, sick.out, "broken.csv of market is kept but not imported")
	require.Contains(t, sick.out, "1 of 2 are proven")
}

func TestAPayoutFileOverTheAPICounts(t *testing.T) {
	b := newBench(t)
	b.config = file(t, b.dir, "channelbridge.yaml", readFile(t, b.config)+statementForm)
	r := b.serve()
	made := b.run("tokens", "create", "--name", "files", "--expires", "1d", "--scope", "payouts:write", "--scope", "payouts:read", "--json")
	require.Zero(t, made.code, made.err)
	var token struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(made.out), &token))
	send := func(want int, body string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/payouts:import?account=market&name=x.csv", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token.Token)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode)
	}
	good := statement("ST-1", "5.00", [3]string{"Sale", "4.00", "A"}, [3]string{"Gift", "1.00", "A"})
	send(http.StatusCreated, good)
	send(http.StatusOK, good)
	send(http.StatusUnprocessableEntity, statement("ST-2", "5.00", [3]string{"Sale", "x", "A"}))
	send(http.StatusCreated, statement("ST-3", "5.00", [3]string{"Sale", "4.00", "B"}))
	resp, err := http.Get(r.metrics + "/metrics")
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	for _, line := range []string{`payout_files_total{account="market",outcome="proven"} 1`, `outcome="known"} 1`, `outcome="rejected"} 1`, `outcome="not_proven"} 1`, `payout_unclassified_lines_total{account="market"} 1`} {
		require.Contains(t, string(text), line)
	}
}

func TestOrdersFromBeforeFactsWereKeptAreCaughtUpWith(t *testing.T) {
	b := newBench(t)
	r := b.serve()
	id := b.market.Place(genericfake.Order{Currency: "USD", Total: "20.00", Lines: []genericfake.Line{{ID: "1", SKU: "TEA", Title: "Tea", Quantity: 1, Price: "20.00"}}})
	_, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", id)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return b.report()[id]["outcome"] == "awaiting_release" }, 15*time.Second, 100*time.Millisecond)
	require.Zero(t, r.stop())

	cfg, err := loadConfig(b.config, environment{}.lookup)
	require.NoError(t, err)
	s, err := openStore(t.Context(), cfg, false)
	require.NoError(t, err)
	for _, q := range []string{`delete from payout_facts`, `delete from cursors where name = 'payout-facts'`} {
		_, err = s.DB().ExecContext(t.Context(), q)
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	require.Empty(t, b.report())
	b.serve()
	require.Eventually(t, func() bool { return b.report()[id]["outcome"] == "awaiting_release" }, 15*time.Second, 100*time.Millisecond)
}

func readFile(t *testing.T, path string) string {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// input runs a command with text on its standard input.
func (b *bench) input(text string, args ...string) result {
	b.Helper()
	return commandWith(b.T, environment{}, text, append(args, "--config", b.config)...)
}

// worksOnFindings plays what a person does about the commission of an order that is too high.
func (b *bench) worksOnFindings(order string) {
	var list []struct {
		ID    string `json:"finding_id"`
		Ref   string
		State string `json:"workflow_state"`
	}
	read := func(args ...string) {
		list = nil
		require.NoError(b, json.Unmarshal([]byte(b.run(append([]string{"findings", "list", "--json"}, args...)...).out), &list))
	}
	read("--outcome", "fee_variance")
	require.Len(b, list, 1)
	require.Equal(b, order, list[0].Ref)
	id := list[0].ID
	require.Contains(b, b.run("findings", "review", id, "--by", "anna").out, "in_review")
	require.Contains(b, b.run("findings", "assign", id, "ben").out, "ben")
	no := b.run("findings", "accept", id)
	require.Equal(b, exitRefused, no.code)
	require.Contains(b, no.err, "a reason has to be given")
	for _, do := range [][]string{{"accept", id, "--note", "agreed"}, {"claim", id, "--amount", "0.50", "--reason", "above the tariff"}} {
		no = b.run(append(append([]string{"findings"}, do...), "--difference", "123.45")...)
		require.Equal(b, exitRefused, no.code)
		require.Contains(b, no.err, "the difference is ")
	}
	claim := b.run("findings", "claim", id, "--amount", "0.50", "--reason", "above the tariff", "--deadline", "2099-01-01")
	require.Zero(b, claim.code, claim.err)
	claims := b.run("claims", "list")
	require.Contains(b, claims.out, "draft")
	cl := strings.Fields(strings.Split(claims.out, "\n")[1])[0]
	require.Contains(b, b.run("claims", "send", cl, "--note", "case 4711").out, "case 4711")
	read("--state", "claimed", "--assignee", "ben")
	require.Len(b, list, 1)
	require.Equal(b, exitNotFound, b.run("findings", "show", "fi_none").code)

	require.Zero(b, b.run("deposits", "add", "--account", "market", "--amount", "26.50", "--currency", "USD", "--day", "2026-11-21").code)
	require.Zero(b, b.run("deposits", "add", "--account", "market", "--amount", "26.50", "--currency", "USD", "--day", "2026-11-21").code, "typed twice")
	deposits := b.run("deposits", "list").out
	require.Equal(b, 1, strings.Count(deposits, "dp_"), deposits)
	require.Contains(b, deposits, "ST-1")
	early := b.run("months", "close", "2099-01", "--account", "market")
	require.Equal(b, exitRefused, early.code)
	require.Contains(b, early.err, "is not over")
}

// bankList is a channel that tells of transfers, all on one page.
type bankList []marketplace.Transfer

func (b bankList) Transfers(context.Context, marketplace.Cursor) (marketplace.TransferPage, error) {
	return marketplace.TransferPage{Transfers: b, Next: marketplace.Cursor{Token: "end"}}, nil
}

func TestATransferThatCannotBeUnderstoodHoldsUpNoOther(t *testing.T) {
	b := newBench(t)
	require.Zero(t, b.run("migrate", "up").code)
	br := b.wired()
	l, ok := br.link("market")
	require.True(t, ok)
	sent := func(id string, change func(*marketplace.Transfer)) marketplace.Transfer {
		t := marketplace.Transfer{ID: id, Status: marketplace.TransferPaid, Amount: money.New(500, "USD"), CreatedAt: br.clock()}
		change(&t)
		return t
	}
	list := bankList{
		sent("reference", func(t *marketplace.Transfer) { t.BankRef = strings.Repeat("x", 501) }),
		sent("currency", func(t *marketplace.Transfer) { t.Amount.Currency = "?" }),
		sent("reason", func(t *marketplace.Transfer) {
			t.Status, t.Reason = marketplace.TransferFailed, strings.Repeat("x", 501)
		}),
		sent("good", func(*marketplace.Transfer) {}),
	}
	next, more, err := br.pullTransfers(t.Context(), l, list, marketplace.Cursor{})
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, "end", next.Token)
	kept, err := books{br}.Desk().Deposits(t.Context(), l.cfg.payoutAccount(br.cfg.TimeZone))
	require.NoError(t, err)
	require.Len(t, kept, 2)
}
