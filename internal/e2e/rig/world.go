package rig

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"time"

	"channelbridge/internal/pgtest"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// Options of a world.
type Options struct {
	Program string
	Dir     string // for configuration and logs
	Seed    uint64
	Bridges int           // instances on one database. 0: 1
	Senders int           // 0: 32
	Repeat  float64       // share of pushes sent twice
	Sweep   time.Duration // between two listings of what changed. 0: 5 s, far more often than usual

	// Through, if set, stands between senders and an instance: it is given the instance's address
	// and returns the address to send to.
	Through func(instance string) string

	Shop        shopifyfake.Faults
	ShopLatency time.Duration
	Created     func(order string) // told of every order the store has just made
	Market      MarketFaults
	Amazon      *amazonfake.Faults // set: a second channel, which takes refunds
	Database    map[string]string  // further settings of PostgreSQL
}

// World is the bridge, its database, and everything around it.
type World struct {
	Options
	Cluster *pgtest.Cluster
	Bridges []*Bridge
	Shop    *Shop
	Market  *Market
	Amazon  *Amazon // nil unless asked for
	Till    *Till   // Amazon's refunds and cancellations as staff makes them
	Out     *Outbox
	DB      *sql.DB
	// Settles is how long the bridge may need after a crash until everything is as it should be.
	Settles time.Duration

	end func()
}

// Open builds a world. The bridge is not started yet.
func Open(ctx context.Context, o Options) (w *World, err error) {
	o.Bridges, o.Senders = max(o.Bridges, 1), or(o.Senders, 32)
	if o.Sweep == 0 {
		o.Sweep = 5 * time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	w = &World{Options: o, end: cancel}
	defer func() {
		if err != nil {
			w.Close()
		}
	}()
	if w.Cluster, err = pgtest.Start(pgtest.Options{Fsync: true, Settings: o.Database}); err != nil {
		return nil, err
	}
	if w.DB, err = sql.Open("postgres", w.Cluster.URL()); err != nil {
		return nil, err
	}
	w.DB.SetMaxOpenConns(2)
	if err := w.place(); err != nil {
		return nil, err
	}
	w.Market = openMarket(o.Seed, o.Market)
	w.Out = &Outbox{Repeat: o.Repeat, Rand: rand.New(rand.NewPCG(o.Seed, 11)), Target: w.target(rand.New(rand.NewPCG(o.Seed, 12)))}
	w.Out.Start(ctx, o.Senders)
	hooks := w.Bridges[0].URL("/webhooks/" + ShopID)
	if w.Shop, err = openShop(ctx, o, hooks, w.Out); err != nil {
		return nil, err
	}
	if o.Amazon != nil {
		w.Amazon = openAmazon(ctx, o.Seed, *o.Amazon, w.Bridges[0].URL("/webhooks/"+AmazonID))
		w.Till = &Till{World: w, Rand: rand.New(rand.NewPCG(o.Seed, 13))}
	}
	return w, w.writeConfig()
}

// place gives every instance its files and its port.
func (w *World) place() error {
	for i := range w.Options.Bridges {
		port, err := freePort()
		if err != nil {
			return err
		}
		w.Bridges = append(w.Bridges, &Bridge{Program: w.Program, Addr: fmt.Sprintf("127.0.0.1:%d", port),
			Config: filepath.Join(w.Dir, fmt.Sprintf("bridge%d.yaml", i)), Log: filepath.Join(w.Dir, fmt.Sprintf("bridge%d.log", i))})
	}
	return nil
}

// target spreads pushes over the instances.
func (w *World) target(r *rand.Rand) func(string) string {
	var bases []string
	for _, b := range w.Bridges {
		base := b.URL("")
		if w.Through != nil {
			base = w.Through(base)
		}
		bases = append(bases, base)
	}
	return func(connection string) string {
		w.Out.mu.Lock()
		defer w.Out.mu.Unlock()
		return bases[r.IntN(len(bases))] + "/webhooks/" + connection
	}
}

// Start starts every instance and waits until they are ready.
func (w *World) Start(ctx context.Context) error {
	for _, b := range w.Bridges {
		if err := b.Start(); err != nil {
			return err
		}
	}
	for _, b := range w.Bridges {
		if err := b.Ready(ctx, 30*time.Second); err != nil {
			return err
		}
	}
	return nil
}

// Close ends everything. It may be called twice.
func (w *World) Close() {
	w.end()
	for _, b := range w.Bridges {
		if b.process != nil {
			b.Kill()
		}
	}
	if w.Out != nil {
		w.Out.Wait()
	}
	if w.Shop != nil {
		w.Shop.HTTP.CloseClientConnections()
		w.Shop.HTTP.Close()
	}
	if w.Amazon != nil {
		w.Amazon.close()
	}
	if w.Market != nil {
		w.Market.HTTP.CloseClientConnections()
		w.Market.HTTP.Close()
	}
	if w.DB != nil {
		_ = w.DB.Close()
	}
	if w.Cluster != nil {
		w.Cluster.Stop()
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}
