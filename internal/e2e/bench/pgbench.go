package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"channelbridge/internal/e2e/load"
	"channelbridge/internal/e2e/rig"
	"channelbridge/internal/pgtest"
)

// pgbench inserts the same rows one by one, as fast as PostgreSQL takes them from 64 clients.
type pgbench struct {
	program string
	cluster *pgtest.Cluster
	dir     string
	body    string
}

// header is what the bridge keeps of a push's headers.
const header = `{"Content-Type":["application/json"],"User-Agent":["Shopify-Captain-Hook"],"X-Shopify-Api-Version":["2026-10"],` +
	`"X-Shopify-Event-Id":["e-r0-12-345"],"X-Shopify-Hmac-Sha256":["R1Ml7fQkXfiX1lYyYtaFuU5fZ3EXmTy8rjsVpxoD1kI="],` +
	`"X-Shopify-Shop-Domain":["acme.myshopify.com"],"X-Shopify-Topic":["orders/create"],` +
	`"X-Shopify-Triggered-At":["2026-11-21T15:00:00.000000000Z"],"X-Shopify-Webhook-Id":["r0-12-345"]}`

// scripts are single-row inserts: into a twin of the bridge's table with all its indexes, and
// into a table that has nothing but a unique key.
var scripts = map[string]string{
	"same": `\set id random(1, 9000000000000000)
insert into bench_same (connection, delivery_id, event_id, topic, received_at, verdict, reason, header, body, size, repeats)
values ('shop', :client_id::text || '-' || :id::text, 'e-' || :id::text, 'orders/create', now(), 'accepted', '', :header, :body::bytea, 3000, 0)
on conflict do nothing;
`,
	"plain": `\set id random(1, 9000000000000000)
insert into bench_plain (id, body) values (:client_id::text || '-' || :id::text, :body::bytea) on conflict do nothing;
`,
}

func newPgbench(ctx context.Context, s settings, c *pgtest.Cluster, db *sql.DB) (*pgbench, error) {
	p := &pgbench{cluster: c, dir: s.dir, body: string(load.Order(rand.New(rand.NewPCG(1, 77)), 5_000_000_000_001, 3000))}
	var err error
	if p.program, err = findPgbench(); err != nil {
		return nil, err
	}
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(s.dir, name+".sql"), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	_, err = db.ExecContext(ctx, `create table bench_same (like deliveries including all);
		create table bench_plain (id text primary key, body bytea not null);
		alter table bench_plain alter column body set compression lz4`)
	return p, err
}

// findPgbench looks in the path and beside installed servers.
func findPgbench() (string, error) {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if len(found) == 0 {
		return "", fmt.Errorf("pgbench is not installed: it comes with PostgreSQL (postgresql-contrib, or postgresql itself on Debian)")
	}
	return found[len(found)-1], nil
}

var tpsLine = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)

// run returns transactions a second and PostgreSQL's processor time for each.
func (p *pgbench) run(ctx context.Context, script string, turn time.Duration) (float64, time.Duration, error) {
	before := rig.FamilyCPU(p.cluster.Pid())
	cmd := exec.CommandContext(ctx, p.program, "-n", "-c", "64", "-j", "2", "-M", "prepared", "-T", strconv.Itoa(max(1, int(turn.Seconds()))),
		"-D", "header="+header, "-D", "body="+p.body, "-f", filepath.Join(p.dir, script+".sql"), p.cluster.URL())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	found := tpsLine.FindStringSubmatch(string(out))
	if err != nil || found == nil {
		return 0, 0, fmt.Errorf("pgbench: %w: %s", err, strings.TrimSpace(string(out)))
	}
	tps, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return 0, 0, err
	}
	used := rig.FamilyCPU(p.cluster.Pid()) - before
	return tps, time.Duration(float64(used) / (tps * turn.Seconds())), nil
}
