package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"channelbridge/internal/e2e/load"
	"channelbridge/internal/e2e/rig"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// door is a running bridge with one store.
type door struct {
	*rig.Bridge
	store *httptest.Server
}

// openDoor starts the program with one store connection on the database given; "" is the
// embedded default.
func openDoor(ctx context.Context, s settings, name, database string) (*door, error) {
	fake, err := shopifyfake.New(shopifyfake.Config{Shop: rig.ShopDomain, ClientSecret: rig.ShopSecret, Token: rig.ShopToken})
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	d := &door{store: httptest.NewServer(fake), Bridge: &rig.Bridge{Program: s.program, Addr: addr,
		Config: filepath.Join(dir, "bridge.yaml"), Log: filepath.Join(dir, "bridge.log")}}
	if database != "" {
		database = "database_url: " + database
	}
	text := fmt.Sprintf(`listen: %s
%s
data_dir: %s
log: {level: warn, format: text}
connections:
  - id: %s
    platform: shopify
    shopify: {shop: %s, client_secret: %s, access_token: %s, endpoint: "%s"}
`, addr, database, dir, rig.ShopID, rig.ShopDomain, rig.ShopSecret, rig.ShopToken, d.store.URL)
	if err := os.WriteFile(d.Config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := d.Start(); err != nil {
		return nil, err
	}
	return d, d.Ready(ctx, 30*time.Second)
}

func (d *door) close() {
	d.Kill()
	d.store.Close()
}

// load sends from 64 connections in another process.
func (d *door) load(ctx context.Context, turn time.Duration, prefix string) (r load.Result, err error) {
	in, err := json.Marshal(load.Options{Addr: d.Addr, Path: "/webhooks/" + rig.ShopID, Shop: rig.ShopDomain, Senders: 64, For: turn, Prefix: prefix})
	if err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "send")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("load generator: %w", err)
	}
	if err = json.Unmarshal(out, &r); err == nil && r.Refused+r.Broken > 0 {
		err = fmt.Errorf("%d pushes were not taken, %d not answered; the log ends:\n%s", r.Refused, r.Broken, rig.Tail(d.Log, 1000))
	}
	return r, err
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
