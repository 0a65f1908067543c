// Command bench measures the real program in a process of its own, against PostgreSQL doing the
// same writes by itself, in one run on one machine. It prints a table and, with -out, rewrites
// the results in docs/benchmarks.md. What counts are the ratios; see that document.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"channelbridge/internal/e2e/load"
	"channelbridge/internal/e2e/rig"
)

// settings of a run.
type settings struct {
	rounds  int
	round   time.Duration
	orders  time.Duration
	rate    int
	lines   int
	only    string
	out     string
	program string
	dir     string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "send" {
		send()
		return
	}
	debug.SetGCPercent(400) // the fakes live here and share the processors with what is measured
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s settings
	flag.IntVar(&s.rounds, "rounds", 5, "rounds of receiving, bridge and pgbench by turns")
	flag.DurationVar(&s.round, "round", 8*time.Second, "length of one turn")
	flag.DurationVar(&s.orders, "orders", time.Minute, "length of the run from push to mirrored order")
	flag.IntVar(&s.rate, "rate", 100, "orders a second in that run")
	flag.StringVar(&s.only, "only", "", "one part alone: receive, mirror, start, sqlite, payouts")
	flag.IntVar(&s.lines, "lines", 1_000_000, "lines of the payout file")
	flag.StringVar(&s.out, "out", "", "document whose results are rewritten, such as docs/benchmarks.md")
	flag.Parse()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) (err error) {
	if s.dir, err = os.MkdirTemp("", "channelbridge-bench-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(s.dir) }()
	if s.program, err = rig.Build(s.dir); err != nil {
		return err
	}
	var r report
	for _, part := range []struct {
		name string
		run  func(context.Context, settings, *report) error
	}{{"start", start}, {"receive", receive}, {"sqlite", receiveSQLite}, {"mirror", mirror}, {"payouts", payouts}} {
		if s.only != "" && s.only != part.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring: %s\n", part.name)
		if err := part.run(ctx, s, &r); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	fmt.Print(r.markdown())
	if s.out != "" {
		return r.rewrite(s.out)
	}
	return nil
}

// send is the load generator, a process of its own.
func send() {
	var o load.Options
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		fmt.Fprintln(os.Stderr, "bench send:", err)
		os.Exit(1)
	}
	o.Pushes = load.Pushes(1024, 3000, rig.ShopSecret, 1)
	result, err := load.Run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench send:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(1)
	}
}
