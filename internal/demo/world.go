package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// Names of the two connections of the world.
const (
	Channel = "amazon-us"
	Store   = "my-store"
)

// PipeToken is what the fake Amazon's pipe proves itself with.
const PipeToken = "demo-pipe-token"

// Options describe a world.
type Options struct {
	Binary   string // the channelbridge program
	Dir      string // where the bridge keeps its database
	Database string // database URL; empty: SQLite below Dir
	Listen   string // address of the bridge; empty: a free port
	Log      io.Writer
	Amazon   amazonfake.Options
	Shop     shopifyfake.Config
	NoPush   bool // Amazon pushes nothing: sweeps alone

	// Front, if set, stands between the bridge and Amazon, for tests that cut in at a certain call.
	Front func(amazon http.Handler) http.Handler

	Extra string // further lines of configuration
}

// World is a fake Amazon, a fake store and a real bridge between them.
type World struct {
	Amazon *amazonfake.Server
	Shop   *shopifyfake.Server
	Bridge string // base address
	Config string // path of the bridge's configuration file
	opt    Options

	amazonURL, shopURL string
	servers            []*http.Server
	stop               context.CancelFunc
	wg                 sync.WaitGroup

	mu      sync.Mutex
	child   *exec.Cmd
	exited  chan struct{}
	back    time.Duration // how far Amazon's clock is set back
	baseClk func() time.Time
}

// Open starts both fakes and writes the bridge's configuration. Start starts the bridge.
func Open(ctx context.Context, opt Options) (*World, error) {
	w := &World{opt: opt, baseClk: opt.Amazon.Clock}
	if w.baseClk == nil {
		w.baseClk = time.Now
	}
	opt.Amazon.Clock = w.amazonClock
	opt.Amazon.Subscribed = true
	if opt.Amazon.MaxPollWait == 0 {
		opt.Amazon.MaxPollWait = time.Second
	}
	w.Amazon = amazonfake.New(opt.Amazon)
	w.Amazon.SubscribeTo("TRANSACTION_UPDATE", "1.0")
	w.Amazon.SubscribeTo("FEED_PROCESSING_FINISHED", "2020-09-04")
	opt.Shop.ClientSecret, opt.Shop.ClientID = "demo-shop-secret", "demo-shop-client"
	shop, err := shopifyfake.New(opt.Shop)
	if err != nil {
		return nil, fmt.Errorf("fake store: %w", err)
	}
	w.Shop = shop
	ctx, w.stop = context.WithCancel(ctx)
	front := http.Handler(w.Amazon)
	if opt.Front != nil {
		front = opt.Front(front)
	}
	if w.amazonURL, err = w.serve(front); err != nil {
		return nil, err
	}
	if w.shopURL, err = w.serve(w.Shop); err != nil {
		return nil, err
	}
	if err := w.configure(); err != nil {
		return nil, err
	}
	if !opt.NoPush {
		w.Amazon.SetPush(amazonfake.Push{URL: w.Bridge + "/webhooks/" + Channel, Token: PipeToken, Client: &http.Client{Timeout: 5 * time.Second}})
		w.wg.Go(func() { w.Amazon.Run(ctx, 100*time.Millisecond) })
	}
	w.wg.Go(func() { w.Shop.Run(ctx) })
	return w, nil
}

// amazonClock is Amazon's time.
func (w *World) amazonClock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.baseClk().Add(-w.back)
}

// Ago runs do as if it had happened some time ago at Amazon.
func (w *World) Ago(d time.Duration, do func()) {
	w.mu.Lock()
	w.back = d
	w.mu.Unlock()
	do()
	w.mu.Lock()
	w.back = 0
	w.mu.Unlock()
}

func (w *World) serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("fake server: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	w.servers = append(w.servers, srv)
	w.wg.Go(func() { _ = srv.Serve(l) })
	return "http://" + l.Addr().String(), nil
}

// freeAddress is a loopback address nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Start starts the bridge and waits until it is ready.
func (w *World) Start(ctx context.Context) error {
	cmd := exec.Command(w.opt.Binary, "serve", "--config", w.Config)
	cmd.Dir = w.opt.Dir
	cmd.Env = w.env()
	cmd.Stdout, cmd.Stderr = w.opt.Log, w.opt.Log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the bridge: %w", err)
	}
	exited := make(chan struct{})
	w.mu.Lock()
	w.child, w.exited = cmd, exited
	w.mu.Unlock()
	go func() { _ = cmd.Wait(); close(exited) }()
	return w.ready(ctx, exited)
}

func (w *World) ready(ctx context.Context, exited chan struct{}) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		select {
		case <-exited:
			return errors.New("the bridge ended before it was ready; see its log")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		resp, err := http.Get(w.Bridge + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return errors.New("the bridge was not ready after 20 s; see its log")
}

// Stop ends the bridge with the signal and waits for it; it returns its exit code.
func (w *World) Stop(sig os.Signal) int {
	w.mu.Lock()
	cmd, exited := w.child, w.exited
	w.mu.Unlock()
	if cmd == nil {
		return 0
	}
	_ = cmd.Process.Signal(sig)
	select {
	case <-exited:
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		<-exited
	}
	return cmd.ProcessState.ExitCode()
}

// Close ends everything.
func (w *World) Close() {
	w.Stop(syscall.SIGTERM)
	w.stop()
	for _, s := range w.servers {
		_ = s.Close()
	}
	w.wg.Wait()
}

// Run calls the bridge's command line on the world's configuration and returns what it printed.
func (w *World) Run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, w.opt.Binary, append(args, "--config", w.Config)...)
	cmd.Dir, cmd.Env = w.opt.Dir, w.env()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("channelbridge %v: %w: %s", args, err, errs.String())
	}
	return out.String(), nil
}

// env holds the secrets the configuration refers to.
func (w *World) env() []string {
	return append(os.Environ(), "DEMO_AMAZON_SECRET="+amazonfake.DefaultSecret, "DEMO_AMAZON_REFRESH="+amazonfake.DefaultRefresh,
		"DEMO_PIPE_TOKEN="+PipeToken, "DEMO_SHOP_SECRET=demo-shop-secret")
}

func (w *World) database() string {
	if w.opt.Database != "" {
		return w.opt.Database
	}
	return "sqlite:" + filepath.Join(w.opt.Dir, "channelbridge.db")
}

// AmazonURL is the fake Amazon's base address.
func (w *World) AmazonURL() string { return w.amazonURL }
