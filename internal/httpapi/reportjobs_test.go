package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

// exported waits for an export and gives it as it is when it is over.
func (r *rig) exported(location string) (v jobView) {
	r.Helper()
	require.Eventually(r, func() bool {
		v = jobView{}
		r.get(strings.TrimPrefix(location, "/v1")).is(http.StatusOK).into(&v)
		return v.State == jobDone || v.State == jobFailed
	}, 10*time.Second, 5*time.Millisecond)
	return v
}

func (r *rig) prefersLater(query string) answer {
	r.Helper()
	req := request(http.MethodGet, reportOf+query, r.token, "")
	req.Header.Set("Prefer", "respond-async, wait=1")
	return r.send(req)
}

func TestALargeFileIsMadeInTheBackground(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, func(c *Config) { c.Scratch, c.Limits.JobRows = dir, 4 })
	r.someBooks() // five lines
	plain := newRig(t)
	plain.someBooks()
	for _, query := range []string{"&format=csv&level=line", "&format=ndjson", "&format=xlsx", "&format=journal-text"} {
		want := plain.get(reportOf + year + query).is(http.StatusOK)
		a := r.get(reportOf + year + query).is(http.StatusAccepted)
		v := r.exported(a.Header().Get("Location"))
		require.Equal(t, jobDone, v.State, query)
		file := r.get(strings.TrimPrefix(v.File, "/v1")).is(http.StatusOK)
		if query != "&format=xlsx" { // whose parts have the instant they were made at
			require.Equal(t, want.Body.String(), file.Body.String(), query)
		}
		require.EqualValues(t, file.Body.Len(), v.Written)
		require.Equal(t, want.Header().Get("Content-Type"), file.Header().Get("Content-Type"))
		require.Equal(t, want.Header().Get("Content-Disposition"), file.Header().Get("Content-Disposition"))
	}
	r.get(reportOf + year).is(http.StatusOK) // a page is a page

	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "files have no names: they are gone with the process")
	first := r.server.jobs.all[0]
	r.pass(jobsKept + time.Minute)
	r.get("/reports/jobs/" + first.id).is(http.StatusNotFound)
	require.Error(t, first.file.Close(), "closed already")
}

// What counts is what the question is about, not what is in the books.
func TestASmallFileIsSentAtOnceWhateverElseIsInTheBooks(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.JobRows = 4 })
	r.someBooks() // five lines, in March in the account's zone
	r.get(reportOf + "from=2026-04-01&to=2026-05-01&format=csv").is(http.StatusOK)
	r.get(reportOf + "from=2026-03-01&to=2026-04-01&format=csv").is(http.StatusAccepted)
}

func TestAnExportBelongsToItsToken(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	a := r.prefersLater(year + "&format=csv").is(http.StatusAccepted)
	v := r.exported(a.Header().Get("Location"))
	mine := r.token
	r.token = r.newToken("other", scopePayoutsRead)
	r.get("/reports/jobs/"+v.ID).problem(http.StatusNotFound, "not_found")
	r.get("/reports/jobs/"+v.ID+"/file").problem(http.StatusNotFound, "not_found")
	r.token = mine
	r.get("/reports/jobs/" + v.ID + "/file").is(http.StatusOK)
}

func TestAnExportThatFailsSaysWhy(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	r.imports("am", slip("ST-99", noon, "A", "unclassified", 1)).is(http.StatusCreated)
	v := r.exported(r.prefersLater(year + "&format=journal-text").is(http.StatusAccepted).Header().Get("Location"))
	require.Equal(t, jobFailed, v.State)
	require.Equal(t, "unmapped_category", v.Problem.Code)
	r.get("/reports/jobs/"+v.ID+"/file").problem(http.StatusConflict, "export_not_done")
}

// brittle is a Payouts whose reports have a fault.
type brittle struct{ Payouts }

func (brittle) Report(context.Context, []connector.ConnectionID, payout.Query) (*payout.Report, error) {
	panic("a fault in the program")
}

func TestAnExportThatPanicsFailsAlone(t *testing.T) {
	dir, log := t.TempDir(), &strings.Builder{}
	r := newRig(t, func(c *Config) {
		c.Payouts, c.Scratch, c.Log = brittle{c.Payouts}, dir, slog.New(slog.NewTextHandler(log, nil))
	})
	v := r.exported(r.prefersLater(year + "&format=csv").is(http.StatusAccepted).Header().Get("Location"))
	require.Equal(t, jobFailed, v.State)
	require.Equal(t, "internal", v.Problem.Code)
	require.Contains(t, log.String(), v.Problem.Reference)
	require.Contains(t, log.String(), "brittle", "the stack")

	_, taken := r.server.jobs.begin("t", "ref", func(context.Context, *job) (reply, error) {
		return reply{stream: func(io.Writer) error { panic("while it is written") }}, nil
	})
	require.True(t, taken)
	last := r.server.jobs.all[1]
	require.Eventually(t, func() (failed bool) {
		r.server.jobs.set(func() { failed = last.state == jobFailed })
		return failed
	}, 10*time.Second, time.Millisecond)
	require.Nil(t, last.file)
	require.Eventually(t, func() bool { return len(r.server.jobs.turn) == 0 }, 10*time.Second, time.Millisecond, "its turn is over")
}

func TestExportsAreBoundedForEachToken(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	export := func() answer { return r.prefersLater(year + "&format=csv") }
	for range mostJobs {
		r.exported(export().is(http.StatusAccepted).Header().Get("Location"))
	}
	p := export().problem(http.StatusServiceUnavailable, "too_many_exports")
	require.NotEmpty(t, p.Hint)
	r.token = r.newToken("other", scopePayoutsRead)
	r.exported(export().is(http.StatusAccepted).Header().Get("Location"))
}

// However many others there are, each token may have exports; of all files not too many are kept.
func TestFilesOfExportsAreBoundedForAll(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	export := func() string {
		r.pass(time.Second)
		v := r.exported(r.prefersLater(year + "&format=csv").is(http.StatusAccepted).Header().Get("Location"))
		require.Equal(t, jobDone, v.State)
		return v.ID
	}
	busy := r.token
	first, second := export(), export()
	for range mostJobs - 2 {
		export()
	}
	for i := range mostFiles/mostJobs + 1 {
		r.token = r.newToken(string(rune('a'+i)), scopePayoutsRead)
		for range mostJobs - 2 {
			export()
		}
	}
	quiet := export()
	r.get("/reports/jobs/" + quiet + "/file").is(http.StatusOK)
	r.token = busy
	r.get("/reports/jobs/"+first).problem(http.StatusNotFound, "not_found")
	r.get("/reports/jobs/"+second).problem(http.StatusNotFound, "not_found")
	files := 0
	for _, b := range r.server.jobs.all {
		if b.file != nil {
			files++
		}
	}
	require.Equal(t, mostFiles, files)
}
