package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/e2e/rig"
	"channelbridge/internal/pgtest"
	"channelbridge/marketplace"
)

const (
	payoutAccount = "amazon-us"
	perOrder      = 4 // lines of each order
)

// settled is what was measured of payouts on one engine.
type settled struct {
	engine                        string
	lines                         int
	read, again, matched, written used
	copied, joined                time.Duration // PostgreSQL alone: COPY of the same rows, and the plain join
	asked                         answered
}

// used is what a command took.
type used struct {
	took time.Duration
	rss  int64 // at most
}

// payouts measures the program's own commands over one settlement file: reading it, reading it
// again, holding it against the orders, and writing every line as CSV. PostgreSQL does the same
// by itself: COPY of the same rows, and the plain join of lines and orders.
func payouts(ctx context.Context, s settings, r *report) error {
	file := filepath.Join(s.dir, "settlement.txt")
	if err := writeSettlement(file, s.lines); err != nil {
		return err
	}
	c, err := pgtest.Start(server)
	if err != nil {
		return err
	}
	defer c.Stop()
	for _, engine := range []struct{ name, url string }{{"PostgreSQL", c.URL()}, {"SQLite", "sqlite:" + filepath.Join(s.dir, "payouts.db")}} {
		x := settled{engine: engine.name, lines: s.lines}
		if err := measurePayouts(ctx, s, engine.url, file, &x); err != nil {
			return fmt.Errorf("%s: %w", engine.name, err)
		}
		if engine.name == "PostgreSQL" {
			if err := limits(ctx, c.URL(), &x); err != nil {
				return err
			}
		}
		r.settled = append(r.settled, x)
	}
	return nil
}

func measurePayouts(ctx context.Context, s settings, url, file string, x *settled) (err error) {
	config, err := payoutConfig(s, url, x.engine)
	if err != nil {
		return err
	}
	if _, err = command(ctx, s, config, "migrate", "up"); err != nil {
		return err
	}
	if err = keepOrders(ctx, url, s.lines/perOrder); err != nil {
		return err
	}
	for _, step := range []struct {
		used *used
		args []string
	}{
		{&x.read, []string{"payouts", "import", file, "--account", payoutAccount}},
		{&x.again, []string{"payouts", "import", file, "--account", payoutAccount}},
		{&x.matched, []string{"report", "payouts", "--level", "summary"}},
		{&x.written, []string{"report", "payouts", "--level", "line", "--format", "csv"}},
	} {
		if *step.used, err = command(ctx, s, config, step.args...); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "  %s, %s: %s, %s\n", x.engine, strings.Join(step.args[:2], " "), step.used.took.Round(time.Millisecond), megabytes(step.used.rss))
	}
	return ask(ctx, s, config, x)
}

