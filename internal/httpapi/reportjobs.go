package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

// Addresses of exports that are made in the background.
const (
	jobPath     = "/reports/jobs/:id"
	jobFilePath = jobPath + "/file"
)

// Bounds of exports in the background. They live in this process: after a restart there are none.
// Whether a token's export is taken on depends on its own alone, so that nobody learns of others by it.
const (
	jobRows    = 200_000 // more lines than these are not sent in the answer itself
	mostJobs   = 8       // of one token, under way or kept
	mostFiles  = 32      // that are kept for all tokens
	jobsAtOnce = 2
	jobsKept   = time.Hour
	jobLongest = 30 * time.Minute
)

// jobState is where an export stands.
type jobState string

const (
	jobWaiting jobState = "waiting"
	jobRunning jobState = "running"
	jobDone    jobState = "done"
	jobFailed  jobState = "failed"
)

// job is one export that is made, or was.
type job struct {
	id, token string
	ref       string // of the request that asked for it
	header    map[string]string
	kind      string
	made      time.Time
	ended     time.Time // zero: it goes on
	state     jobState
	problem   *Problem
	snapshot  string
	written   int64    // bytes so far
	file      *os.File // without a name: it is gone with the process
}

// jobView is an export as programs see it.
type jobView struct {
	ID       string    `json:"job_id"`
	State    jobState  `json:"state"`
	Written  int64     `json:"bytes_written"`
	Snapshot string    `json:"snapshot_id,omitempty"`
	MadeAt   time.Time `json:"created_at"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
	Expires  time.Time `json:"expires_at,omitzero"` // of the file
	File     string    `json:"file,omitempty"`      // where it is
	Problem  *Problem  `json:"problem,omitempty"`
}

// jobs are the exports of one process, in the order they were asked for.
type jobs struct {
	dir   string
	clock connector.Clock
	log   *slog.Logger
	turn  chan struct{}
	mu    sync.Mutex
	all   []*job
}

func newJobs(dir string, clock connector.Clock, log *slog.Logger) *jobs {
	return &jobs{dir: dir, clock: clock, log: log, turn: make(chan struct{}, jobsAtOnce)}
}

// begin takes an export on; make writes it. false when the token has too many.
func (j *jobs) begin(token, ref string, make func(ctx context.Context, b *job) (reply, error)) (jobView, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.trim()
	mine := 0
	for _, b := range j.all {
		if b.token == token {
			mine++
		}
	}
	if mine >= mostJobs {
		return jobView{}, false
	}
	b := &job{id: "job_" + strings.ToLower(rand.Text()[:20]), token: token, ref: ref, made: j.clock(), state: jobWaiting}
	j.all = append(j.all, b)
	go j.run(b, make)
	return j.view(b), true
}

// run makes an export when it is its turn.
func (j *jobs) run(b *job, make func(ctx context.Context, b *job) (reply, error)) {
	j.turn <- struct{}{}
	defer func() { <-j.turn }()
	j.set(func() { b.state = jobRunning })
	ctx, cancel := context.WithTimeout(context.Background(), jobLongest)
	defer cancel()
	out, f, err := j.made(ctx, b, make)
	j.set(func() {
		b.ended, b.state, b.header, b.kind, b.file = j.clock(), jobDone, out.header, out.kind, f
		if err != nil {
			b.state, b.problem = jobFailed, problemOf(err)
			b.problem.Reference = b.ref
		}
		j.thin()
	})
}

// thin forgets files where too many are kept: the oldest of the token that has the most.
func (j *jobs) thin() {
	for {
		of, total := map[string]int{}, 0
		for _, b := range j.all {
			if b.file != nil {
				of[b.token]++
				total++
			}
		}
		if total <= mostFiles {
			return
		}
		oldest := -1
		for i, b := range j.all {
			if b.file == nil {
				continue
			}
			if oldest < 0 || of[b.token] > of[j.all[oldest].token] || b.token == j.all[oldest].token && b.ended.Before(j.all[oldest].ended) {
				oldest = i
			}
		}
		_ = j.all[oldest].file.Close()
		j.all = slices.Delete(j.all, oldest, oldest+1)
	}
}

// made makes an export and its file. No request stands above it: a panic ends here, as the export's
// failure, and not the process.
func (j *jobs) made(ctx context.Context, b *job, make func(ctx context.Context, b *job) (reply, error)) (out reply, f *os.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			j.log.Error("panic while making an export", "reference", b.ref, "stack", string(debug.Stack()))
			f, err = nil, errors.New("panic")
		}
	}()
	if out, err = make(ctx, b); err != nil {
		return out, nil, err
	}
	if f, err = j.write(b, out); err != nil {
		j.log.Error("export not written", "reference", b.ref, "error", err)
	}
	return out, f, err
}

// write puts an answer into a file of its own.
func (j *jobs) write(b *job, out reply) (_ *os.File, err error) {
	f, err := os.CreateTemp(j.dir, "export-*")
	if err != nil {
		return nil, fmt.Errorf("a file for an export: %w", err)
	}
	whole := false
	defer func() { // also of a panic
		if !whole {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := os.Remove(f.Name()); err != nil { // the open file stays
		return nil, fmt.Errorf("a file for an export: %w", err)
	}
	if err := out.stream(&counted{f, func(n int) { j.set(func() { b.written += int64(n) }) }}); err != nil {
		return nil, fmt.Errorf("writing an export: %w", err)
	}
	whole = true
	return f, nil
}

// counted tells how much was written.
type counted struct {
	io.Writer
	told func(n int)
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.told(n)
	return n, err
}

func (j *jobs) set(change func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change()
}

// trim forgets exports whose time is over, and their files.
func (j *jobs) trim() {
	now, kept := j.clock(), j.all[:0]
	for _, b := range j.all {
		if !b.ended.IsZero() && now.Sub(b.ended) > jobsKept {
			if b.file != nil {
				_ = b.file.Close()
			}
			continue
		}
		kept = append(kept, b)
	}
	j.all = kept
}

// get finds an export of a token: another's does not exist.
func (j *jobs) get(token, id string) (*job, jobView, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.trim()
	for _, b := range j.all {
		if b.id == id && b.token == token {
			return b, j.view(b), nil
		}
	}
	return nil, jobView{}, fmt.Errorf("export %s: %w", id, connector.ErrNotFound)
}

func (j *jobs) view(b *job) jobView {
	v := jobView{ID: b.id, State: b.state, Written: b.written, Snapshot: b.snapshot, MadeAt: b.made.UTC(), EndedAt: b.ended.UTC(), Problem: b.problem}
	if b.ended.IsZero() {
		v.EndedAt = time.Time{}
	} else {
		v.Expires = b.ended.Add(jobsKept).UTC()
	}
	if b.state == jobDone {
		v.File = "/v1" + strings.Replace(jobFilePath, ":id", b.id, 1)
	}
	return v
}

// later reports that a file is to be made in the background: the client prefers that (RFC 7240), or
// the payouts it is about have too many lines.
func (s *Server) later(c *call, ask *reportAsk) (bool, error) {
	if ask.format == formatJSON || ask.cursor != "" {
		return false, nil
	}
	for _, v := range c.Request().Header.Values("Prefer") {
		if strings.Contains(strings.ToLower(v), "respond-async") {
			return true, nil
		}
	}
	list, err := c.payoutsOf(ask.accounts, connector.PayoutFilter{AsOf: ask.query.AsOf})
	if err != nil {
		return false, err
	}
	lines, of := 0, map[connector.ConnectionID]payout.Query{}
	for _, a := range ask.accounts {
		if of[a.ID], err = ask.query.In(a.Zone); err != nil {
			return false, fmt.Errorf("the days of a report: %w", err)
		}
	}
	for _, p := range list {
		if of[p.Account].Covers(p) {
			lines += p.Lines
		}
	}
	return lines > s.cfg.Limits.JobRows, nil
}

// export takes a file on that is made in the background.
func (s *Server) export(c *call, ask *reportAsk) (reply, error) {
	inJob := *c // the request ends before the export does
	v, taken := s.jobs.begin(c.token.ID, c.ref, func(ctx context.Context, b *job) (reply, error) {
		inJob.ctx = ctx
		out, err := s.exported(&inJob, ask, b)
		if err != nil {
			_ = s.failed(&inJob, err) // what stops here stands in the log
		}
		return out, err
	})
	if !taken {
		p := newProblem("too_many_exports", "As many exports of this token are made and kept as may be.", "Fetch what is done, or wait.")
		p.retryAfter = 60
		return reply{}, p
	}
	return reply{status: http.StatusAccepted, body: v, header: map[string]string{"Location": "/v1" + strings.Replace(jobPath, ":id", v.ID, 1), "Retry-After": "2"}}, nil
}

func (s *Server) exported(c *call, ask *reportAsk, b *job) (reply, error) {
	r, err := s.fresh(c, ask)
	if err != nil {
		return reply{}, err
	}
	s.jobs.set(func() { b.snapshot = r.Snapshot })
	return s.formed(c, ask, r, 0)
}

func (s *Server) showJob(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	id, err := c.name("id")
	if err != nil {
		return reply{}, err
	}
	_, v, err := s.jobs.get(c.token.ID, id)
	if err != nil {
		return reply{}, err
	}
	return shown(v)
}

// jobFile gives a file that is done.
func (s *Server) jobFile(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	id, err := c.name("id")
	if err != nil {
		return reply{}, err
	}
	b, v, err := s.jobs.get(c.token.ID, id)
	if err != nil {
		return reply{}, err
	}
	if v.State != jobDone {
		return reply{}, newProblem("export_not_done", "The export is "+string(v.State)+".", "Ask for the export itself until it is done.")
	}
	return reply{status: http.StatusOK, kind: b.kind, header: b.header, stream: func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(b.file, 0, v.Written))
		return err
	}}, nil
}
