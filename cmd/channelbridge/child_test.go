package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// childConfig describes a bridge that runs as a process of its own.
type childConfig struct {
	Program string   // "": this program
	Config  string   // its configuration file
	Env     []string // added to ours
	Output  io.Writer
	Dir     string // where small files may be written
}

// child is a bridge that runs as a process of its own, so that it can be killed.
type child struct {
	URL   string // http://127.0.0.1:port
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
}

// startChild starts "serve" and waits until it takes pushes. Its listen may be 127.0.0.1:0.
func startChild(ctx context.Context, c childConfig) (*child, error) {
	program := c.Program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
	}
	addr := filepath.Join(c.Dir, "addr")
	if err := os.Remove(addr); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	k := &child{cmd: exec.Command(program, "serve", "--config", c.Config, "--addr-file", addr), ended: make(chan struct{})}
	k.cmd.Env = append(os.Environ(), c.Env...)
	k.cmd.Stdout, k.cmd.Stderr = c.Output, c.Output
	if err := k.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the bridge: %w", err)
	}
	go func() { defer close(k.ended); k.err = k.cmd.Wait() }()
	if err := k.ready(ctx, addr); err != nil {
		return nil, errors.Join(err, k.kill())
	}
	return k, nil
}

// ready waits until the child says it is.
func (k *child) ready(ctx context.Context, addrFile string) error {
	for pause(ctx, 20*time.Millisecond) {
		select {
		case <-k.ended:
			return fmt.Errorf("the bridge ended while starting: %w", k.err)
		default:
		}
		if k.URL == "" {
			raw, err := os.ReadFile(addrFile)
			if err != nil || !strings.HasSuffix(string(raw), "\n") {
				continue
			}
			k.URL = "http://" + strings.TrimSpace(string(raw))
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.URL+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("waiting for the bridge to be ready: %w", ctx.Err())
}

// stop asks the child to finish, and returns its exit code.
func (k *child) stop(ctx context.Context) (int, error) {
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	select {
	case <-k.ended:
		return k.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, errors.Join(fmt.Errorf("the bridge did not stop: %w", ctx.Err()), k.kill())
	}
}

// kill ends the child at once, as a power failure would.
func (k *child) kill() error {
	err := k.cmd.Process.Kill()
	<-k.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
