package httpapi

import (
	"slices"
	"sync"
	"time"

	"channelbridge/connector/payout"
)

// Bounds of the reports that are kept for their further pages. The one used last stays, however
// large it is.
const (
	mostReports    = 8
	mostReportRows = 500_000
	reportsKept    = 15 * time.Minute
)

// keptReports are reports with pages to come, the one used last at the end.
type keptReports struct {
	most int // rows of all
	mu   sync.Mutex
	all  []keptReport
}

type keptReport struct {
	*payout.Report
	used time.Time
}

func (k keptReport) size() int { return len(k.Payouts) + len(k.Orders) + len(k.Lines) }

// put keeps a report. Reports with one name are equal; the first of them stays.
func (k *keptReports) put(r *payout.Report, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := k.find(r.Snapshot); i >= 0 {
		r = k.all[i].Report
		k.all = slices.Delete(k.all, i, i+1)
	}
	k.all = append(k.all, keptReport{r, now})
	k.trim(now)
}

// get finds a report by its name.
func (k *keptReports) get(snapshot string, now time.Time) (*payout.Report, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.trim(now)
	i := k.find(snapshot)
	if i < 0 {
		return nil, false
	}
	found := keptReport{k.all[i].Report, now}
	k.all = append(slices.Delete(k.all, i, i+1), found)
	return found.Report, true
}

func (k *keptReports) find(snapshot string) int {
	return slices.IndexFunc(k.all, func(r keptReport) bool { return r.Snapshot == snapshot })
}

// trim forgets what is too old, and of the rest the longest unused until it is few enough.
func (k *keptReports) trim(now time.Time) {
	k.all = slices.DeleteFunc(k.all, func(r keptReport) bool { return now.Sub(r.used) > reportsKept })
	rows := 0
	for _, r := range k.all {
		rows += r.size()
	}
	for len(k.all) > mostReports || rows > k.most && len(k.all) > 1 {
		rows -= k.all[0].size()
		k.all = slices.Delete(k.all, 0, 1)
	}
}
