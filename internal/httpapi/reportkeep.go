package httpapi

import (
	"slices"
	"sync"
	"time"

	"channelbridge/connector/payout"
)

// Bounds of the reports that are kept for their further pages. Their rows lie in files. The one
// used last stays, however large it is.
const (
	mostReports    = 8
	mostReportSize = 1 << 30 // bytes of all
	reportsKept    = 15 * time.Minute
	reportsWarm    = time.Minute // for which the answer to a question may be given again
)

// keptReports are reports with pages to come or that were just asked for, the one used last at the
// end.
type keptReports struct {
	most int64 // bytes of all
	size func(*payout.Report) int64
	mu   sync.Mutex
	all  []keptReport
}

type keptReport struct {
	*payout.Report
	used time.Time
	size int64
	asks map[string]time.Time // the questions it answers, and when it was made for each
}

func newKeptReports() *keptReports {
	return &keptReports{most: mostReportSize, size: (*payout.Report).Size}
}

// keep keeps a report, and which question it answers; "": none that is known. Reports with one name
// have equal rows, also where one was asked for as of an instant; of those that are the same question
// the last stays.
func (k *keptReports) keep(r *payout.Report, ask string, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := keptReport{r, now, k.size(r), map[string]time.Time{}}
	same := func(o keptReport) bool { // in its name, and in what it says of itself
		return o.Snapshot == r.Snapshot && o.Query.AsOf.Equal(r.Query.AsOf) && o.Until.Equal(r.Until)
	}
	if i := slices.IndexFunc(k.all, same); i >= 0 {
		kept.asks = k.all[i].asks
		k.all = slices.Delete(k.all, i, i+1)
	}
	if ask != "" {
		kept.asks[ask] = now
	}
	k.all = append(k.all, kept)
	k.trim(now)
}

// warm finds the report that was just made for a question and still says what is so.
func (k *keptReports) warm(ask string, now time.Time) (*payout.Report, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.trim(now)
	for _, r := range k.all {
		if made, asked := r.asks[ask]; asked && now.Sub(made) < reportsWarm && (r.Until.IsZero() || now.Before(r.Until)) {
			return r.Report, true
		}
	}
	return nil, false
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
	found := keptReport{k.all[i].Report, now, k.all[i].size, k.all[i].asks}
	k.all = append(slices.Delete(k.all, i, i+1), found)
	return found.Report, true
}

func (k *keptReports) find(snapshot string) int {
	return slices.IndexFunc(k.all, func(r keptReport) bool { return r.Snapshot == snapshot })
}

// trim forgets what is too old, and of the rest the longest unused until it is few enough.
func (k *keptReports) trim(now time.Time) {
	k.all = slices.DeleteFunc(k.all, func(r keptReport) bool { return now.Sub(r.used) > reportsKept })
	var size int64
	for _, r := range k.all {
		size += r.size
	}
	for len(k.all) > mostReports || size > k.most && len(k.all) > 1 {
		size -= k.all[0].size
		k.all = slices.Delete(k.all, 0, 1)
	}
}
