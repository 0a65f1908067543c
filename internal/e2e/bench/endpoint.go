package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"channelbridge/internal/e2e/load"
	"channelbridge/internal/e2e/rig"
)

// answered is what was measured of the report's endpoint over the same lines.
type answered struct {
	first time.Duration   // the first page, made anew
	warm  []time.Duration // the first page of the same snapshot
	file  time.Duration   // every line as CSV, from asking for it to its last byte
	rows  int
	rss   int64 // of the bridge, at most
}

const reportPath = "/v1/reports/payout-reconciliation?from=2026-11-01&to=2026-12-01"

// ask starts the bridge on books that are there and asks it for the report.
func ask(ctx context.Context, s settings, config string, x *settled) error {
	made := exec.CommandContext(ctx, s.program, "tokens", "create", "--name", "bench", "--scope", "payouts:read", "--config", config)
	text, err := made.Output()
	if err != nil {
		return fmt.Errorf("a token: %w", err)
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	b := &rig.Bridge{Program: s.program, Addr: addr, Config: config + ".serve", Log: config + ".log"}
	plain, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.Config, fmt.Appendf(plain, "listen: %s\n", addr), 0o600); err != nil {
		return err
	}
	if err := b.Start(); err != nil {
		return err
	}
	defer b.Kill()
	if err := b.Ready(ctx, 30*time.Second); err != nil {
		return err
	}
	c := client{b, strings.TrimSpace(string(text))}
	return errors.Join(c.pages(ctx, &x.asked), c.file(ctx, &x.asked))
}

// client asks with a token.
type client struct {
	*rig.Bridge
	token string
}

func (c client) get(ctx context.Context, path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL(path), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Prefer", "respond-async") // of a file
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		body, _ := io.ReadAll(answer.Body)
		return nil, errors.Join(fmt.Errorf("%s: %s: %s", path, answer.Status, body), answer.Body.Close())
	}
	return answer, nil
}

// pages asks for the first page once, and then again and again.
func (c client) pages(ctx context.Context, a *answered) error {
	page := func() (time.Duration, error) {
		began := time.Now()
		answer, err := c.get(ctx, reportPath+"&limit=200")
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return time.Since(began), errors.Join(err, answer.Body.Close())
	}
	var err error
	if a.first, err = page(); err != nil {
		return err
	}
	for range 200 {
		took, err := page()
		if err != nil {
			return err
		}
		a.warm = append(a.warm, took)
	}
	return nil
}

// file asks for every line as CSV, which is made in the background, and fetches it.
func (c client) file(ctx context.Context, a *answered) error {
	began := time.Now()
	var job struct {
		ID, State, File string
		JobID           string `json:"job_id"`
	}
	next := reportPath + "&level=line&format=csv"
	for job.State != "done" {
		if job.State == "failed" {
			return errors.New("the export failed")
		}
		answer, err := c.get(ctx, next)
		if err != nil {
			return err
		}
		err = json.NewDecoder(answer.Body).Decode(&job)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			return err
		}
		next = "/v1/reports/jobs/" + job.JobID
		time.Sleep(100 * time.Millisecond)
	}
	answer, err := c.get(ctx, job.File)
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<20)
	for {
		n, err := answer.Body.Read(buf)
		a.rows += bytes.Count(buf[:n], []byte("\n"))
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(err, answer.Body.Close())
		}
	}
	a.file = time.Since(began)
	_, a.rss = rig.RSS(c.Pid())
	return answer.Body.Close()
}

// table is what was measured, in the table.
func (a answered) table(lines int, row func(what, measured, target string, good bool)) {
	p99 := load.Quantile(a.warm, .99)
	row("… the endpoint's first page, made anew", round(a.first).String(), "", true)
	row("… the first page of a warm snapshot, p99", fmt.Sprintf("%s (p50 %s)", round(p99), round(load.Quantile(a.warm, .5))), "< 300 ms", p99 < 300*time.Millisecond)
	row(fmt.Sprintf("… %d lines as CSV from the endpoint, made in the background and fetched", a.rows-1), round(a.file).String(), "< 30 s", a.file < 30*time.Second && a.rows == lines+1)
	row("… memory of the bridge after all this, at most", megabytes(a.rss), "< 128 MB", a.rss < 128<<20)
}
