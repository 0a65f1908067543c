package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"channelbridge/internal/e2e/load"
)

// report is everything that was measured.
type report struct {
	turns, sqlite                   []turn
	starts                          []time.Duration
	rssIdle, rssFull, rssMirror     int64
	mirrored, mirrorRate            int
	mirrorP50, mirrorP99, mirrorMax time.Duration
	settled                         []settled
}

// The marks between which the document's results stand.
const (
	begin = "<!-- results: written by internal/e2e/bench -->\n"
	end   = "<!-- end of results -->\n"
)

// markdown is the table.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d processors, %s/%s.\n\n", time.Now().UTC().Format("2 January 2006"), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	b.WriteString("| what | measured | target | |\n|---|---|---|---|\n")
	row := func(what, measured, target string, good bool) {
		verdict := "missed"
		if good {
			verdict = "met"
		}
		if target == "" {
			verdict = ""
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", what, measured, target, verdict)
	}
	if len(r.turns) > 0 {
		r.receiving(row)
	}
	if r.mirrored > 0 {
		row(fmt.Sprintf("push to mirrored order, p99, %d orders at %d/s, store answers in 50 ms", r.mirrored, r.mirrorRate),
			fmt.Sprintf("%s (p50 %s, longest %s)", round(r.mirrorP99), round(r.mirrorP50), round(r.mirrorMax)), "< 2 s", r.mirrorP99 < 2*time.Second)
		row("memory while doing that, at most", megabytes(r.rssMirror), "< 250 MB", r.rssMirror < 250<<20)
	}
	if len(r.starts) > 0 {
		row("start to ready, embedded database made anew", round(load.Quantile(r.starts, .5)).String(), "< 1 s", load.Quantile(r.starts, .5) < time.Second)
		row("memory idle", megabytes(r.rssIdle), "< 60 MB", r.rssIdle < 60<<20)
	}
	if len(r.sqlite) > 0 {
		row("receiving on SQLite, flushed", fmt.Sprintf("%.0f/s, p99 %s, %d µs of processor each", median(r.sqlite, func(t turn) float64 { return t.bridge.Rate() }),
			round(time.Duration(median(r.sqlite, func(t turn) float64 { return float64(t.bridge.P99) }))),
			time.Duration(median(r.sqlite, func(t turn) float64 { return float64(t.serverCPU) })).Microseconds()), "", true)
	}
	for _, x := range r.settled {
		x.rows(row)
	}
	if len(r.turns) > 0 {
		r.rounds(&b)
	}
	return b.String()
}

func (r *report) receiving(row func(what, measured, target string, good bool)) {
	ratio := median(r.turns, func(t turn) float64 { return t.bridge.Rate() / t.same })
	row("pushes kept and answered per single-row insert of pgbench into the same table", fmt.Sprintf("**%.2f**", ratio), "≥ 0.8", ratio >= 0.8)
	plain := median(r.turns, func(t turn) float64 { return t.bridge.Rate() / t.plain })
	row("… into a table with nothing but a unique key", fmt.Sprintf("%.2f", plain), "≥ 0.8", plain >= 0.8)
	p99 := time.Duration(median(r.turns, func(t turn) float64 { return float64(t.bridge.P99) }))
	p50 := time.Duration(median(r.turns, func(t turn) float64 { return float64(t.bridge.P50) }))
	row("answer to a push under that load, p99", fmt.Sprintf("%s (p50 %s)", round(p99), round(p50)), "≤ 25 ms", p99 <= 25*time.Millisecond)
	cpu := func(t turn) float64 { return float64((t.serverCPU + t.dbCPU).Microseconds()) }
	row("processor time per push, bridge and PostgreSQL together", fmt.Sprintf("%.0f µs", median(r.turns, cpu)), "< 220 µs", median(r.turns, cpu) < 220)
	row("memory at that load, at most", megabytes(r.rssFull), "< 250 MB", r.rssFull < 250<<20)
}

// rounds are the raw numbers.
func (r *report) rounds(b *strings.Builder) {
	b.WriteString("\n| round | bridge /s | p50 | p99 | bridge µs each | PostgreSQL µs each | pgbench same table /s | PostgreSQL µs each | pgbench plain table /s | ratio same | ratio plain |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i, t := range r.turns {
		fmt.Fprintf(b, "| %d | %.0f | %s | %s | %d | %d | %.0f | %d | %.0f | %.2f | %.2f |\n", i+1, t.bridge.Rate(), round(t.bridge.P50), round(t.bridge.P99),
			t.serverCPU.Microseconds(), t.dbCPU.Microseconds(), t.same, t.sameCPU.Microseconds(), t.plain, t.bridge.Rate()/t.same, t.bridge.Rate()/t.plain)
	}
}

// rewrite puts the table into the document.
func (r *report) rewrite(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no place for results", path)
	}
	return os.WriteFile(path, []byte(head+begin+"\n"+r.markdown()+"\n"+end+tail), 0o644)
}

func median(turns []turn, of func(turn) float64) float64 {
	var all []float64
	for _, t := range turns {
		all = append(all, of(t))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", n>>20) }

func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}