// command runs the program and throws away what it prints.
func command(ctx context.Context, s settings, config string, args ...string) (used, error) {
	cmd := exec.CommandContext(ctx, s.program, append(args, "--config", config)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return used{}, err
	}
	var u used
	over, watched := make(chan struct{}), make(chan struct{})
	go func() { // what the kernel counts for a child begins with the size of its parent
		defer close(watched)
		for {
			if _, most := rig.RSS(cmd.Process.Pid); most > 0 {
				u.rss = most
			}
			select {
			case <-over:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	err := cmd.Wait()
	close(over)
	<-watched
	if err != nil {
		return used{}, fmt.Errorf("%v: %w: %s", args, err, errs.String())
	}
	u.took = time.Since(began)
	return u, nil
}

// payoutConfig is a bridge that is never asked to call anybody.
func payoutConfig(s settings, url, name string) (string, error) {
	path := filepath.Join(s.dir, name+".yaml")
	return path, os.WriteFile(path, fmt.Appendf(nil, `database_url: %q
data_dir: %s
connections:
  - id: shop
    platform: shopify
    shopify: {shop: acme.myshopify.com, client_secret: secret, access_token: token, endpoint: "http://127.0.0.1:1"}
  - id: %s
    platform: amazon
    store: shop
    amazon: {seller_id: A1, region: na, client_id: id, client_secret: secret, refresh_token: token, endpoint: "http://127.0.0.1:1", token_url: "http://127.0.0.1:1"}
`, url, s.dir, payoutAccount), 0o600)
}

var sold = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

func orderNumber(n int) string { return fmt.Sprintf("114-%07d-%07d", n%9_999_991, n) }

// writeSettlement writes a settlement report of the flat file V2: 20.00 for each order, a
// commission of 3.00, and tax that is charged and withheld.
func writeSettlement(path string, lines int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	defer func() { err = errors.Join(err, w.Flush(), f.Close()) }()
	columns := []string{"settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency", "transaction-type", "order-id", "merchant-order-id", "adjustment-id",
		"shipment-id", "marketplace-name", "amount-type", "amount-description", "amount", "fulfillment-id", "posted-date", "posted-date-time", "order-item-code", "merchant-order-item-id", "merchant-adjustment-item-id", "sku", "quantity-purchased"}
	fmt.Fprintln(w, strings.Join(columns, "\t"))
	orders := lines / perOrder
	fmt.Fprintf(w, "11888387941\t2026-11-01 00:00:00 UTC\t2026-11-15 00:00:00 UTC\t2026-11-17 00:00:00 UTC\t%d.00\tUSD%s\n", orders*17, strings.Repeat("\t", len(columns)-6))
	for n := range orders {
		for _, row := range [perOrder][4]string{{"ItemPrice", "Principal", "20.00", "1"}, {"ItemPrice", "Tax", "1.65", ""}, {"ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", "-1.65", ""}, {"ItemFees", "Commission", "-3.00", ""}} {
			fmt.Fprintf(w, "11888387941\t\t\t\t\t\tOrder\t%s\t\t\t\tAmazon.com\t%s\t%s\t%s\tMFN\t\t2026-11-09 05:23:19 UTC\t%d\t\t\tTEA-%d\t%s\n",
				orderNumber(n), row[0], row[1], row[2], 10_000_000_000_000+n, n%500, row[3])
		}
	}
	return nil
}

// keepOrders writes down what the bridge would know of the orders.
func keepOrders(ctx context.Context, url string, orders int) error {
	store, err := sqlstore.Open(ctx, url, sqlstore.Options{NoMigrate: true})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	var batch []connector.PayoutFacts
	for n := range orders {
		f := payout.Facts{Order: orderNumber(n), Store: fmt.Sprintf("gid://shopify/Order/%d", n), Name: fmt.Sprintf("#%d", n), Currency: "USD", PlacedAt: sold, ShippedAt: sold.Add(24 * time.Hour),
			Items: []payout.Item{{ID: fmt.Sprint(10_000_000_000_000 + n), SKU: fmt.Sprintf("TEA-%d", n%500), Units: 1, Parts: []payout.Part{{Category: marketplace.Principal, Amount: 2000},
				{Category: marketplace.TaxCharged, Amount: 165}, {Category: marketplace.TaxByChannelCollected, Amount: -165}}}}}
		batch = append(batch, connector.PayoutFacts{Account: payoutAccount, Order: f.Order, Store: f.Store, KnownAt: sold, Body: f.Encode()})
		if len(batch) == 1000 || n == orders-1 {
			if _, err := store.KeepFacts(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// limits is what PostgreSQL takes by itself: to copy the same rows into a table with the same
// columns and indexes, and to join lines and orders.
func limits(ctx context.Context, url string, x *settled) error {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var dir string
	if err := db.QueryRowContext(ctx, "show data_directory").Scan(&dir); err != nil {
		return err
	}
	path := filepath.Join(dir, "lines.copy")
	for _, q := range []string{"copy payout_lines to '" + path + "'", "create table twin (like payout_lines including all)", "checkpoint"} {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	began := time.Now()
	if _, err := db.ExecContext(ctx, "copy twin from '"+path+"'"); err != nil {
		return err
	}
	x.copied = time.Since(began)
	began = time.Now()
	var n int
	if err := db.QueryRowContext(ctx, `select count(*) from (select f.order_ref, sum(l.amount_minor), min(length(f.body)) from payout_facts f
		left join payout_lines l on l.order_ref = f.order_ref group by f.order_ref) joined`).Scan(&n); err != nil {
		return err
	}
	x.joined = time.Since(began)
	return nil
}

// rows are what was measured, in the table.
func (x settled) rows(row func(what, measured, target string, good bool)) {
	rate := float64(x.lines) / x.read.took.Seconds()
	target, good := "", true
	if x.engine == "PostgreSQL" {
		target, good = "≥ 50,000/s", rate >= 50_000
	}
	row(fmt.Sprintf("payout file of %d lines on %s: read into the books", x.lines, x.engine), fmt.Sprintf("%s, %.0f lines/s", round(x.read.took), rate), target, good)
	row("… memory at most", megabytes(x.read.rss), "< 128 MB", x.read.rss < 128<<20)
	if x.copied > 0 {
		row("… COPY of the same rows, per time it took", fmt.Sprintf("%.2f (COPY %s)", x.copied.Seconds()/x.read.took.Seconds(), round(x.copied)), "", true)
	}
	row("… the same file again", round(x.again.took).String(), "< 1 s", x.again.took < time.Second)
	row(fmt.Sprintf("… held against %d orders", x.lines/perOrder), fmt.Sprintf("%s, %s", round(x.matched.took), megabytes(x.matched.rss)), "< 15 s, < 128 MB", x.matched.took < 15*time.Second && x.matched.rss < 128<<20)
	if x.joined > 0 {
		row("… the plain join of the same tables, per time it took", fmt.Sprintf("%.2f (join %s)", x.joined.Seconds()/x.matched.took.Seconds(), round(x.joined)), "", true)
	}
	row("… every line as CSV", fmt.Sprintf("%s, %s", round(x.written.took), megabytes(x.written.rss)), "< 30 s and < 128 MB", x.written.took < 30*time.Second && x.written.rss < 128<<20)
	x.asked.table(x.lines, row)
}
