package rig

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Bridge is one instance of the program under supervision: when it ends by itself it is started
// again, as a container runtime would.
type Bridge struct {
	Program, Config, Log string
	Addr                 string // host:port it listens on

	mu      sync.Mutex
	process *Process
	wanted  bool
	Ended   atomic.Int64 // how often it ended without being asked to
}

// Start runs the program and keeps it running.
func (b *Bridge) Start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted = true
	return b.launch()
}

func (b *Bridge) launch() error {
	p, err := Start(b.Log, b.Program, "serve", "--config", b.Config)
	if err != nil {
		return err
	}
	b.process = p
	go b.watch(p)
	return nil
}

// watch starts the program again when it ended by itself.
func (b *Bridge) watch(p *Process) {
	<-p.done
	time.Sleep(100 * time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wanted && b.process == p {
		b.Ended.Add(1)
		if err := b.launch(); err != nil {
			fmt.Fprintln(os.Stderr, "starting the bridge again:", err)
		}
	}
}

// Kill ends the program with SIGKILL.
func (b *Bridge) Kill() { b.release().Kill() }

// Stop asks the program to end and returns its exit code.
func (b *Bridge) Stop(patience time.Duration) (int, error) { return b.release().Stop(patience) }

// Pid is the process id of the running program.
func (b *Bridge) Pid() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.process.Pid()
}

func (b *Bridge) release() *Process {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted = false
	return b.process
}

// URL is an address of the instance.
func (b *Bridge) URL(path string) string { return "http://" + b.Addr + path }

// Ready waits until the instance says it can take work.
func (b *Bridge) Ready(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if Answers(ctx, b.URL("/readyz")) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the bridge at %s is not ready after %s; its log ends:\n%s", b.Addr, patience, Tail(b.Log, 3000))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Answers reports whether an address answers with 200.
func Answers(ctx context.Context, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
