package amazon

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"channelbridge/internal/fault"
)

// dataSets is what an order is read with.
var dataSets = []string{"BUYER", "RECIPIENT", "PROCEEDS", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX"}

// reductionKept is how long refused data sets are left out before they are tried again.
const reductionKept = 10 * time.Minute

type reduction struct {
	sets  []string // left out
	until time.Time
}

// readOrders reads with as many data sets as Amazon lets us have. Some sellers are refused the
// whole call over a single set (personal data without the role, a regional outage), so fewer
// are asked for before giving up. It returns the sets left out.
func (a *Adapter) readOrders(ctx context.Context, r request, v any) (http.Header, []string, error) {
	r.method, r.repeat = http.MethodGet, true
	drop := a.reduction(r.op)
	head, err := a.readWithout(ctx, r, drop, v)
	for last := err; refusal(last); {
		less := suspects(last, drop)
		if less == nil {
			return head, drop, err // the first refusal says most
		}
		drop = less
		if head, last = a.readWithout(ctx, r, drop, v); last == nil {
			a.reduce(r.op, drop)
			a.log.Warn("data sets refused", "op", r.op, "sets", strings.Join(drop, ","), "error", err)
			return head, drop, nil
		} else if !refusal(last) {
			return head, drop, last
		}
	}
	return head, drop, err
}

func (a *Adapter) readWithout(ctx context.Context, r request, drop []string, v any) (http.Header, error) {
	keep := slices.DeleteFunc(slices.Clone(dataSets), func(s string) bool { return slices.Contains(drop, s) })
	q := url.Values{}
	for k, x := range r.query {
		q[k] = x
	}
	q.Set("includedData", strings.Join(keep, ","))
	r.query = q
	return a.api.read(ctx, r, v)
}

func refusal(err error) bool { return fault.Is(err, fault.Refused) || fault.Is(err, fault.Denied) }

// suspects adds to the sets left out those a refusal names, else the personal ones.
// Login errors are not about data sets. nil: nobody is left.
func suspects(err error, drop []string) []string {
	if isLogin(err) {
		return nil
	}
	for _, guess := range [][]string{named(err), personalSets} {
		less := slices.Clone(drop)
		for _, set := range guess {
			if !slices.Contains(less, set) {
				less = append(less, set)
			}
		}
		if len(less) > len(drop) {
			return less
		}
	}
	return nil
}

// essential data sets are never left out: without them an order has no state or no amounts, and
// it is better not read than read as something else.
var essential = []string{"FULFILLMENT", "PROCEEDS"}

var personalSets = []string{"BUYER", "RECIPIENT"}

func named(err error) []string {
	words := strings.FieldsFunc(err.Error(), func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') })
	return slices.DeleteFunc(slices.Clone(dataSets), func(s string) bool { return !slices.Contains(words, s) || slices.Contains(essential, s) })
}

func (a *Adapter) reduction(op string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.reduced[op]; a.clock().Before(r.until) {
		return r.sets
	}
	return nil
}

func (a *Adapter) reduce(op string, sets []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reduced[op] = reduction{sets, a.clock().Add(reductionKept)}
}
