package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"channelbridge/internal/e2e/rig"
)

// start measures a start from nothing on the embedded database, and the memory of a bridge that
// has nothing to do.
func start(ctx context.Context, s settings, r *report) error {
	for n := range 5 {
		dir := filepath.Join(s.dir, fmt.Sprintf("start%d", n))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		addr, err := freeAddr()
		if err != nil {
			return err
		}
		b := &rig.Bridge{Program: s.program, Addr: addr, Config: filepath.Join(dir, "bridge.yaml"), Log: filepath.Join(dir, "bridge.log")}
		if err := os.WriteFile(b.Config, fmt.Appendf(nil, "listen: %s\ndata_dir: %s\n", addr, dir), 0o600); err != nil {
			return err
		}
		began := time.Now()
		if err := b.Start(); err != nil {
			return err
		}
		err = b.Ready(ctx, 30*time.Second)
		r.starts = append(r.starts, time.Since(began))
		if err == nil && n == 4 {
			time.Sleep(5 * time.Second)
			r.rssIdle, _ = rig.RSS(b.Pid())
		}
		b.Kill()
		if err != nil {
			return err
		}
	}
	return nil
}
