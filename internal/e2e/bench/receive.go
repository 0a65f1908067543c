package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"time"

	_ "github.com/lib/pq" // the driver of the checks

	"channelbridge/internal/e2e/load"
	"channelbridge/internal/e2e/rig"
	"channelbridge/internal/pgtest"
)

// turn is one bridge turn and the two pgbench turns beside it.
type turn struct {
	bridge           load.Result
	serverCPU, dbCPU time.Duration // per delivery
	same, plain      float64       // pgbench transactions a second
	sameCPU          time.Duration // of PostgreSQL per transaction
}

// server is PostgreSQL as measured: flushing on, no checkpoint in the middle of a turn.
var server = pgtest.Options{Fsync: true, Settings: map[string]string{"shared_buffers": "256MB", "max_wal_size": "8GB", "checkpoint_timeout": "30min"}}

func receive(ctx context.Context, s settings, r *report) error {
	c, err := pgtest.Start(server)
	if err != nil {
		return err
	}
	defer c.Stop()
	db, err := sql.Open("postgres", c.URL())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	d, err := openDoor(ctx, s, "receive", c.URL())
	if err != nil {
		return err
	}
	defer d.close()
	p, err := newPgbench(ctx, s, c, db)
	if err != nil {
		return err
	}
	if _, err := d.load(ctx, 3*time.Second, "warm"); err != nil {
		return err
	}
	var taken int
	for n := range s.rounds {
		t, err := oneTurn(ctx, s, c, db, d, p, n)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "  round %d: bridge %.0f/s, p99 %s, pgbench %.0f and %.0f/s\n", n+1, t.bridge.Rate(), round(t.bridge.P99), t.same, t.plain)
		r.turns = append(r.turns, t)
		taken += t.bridge.Accepted
	}
	_, r.rssFull = rig.RSS(d.Pid())
	var kept int
	if err := db.QueryRowContext(ctx, `select count(*) from deliveries where delivery_id like 'r%'`).Scan(&kept); err != nil {
		return err
	}
	if kept < taken {
		return fmt.Errorf("%d pushes were acknowledged, %d are kept", taken, kept)
	}
	return nil
}

// oneTurn lets both sides work, in alternating order.
func oneTurn(ctx context.Context, s settings, c *pgtest.Cluster, db *sql.DB, d *door, p *pgbench, n int) (t turn, err error) {
	steps := []func() error{
		func() error {
			server, postgres := rig.CPU(d.Pid()), rig.FamilyCPU(c.Pid())
			if t.bridge, err = d.load(ctx, s.round, fmt.Sprintf("r%d", n)); err != nil {
				return err
			}
			accepted := time.Duration(max(t.bridge.Accepted, 1))
			t.serverCPU, t.dbCPU = (rig.CPU(d.Pid())-server)/accepted, (rig.FamilyCPU(c.Pid())-postgres)/accepted
			return nil
		},
		func() (err error) { t.same, t.sameCPU, err = p.run(ctx, "same", s.round); return err },
		func() (err error) { t.plain, _, err = p.run(ctx, "plain", s.round); return err },
	}
	if n%2 == 1 {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if _, err := db.ExecContext(ctx, "checkpoint"); err != nil {
			return t, err
		}
		if err := step(); err != nil {
			return t, err
		}
	}
	return t, nil
}

// receiveSQLite measures the embedded database, for information.
func receiveSQLite(ctx context.Context, s settings, r *report) error {
	d, err := openDoor(ctx, s, "sqlite", "")
	if err != nil {
		return err
	}
	defer d.close()
	for n := range min(s.rounds, 3) {
		before := rig.CPU(d.Pid())
		res, err := d.load(ctx, s.round, fmt.Sprintf("r%d", n))
		if err != nil {
			return err
		}
		r.sqlite = append(r.sqlite, turn{bridge: res, serverCPU: (rig.CPU(d.Pid()) - before) / time.Duration(max(res.Accepted, 1))})
	}
	return nil
}
